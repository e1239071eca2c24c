"""``jobctl cancel``: cancel jobs and items.

A cancel is a request to the engine, which owns processes and states. If no daemon is running, an
engine is started for that job alone: it ends the items that a dead daemon left running, closes the round, writes the
result files and ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from jobctl.config import Home, cpu_count
from jobctl.domain.states import LIVE_ITEM_STATES, TERMINAL_JOB_STATES, ItemState, JobState
from jobctl.domain.texts import checked_reason
from jobctl.domain.wording import plural
from jobctl.errors import Busy, NotFound
from jobctl.process.daemon import start_detached
from jobctl.process.daemon_handle import lock_holder
from jobctl.process.start_options import StartOptions
from jobctl.process.this_process import actor
from jobctl.process.wakeup import wake
from jobctl.process.watch import Watch
from jobctl.services.control.targets import Target, existing_job, expand_ranges
from jobctl.services.daemon.options import refuse_elsewhere
from jobctl.services.daemon.running import running_of
from jobctl.services.daemon.watched_wait import LOOK_EVERY_S, Look
from jobctl.store import clock, items, jobs, journal, requests
from jobctl.store.database import Database
from jobctl.store.elsewhere import Elsewhere
from jobctl.store.opening.open import open_database
from jobctl.store.requests import Request

if TYPE_CHECKING:
    from jobctl.domain.documents.control import CancelDocument, CancelledBlock

_Part = TypeVar("_Part")
#: Seconds that a cancel waits for its effect after the grace period of the job.
PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The result of a cancel."""

    job: int
    item: int | None
    state: str
    changed: bool
    note: str

    @property
    def sentence(self) -> str:
        """``job 42 cancelled``, ``item 42.17: cancelled, it is failed``, ``job 42: it is done already (failed)``."""
        name = f"job {self.job}" if self.item is None else f"item {self.job}.{self.item}"
        if not self.changed:
            return f"{name}: {self.note}"
        if self.item is not None:
            return f"{name}: cancelled, it is {self.state}"
        return f"{name} {self.state}" + (f": {self.note}" if self.note else "")


def cancel(
    home: Home,
    targets: Sequence[Target],
    *,
    at_once: bool,
    reason: str,
    now: int,
    look: Look | None = None,
    waits: bool = True,
) -> list[Cancelled]:
    """End jobs or single items. Running items get TERM, the grace period, KILL; items that never ran are unprocessed.

    Returns when the jobs and items have ended, or when none has ended for the grace period and PATIENCE_S. A job or
    an item that is done does not change, and its result says so. ``now`` is in microseconds UTC. Raises NotFound for
    an item that does not exist, and Elsewhere if a cluster may still run items: the next daemon then carries the
    request out. ``look`` is called once the cancel is requested, and then from time to time. Without ``waits`` it
    returns as soon as the cancel is requested.
    """
    wanted = expand_ranges(targets)
    with closing(open_database(home)) as database:
        asked = _request_cancels(database, wanted, at_once=at_once, reason=checked_reason(reason), now=now)
        if asked:
            if look is not None:
                look()
            ensure_engine(home, {job for job, _ in asked})
            patience_s = longest_grace(database, {job for job, _ in asked}) + PATIENCE_S if waits else 0.0
            await_ends(home, asked, partial(_is_live, database), patience_s, look)
        return [_result(database, home, target, (target.job, target.item) in asked) for target in wanted]


def cancel_document(results: Sequence[Cancelled]) -> CancelDocument:
    """``jobctl.cancel/1``."""
    cancelled: list[CancelledBlock] = [
        {"job": one.job, "item": one.item, "state": one.state, "cancelled": one.changed, "note": one.note}
        for one in results
    ]
    return {"schema": "jobctl.cancel/1", "cancelled": cancelled}


