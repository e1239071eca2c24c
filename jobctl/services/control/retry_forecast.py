"""What another round of a job would run, for a question before it begins."""

from __future__ import annotations

import shlex
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobctl.config import Home
from jobctl.domain.job_options import OPTIONS, JobOption
from jobctl.domain.retry_advice import TIMEOUT
from jobctl.domain.selection import Selection
from jobctl.services.control.retry import choose_items, is_careful
from jobctl.services.control.targets import existing_job
from jobctl.store import another_round
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import failures as failure_views

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument

#: Options with their values as people type them.
Rules = tuple[tuple[JobOption, str], ...]


@dataclass(frozen=True, slots=True)
class RetryForecast:
    """The items of a selection that another round would have."""

    items: int
    left_out: int  # items with an unknown outcome, in a job that must not run anything twice
    timed_out: int  # items that the time limit stopped
    rules: Rules  # the rules that the status of the job suggests for another round

    @property
    def words(self) -> str:
        """The suggested rules as options: ``--timeout 2m``."""
        return " ".join(f"--{option.name} {shlex.quote(text)}" for option, text in self.rules)


def forecast(home: Home, job: StatusDocument, selection: Selection, *, now: int) -> RetryForecast:
    """Count the items; ``now`` is in microseconds UTC. Raises NotFound, UsageError."""
    with closing(open_database(home)) as database:
        return _forecast(database, job, selection, now)


def _forecast(database: Database, job: StatusDocument, selection: Selection, now: int) -> RetryForecast:
    row = existing_job(database, job["job"])
    choose_items(database, row.id, selection, now)
    careful = is_careful(row, selection)
    counted = another_round.count(database, another_round.choose(database, row.id, selection, careful=careful))
    left_out = 0
    if careful:
        every = another_round.choose(database, row.id, selection, careful=False)
        left_out = another_round.with_unknown_outcome(database, every)
    codes = {cause.id: cause.code for cause in failure_views.failures(database, row.id)}
    timed_out = sum(count for cause, count in counted.by_failure if codes.get(cause or 0) == TIMEOUT)
    rules = suggested_rules(job["retry"]["command"])
    # Items of other causes do not need more time.
    rules = tuple(rule for rule in rules if timed_out or rule[0].name != "timeout")
    return RetryForecast(sum(counted.moves.values()), left_out, timed_out, rules)


def suggested_rules(command: str | None) -> Rules:
    """The rules in a suggested command: ``jobctl retry 9 --timeout 2m``."""
    words = shlex.split(command or "")
    last = len(words) - 1 - words[::-1].index("retry") if "retry" in words else len(words)
    by_name = {f"--{option.name}": option for option in OPTIONS if option.effect and option.metavar}
    pairs = zip(words[last:], words[last + 1 :], strict=False)
    return tuple((by_name[name], text) for name, text in pairs if name in by_name)
