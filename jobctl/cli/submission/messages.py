"""The messages of a submission: the accepted rows, the forecast of the job, and the process that runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jobctl.cli.session import Session, now_us
from jobctl.errors import JobctlError

if TYPE_CHECKING:
    from jobctl.domain.policy import Policy
    from jobctl.services.submit.forecast import Forecast
    from jobctl.services.submit.request import Accepted, SubmitRequest


def print_messages(
    shared: Session, accepted: Accepted, request: SubmitRequest, started: int | None, *, waits: bool
) -> None:
    """Print what was accepted, and what happens next."""
    if shared.json:
        from jobctl.services.submit.documents import accepted_document

        for notice in accepted.notices:
            shared.note(notice)
        shared.emit(accepted_document(shared.home, accepted, now_us(), shared.program))
        return
    # The status document is only made for a job that may not be about to start.
    may_wait = not waits and bool(request.hold or request.after or request.waits_for_time)
    is_open = may_wait or accepted.replayed or accepted.queue_paused
    tell = _state if is_open else _forecast
    told = tell(shared, accepted, request.queue, started)
    times = () if accepted.replayed else times_of(request)
    for line in (*accepted_lines(accepted), *times, *told):
        shared.note(line)


def _runner_line(shared: Session, job: int, started: int | None) -> str:
    from jobctl.services.daemon.absence import process_of_job

    return f"  {process_of_job(shared.home, job, started, shared.program, now_us())}"


def _forecast(shared: Session, accepted: Accepted, queue: str, started: int | None) -> list[str]:
    runner = _runner_line(shared, accepted.job, started)
    follow = f"follow it with: {shared.program} status {accepted.job} --watch"
    found = forecast(shared, accepted.policy, queue, accepted.items, planned=daemon_slots_planned, foreground=False)
    fewer = [f"  {found.fewer}"] if found.fewer else []
    return [runner, *fewer, f"  {found.bounds}", f"  {follow}"]


def _state(shared: Session, accepted: Accepted, _queue: str, started: int | None) -> list[str]:
    """The state of a job that was there already, or that may not start at once."""
    from jobctl.render.inert import inert
    from jobctl.services.submit.documents import state_report_of

    job = accepted.job
    now = state_report_of(shared.home, job, now_us(), shared.program)
    state = f"  {now.state}: {inert(now.reason)}"
    if now.is_done:
        return [state, _next_step(shared, job)]
    resume = [f"  resume it with: {command}" for command in now.resume]
    if now.state == "paused":
        return [state, *resume]
    return [
        _runner_line(shared, job, started),
        state,
        *resume,
        f"  follow it with: {shared.program} status {job} --watch",
    ]


def _next_step(shared: Session, job: int) -> str:
    from jobctl.services.submit.documents import job_of

    retry = job_of(shared.home, job, now_us(), shared.program)["retry"]["command"]
    return f"  try again with: {retry}" if retry else f"  see it with: {shared.program} status {job}"


def times_of(request: SubmitRequest) -> list[str]:
    """Return lines with the times that the options of a new job gave, as moments with their offset."""
    ends_at = request.policy.deadline_at
    if not (request.waits_for_time or ends_at):
        return []
    from jobctl.domain.durations import parse_time
    from jobctl.domain.times import in_words

    now, wait_s = now_us(), request.policy.not_before_s
    starts_at = request.not_before_at if wait_s is None else now + round(wait_s * 1e6)
    lines = []
    if starts_at is not None:
        lines.append(f"  {'starts' if starts_at > now else 'may start at once:'} {in_words(starts_at, now)}")
    if ends_at is not None:
        lines.append(f"  its deadline is {in_words(parse_time(ends_at), now)}")
    return lines


def accepted_lines(accepted: Accepted) -> list[str]:
    """Return lines about the accepted and the left-out rows of an input."""
    from jobctl.domain.wording import open_elsewhere, plural
    from jobctl.render.inert import inert
    from jobctl.services.submit.request import on_placeholders

    name = inert(accepted.name)
    lines = [f"job {accepted.job} ({name}): {plural(accepted.items, 'item')} accepted"]
    if accepted.replayed:
        lines = [f"job {accepted.job} ({name}) has this key and is the same work: nothing new was accepted"]
        if accepted.resumed:
            lines.append(f"  {plural(accepted.resumed, 'item')} of it run again")
    if accepted.not_selected:
        lines.append(f"  {plural(accepted.not_selected, 'row')} of the file not selected")
    if accepted.rejected:
        lines.append(f"  {plural(accepted.rejected, 'row')} left out, see {accepted.rejected_path}")
    if accepted.skipped:
        lines.append(f"  {plural(accepted.skipped, 'row')} skipped: done already in an earlier job of that name")
    if accepted.compared_otherwise is not None:
        other = accepted.compared_otherwise
        lines.append(f"  job {other} of that name has another --new-by: rows that it has done count as not done")
    if accepted.followed:
        lines.append(f"  {open_elsewhere(accepted.followed)}")
    lines += [f"  {sentence}" for sentence in on_placeholders(accepted, accepted.items)]
    lines += [f"  {notice}" for notice in accepted.notices]
    return lines


def forecast(
    shared: Session, policy: Policy, queue: str, items: int, *, planned: Callable[[], int], foreground: bool
) -> Forecast:
    """The longest time that the items can take, and whether fewer of them run at once than were asked for."""
    from jobctl.services.submit.forecast import expected

    found = expected(shared.home, policy, queue, items, now=now_us(), planned=planned, foreground=foreground)
    return found._replace(fewer=shared.localise(found.fewer) or "")


def daemon_slots_planned() -> int:
    """The slots that a daemon would have if it started now; 0 if that is not known."""
    import os

    from jobctl.services.daemon.options import planned_slots
    from jobctl.services.settings.settings import load_settings

    try:
        return planned_slots(load_settings(os.environ, os.getcwd()))
    except JobctlError:  # the command that starts the daemon reports the mistake
        return 0


def foreground_slots(policy: Policy, *, on_cluster: bool) -> int:
    """The slots of a run in the foreground; 0 = all slots of the workers of a cluster."""
    from jobctl.config import cpu_count

    return policy.slots or (0 if on_cluster else cpu_count())
