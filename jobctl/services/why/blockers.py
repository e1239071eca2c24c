"""The blockers of a job: the reasons why its items do not start. They are decided here and nowhere else.

The reason of a state, the attention list and the list of an explanation are views of one list of blockers; their words
are in ``domain.blocker_kinds``.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.config import Home
from jobctl.domain import blocker_kinds
from jobctl.domain.blocker_kinds import BlockerKind
from jobctl.domain.cluster_workers import AWAY, Amounts, ClusterWorkers, needs_of, worded
from jobctl.domain.durations import format_span, format_time
from jobctl.domain.rate import TokenBucket
from jobctl.domain.states import ItemState
from jobctl.domain.wording import hindrance, open_elsewhere, plural
from jobctl.errors import no_such_job
from jobctl.process.space import PAUSED
from jobctl.services.status.progress import room
from jobctl.services.why.situation import Situation, StoreFacts, situation_of, store_facts
from jobctl.store.database import Database
from jobctl.store.views import jobs as job_views

if TYPE_CHECKING:
    from jobctl.store.views.items import ItemView

#: Jobs that are named in a sentence about slots.
_NAMED_JOBS = 5


class Blocker(NamedTuple):
    """One thing that keeps items of a job from starting. Times in microseconds UTC."""

    kind: BlockerKind
    message: str  # the sentence
    brief: str  # the sentence for the reason of a state
    remedy: str | None  # the command to type; None where only time helps
    since: int | None
    until: int | None
    facts: Mapping[str, object]


def situation_with_blockers(store: StoreFacts, number: int) -> tuple[Situation, list[Blocker]]:
    """Return the situation of a job and its blockers. Raises NotFound."""
    job = job_views.job(store.database, number)
    if job is None:
        raise no_such_job(number)
    case = situation_of(store, job)
    return case, blockers_of(case)


def blockers_of(case: Situation) -> list[Blocker]:
    """Return all blockers of a job, the most important one for a reader first.

    A job that is done can only have a damaged row.
    """
    checks = (_of_job,) if case.job.is_done else (_of_job, _of_daemon, _of_order, _of_capacity)
    return [found for check in checks for found in check(case)]


def daemon_blocker(database: Database, home: Home, job: int, now: int, program: str) -> Blocker | None:
    """Return the reason why no daemon runs a job; None if one runs it. ``now`` is in microseconds UTC.

    Raises NotFound.
    """
    with database.snapshot():
        _, found = situation_with_blockers(store_facts(database, home, now, program), job)
    return next((each for each in found if each.kind in blocker_kinds.OF_THE_DAEMON), None)


def item_blockers(case: Situation, blockers: Sequence[Blocker], item: ItemView) -> list[Blocker]:
    """Return the blockers of one item, its own wait for another attempt last; ``blockers`` are those of its job."""
    if item.state == ItemState.QUEUED:
        return list(blockers)
    if item.state != ItemState.RETRYING:
        return []
    due_at = case.now if item.due_at is None else item.due_at
    facts: dict[str, Any] = {"item": item.item, "attempt": item.attempt, "message": item.message}
    own = _blocker(case, blocker_kinds.ITEM_RETRY_WAIT, until=due_at, **facts)
    return [*(each for each in blockers if each.kind is not blocker_kinds.RETRY_WAIT), own]


def _blocker(
    case: Situation, kind: BlockerKind, since: int | None = None, until: int | None = None, **facts: object
) -> Blocker:
    now = case.now
    facts |= {"jobctl": case.program, "job": case.job.id}
    facts |= {} if since is None else {"ago": format_span(since, now)}
    if until is not None:
        facts = {"wait": format_span(now, until), "time": format_time(until)} | facts
    remedy = kind.command(**facts) or None
    return Blocker(kind, kind.words(**facts), kind.brief_words(**facts), remedy, since, until, facts)


def _of_job(case: Situation) -> Iterator[Blocker]:
    """The blockers in the row of the job."""
    job = case.job
    if job.damage:
        yield _blocker(case, blocker_kinds.DAMAGED, damage=job.damage, verb="prune" if job.is_done else "cancel")
    if job.is_done:
        return
    if job.stop is not None:
        yield _blocker(case, blocker_kinds.STOPPED, reason=job.stop_reason or "stopped")
    if job.paused_at is not None:
        brief = job.pause_reason or "nothing starts until it is resumed"
        why = f": {job.pause_reason}" if job.pause_reason else ""
        yield _blocker(case, blocker_kinds.PAUSED, job.paused_at, why=why, brief=brief)
    for other in case.after:
        if other["condition"] == "ok" and other["done"] and other["state"] != "succeeded":
            retry = case.retry_of(other["job"])
            yield _blocker(case, blocker_kinds.NEVER_STARTS, other=other["job"], state=other["state"], retry=retry)


def _of_daemon(case: Situation) -> Iterator[Blocker]:
    """The state of the daemon, and the shortages of the machine, as seen here and in the last report of the daemon."""
    daemon = case.daemon
    pressure = "" if daemon.state == "down" else daemon.pressure
    if short := case.shortage or (pressure.removeprefix(PAUSED).lstrip(": ") if pressure.startswith(PAUSED) else ""):
        yield _blocker(case, blocker_kinds.DISK_FULL, short=short)
    if daemon.state == "down":
        yield _blocker(case, blocker_kinds.DAEMON_DOWN, daemon.heartbeat_at)
    elif daemon.state == "not_responding":
        silent_since = daemon.heartbeat_at or case.now
        silence = format_span(silent_since, case.now)
        yield _blocker(case, blocker_kinds.DAEMON_SILENT, silent_since, pid=daemon.pid, silence=silence)
    elif daemon.state == "draining":
        yield _blocker(case, blocker_kinds.DAEMON_STOPS, pid=daemon.pid)
    elif not case.is_served:
        yield _blocker(case, blocker_kinds.DAEMON_ELSEWHERE, pid=daemon.pid, scope=daemon.scope)
    if pressure.startswith(AWAY):
        yield _blocker(case, blocker_kinds.CLUSTER_AWAY, words=pressure.removeprefix(AWAY))
    elif pressure and not pressure.startswith(PAUSED):
        yield _blocker(case, blocker_kinds.PRESSURE, hindrance=hindrance(pressure))


def _of_order(case: Situation) -> Iterator[Blocker]:
    """The queue of the job, its time, and other jobs that come first."""
    job, queue = case.job, case.queue
    if queue.paused_at is not None:
        why = f": {queue.pause_reason}" if queue.pause_reason else ""
        yield _blocker(case, blocker_kinds.QUEUE_PAUSED, queue.paused_at, queue=shlex.quote(job.queue), why=why)
    if job.not_before_at is not None and job.not_before_at > case.now:
        from jobctl.domain.times import with_offset  # most jobs wait for no time

        yield _blocker(case, blocker_kinds.NOT_BEFORE, until=job.not_before_at, time=with_offset(job.not_before_at))
    if case.follows:
        rows = open_elsewhere([(other["job"], other["rows"]) for other in case.follows])
        others = " ".join(str(other["job"]) for other in case.follows)
        yield _blocker(case, blocker_kinds.OPEN_ELSEWHERE, rows=rows, others=others)
    for other in case.after:
        if other["done"] is False:
            ends = "succeeds" if other["condition"] == "ok" else "ends"
            yield _blocker(case, blocker_kinds.AFTER, other=other["job"], ends=ends, state=other["state"])


def _of_capacity(case: Situation) -> Iterator[Blocker]:
    """Workers, rates, slots and waits before another attempt, which hold back items that nothing else does."""
    job = case.job
    if case.daemon.cluster is not None and job.live:
        yield from _workers(case, case.daemon.cluster)
    is_due = case.first_due_at is not None and case.first_due_at <= case.now
    if job.stop is None and (job.queued or is_due or case.only_ahead):
        if (case.policy.rate or case.queue.rate) and case.daemon.is_working:
            yield from _rates(case)
        yield from _slots(case)
    if job.retrying and not job.queued and case.first_due_at is not None and not is_due:
        items = f"{plural(job.retrying, 'item')} {'waits' if job.retrying == 1 else 'wait'}"
        yield _blocker(case, blocker_kinds.RETRY_WAIT, until=case.first_due_at, items=items)


def _workers(case: Situation, cluster: ClusterWorkers) -> Iterator[Blocker]:
    """On a cluster: there are no workers, or none with the resources of the items, or no room for more of them."""
    daemon = case.daemon
    needs, places = needs_of(case.policy.resources, case.policy.gpus), room(daemon, case.policy)
    join = daemon.join.replace("jobctl ", f"{case.program} ", 1)
    if places and case.job.running >= places:
        yield _blocker(case, blocker_kinds.NO_ROOM, items=plural(places, "item"), needs=worded(needs))
    elif daemon.pressure or not daemon.is_working:
        return
    elif not cluster.workers:
        yield _blocker(case, blocker_kinds.NO_WORKERS, more=_gone(cluster, case.now), join=join)
    elif places == 0:
        wanted = f" --resources {worded(needs)}" if daemon.join.startswith("jobctl worker") else ""
        lacking, have = _lacking(cluster, needs)
        workers = plural(cluster.workers, "worker")
        yield _blocker(
            case, blocker_kinds.RESOURCES_MISSING, needs=lacking, workers=workers, have=have, join=join, wanted=wanted
        )


def _gone(cluster: ClusterWorkers, now: int) -> str:
    """Describe the workers that have left, and the reasons why others are not used."""
    unfit = "".join(f"; {words}" for words in cluster.unfit)
    if not cluster.left:
        return unfit
    when = format_span(cluster.last_left_at, now)
    return f"; {plural(cluster.left, 'has', 'have')} left, the last on {cluster.last_host} {when} ago{unfit}"


def _lacking(cluster: ClusterWorkers, needs: Amounts) -> tuple[str, str]:
    """Return the resources that no worker has, and the amounts that the workers have."""
    for need in needs:
        name = need[0]
        most = max(dict(offer.resources).get(name, 0.0) for offer in cluster.offers)
        if most < need[1]:
            return worded(
                [need]
            ), f"the most that one has is {worded([(name, most)])}" if most else f"none has any {name}"
    return worded(needs), "none has all of it"


def _rates(case: Situation) -> Iterator[Blocker]:
    job, queue, name = case.job, case.queue, shlex.quote(case.job.queue)
    for rate, tokens, at, whose, change in (
        (case.policy.rate, job.tokens, job.tokens_at, "its rate", f"set {job.id}"),
        (queue.rate, queue.tokens, queue.tokens_at, f"the rate of queue {name}", f"queue set {name}"),
    ):
        if rate is None:
            continue
        bucket = TokenBucket.restore(rate, tokens, at, case.now)
        if not bucket.available(case.now) and bucket.next_at() > case.now:
            yield _blocker(case, blocker_kinds.RATE, until=bucket.next_at(), rate=rate, whose=whose, change=change)


def _slots(case: Situation) -> Iterator[Blocker]:
    """The slots that are in use: its own, those of its queue, or those of the daemon."""
    job, daemon, own, queue = case.job, case.daemon, case.policy.slots, case.queue
    if daemon.cluster is not None and not daemon.slots:
        return  # no worker is there
    if own is not None and job.running >= own and not case.only_ahead:
        yield _blocker(case, blocker_kinds.OWN_SLOTS, **_in_use(own))
        return
    if queue.slots is None and not daemon.slots:
        return  # no other limit is known
    in_hand = [user for user in case.in_hand() if not case.only_ahead or user[1] != job.id]
    in_queue = [user for user in in_hand if user[0] == job.queue]
    if queue.slots is not None and sum(count for _, _, count in in_queue) >= queue.slots:
        name = shlex.quote(job.queue)
        yield _blocker(
            case, blocker_kinds.QUEUE_SLOTS, queue=name, users=_users(in_queue, job.id), **_in_use(queue.slots)
        )
    elif daemon.slots and sum(count for _, _, count in in_hand) >= daemon.slots:
        is_alone = own is not None and own > daemon.slots and {number for _, number, _ in in_hand} == {job.id}
        more = f"; it may use {own}" if is_alone else ""
        all_ = "all " if daemon.slots > 1 else "the "
        yield _blocker(
            case, blocker_kinds.SLOTS, users=_users(in_hand, job.id), all=all_, more=more, **_in_use(daemon.slots)
        )


def _in_use(slots: int) -> dict[str, Any]:
    return {"slots": plural(slots, "slot"), "are": "is" if slots == 1 else "are", "twice": 2 * slots}


def _users(in_hand: list[tuple[str, int, int]], job: int) -> str:
    """Name the jobs that use the slots, without numbers of items: an engine has items in hand that have not begun."""
    names = ["this job" if number == job else f"job {number}" for _, number, _ in in_hand]
    return ", ".join(names[:_NAMED_JOBS]) + (", ..." if len(names) > _NAMED_JOBS else "")
