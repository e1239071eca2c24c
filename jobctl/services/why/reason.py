"""The reason for the state of a job, in one sentence with figures, and the commands to type next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from jobctl.config import Home
from jobctl.domain.blocker_kinds import (
    AFTER,
    DAEMON_DOWN,
    DAMAGED,
    OF_THE_DAEMON,
    OPEN_ELSEWHERE,
    PAUSED,
    QUEUE_PAUSED,
    STOPPED,
)
from jobctl.domain.durations import format_duration
from jobctl.domain.handler_kinds import kind_of
from jobctl.domain.wording import ended_sentence, number, plural
from jobctl.services.status.progress import Progress, progress_of
from jobctl.services.why.blockers import Blocker, situation_with_blockers
from jobctl.services.why.situation import Situation, store_facts
from jobctl.store.database import Database
from jobctl.store.views.jobs import JobView

#: Seconds after which a call that has not begun waits for its worker.
_MOMENT_S = 2.0
#: Blockers that also matter while items run.
_WHILE_ITEMS_RUN = (DAMAGED, STOPPED, PAUSED, *OF_THE_DAEMON)


class StateReport(NamedTuple):
    """The state of a job at one moment, with its reason."""

    state: str
    reason: str
    is_done: bool
    resume: list[str]  # commands that end a pause of the job or of its queue


def state_report(database: Database, home: Home, number: int, now: int, *, program: str) -> StateReport:
    """Return the state of one job and its reason, without the cost of a status document. Raises NotFound."""
    with database.snapshot():
        case, blockers = situation_with_blockers(store_facts(database, home, now, program), number)
        progress = progress_of(case, is_halted=any(each.kind.halts for each in blockers))
    resume = [each.remedy for each in blockers if each.kind in (PAUSED, QUEUE_PAUSED) and each.remedy]
    return StateReport(case.job.state, state_reason(case, blockers, progress), case.job.is_done, resume)


def state_reason(case: Situation, blockers: Sequence[Blocker], progress: Progress) -> str:
    """Return the sentence about the state: the most important blocker, then the progress."""
    job = case.job
    if job.is_done:
        return blockers[0].brief if blockers else ended_sentence(job.state, job.reason, job)
    progressed = _progressed(job, progress)
    if job.state == "cancelling":
        return f"cancelled: {progressed}"
    parts = _leading(job, blockers, is_running=progress.running > 0) or _unblocked(case, progress)
    is_late = job.deadline_at is not None and job.deadline_at <= case.now
    # "0 of 0 items processed" tells nobody anything: other jobs have all rows of such a job.
    return "; ".join(["its deadline passed"] * is_late + parts + [progressed] * bool(job.total))


def _leading(job: JobView, blockers: Sequence[Blocker], *, is_running: bool) -> list[str]:
    """The first blocker that matters now, and with no item left the rows that other jobs have."""
    matter = [each for each in blockers if not is_running or each.kind in _WHILE_ITEMS_RUN]
    rows = [each.brief for each in matter if each.kind is OPEN_ELSEWHERE and not job.live]
    first = next((each for each in matter if each.kind is not OPEN_ELSEWHERE), None)
    if first is None:
        return rows
    others = sum(each.kind is AFTER for each in blockers) - 1 if first.kind is AFTER else 0
    return [first.brief + (f", and for {plural(others, 'other job')}" if others else ""), *rows]


def _unblocked(case: Situation, progress: Progress) -> list[str]:
    """Describe a job without blockers."""
    silent_s = (case.now - case.job.updated_at) / 1e6
    # A call that takes longer than a moment is seen to have begun, and one that is quicker has ended.
    kind = kind_of(case.job.handler)
    if kind.loads_first and case.job.running and not case.running and silent_s >= _MOMENT_S:
        target = kind.shown_command(json.loads(case.job.command))
        return [f"workers have been loading {target} for {format_duration(silent_s)}"]
    if progress.running:
        return []
    return ["between two items" if case.job.state == "running" else "waits for its turn"]


def _progressed(job: JobView, progress: Progress) -> str:
    """Describe the progress of a job that is not done."""
    if job.stop is not None or job.state == "cancelling":
        left = progress.running
        return f"{plural(left, 'item')} still running" if left else "the rest is being taken out of the queue"
    if progress.running:
        failed = f"{number(job.failed)} failed so far" if job.failed else "none failed so far"
        return f"{plural(progress.running, 'item')} running, {failed}"
    if job.state == "queued" and job.live:
        return f"{plural(job.queued, 'item')} queued"
    failed = f", {number(job.failed)} failed" if job.failed else ""
    return f"{number(job.processed)} of {plural(job.total, 'item')} processed{failed}"


def next_commands(
    case: Situation,
    blockers: Sequence[Blocker],
    retry: str | None,
    causes: str | None = None,
    undo: str | None = None,
) -> list[str]:
    """Return the commands that a person is likely to type now, most likely first.

    ``retry`` is the one for a retry, ``causes`` the one that shows all causes, if there are more than the status shows,
    ``undo`` the one that takes back the rows that succeeded.
    """
    job, program = case.job, case.program
    more = [causes] if causes else []
    if job.is_done:
        looks = (f"{program} items {job.id} --state failed", f"{program} logs {job.id} --failed") if job.failed else ()
        after = [each for each in (retry, undo if job.state != "succeeded" else None) if each]
        return [*more, *looks, *after, f"{program} results {job.id}"]
    commands = [each.remedy for each in blockers if each.kind is DAEMON_DOWN and each.remedy]
    if job.state == "cancelling":
        return [*commands, f"{program} wait {job.id}"]
    resumes = [each.remedy for each in blockers if each.kind is PAUSED and each.remedy]
    commands += resumes or [f"{program} status {job.id} --watch"]
    commands += [*more, *([f"{program} logs {job.id} --failed"] if job.failed else [])]
    return [*commands, f"{program} cancel {job.id}"]
