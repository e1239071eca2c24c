"""``--key``: a submission with a known key finds its job if the work is the same, and is refused otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.content import Work, differences, fingerprint
from jobctl.domain.durations import parse_time
from jobctl.domain.policy import Policy
from jobctl.domain.states import TERMINAL_JOB_STATES
from jobctl.errors import KeyConflict, UsageError
from jobctl.handlers.kinds import KEEPS_TAGS
from jobctl.store import followed, items, jobs
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow

if TYPE_CHECKING:
    from jobctl.domain.job_options import JobOption
    from jobctl.domain.times import When

#: The most characters of a row in the message about a conflict.
SHOWN = 80
_KEY = re.compile(r"[A-Za-z0-9._:@/+-]{1,128}\Z")


def check_key(key: str) -> None:
    """Raises UsageError for a text that cannot be a key."""
    if not _KEY.match(key):
        raise UsageError(
            f"--key {key!r} cannot be used",
            hint="1 to 128 letters, digits and . _ : @ / + -, for example nightly-2026-11-24",
        )


class OtherWork(KeyConflict):
    """The key belongs to a job with other rows, another command or other options; the details name the difference."""


class _Difference(NamedTuple):
    """The first row in which two inputs differ; None where one has no such row."""

    row: int
    before: bytes | None
    now: bytes | None


class Comparison:
    """An input compared with the rows of the job that owns its key."""

    def __init__(self, database: Database, owner: JobRow) -> None:
        self._database = database
        self._owner = owner
        self._seen = 0
        self._difference: _Difference | None = None
        #: Whether all rows of its input are its items.
        self._is_whole = not (owner.counts.skipped or any(each[1] == followed.CONDITION for each in owner.after))

    def add(self, batch: Sequence[bytes]) -> None:
        """Compare the next rows of the input."""
        if self._difference is None and self._is_whole:
            stored = items.payloads(self._database, self._owner.id, self._seen, len(batch))
            pairs = zip_longest(stored, batch)
            self._difference = next(
                (_Difference(self._seen + n, old, new) for n, (old, new) in enumerate(pairs, 1) if old != new), None
            )
        self._seen += len(batch)

    def check(self, work: Work) -> None:
        """Raises OtherWork with both fingerprints and the first difference if the work is not the same."""
        owner = self._owner
        mine = fingerprint(*work)
        if mine == owner.fingerprint:
            return
        options = {name: value for name, value in owner.work_options.items() if name != KEEPS_TAGS}
        old = Work(owner.columns, owner.rows_sha256, owner.handler, owner.command, options)
        raise OtherWork(
            f"key {owner.key!r} belongs to job {owner.id}, which is other work",
            hint=f"see it with: jobctl status {owner.id}; use another --key for new work",
            details=[
                f"fingerprint of job {owner.id}: {owner.fingerprint}",
                f"fingerprint of this: {mine}",
                *differences(old, work),
                *self._rows(),
            ],
        )

    def _rows(self) -> Iterator[str]:
        """Describe the first row that differs."""
        found, owner = self._difference, self._owner
        if found is None and self._seen < owner.total and self._is_whole:
            (next_row,) = items.payloads(self._database, owner.id, self._seen, 1)
            found = _Difference(self._seen + 1, next_row, None)
        if found is None:
            return
        yield f"row {found.row} is the first that differs: {_shown(found.before)} then, {_shown(found.now)} now"
        if self._seen != owner.total:
            yield f"{owner.total} rows then, {self._seen} now"


def _shown(payload: bytes | None) -> str:
    """The beginning of a row, harmless to a terminal."""
    if payload is None:
        return "no such row"
    text = payload.replace(b"\0", b", ").decode("utf-8", "replace")
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")


def duplicate(owner: JobRow) -> KeyConflict:
    """Return the error of ``--on-duplicate fail``."""
    return KeyConflict(
        f"key {owner.key!r} was used already: job {owner.id}, {owner.state}", hint=f"jobctl status {owner.id}"
    )


def resume(database: Database, owner: JobRow, policy: Policy, now: int) -> int:
    """``--on-duplicate resume``: begin another round for items that may run again; returns their number.

    ``policy`` is that of the submission. A deadline that is a time, such as 06:00 of a nightly job, has passed when the
    next night begins, so the new round gets the deadline of the submission. Raises TimePassed if that has passed, too.
    """
    if owner.state not in TERMINAL_JOB_STATES or not (owner.counts.failed or owner.counts.unprocessed):
        return 0
    from jobctl.domain.selection import Selection
    from jobctl.domain.times import TimePassed
    from jobctl.services.control.retry import begin_round

    try:
        return begin_round(database, owner.id, Selection(), _deadline(owner.policy, policy), now=now).items
    except TimePassed:
        raise
    except UsageError:  # only items with an unknown outcome are left, in a job that must not run anything twice
        return 0


def _deadline(kept: Policy, given: Policy) -> dict[JobOption, When | None]:
    """The deadline of a submission as a rule of the new round, if one of the two deadlines is a time."""
    from jobctl.domain.job_options import BY_NAME
    from jobctl.domain.times import When

    if kept.deadline_at is None and given.deadline_at is None:
        return {}
    at = None if given.deadline_at is None else parse_time(given.deadline_at)
    has_none = at is None and given.deadline_s is None
    return {BY_NAME["deadline"]: None if has_none else When(given.deadline_at or "", given.deadline_s, at)}


def take_to_foreground(database: Database, job: int) -> None:
    """Let an engine for foreground jobs run this job, because ``jobctl run`` waits for it.

    The same is done for the jobs that have rows of it, and for the jobs before those: it cannot end before them. There
    are no cycles, because a job waits only for jobs that were accepted before it.
    """
    wanted, found = [job], {job}
    while wanted:
        row = jobs.load(database, wanted.pop())
        if row is None or row.state in TERMINAL_JOB_STATES:
            continue
        if not row.foreground:
            jobs.update(database, row.id, foreground=1)
        awaited = {number for number, condition in row.after if row.id != job or condition == followed.CONDITION}
        wanted += awaited - found
        found |= awaited


def check_unique(database: Database, job: int, mine: str) -> None:
    """Raises KeyConflict if another job with the same work is not done."""
    other = jobs.live_with(database, mine, excluded=job)
    if other is not None:
        row = jobs.load(database, other)
        state = "live" if row is None else str(row.state)
        raise KeyConflict(
            f"the same work is {state} already as job {other}", hint=f"jobctl status {other}, or leave --unique out"
        )
