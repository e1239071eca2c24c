"""Why a job or an item is where it is: its journal, what holds it back right now, and what to do next."""

from __future__ import annotations

import json
from typing import Any

from jobctl.config import Home
from jobctl.domain import outcome
from jobctl.domain.durations import format_span, format_time, seconds
from jobctl.domain.states import ItemState
from jobctl.domain.wording import plural
from jobctl.errors import NotFound
from jobctl.services.control.targets import Target
from jobctl.services.daemon.view import DaemonView, daemon_view
from jobctl.services.status.document import job_document
from jobctl.services.status.lasting import lasting
from jobctl.services.why.blocked_by import Hold, ago, holds
from jobctl.store import clock, journal, left
from jobctl.store.database import Database
from jobctl.store.views import items as item_views
from jobctl.store.views import jobs as job_views
from jobctl.store.views.jobs import JobView

SCHEMA = "jobctl.explain/1"
#: Lines of the journal that are shown of a job that has many.
JOURNAL_LIMIT = 200


def explain(database: Database, home: Home, target: Target, now: int, *, program: str = "jobctl") -> dict[str, Any]:
    """The explanation of a job, or of one of its items, at this moment; ``program`` is how jobctl is called.

    Raises NotFound for a job or item that does not exist.
    """
    number, item = target.job, target.item
    document = job_document(database, home, number, now, program=program)
    with job_views.snapshot(database):
        job = job_views.job(database, number)
        if job is None:
            raise NotFound(f"there is no job {number}", hint="jobctl status --all lists every job")
        now = clock.in_store(database, now)
        daemon = daemon_view(database, home, now)
        entries = journal.entries(database, number, item)
        found: dict[str, Any] = {
            "schema": SCHEMA,
            "job": number,
            "name": job.name,
            "item": item,
            "state": job.state,
            "state_reason": document["state_reason"],
            "item_state": None,
            "item_reason": None,
            "attempts": [],
            "resubmit_of": document["input"]["resubmit_of"],
            "resubmit_of_job": document["input"]["resubmit_of_job"],
            "failures": document["failures"],
            "retry": document["retry"],
            "holds": [_spelled(hold, program) for hold in holds(database, job, daemon, now)],
            "attention": document["attention"],
            "journal": [_entry(entry) for entry in entries[-JOURNAL_LIMIT:]],
            "journal_total": len(entries),
            "next": document["next"],
        }
        if item is not None:
            found |= _item(database, job, item, now, daemon)
            found["item_reason"] = _lasts(home, number, item) or found["item_reason"]
            if found["item_state"] not in ("queued", "retrying"):
                found["holds"] = []  # nothing holds back what runs or has ended
            found["next"] = [_at_home(command, program) for command in found["next"]]
    return found


def _lasts(home: Home, job: int, item: int) -> str:
    """What an item waits for although its command is over."""
    return next((each.sentence() for each in lasting(home, job) if each.item == item), "")


def _spelled(hold: Hold, program: str) -> dict[str, Any]:
    return hold._replace(action=None if hold.action is None else _at_home(hold.action, program))._asdict()


def _at_home(command: str, program: str) -> str:
    """A command spelled so that it works on the same store."""
    return command if program == "jobctl" else command.replace("jobctl ", f"{program} ")


def _item(database: Database, job: JobView, number: int, now: int, daemon: DaemonView) -> dict[str, Any]:
    page = item_views.items(database, job.id, None, number - 1, 1)
    if not page or page[0].item != number:
        raise NotFound(f"job {job.id} has no item {number}", hint=f"jobctl items {job.id}")
    item = page[0]
    state = ItemState(item.state)
    attempts = item_views.attempts(database, job.id, number)
    outlived = left.of_items(database, job.id, number, number)
    return {
        "item_state": state.word,
        "item_reason": _item_reason(
            job, item, now, journal.cancelled_items(database, job.id, job.round_at).get(number)
        ),
        "attempts": [_attempt(attempt, outlived.get((number, attempt.attempt))) for attempt in attempts],
        "next": [*([f"jobctl logs {job.id}.{number}"] if attempts else []), *_item_next(job, item, daemon)],
    }


def _item_reason(job: JobView, item: item_views.ItemView, now: int, cancelled: str | None) -> str:
    state = ItemState(item.state)
    if state is ItemState.RETRYING and item.due_at is not None:
        wait = format_span(now, item.due_at)
        return (
            f"attempt {item.attempt} failed ({item.message}); the next is due at {format_time(item.due_at)}, in {wait}"
        )
    if state is ItemState.RUNNING:
        if item.started_at is None:
            return "handed over, it starts when a slot comes free"
        where = f"pid {item.pid} on {item.host}" if item.host else f"pid {item.pid}"
        return f"attempt {item.attempt} runs in slot {item.slot}, started {ago(item.started_at, now)}, {where}"
    if state is ItemState.QUEUED:
        ahead = max(0, item.item - job.cursor)
        return f"waits for its turn, {plural(ahead, 'item')} of this job before it"
    if state is ItemState.UNPROCESSED:
        why = cancelled or job.stop_reason or "the round ended before it started"
        return f"never tried: {why}"
    if state is ItemState.FAILED:
        return f"after {plural(item.attempt, 'attempt')}: {item.message or 'it was cancelled'}"
    return f"at attempt {item.attempt}"


def _item_next(job: JobView, item: item_views.ItemView, daemon: DaemonView) -> list[str]:
    state, name = ItemState(item.state), f"{job.id}.{item.item}"
    if state in (ItemState.FAILED, ItemState.UNPROCESSED):
        if not job.is_done:
            return [_before_the_end(job, daemon)]
        unknown = state is ItemState.FAILED and item.ending is not None and not outcome.is_known(item.ending)
        careful = unknown and json.loads(job.policy).get("on_crash") == "fail"
        return [f"jobctl retry {name}{' --unknown' if careful else ''}"]
    return [f"jobctl cancel {name}"] if state is not ItemState.SUCCEEDED else [f"jobctl results {job.id}"]


def _before_the_end(job: JobView, daemon: DaemonView) -> str:
    """What to type while a job is not done: to wait for it is of no use where nobody works on it."""
    if job.paused_at is not None:
        return f"jobctl resume {job.id}"
    return f"jobctl wait {job.id}" if daemon.serves(job.id, foreground=bool(job.foreground)) else "jobctl daemon start"


def _attempt(attempt: item_views.AttemptView, outlived: left.Left | None) -> dict[str, Any]:
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


def _entry(entry: journal.Entry) -> dict[str, Any]:
    return {
        "at": format_time(entry.at),
        "item": entry.item,
        "actor": entry.actor,
        "event": entry.event,
        "reason": entry.reason,
        "data": entry.data,
    }