def _request_cancels(
    database: Database, targets: Sequence[Target], *, at_once: bool, reason: str, now: int
) -> set[tuple[int, int | None]]:
    asked = set()
    with database.transaction():
        now = clock.follow(database, now)
        for target in targets:
            if _is_live(database, target.job, target.item):
                who, why = actor(), reason or "cancelled by the user"
                request = Request(target.job, target.item, requests.CANCEL, at_once, who, why)
                requests.add(database, request, now)
                if target.item is not None:  # the engine itself notes the end of a job
                    event = journal.CANCELLED
                    journal.note(database, target.job, event, at=now, actor=who, reason=why, item=target.item)
                asked.add((target.job, target.item))
    return asked


def _is_live(database: Database, job: int, item: int | None) -> bool:
    if item is None:
        return jobs.is_live(database, job)
    return _item_state(database, job, item) in LIVE_ITEM_STATES


def _item_state(database: Database, job: int, item: int) -> ItemState:
    state = items.state(database, job, item)
    if state is None:
        raise NotFound(f"job {job} has no item {item}", hint=f"jobctl items {job}")
    return state


def ensure_engine(home: Home, asked: set[int]) -> None:
    """Wake the engine. If there is none, start one for the first of the jobs: it carries out all requests.

    Two cannot run at once, so the wait starts another one if this one ends before all jobs have ended.
    """
    if lock_holder(home.lock) is not None:
        wake(home.wake)
        return
    options = StartOptions(home=home, slots=cpu_count(), scope=min(asked))
    try:
        refuse_elsewhere(options)
        start_detached(options)
    except Elsewhere as error:
        raise Elsewhere(f"{error.message}; the request is kept for the daemon there", hint=error.hint) from error
    except Busy:  # a daemon has started meanwhile, and finds the request
        wake(home.wake)


def grace_of(home: Home, numbers: Sequence[int]) -> float:
    """The longest grace period of these jobs in seconds. Raises NotFound for a home without a store."""
    with closing(open_database(home)) as database:
        return longest_grace(database, numbers)


def count_live(home: Home, targets: Sequence[Target]) -> int:
    """The number of these items that have not ended. Raises NotFound, UsageError for too many items."""
    with closing(open_database(home)) as database:
        return sum(_is_live(database, target.job, target.item) for target in expand_ranges(targets))


def longest_grace(database: Database, numbers: Collection[int]) -> float:
    """The longest grace period of these jobs in seconds; 0 if none of them exists."""
    rows = [jobs.load(database, job) for job in numbers]
    return max((row.policy.grace_s for row in rows if row is not None), default=0.0)


def await_ends(
    home: Home,
    asked: set[tuple[int, _Part]],
    is_live: Callable[[int, _Part], bool],
    patience_s: float,
    look: Look | None,
) -> None:
    """Wait until nothing of what was asked for is live; each has the number of its job first.

    Returns as well if nothing has ended for ``patience_s`` seconds: many jobs take longer than one.
    """
    deadline, live = time.monotonic() + patience_s, asked
    with Watch(home.root) as watch:
        while still := {(job, each) for job, each in live if is_live(job, each)}:
            if len(still) < len(live):
                deadline, live = time.monotonic() + patience_s, still
            left = deadline - time.monotonic()
            if left <= 0:
                return
            if look is not None:
                look()
            watch.wait(min(left, LOOK_EVERY_S))
            if lock_holder(home.lock) is None:  # there was an engine for another job, and it has ended
                ensure_engine(home, {job for job, _ in live})


def _result(database: Database, home: Home, target: Target, changed: bool) -> Cancelled:
    row = existing_job(database, target.job)
    if target.item is not None:
        state = _item_state(database, target.job, target.item).word
        note = "" if changed else f"it is done already ({state})"
        return Cancelled(target.job, target.item, state, changed, note)
    note = ""
    if not changed:
        note = f"it is done already ({row.state})"
    elif row.state not in TERMINAL_JOB_STATES:
        running = running_of(database, home, target.job, time.time_ns() // 1000)
        note = f"{plural(running, 'item')} still running" if running else "the engine is about to end it"
    elif row.state is not JobState.CANCELLED:
        note = "everything had ended before the cancel took effect"
    return Cancelled(target.job, None, row.state.value, changed, note)
