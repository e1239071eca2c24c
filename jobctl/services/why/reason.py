"""Why a job is in its state, in one sentence with figures, and what to type next."""

from __future__ import annotations

import json

from jobctl.domain.durations import format_duration, format_span
from jobctl.domain.handler_kinds import kind_of
from jobctl.domain.wording import number, open_elsewhere, plural
from jobctl.services.why.attention import Case

#: Calls that have not begun by then wait for a worker.
_MOMENT_S = 2.0


def state_reason(case: Case) -> str:
    """The sentence that goes with the state."""
    job = case.job
    if job.damage:
        return f"its row in the database cannot be read: {job.damage}"
    if job.is_done:
        return _ended(case)
    if job.state == "cancelling":
        return f"cancelled: {_still_running(case)}"
    if job.state == "paused":
        return f"{job.pause_reason or 'nothing starts until it is resumed'}; {_done_of_total(case)}"
    if job.stop is not None:
        return f"{job.stop_reason or 'stopped'}; {_still_running(case)}"
    if case.around.follows and not job.live:
        return _following(case)
    return _running(case) if job.state == "running" else _waiting(case)


def _following(case: Case) -> str:
    """Its own items are over, and other jobs have the rest of its rows."""
    parts = [_done_of_total(case)] if case.job.total else []
    parts += [] if _is_served(case) else [f"{_late(case)}no daemon works on it"]
    return "; ".join([*parts, open_elsewhere(case.around.follows)])


def _ended(case: Case) -> str:
    job = case.job
    parts = [
        f"{number(count)} {word}"
        for count, word in (
            (job.succeeded, "succeeded"),
            (job.failed, "failed"),
            (job.unprocessed, "unprocessed"),
            (job.rejected, "rejected"),
            (job.skipped, "skipped"),
        )
        if count
    ]
    if not job.total and job.skipped:
        return f"nothing to do: {plural(job.skipped, 'row')} done already in an earlier job of that name"
    if job.state == "succeeded" and len(parts) == 1:
        return "the item succeeded" if job.total == 1 else f"all {plural(job.total, 'item')} succeeded"
    figures = ", ".join(parts)
    return f"{job.reason}: {figures}" if job.reason else figures


def _still_running(case: Case) -> str:
    left = case.progress.running
    return f"{plural(left, 'item')} still to end" if left else "taking the rest out of the queue"


def _done_of_total(case: Case) -> str:
    job = case.job
    failed = f", {number(job.failed)} failed" if job.failed else ""
    return f"{number(job.processed)} of {plural(job.total, 'item')} processed{failed}"


def _is_served(case: Case) -> bool:
    return case.around.daemon.serves(case.job.id, foreground=bool(case.job.foreground))


def _running(case: Case) -> str:
    job, running = case.job, case.progress.running
    if case.shortage and not running:
        return f"{_late(case)}nothing starts for lack of room: {case.shortage}; {_done_of_total(case)}"
    if case.around.daemon.state == "draining" and running:
        return f"the daemon is stopping, {plural(running, 'item')} still to end; {_done_of_total(case)}"
    if not _is_served(case):
        return f"{_late(case)}started, but no daemon works on it; {_done_of_total(case)}"
    if silent_s := _loading_s(case):
        target = kind_of(job.handler).shown_command(json.loads(job.command))
        return f"workers have been loading {target} for {format_duration(silent_s)}; {_done_of_total(case)}"
    if running:
        failed = f"{number(job.failed)} failed so far" if job.failed else "none failed so far"
        return f"{plural(running, 'item')} running, {failed}"
    if case.around.missing is not None:
        return f"{case.around.missing.message}; {_done_of_total(case)}"
    due = case.around.first_due_at
    if due is not None and not job.queued:
        wait = format_span(case.around.now, due)
        return f"{plural(job.retrying, 'item')} waiting for another attempt, the next in {wait}"
    if case.around.queue.paused_at is not None:
        return f"queue {job.queue} is paused; {_done_of_total(case)}"
    if case.around.held_by:
        return f"{case.around.held_by}; {_done_of_total(case)}"
    return f"between two items; {_done_of_total(case)}"


def _loading_s(case: Case) -> float:
    """How long the workers of calls have been importing the function or running its setup; 0 if they are not."""
    job = case.job
    silent_s = (case.around.now - job.updated_at) / 1e6
    # A call that takes longer than a moment is seen to have begun, and one that is quicker has ended.
    is_loading = kind_of(job.handler).loads_first and job.running and not case.around.started and silent_s >= _MOMENT_S
    return silent_s if is_loading else 0.0


def _late(case: Case) -> str:
    """Nobody is there to end a job whose deadline has passed."""
    deadline = case.job.deadline_at
    return "its deadline passed; " if deadline is not None and deadline <= case.around.now else ""


def _waiting(case: Case) -> str:
    job, now = case.job, case.around.now
    if case.around.never:
        return f"{case.around.never}; it ends as cancelled, {plural(job.queued, 'item')} queued"
    if case.shortage:
        return f"{_late(case)}nothing starts for lack of room: {case.shortage}; {plural(job.queued, 'item')} queued"
    if not _is_served(case):
        return f"{_late(case)}waits for a daemon, {plural(job.queued, 'item')} queued"
    if job.not_before_at is not None and job.not_before_at > now:
        return f"starts in {format_span(now, job.not_before_at)}, {plural(job.queued, 'item')} queued"
    if case.around.waits_for:
        first, condition = case.around.waits_for[0]
        more = f" and {plural(len(case.around.waits_for) - 1, 'other')}" if len(case.around.waits_for) > 1 else ""
        until = "succeeds" if condition == "ok" else "ends"
        return f"waits until job {first}{more} {until}, {plural(job.queued, 'item')} queued"
    if case.around.queue.paused_at is not None:
        return f"queue {job.queue} is paused, {plural(job.queued, 'item')} queued"
    if case.around.missing is not None:
        return f"{case.around.missing.message}; {plural(job.queued, 'item')} queued"
    if case.around.held_by:
        return f"{case.around.held_by}; {plural(job.queued, 'item')} queued"
    return f"waits for its turn, {plural(job.queued, 'item')} queued"


def next_commands(case: Case, retry: str | None) -> list[str]:
    """What a person is likely to type now, most likely first; ``retry`` is the whole command for that."""
    job, program = case.job, case.program
    if not job.is_done:
        return [f"{program} {words}" for words in _while_live(case)]
    looks = [f"{program} items {job.id} --state failed", f"{program} logs {job.id} --failed"] if job.failed else []
    return [*looks, *([retry] if retry else []), f"{program} results {job.id}"]


def _while_live(case: Case) -> list[str]:
    job = case.job
    commands = []
    if case.around.daemon.state == "down":
        commands.append("daemon start")
    if job.state == "cancelling":
        return [*commands, f"wait {job.id}"]
    commands.append(f"resume {job.id}" if job.state == "paused" else f"status {job.id} --watch")
    if job.failed:
        commands.append(f"logs {job.id} --failed")
    return [*commands, f"cancel {job.id}"]
