"""Find the jobs and items that words of a command line name.

Jobs: ``42``, ``last``, ``nightly``, ``1,3,5-8``. Items: ``42.17``, ``last.1-5,9``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobctl.config import Home
from jobctl.domain.nearest import did_you_mean
from jobctl.domain.texts import LAST, NUMBERS, is_text
from jobctl.domain.wording import number, plural
from jobctl.errors import NotFound, UsageError, no_such_job
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import jobs as job_views

if TYPE_CHECKING:
    from jobctl.store.job_row import JobRow

#: The most jobs of one range, and the most items that are handled one by one.
MAX_WRITTEN_OUT = 10_000

_LIST = re.compile(rf"{NUMBERS}\Z")
_ITEM = re.compile(rf"(?P<job>.+)\.(?P<items>{NUMBERS})\Z", re.DOTALL)
#: Longer numbers do not fit into a database, and Python refuses to read some thousands of digits.
_DIGITS = 18
#: A longer word was not typed: a shell made it from thousands of numbers.
_LONGEST_WORD = 100_000


@dataclass(frozen=True, slots=True)
class Target:
    """A job, an item of it, or a range of items (``item`` to ``last``, both included)."""

    job: int
    item: int | None = None
    last: int | None = None

    @property
    def items(self) -> range | None:
        """The numbers of the items; None for a whole job."""
        return None if self.item is None else range(self.item, (self.last or self.item) + 1)


def count_named(targets: Sequence[Target]) -> int:
    """Return the number of jobs and items that these targets name."""
    return sum(1 if target.items is None else len(target.items) for target in targets)


def expand_ranges(targets: Sequence[Target]) -> list[Target]:
    """Return one target for each item of the ranges. Raises UsageError for more than MAX_WRITTEN_OUT items."""
    count = sum(len(target.items) for target in targets if target.items is not None)
    if count > MAX_WRITTEN_OUT:
        raise UsageError(f"{number(count)} items at once; {number(MAX_WRITTEN_OUT)} is the most", hint="name the job")
    return [Target(target.job, item) for target in targets for item in target.items or (None,)]


def resolve(database: Database, texts: Sequence[str]) -> list[Target]:
    """Return the targets that these words name, each job or range of items once, in the order given.

    Raises NotFound for a job, name or item that does not exist, UsageError for a range that makes no sense.
    """
    return list(dict.fromkeys(target for text in texts for target in _resolve(database, text)))


def resolve_job(database: Database, text: str) -> int:
    """Return the one job that a word names. Raises NotFound, and UsageError for items or several jobs."""
    targets = resolve(database, [text])
    if len(targets) != 1 or targets[0].item is not None:
        raise UsageError(f"{text!r} is not one job", hint="give a number, a name or last")
    return targets[0].job


def resolve_jobs(database: Database, texts: Sequence[str]) -> list[int]:
    """Return the jobs that these words name. Raises NotFound, and UsageError if they name items."""
    targets = resolve(database, texts)
    for target in targets:
        if target.item is not None:
            raise UsageError(
                f"{', '.join(texts)!r} names items; this command takes whole jobs", hint=f"try {target.job}"
            )
    return [target.job for target in targets]


def existing_job(database: Database, number: int) -> JobRow:
    """The row of a job. Raises NotFound."""
    from jobctl.store import jobs  # commands that only read do not load whole rows, which take long to import

    row = jobs.load(database, number)
    if row is None:
        raise no_such_job(number)
    return row


def targets_of(home: Home, texts: Sequence[str]) -> list[Target]:
    """``resolve`` in the store of a home. Raises NotFound, also for a home without a store, and UsageError."""
    with closing(open_database(home)) as database:
        return resolve(database, texts)


def one_target(database: Database, text: str) -> Target:
    """Return the one job or item that a word names. Raises NotFound, UsageError."""
    targets = resolve(database, [text])
    if len(targets) != 1 or targets[0].last is not None:
        raise UsageError(f"{text!r} is not one job or item", hint="give a job or one item: 42, nightly, 42.17")
    return targets[0]


def target_of(home: Home, text: str) -> Target:
    """``one_target`` in the store of a home. Raises NotFound, UsageError."""
    with closing(open_database(home)) as database:
        return one_target(database, text)


def job_of(home: Home, text: str) -> int:
    """``resolve_job`` in the store of a home. Raises NotFound, UsageError."""
    with closing(open_database(home)) as database:
        return resolve_job(database, text)


def jobs_of(home: Home, texts: Sequence[str]) -> list[int]:
    """``resolve_jobs`` in the store of a home. Raises NotFound, UsageError."""
    with closing(open_database(home)) as database:
        return resolve_jobs(database, texts)


def one_job_of(home: Home, text: str) -> tuple[int, list[range]]:
    """The job of one word, and the items of it that the word names; none = all.

    Raises NotFound, and UsageError for a word that names several jobs.
    """
    found = targets_of(home, [text])
    jobs = list(dict.fromkeys(target.job for target in found))
    if len(jobs) != 1:
        raise UsageError(f"{text!r} names several jobs", hint=f"name one of them: {jobs[0]}")
    return jobs[0], [target.items for target in found if target.items is not None]


def _resolve(database: Database, text: str) -> Iterator[Target]:
    """Find the targets of one word. A name such as ``nightly.1`` wins over item 1 of job ``nightly``."""
    if len(text) > _LONGEST_WORD:
        raise _unreadable(text)
    numbers = _numbered_jobs(database, text)
    if numbers is not None:
        yield from map(Target, numbers)
        return
    if not text or "\0" in text or not is_text(text):
        raise _unreadable(text)
    named = job_views.newest_job(database, None if text == LAST else text)
    if named is not None:
        yield Target(named)
        return
    match = _ITEM.match(text)
    if match is None:
        raise _no_such_job(database, text)
    job = _one_job(database, match["job"])
    yield from _existing_items(database, job, match["items"])


def _unreadable(text: str) -> UsageError | NotFound:
    """The error for a word that can be neither a number nor a name, whatever the database has."""
    if len(text) > _LONGEST_WORD:
        return UsageError(
            f"JOB has {number(len(text))} characters; {number(_LONGEST_WORD)} is the most",
            hint="name the jobs one by one",
        )
    return NotFound(
        f"there is no job called {text!r}", hint="JOB is a number, a name or last; jobctl status lists them"
    )


def _one_job(database: Database, text: str) -> int:
    numbers = _numbered_jobs(database, text)
    if numbers is not None:
        if len(numbers) != 1:
            raise UsageError(f"{text!r} names several jobs, so its items are not clear", hint="name one job: 42.1-5,9")
        return numbers[0]
    named = job_views.newest_job(database, None if text == LAST else text)
    if named is None:
        raise _no_such_job(database, text)
    return named


def _numbered_jobs(database: Database, text: str) -> list[int] | None:
    """The jobs of a list of numbers; None for other words, and for digits that are only the name of a job.

    Jobs of earlier versions may have such names.
    """
    if not _LIST.match(text):
        return None
    found: list[int] = []
    for first, last in _ranges(text):
        # Jobs between the ends may have been pruned; a range that names none at all is a mistake.
        inside = _jobs_between(database, first, last)
        if not inside and text.isdigit() and job_views.newest_job(database, text) is not None:
            return None
        if not inside:
            raise _no_such_job(database, str(first) if first == last else f"{first}-{last}")
        found += inside
    return found


def _jobs_between(database: Database, first: int, last: int) -> list[int]:
    if first == last:
        return list(job_views.states(database, [first]))
    if last - first >= MAX_WRITTEN_OUT:
        raise UsageError(f"{first}-{last} names more than {number(MAX_WRITTEN_OUT)} jobs")
    newest = job_views.newest_job(database) or 0
    return list(job_views.states(database, range(first, min(last, newest) + 1)))


def _existing_items(database: Database, job: int, text: str) -> Iterator[Target]:
    row = job_views.job(database, job)
    total = 0 if row is None else row.total
    for first, last in _ranges(text):
        if first < 1 or last > total:
            wrong = first if first < 1 or first > total else last
            raise NotFound(
                f"job {job} has {plural(total, 'item')}, there is no item {number(wrong)}", hint=f"jobctl items {job}"
            )
        yield Target(job, first, None if first == last else last)


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        if max(len(first), len(last)) > _DIGITS:
            digits = max(first, last, key=len)
            raise NotFound(f"there is no number {digits}", hint="jobctl status --all lists every job")
        low, high = int(first), int(last or first)
        if high < low:
            raise UsageError(f"the range {part} runs backwards", hint=f"write {high}-{low}")
        yield low, high


def _no_such_job(database: Database, text: str) -> NotFound:
    newest = job_views.newest_job(database)
    if newest is None:
        return NotFound("there are no jobs", hint="start with: jobctl submit FILE -- COMMAND")
    if text.replace("-", "").isdigit():
        named = next((job.name for job in job_views.job_names(database, 1_000) if job.name.startswith(f"{text}.")), "")
        hint = f"did you mean {named}?" if named else "jobctl status --all lists every job"
        return NotFound(f"there is no job {text}; the newest is {newest}", hint=hint)
    job, point, _ = text.partition(".")
    if point and job.isdigit():
        return NotFound(f"{text!r} names no item of job {job}", hint=f"items are numbers: {job}.17, {job}.1-5,9")
    names = dict.fromkeys(job.name for job in job_views.job_names(database, 1_000))
    hint = did_you_mean(text, (*names, LAST), "JOB is a number, a name or last; jobctl status lists them")
    return NotFound(f"there is no job called {text!r}", hint=hint)
