"""``jobctl cancel JOB`` with a selection: cancel items of a job, however many they are.

The numbers of the items are written as a set, in short transactions. Then one request asks the engine, which takes the
set out of the queue in steps and ends the items that run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from jobctl.config import Home
from jobctl.domain.selection import Selection, refuse_states
from jobctl.domain.states import LIVE_ITEM_STATES, TERMINAL_JOB_STATES, ItemState
from jobctl.domain.texts import checked_reason
from jobctl.domain.wording import plural
from jobctl.process.this_process import actor
from jobctl.services.control.cancel import PATIENCE_S, await_ends, ensure_engine, longest_grace
from jobctl.services.control.targets import existing_job
from jobctl.services.daemon.watched_wait import Look
from jobctl.services.selection import SelectedItems, nothing_selected
from jobctl.store import cancelled, clock, journal, requests
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.requests import Request

if TYPE_CHECKING:
    from jobctl.domain.documents.control import CancelDocument, CancelledBlock

LIVE_STATES = tuple(state for state in ItemState if state in LIVE_ITEM_STATES)
#: The items that one transaction writes.
_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class CancelledItems:
    """The result of a cancel of selected items of a job: how many were asked for, and their states now."""

    job: int
    state: str  # of the job
    items: int
    states: Mapping[ItemState, int] = field(default_factory=dict)
    note: str = ""  # why there were none

    @property
    def sentence(self) -> str:
        """``job 42: 300,000 items cancelled: 299,996 unprocessed, 4 failed``."""
        if not self.items:
            return self.note
        live = sum(count for state, count in self.states.items() if state in LIVE_ITEM_STATES)
        ended = [f"{count:,} {state.word}" for state, count in self.states.items() if state not in LIVE_ITEM_STATES]
        parts = [*([f"{live:,} still to end"] if live else []), *sorted(ended, key=lambda text: text.split()[1])]
        return f"job {self.job}: {plural(self.items, 'item')} cancelled: {', '.join(parts)}"

    def block(self) -> CancelledBlock:
        """Return the result as a part of ``jobctl.cancel/1``."""
        counts = {state.word: self.states.get(state, 0) for state in ItemState}
        note = self.note if not self.items else ""
        block: CancelledBlock = {
            "job": self.job,
            "item": None,
            "state": self.state,
            "cancelled": bool(self.items),
            "note": note,
        }
        block["items"] = {"selected": self.items, **counts}  # type: ignore[typeddict-item]
        return block


@dataclass(frozen=True, slots=True)
class ItemsToCancel:
    """How to cancel: at once or with grace, for which reason; ``now`` in microseconds UTC.

    ``look`` is called once the cancel is requested, and then from time to time. Without ``waits`` the cancel is only
    requested.
    """

    at_once: bool
    reason: str
    now: int
    look: Look | None = None
    waits: bool = True


def cancel_items(home: Home, wanted: Mapping[int, Selection], how: ItemsToCancel) -> list[CancelledItems]:
    """Cancel the items of each job that a selection chooses among those that are not done.

    Returns when they have ended, or when those of no job have ended for the grace period and PATIENCE_S. Raises
    NotFound, UsageError for a state of items that are done and for a condition that the columns of a job do not allow,
    and Elsewhere if a cluster may still run items.
    """
    for selection in wanted.values():
        refuse_states(selection, LIVE_STATES, "cancel", "items that are done stay as they are")
    with closing(open_database(home)) as database:
        chosen = {
            job: SelectedItems(database, job, selection, now=how.now, default=LIVE_STATES)
            for job, selection in wanted.items()
            if existing_job(database, job)
        }
        asked = {job: ask_for_items(database, each, how) for job, each in chosen.items()}
        batches = {job: batch for job, (batch, count) in asked.items() if count}
        if batches:
            if how.look is not None:
                how.look()
            ensure_engine(home, set(batches))
            patience_s = longest_grace(database, batches) + PATIENCE_S if how.waits else 0.0
            await_ends(home, set(batches.items()), partial(cancelled.has_live, database), patience_s, how.look)
        return [_result(database, chosen[job], *asked[job]) for job in chosen]


def items_document(results: Sequence[CancelledItems]) -> CancelDocument:
    """``jobctl.cancel/1`` of selected items."""
    return {"schema": "jobctl.cancel/1", "cancelled": [result.block() for result in results]}


def ask_for_items(database: Database, chosen: SelectedItems, how: ItemsToCancel) -> tuple[int, int]:
    """Write the set of the chosen items and the request to cancel it; returns the number of the set, and its size.

    For a job that is done it writes nothing. Raises NotFound.
    """
    job, batch, count, first = chosen.job, cancelled.new_set(), 0, 0
    if existing_job(database, job).state in TERMINAL_JOB_STATES:
        return batch, 0
    for page in chosen.pages(size=_CHUNK):  # read before the transaction begins
        with database.transaction():
            cancelled.add(database, job, batch, page)
        count, first = count + len(page), first or page[0]
    if count:
        with database.transaction():
            now = clock.follow(database, how.now)
            who, why = actor(), checked_reason(how.reason) or "cancelled by the user"
            request = Request(job, first, requests.CANCEL_ITEMS, how.at_once, who, str(batch))
            requests.add(database, request, now)
            journal.note(
                database, job, journal.ITEMS_CANCELLED, at=now, actor=who, reason=why, batch=batch, items=count
            )
    return batch, count


def _result(database: Database, chosen: SelectedItems, batch: int, count: int) -> CancelledItems:
    row = existing_job(database, chosen.job)
    if count:
        return CancelledItems(chosen.job, row.state.value, count, cancelled.states(database, chosen.job, batch))
    is_done = row.state in TERMINAL_JOB_STATES
    note = f"job {row.id}: it is done already ({row.state})" if is_done else nothing_selected(database, chosen)
    return CancelledItems(chosen.job, row.state.value, 0, note=note)
