"""``jobctl explain``: the state of a job or an item, its blockers, its journal, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Final, cast

from jobctl.config import Home
from jobctl.domain import outcome
from jobctl.domain.blocker_kinds import OF_THE_DAEMON, PAUSED
from jobctl.domain.durations import format_span, format_time, seconds
from jobctl.domain.retry_advice import retry_advice
from jobctl.domain.states import ItemState
from jobctl.domain.wording import plural
from jobctl.errors import NotFound, UsageError
from jobctl.services.control.targets import Target, resolve
from jobctl.services.status.document import document_of
from jobctl.services.status.undo import item_undo_block
from jobctl.services.why.blockers import Blocker, item_blockers, situation_with_blockers
from jobctl.services.why.rounds import rounds_block
from jobctl.services.why.situation import Situation, store_facts
from jobctl.store import journal, leftovers
from jobctl.store.cancelled import Reasons
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import items as item_views
from jobctl.store.views import undo as undo_views

if TYPE_CHECKING:
    from jobctl.domain.documents.explain import AttemptBlock, ExplainDocument, HoldBlock, ItemPart, JournalBlock
    from jobctl.domain.documents.status_blocks import ItemUndoOfBlock
    from jobctl.domain.documents.values import JobStateName
    from jobctl.store.views.jobs import JobView

SCHEMA: Final = "jobctl.explain/1"
#: The most lines of the journal that are shown.
JOURNAL_LIMIT = 200


def explain_target(home: Home, text: str, now: int, *, program: str = "jobctl") -> ExplainDocument:
    """Return ``jobctl.explain/1`` of the job or item that a word names. Raises NotFound, UsageError."""
    with closing(open_database(home)) as database:
        found = resolve(database, [text])
        if len(found) != 1 or found[0].last is not None:
            raise UsageError(f"{text!r} is more than one", hint="jobctl explain 42, or jobctl explain 42.17")
        return explain(database, home, found[0], now, program=program)


def explain(database: Database, home: Home, target: Target, now: int, *, program: str = "jobctl") -> ExplainDocument:
    """Return ``jobctl.explain/1`` of a job or of one of its items at this moment (``now`` in microseconds UTC).

    ``program`` is the command line of jobctl in the commands of the document. Raises NotFound for a job or an item that
    does not exist.
    """
    number, item = target.job, target.item
    with database.snapshot():
        store = store_facts(database, home, now, program)
        case, blockers = situation_with_blockers(store, number)
        document = document_of(store, case, blockers)
        entries = journal.entries(database, number, item)
        is_waiting = not case.job.is_done and (case.job.queued or case.job.retrying or case.follows)
        explained: ExplainDocument = {
            "schema": SCHEMA,
            "job": number,
            "name": case.job.name,
            "item": item,
            "state": cast("JobStateName", case.job.state),
            "state_reason": document["state_reason"],
            "item_state": None,
            "item_reason": None,
            "attempts": [],
            "resubmit_of": document["input"]["resubmit_of"],
            "resubmit_of_job": document["input"]["resubmit_of_job"],
            "failures": document["failures"],
            "retry": document["retry"],
            "holds": _holds(blockers) if is_waiting else [],
            "attention": document["attention"],
            "rounds": rounds_block(case.policy, entries) if item is None else [],
            "undo": document.get("undo"),
            "item_undo": None,
            "item_undo_of": None,
            "journal": [_entry(entry) for entry in entries[-JOURNAL_LIMIT:]],
            "journal_total": len(entries),
            "next": document["next"],
        }
        return explained if item is None else {**explained, **_item(database, case, blockers, item)}


def _holds(blockers: Sequence[Blocker]) -> list[HoldBlock]:
    return [{"code": each.kind.code, "message": each.message, "action": each.remedy} for each in blockers]


def _item(database: Database, case: Situation, blockers: Sequence[Blocker], number: int) -> ItemPart:
    job = case.job
    page = item_views.items(database, job.id, [number])
    if not page or page[0].item != number:
        raise NotFound(f"job {job.id} has no item {number}", hint=f"{case.program} items {job.id}")
    item = page[0]
    attempts = item_views.attempts(database, job.id, number)
    outlived = leftovers.of_items(database, job.id, number, number)
    cancelled = Reasons(database, job.id, job.round_at).of(number)
    own = item_blockers(case, blockers, item)
    # An item waits for these processes although its command is over.
    lasting = next((each.sentence() for each in case.process_waits if each.item == number), "")
    logs = [f"{case.program} logs {job.id}.{number}"] if attempts else []
    return {
        "item_state": ItemState(item.state).word,
        "item_reason": lasting or _item_reason(case, own, item, cancelled),
        "attempts": [_attempt(attempt, outlived.get((number, attempt.attempt))) for attempt in attempts],
        "holds": _holds(own),
        "next": [*logs, *_item_next(case, blockers, item)],
        "item_undo": item_undo_block(undo_views.of_items(database, job.id, [number]).get(number)),
        "item_undo_of": _item_undo_of(database, job, number),
    }


def _item_undo_of(database: Database, job: JobView, number: int) -> ItemUndoOfBlock | None:
    if job.undo_of is None:
        return None
    item = undo_views.taken_back_by(database, job.undo_of, job.id, [number]).get(number)
    return None if item is None else {"job": job.undo_of, "item": item}


def _item_reason(case: Situation, blockers: Sequence[Blocker], item: item_views.ItemView, cancelled: str | None) -> str:
    state, job = ItemState(item.state), case.job
    if state is ItemState.RETRYING:
        return blockers[-1].message
    if state is ItemState.RUNNING:
        if item.started_at is None:
            return "handed over, it starts when a slot comes free"
        where = f"pid {item.pid} on {item.host}" if item.host else f"pid {item.pid}"
        since = format_span(item.started_at, case.now)
        return f"attempt {item.attempt} runs in slot {item.slot}, started {since} ago, {where}"
    if state is ItemState.QUEUED:
        return f"waits for its turn, {plural(max(0, item.item - job.cursor), 'item')} of this job before it"
    if state is ItemState.UNPROCESSED:
        return f"never tried: {cancelled or job.stop_reason or 'the round ended before it started'}"
    if state is ItemState.FAILED:
        return f"after {plural(item.attempt, 'attempt')}: {item.message or 'it was cancelled'}"
    return f"at attempt {item.attempt}"


def _item_next(case: Situation, blockers: Sequence[Blocker], item: item_views.ItemView) -> list[str]:
    job, state, name = case.job, ItemState(item.state), f"{case.job.id}.{item.item}"
    if state is ItemState.SUCCEEDED:
        return [f"{case.program} results {job.id}"]
    if state not in (ItemState.FAILED, ItemState.UNPROCESSED):
        return [f"{case.program} cancel {name}"]
    if not job.is_done:
        # The job does not end while no daemon runs it, so to wait is not the next step.
        first = next((each for each in blockers if each.kind in _BEFORE_THE_END), None)
        return [f"{case.program} wait {job.id}" if first is None or not first.remedy else first.remedy]
    is_unknown = state is ItemState.FAILED and item.ending is not None and not outcome.is_known(item.ending)
    cause = [] if item.ending is None else [outcome.failure_code(item.ending, item.code or 0)]
    words = [*retry_advice(case.policy, cause, job.state, case.now).options]
    words += ["--unknown"] if is_unknown and case.policy.on_crash == "fail" else []
    return [" ".join((case.program, "retry", name, *words))]


#: Blockers of a job that must be removed before it can end, so that its items can be retried.
_BEFORE_THE_END = (PAUSED, *OF_THE_DAEMON)


def _attempt(attempt: item_views.AttemptView, outlived: leftovers.Leftovers | None) -> AttemptBlock:
    ended = None
    if attempt.ending is not None:
        good = attempt.ending == 0 and attempt.code == 0
        ended = "succeeded" if good else outcome.failure_code(attempt.ending, attempt.code, attempt.flags)
    return {
        "attempt": attempt.attempt,
        "round": attempt.round,
        "slot": attempt.slot,
        "host": attempt.host,
        "started_at": format_time(attempt.started_at),
        "duration_s": None if attempt.duration_us is None else seconds(attempt.duration_us),
        "outcome": ended,
        "message": attempt.message,
        "left_behind": None if outlived is None else {"processes": outlived.processes, "names": outlived.names},
    }


def _entry(entry: journal.JournalLine) -> JournalBlock:
    return {
        "at": format_time(entry.at),
        "item": entry.item,
        "actor": entry.actor,
        "event": entry.event,
        "reason": entry.reason,
        "data": entry.data,
    }
