"""What keeps the waiting items of a job from starting right now."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from typing import NamedTuple

from jobctl.config import Home
from jobctl.domain.crew import AWAY, needs_of, worded
from jobctl.domain.durations import format_span, format_time
from jobctl.domain.policy import Policy
from jobctl.domain.rate import TokenBucket
from jobctl.domain.wording import open_elsewhere, plural
from jobctl.process.space import PAUSED, shortage
from jobctl.services.daemon.view import DaemonView
from jobctl.services.status.workers import missing, room
from jobctl.store import followed
from jobctl.store.database import Database
from jobctl.store.views import jobs as job_views
from jobctl.store.views.jobs import JobView

#: (queue, job, attempts in hand) of the jobs that have some; asked for when it is needed.
Users = Callable[[], list[tuple[str, int, int]]]


class Hold(NamedTuple):
    """One thing that keeps items from starting."""

    code: str
    message: str
    action: str | None


def holds(database: Database, job: JobView, daemon: DaemonView, now: int) -> list[Hold]:
    """Everything that keeps the waiting items of a job from starting; empty when nothing does or nothing waits."""
    rows = [] if job.is_done else list(_by_rows(database, job))
    if job.is_done or not (job.queued or job.retrying or rows):
        return []
    checks = (_by_stop, _by_disk, _by_daemon, _by_pause, _by_time)
    found = [hold for check in checks for hold in check(database, job, daemon, now)]
    found += rows
    found += [*_by_jobs(database, job), *_by_workers(job, daemon, now), *_by_rate(database, job, daemon, now)]
    found += _by_slots(database, job, daemon, lambda: job_views.running_by_job(database))
    return [*found, *_by_backoff(database, job, daemon, now)]


def held_by(database: Database, job: JobView, daemon: DaemonView, now: int, users: Users) -> str:
    """The rate or the slots that keep a job from starting which runs nothing; empty = nothing of that kind."""
    if job.is_done or job.stop is not None or not job.queued or job.running:
        return ""
    checks = (*_by_rate(database, job, daemon, now), *_by_slots(database, job, daemon, users))
    return next((hold.message for hold in checks), "")


def _by_stop(_database: Database, job: JobView, _daemon: DaemonView, _now: int) -> Iterator[Hold]:
    if job.stop is not None:
        yield Hold("stopped", f"nothing more of it will start: {job.stop_reason}", f"jobctl wait {job.id}")


def _by_disk(database: Database, _job: JobView, _daemon: DaemonView, _now: int) -> Iterator[Hold]:
    """Looked at here and now: a daemon that cannot write cannot tell either, and none may be there."""
    if short := shortage(*Home(database.path.parent).output_places):
        yield Hold("disk_low", f"the disk is nearly full: {short}", "jobctl prune --dry-run")


def _by_daemon(_database: Database, job: JobView, daemon: DaemonView, _now: int) -> Iterator[Hold]:
    if daemon.state == "down":
        yield Hold("daemon_down", "no daemon is running", "jobctl daemon start")
    elif daemon.state in ("not_responding", "draining"):
        message = f"the daemon (process {daemon.pid}) is {daemon.state.replace('_', ' ')}"
        yield Hold(f"daemon_{daemon.state}", message, "jobctl daemon status")
    elif not daemon.serves(job.id, foreground=bool(job.foreground)):
        message = f"the engine that runs works for job {daemon.scope} only"
        yield Hold("daemon_busy", message, f"jobctl wait {daemon.scope}; jobctl daemon start")
    if daemon.is_away:
        yield Hold("cluster_away", daemon.pressure.removeprefix(AWAY), "jobctl daemon status")
    elif daemon.pressure and daemon.state != "down" and not daemon.pressure.startswith(PAUSED):
        yield Hold("spawn_pressure", f"the machine is short of something: {daemon.pressure}", "jobctl daemon status")


def _by_pause(database: Database, job: JobView, _daemon: DaemonView, now: int) -> Iterator[Hold]:
    if job.paused_at is not None:
        why = f" ({job.pause_reason})" if job.pause_reason else ""
        yield Hold("paused", f"it was paused {ago(job.paused_at, now)}{why}", f"jobctl resume {job.id}")
    queue = job_views.queue(database, job.queue)
    if queue.paused_at is not None:
        why = f" ({queue.pause_reason})" if queue.pause_reason else ""
        message = f"its queue {job.queue!r} was paused {ago(queue.paused_at, now)}{why}"
        yield Hold("queue_paused", message, f"jobctl resume --queue {shlex.quote(job.queue)}")


def _by_time(_database: Database, job: JobView, _daemon: DaemonView, now: int) -> Iterator[Hold]:
    if job.not_before_at is not None and job.not_before_at > now:
        wait = format_span(now, job.not_before_at)
        yield Hold("not_before", f"it may not start before {format_time(job.not_before_at)}, in {wait}", None)


def _by_rows(database: Database, job: JobView) -> Iterator[Hold]:
    """Rows that other jobs of its name have."""
    if any(condition == followed.CONDITION for _, condition in json.loads(job.after)):
        for number, rows in followed.counts(database, job.id).items():
            yield Hold("open_elsewhere", open_elsewhere([(number, rows)]), f"jobctl status {number}")


def _by_jobs(database: Database, job: JobView) -> Iterator[Hold]:
    for number, condition in json.loads(job.after):
        if condition == followed.CONDITION:
            continue
        state = job_views.states(database, [number]).get(number)
        other = job_views.job(database, number) if state is not None else None
        if other is not None and other.is_done and condition == "ok" and other.state != "succeeded":
            message = f"job {number} ended {other.state}, so this one ends as cancelled"
            yield Hold("after", message, f"jobctl retry {number}")
        if other is not None and not other.is_done:
            until = "succeeds" if condition == "ok" else "ends"
            message = f"it waits until job {number} {until}, which is {other.state}"
            yield Hold("after", message, f"jobctl status {number}")


def _by_rate(database: Database, job: JobView, daemon: DaemonView, now: int) -> Iterator[Hold]:
    """Its rate, or that of its queue, when that has no start left."""
    if not job.queued or not daemon.is_working:
        return
    for owner, (rate, tokens, at) in job_views.rates(database, job).items():
        bucket = TokenBucket.restore(rate, tokens, at, now)
        if bucket.available(now) or bucket.next_at() <= now:
            continue
        wait = format_span(now, bucket.next_at())
        whose = "its rate" if owner == "job" else f"the rate of queue {job.queue!r}"
        change = f"set {job.id}" if owner == "job" else f"queue set {shlex.quote(job.queue)}"
        yield Hold("rate", f"{whose} of {rate} lets the next item start in {wait}", f"jobctl {change} rate=none")


def _by_workers(job: JobView, daemon: DaemonView, now: int) -> Iterator[Hold]:
    policy = Policy.from_json(json.loads(job.policy))
    lack, places = missing(daemon, policy, now), room(daemon, policy)
    if lack is not None:
        yield Hold(*lack)
    elif places is not None and job.running >= places:
        needed = worded(needs_of(policy.resources, policy.gpus))
        yield Hold("resources", f"workers have room for {plural(places, 'item')} that needs {needed} at once", None)


def _by_slots(database: Database, job: JobView, daemon: DaemonView, users: Users) -> Iterator[Hold]:
    if daemon.crew is not None and not daemon.slots:
        return  # said already
    own = json.loads(job.policy).get("slots")
    if own is not None and job.running >= own:
        yield Hold("slots", f"{_in_use(own, 'its own {}')}", f"jobctl set {job.id} slots={own * 2}")
        return
    queue, in_hand = job_views.queue(database, job.queue), users()
    in_queue = sum(count for name, _, count in in_hand if name == job.queue)
    if queue.slots is not None and in_queue >= queue.slots:
        mine = [user for user in in_hand if user[0] == job.queue]
        change = f"jobctl queue set {shlex.quote(job.queue)} slots={queue.slots * 2}"
        yield Hold("queue_slots", _in_use(queue.slots, f"the {{}} of queue {job.queue!r}") + _by(mine, job), change)
    elif daemon.slots and sum(count for _, _, count in in_hand) >= daemon.slots:
        all_of = "all {} of the daemon" if daemon.slots > 1 else "the {} of the daemon"
        alone = own is not None and own > daemon.slots and {number for _, number, _ in in_hand} == {job.id}
        fewer = f"; it may use {own}" if alone else ""
        yield Hold("slots", _in_use(daemon.slots, all_of) + _by(in_hand, job) + fewer, None)


def _in_use(count: int, words: str) -> str:
    return f"{words.format(plural(count, 'slot'))} {'is' if count == 1 else 'are'} in use"


def _by(users: list[tuple[str, int, int]], job: JobView) -> str:
    """Whose items they are. How many of each is not said: an engine has some in hand that have not begun."""
    names = ["this job" if number == job.id else f"job {number}" for _, number, _ in users]
    return " by " + ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def _by_backoff(database: Database, job: JobView, _daemon: DaemonView, now: int) -> Iterator[Hold]:
    if not job.retrying or job.queued:
        return
    first, _ = job_views.due_range(database, job.id)
    if first is not None and first > now:
        wait = format_span(now, first)
        message = f"what is left waits for another attempt, the next at {format_time(first)}, in {wait}"
        yield Hold("retry_wait", message, f"jobctl items {job.id} --state retrying")


def ago(at: int, now: int) -> str:
    """``5m ago``."""
    return f"{format_span(at, now)} ago"
