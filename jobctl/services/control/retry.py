"""``jobctl retry``: begin another round of a job for items that did not succeed. The history of attempts is kept."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobctl.config import Home
from jobctl.domain.policy import Policy
from jobctl.domain.selection import Selection, refuse_states
from jobctl.domain.states import TERMINAL_JOB_STATES, ItemState
from jobctl.domain.times import TimePassed, in_words
from jobctl.domain.wording import plural
from jobctl.errors import WrongState
from jobctl.handlers.environment import split_options
from jobctl.process.this_process import actor
from jobctl.process.wakeup import wake
from jobctl.services.control.retry_words import nothing_to_retry, reason_of
from jobctl.services.control.rule_changes import RuleChanges, Values, change_rules, check_on_this_machine
from jobctl.services.control.targets import Target, existing_job
from jobctl.services.selection import SelectedItems, for_each_job
from jobctl.store import another_round, clock, jobs, journal
from jobctl.store.another_round import ItemCounts
from jobctl.store.daemon import load_cluster
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow
from jobctl.store.opening.open import open_database
from jobctl.store.selected import ItemFilter

if TYPE_CHECKING:
    from jobctl.domain.documents.control import RetriedBlock, RetryDocument


@dataclass(frozen=True, slots=True)
class Retried:
    """A job that has another round."""

    job: int
    round: int
    items: int
    left_out: int  # items with an unknown outcome, in a job that must not run anything twice
    elsewhere: int = 0  # items whose rows another job of the same name has, or has done since
    changed: str = ""  # the rules that differ from those of the round before
    policy: Policy = field(default_factory=Policy, compare=False)  # the rules of the new round

    @property
    def sentence(self) -> str:
        """``job 42: round 2, 17 items queued again``."""
        left = f"; {self.left_out} with an unknown outcome left out (--unknown runs them)" if self.left_out else ""
        other = (
            f"; {self.elsewhere} left out: another job of that name has them or has done them" if self.elsewhere else ""
        )
        rules = f"; {self.changed}" if self.changed else ""
        return f"job {self.job}: round {self.round}, {plural(self.items, 'item')} queued again{rules}{left}{other}"


def retry(home: Home, job: int, selection: Selection, *, now: int) -> Retried:
    """Queue items of a finished job again.

    Raises UsageError when the job is not done or nothing of it can be retried, NotFound when there is no such job.
    """
    return retry_all(home, {job: selection}, now=now)[0]


def retry_all(home: Home, wanted: Mapping[int, Selection], values: Values | None = None, *, now: int) -> list[Retried]:
    """Queue items of several finished jobs again: all of them, or none if one raises. Raises as ``retry``.

    ``values`` has other rules for the new rounds.
    """
    values = values or {}
    _check_variables(home, values)
    with closing(open_database(home)) as database:
        if load_cluster(database) is None:
            check_on_this_machine(values)
        # Counting millions of items takes a while. It happens before the transaction, so that no other writer waits.
        counted = {job: _count(database, job, selection, now) for job, selection in wanted.items()}
        with database.transaction():
            retried = [
                begin_round(database, job, selection, values, now=now, counted=counted[job])
                for job, selection in wanted.items()
            ]
    wake(home.wake)
    return retried


def selections(
    targets: Sequence[Target], chosen: Selection, states: Sequence[ItemState] = another_round.STATES
) -> dict[int, Selection]:
    """Return ``chosen`` for each job of the targets, with the items that are named.

    Raises UsageError if both a job and items of it are named, or a state that is not one of ``states``.
    """
    hint = "leave the state out: all items that did not succeed run again; or add --as-new for a new job of any rows"
    refuse_states(chosen, states, "retry", hint)
    return for_each_job(targets, chosen, "retried")


def retry_document(retried: Sequence[Retried]) -> RetryDocument:
    """``jobctl.retry/1``."""
    return {"schema": "jobctl.retry/1", "retried": [_block(each) for each in retried]}


def _block(retried: Retried) -> RetriedBlock:
    return {
        "job": retried.job,
        "round": retried.round,
        "items": retried.items,
        "left_out": retried.left_out,
        "policy": retried.policy.to_json(),
    }


def begin_round(
    database: Database,
    job: int,
    selection: Selection,
    values: Values | None = None,
    *,
    now: int,
    counted: ItemCounts | None = None,
) -> Retried:
    """Begin a round in the caller's transaction; ``now`` is in microseconds UTC, ``values`` are other rules for it.

    ``counted`` is used if the job has not changed since the count. Raises NotFound, UsageError.
    """
    now = clock.follow(database, now)
    row = existing_job(database, job)
    if row.state not in TERMINAL_JOB_STATES:
        raise WrongState(f"job {job} is {row.state}, not done", hint=f"jobctl wait {job}, or jobctl cancel {job}")
    if counted is not None and counted.revision != jobs.revision(database, job):
        counted = None
    if counted is None:
        choose_items(database, job, selection, now)
    careful = is_careful(row, selection)
    elsewhere = _leave_out(database, row, another_round.choose(database, job, selection, careful=careful))
    choice = another_round.choose(database, job, selection, careful=careful, leaves_out=bool(elsewhere))
    if counted is None or elsewhere:
        counted = another_round.count(database, choice)
    another_round.requeue(database, choice, counted)
    left_out = _with_unknown_outcome(database, job, selection, leaves_out=bool(elsewhere)) if careful else 0
    moved = counted.moves
    items = sum(moved.values())
    if not items:
        raise nothing_to_retry(database, row, selection, left_out, elsewhere)
    changes = change_rules(row, values or {}, now)
    _refuse_passed_deadline(job, changes.policy, now)
    _reopen(database, row, moved, changes, now)
    _note(database, row, selection, moved, changes, now)
    return Retried(job, row.round + 1, items, left_out, elsewhere, changes.sentence, changes.policy)


def _check_variables(home: Home, values: Values) -> None:
    """Raises UsageError for a variable that is set here and that the running daemon does not have."""
    given = next((value for option, value in values.items() if option.name == "env"), ())
    if names := split_options(given)[1]:
        from jobctl.services.daemon.environment import check_names  # few retries name a variable

        check_names(home, names, os.environ)


def _refuse_passed_deadline(job: int, policy: Policy, now: int) -> None:
    """Raise TimePassed if the deadline is a time that has passed: the round would end before its first item."""
    ends_at = policy.ends_at(now)
    if ends_at is not None and ends_at <= now:
        raise TimePassed(
            f"job {job}: its deadline has passed: {in_words(ends_at, now)}",
            hint=f"give the new round another one: jobctl retry {job} --deadline 2h (none takes it away)",
        )


def _with_unknown_outcome(database: Database, job: int, selection: Selection, *, leaves_out: bool) -> int:
    """Count the items of a selection that stay failed, after the others were queued."""
    choice = another_round.choose(database, job, selection, careful=False, leaves_out=leaves_out)
    return another_round.with_unknown_outcome(database, choice)


def _note(
    database: Database, row: JobRow, selection: Selection, moved: dict[str, int], changes: RuleChanges, now: int
) -> None:
    """Note the round in the journal, with the numbers of the successes and failures before it."""
    journal.note(
        database,
        row.id,
        journal.RETRIED,
        at=now,
        actor=actor(),
        reason="; ".join(filter(None, (reason_of(selection), changes.sentence))),
        round=row.round + 1,
        items=sum(moved.values()),
        succeeded=row.counts.succeeded - moved["succeeded"],
        failed=row.counts.failed - moved["failed"],
        **changes.facts,
    )


def _leave_out(database: Database, row: JobRow, choice: ItemFilter) -> int:
    """Exclude items whose rows another job of the same name has, or has done since; returns their number."""
    if row.item_key is None:
        return 0
    from jobctl.store.left_out import leave_out  # imported here, because few jobs have such rows

    return leave_out(database, row, choice)


def is_careful(row: JobRow, selection: Selection) -> bool:
    """Return whether items that may have had their effect are left out."""
    return row.policy.on_crash == "fail" and not selection.unknown


def _count(database: Database, job: int, selection: Selection, now: int) -> ItemCounts | None:
    """Count the items of a selection; None for a job that does not exist."""
    row = jobs.load(database, job)
    if row is None:
        return None
    revision = jobs.revision(database, job)
    choose_items(database, job, selection, now)
    careful = is_careful(row, selection)
    counted = another_round.count(database, another_round.choose(database, job, selection, careful=careful))
    return counted._replace(revision=revision)


def choose_items(database: Database, job: int, selection: Selection, now: int) -> None:
    """Note the items that numbers or a condition choose, for the statements that count or queue them.

    Raises UsageError for a condition that the columns of the job do not allow.
    """
    if selection.needs_reading:
        states = (*another_round.STATES, ItemState.SUCCEEDED) if selection.undone else another_round.STATES
        SelectedItems(database, job, selection, now=now, default=states).choose(database)


def _reopen(database: Database, row: JobRow, moved: dict[str, int], changes: RuleChanges, now: int) -> None:
    ran_us = 0 if row.started_at is None or row.finished_at is None else row.finished_at - row.started_at
    deltas = {"queued": sum(moved.values()), "active_us": ran_us} | {name: -n for name, n in moved.items()}
    jobs.add_counts(
        database,
        row.id,
        deltas,
        state="queued",
        reason="",
        round=row.round + 1,
        round_at=now,
        started_at=None,
        finished_at=None,
        updated_at=now,
        stop=None,
        stop_now=0,
        stop_reason="",
        results=None,
        rate_per_s=None,
        **_not_of_the_future(row, now) | changes.columns | {"deadline_at": changes.policy.ends_at(now)},
    )


def _not_of_the_future(row: JobRow, now: int) -> dict[str, int]:
    """Times of a finished job do not move when the clock is set: the clock may have gone back since the job ended."""
    times = {"submitted_at": min(row.submitted_at, now)}
    if row.not_before_at is not None and row.policy.not_before_s is not None:
        times["not_before_at"] = min(row.not_before_at, now + int(row.policy.not_before_s * 1e6))
    return times
