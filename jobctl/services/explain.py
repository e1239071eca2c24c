"""Why a job or an item is where it is: its journal, what holds it back right now, and what to do next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from jobctl.config import Home
from jobctl.domain import outcome
from jobctl.domain.crew import AWAY, needs_of, worded
from jobctl.domain.durations import format_duration, format_time
from jobctl.domain.policy import Policy
from jobctl.domain.states import ItemState
from jobctl.domain.wording import plural
from jobctl.errors import NotFound
from jobctl.process.space import PAUSED
from jobctl.services.crew import missing, room
from jobctl.services.daemon import DaemonView, daemon_view
from jobctl.services.status import job_document
from jobctl.services.targets import Target
from jobctl.store import item_views, journal, views
from jobctl.store.database import Database
from jobctl.store.views import JobView

SCHEMA = "jobctl.explain/1"
#: Lines of the journal that are shown of a job that has many.
JOURNAL_LIMIT = 200


class Hold(NamedTuple):
    """One thing that keeps items from starting."""

    code: str
    message: str
    action: str | None


def explain(database: Database, home: Home, target: Target, now: int, *, program: str = "jobctl") -> dict[str, Any]:
    """The explanation of a job, or of one of its items, at this moment; ``program`` is how jobctl is called.

    Raises NotFound for a job or item that does not exist.
    """
    number, item = target.job, target.item
    document = job_document(database, home, number, now, program=program)
    with views.snapshot(database):
        job = views.job(database, number)
        if job is None:
            raise NotFound(f"there is no job {number}", hint="jobctl status --all lists every job")
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
            found |= _item(database, job, item, now)
            found["next"] = [_at_home(command, program) for command in found["next"]]
    return found


def _spelled(hold: Hold, program: str) -> dict[str, Any]:
    return hold._replace(action=None if hold.action is None else _at_home(hold.action, program))._asdict()


def _at_home(command: str, program: str) -> str:
    """A command spelled so that it works on the same store."""
    return command if program == "jobctl" else command.replace("jobctl ", f"{program} ")


def holds(database: Database, job: JobView, daemon: DaemonView, now: int) -> list[Hold]:
    """Everything that keeps the waiting items of a job from starting; empty when nothing does or nothing waits."""
    if job.is_done or not (job.queued or job.retrying):
        return []
    checks = (_by_stop, _by_daemon, _by_pause, _by_time, _by_jobs, _by_workers, _by_slots, _by_backoff)
    return [hold for check in checks for hold in check(database, job, daemon, now)]


def _by_stop(_database: Database, job: JobView, _daemon: DaemonView, _now: int) -> Iterator[Hold]:
    if job.stop is not None:
        yield Hold("stopped", f"nothing more of it will start: {job.stop_reason}", f"jobctl wait {job.id}")


def _by_daemon(_database: Database, job: JobView, daemon: DaemonView, _now: int) -> Iterator[Hold]:
    if daemon.state == "down":
        yield Hold("daemon_down", "no daemon is running", "jobctl daemon start")
    elif daemon.state in ("not_responding", "draining"):
        message = f"the daemon (process {daemon.pid}) is {daemon.state.replace('_', ' ')}"
        yield Hold(f"daemon_{daemon.state}", message, "jobctl daemon status")
    elif not daemon.serves(job.id, foreground=bool(job.foreground)):
        message = f"the engine that runs works for job {daemon.scope} only"
        yield Hold("daemon_busy", message, f"jobctl wait {daemon.scope}; jobctl daemon start")
    if daemon.pressure.startswith(PAUSED):
        yield Hold(
            "disk_low", f"the disk is nearly full: {daemon.pressure.removeprefix(PAUSED)[2:]}", "jobctl prune --dry-run"
        )
    elif daemon.is_away:
        yield Hold("cluster_away", daemon.pressure.removeprefix(AWAY), "jobctl daemon status")
    elif daemon.pressure and daemon.state != "down":
        yield Hold("spawn_pressure", f"the machine is short of something: {daemon.pressure}", "jobctl daemon status")


def _by_pause(database: Database, job: JobView, _daemon: DaemonView, now: int) -> Iterator[Hold]:
    if job.paused_at is not None:
        why = f" ({job.pause_reason})" if job.pause_reason else ""
        yield Hold("paused", f"it was paused {_ago(job.paused_at, now)}{why}", f"jobctl resume {job.id}")
    queue = views.queue(database, job.queue)
    if queue.paused_at is not None:
        why = f" ({queue.pause_reason})" if queue.pause_reason else ""
        message = f"its queue {job.queue!r} was paused {_ago(queue.paused_at, now)}{why}"
        yield Hold("queue_paused", message, f"jobctl resume --queue {job.queue}")


def _by_time(_database: Database, job: JobView, _daemon: DaemonView, now: int) -> Iterator[Hold]:
    if job.not_before_at is not None and job.not_before_at > now:
        wait = format_duration((job.not_before_at - now) / 1e6)
        yield Hold("not_before", f"it may not start before {format_time(job.not_before_at)}, in {wait}", None)


def _by_jobs(database: Database, job: JobView, _daemon: DaemonView, _now: int) -> Iterator[Hold]:
    for number, condition in views.after(database, job.id):
        state = views.states(database, [number]).get(number)
        other = views.job(database, number) if state is not None else None
        if other is not None and not other.is_done:
            until = "succeeds" if condition == "ok" else "ends"
            yield Hold(
                "after", f"it waits until job {number} {until}, which is {other.state}", f"jobctl status {number}"
            )


def _by_workers(_database: Database, job: JobView, daemon: DaemonView, now: int) -> Iterator[Hold]:
    policy = Policy.from_json(json.loads(job.policy))
    lack, places = missing(daemon, policy, now), room(daemon, policy)
    if lack is not None:
        yield Hold(*lack)
    elif places is not None and job.running >= places:
        needed = worded(needs_of(policy.resources, policy.gpus))
        yield Hold("resources", f"workers have room for {plural(places, 'item')} that needs {needed} at once", None)


def _by_slots(database: Database, job: JobView, daemon: DaemonView, _now: int) -> Iterator[Hold]:
    if daemon.crew is not None and not daemon.slots:
        return  # said already
    own = json.loads(job.policy).get("slots")
    queue = views.queue(database, job.queue)
    if own is not None and job.running >= own:
        yield Hold("slots", f"its own {plural(own, 'slot')} are in use", f"jobctl set {job.id} slots={own * 2}")
        return
    users = views.running_by_job(database)
    in_queue = sum(n for name, _, n in users if name == job.queue)
    if queue.slots is not None and in_queue >= queue.slots:
        yield Hold(
            "queue_slots", f"the {plural(queue.slots, 'slot')} of queue {job.queue!r} are in use{_by(users)}", None
        )
    elif daemon.slots is not None and sum(n for _, _, n in users) >= daemon.slots:
        yield Hold("slots", f"all {plural(daemon.slots, 'slot')} of the daemon are in use{_by(users)}", None)


def _by(users: list[tuple[str, int, int]]) -> str:
    return " by " + ", ".join(f"job {number} ({count})" for _, number, count in users[:5])


def _by_backoff(database: Database, job: JobView, _daemon: DaemonView, now: int) -> Iterator[Hold]:
    if not job.retrying or job.queued:
        return
    first, _ = views.due_range(database, job.id)
    if first is not None and first > now:
        wait = format_duration((first - now) / 1e6)
        message = f"what is left waits for another attempt, the next at {format_time(first)}, in {wait}"
        yield Hold("retry_wait", message, f"jobctl items {job.id} --state retrying")


def _item(database: Database, job: JobView, number: int, now: int) -> dict[str, Any]:
    page = item_views.items(database, job.id, None, number - 1, 1)
    if not page or page[0].item != number:
        raise NotFound(f"job {job.id} has no item {number}", hint=f"jobctl items {job.id}")
    item = page[0]
    state = ItemState(item.state)
    attempts = item_views.attempts(database, job.id, number)
    return {
        "item_state": state.word,
        "item_reason": _item_reason(job, item, now),
        "attempts": [_attempt(attempt) for attempt in attempts],
        "next": [f"jobctl logs {job.id}.{number}", *_item_next(job, item)],
    }


def _item_reason(job: JobView, item: item_views.ItemView, now: int) -> str:
    state = ItemState(item.state)
    if state is ItemState.RETRYING and item.due_at is not None:
        wait = format_duration(max(0, item.due_at - now) / 1e6)
        return (
            f"attempt {item.attempt} failed ({item.message}); the next is due at {format_time(item.due_at)}, in {wait}"
        )
    if state is ItemState.RUNNING:
        if item.started_at is None:
            return "handed over, it starts when a slot comes free"
        where = f"pid {item.pid} on {item.host}" if item.host else f"pid {item.pid}"
        return f"attempt {item.attempt} runs in slot {item.slot}, started {_ago(item.started_at, now)}, {where}"
    if state is ItemState.QUEUED:
        ahead = max(0, item.item - job.cursor)
        return f"waits for its turn, {plural(ahead, 'item')} of this job before it"
    if state is ItemState.UNPROCESSED:
        return f"never tried: {job.stop_reason or 'the round ended before it started'}"
    if state is ItemState.FAILED:
        return f"after {plural(item.attempt, 'attempt')}: {item.message or 'it was cancelled'}"
    return f"at attempt {item.attempt}"


def _item_next(job: JobView, item: item_views.ItemView) -> list[str]:
    state, name = ItemState(item.state), f"{job.id}.{item.item}"
    if state in (ItemState.FAILED, ItemState.UNPROCESSED):
        if not job.is_done:
            return [f"jobctl wait {job.id}"]
        unknown = state is ItemState.FAILED and item.ending is not None and not outcome.is_known(item.ending)
        careful = unknown and json.loads(job.policy).get("on_crash") == "fail"
        return [f"jobctl retry {name}{' --unknown' if careful else ''}"]
    return [f"jobctl cancel {name}"] if state is not ItemState.SUCCEEDED else [f"jobctl results {job.id}"]


def _attempt(attempt: item_views.AttemptView) -> dict[str, Any]:
    ended = None
    if attempt.ending is not None:
        good = attempt.ending == 0 and attempt.code == 0
        ended = "succeeded" if good else outcome.failure_code(attempt.ending, attempt.code)
    return {
        "attempt": attempt.attempt,
        "round": attempt.round,
        "slot": attempt.slot,
        "host": attempt.host,
        "started_at": format_time(attempt.started_at),
        "duration_s": None if attempt.duration_us is None else round(attempt.duration_us / 1e6, 3),
        "outcome": ended,
        "message": attempt.message,
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


def _ago(at: int, now: int) -> str:
    return f"{format_duration(max(0, now - at) / 1e6)} ago"
