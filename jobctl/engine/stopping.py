"""Stops a job before its end: on cancel, at its deadline, after too many failures, if its command does not exist.

A stop is written in the engine's transaction, and the executor learns of it after the commit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from jobctl.domain.ports import AttemptId, Executor
from jobctl.domain.states import Stop
from jobctl.engine.attempts.failure_rules import breaks_rule
from jobctl.engine.attempts.settling import Settler
from jobctl.engine.cancelling import ItemSets
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.engine.jobs.live_jobs import LiveJobs
from jobctl.engine.rounds import followed_rows
from jobctl.store import jobs, journal, requests
from jobctl.store.database import Database

#: The number of rows in one transaction. A cancel of a million rows must not keep other commands from writing.
CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class StopOrder:
    """The stop of a job: the reason, the originator, and the fate of the items that are running."""

    stop: Stop
    actor: str
    reason: str
    kill: int  # 0 lets them finish, 1 ends them with grace, 2 ends them at once


class Stops:
    """Obeys requests and rules: writes the stops in the engine's transaction, and sends them after its commit."""

    def __init__(self, database: Database, executor: Executor, live_jobs: LiveJobs) -> None:
        self._database = database
        self._executor = executor
        self._live_jobs = live_jobs
        #: By number of the request: the attempt to end, with its grace in seconds.
        self._cancels: dict[int, tuple[AttemptId, float]] = {}
        self._item_sets = ItemSets(database, live_jobs)
        self._waiting: list[int] = []  # the numbers of the requests that are not obeyed yet
        self._sent: set[int] = set()  # requests whose items still have to end
        #: The attempts in hand of jobs with requests, by job and item.
        self._attempts: dict[int, dict[int, AttemptId]] = {}
        self.wants_checkpoint = False  # a command waits for an empty write-ahead log

    def write(self, epoch: int, now: int) -> None:
        """Obey requests and rules, and take rows that will not run out of the queues."""
        self._cancels.clear()
        self._item_sets.begin()
        self._obey_requests(epoch, now)
        for live in list(self._live_jobs.changed):
            self.obey_rules(live, now)
            if followed_rows.is_due(live):
                self._live_jobs.count(live, followed_rows.decide(self._database, live, now), now)
            if has_rows_to_drop(live):
                self._live_jobs.count(live, drop_rows(self._database, epoch, live, now), now)

    def obey_rules(self, live: LiveJob, now: int) -> None:
        """Stop a job that must not continue, in the caller's transaction."""
        order = _rule_order(live, now)
        if order is not None:
            self._stop(live, order, now)

    def _stop(self, live: LiveJob, order: StopOrder, now: int) -> None:
        write_stop(self._database, live, order, now)
        self._live_jobs.touch(live)

    def _obey_requests(self, epoch: int, now: int) -> None:
        waiting = requests.waiting(self._database)
        self._attempts.clear()
        obeyed = list[int]()
        for number, request in waiting:
            if request.verb == requests.CHECKPOINT:  # cannot be obeyed inside a transaction
                self.wants_checkpoint = True
                continue
            live = self._live_jobs.get(request.job)
            if live is None or self._obey(number, request, live, epoch, now):
                obeyed.append(number)
        if obeyed:
            requests.drop(self._database, obeyed)
        self._waiting = [number for number, _ in waiting if number not in obeyed]
        self._sent.intersection_update(number for number, _ in waiting)

    def _obey(self, number: int, request: requests.Request, live: LiveJob, epoch: int, now: int) -> bool:
        """True if nothing is left to do about a request."""
        if request.verb == requests.FOLLOW:
            self._executor.follow(live.id, request.item)
            return True
        if request.verb == requests.CANCEL_ITEMS:
            return self._item_sets.obey(number, request, live, epoch, now)
        kill = 2 if request.now else 1
        if request.item is None:
            self._stop(live, StopOrder(Stop.CANCEL, request.actor, request.reason, kill), now)
            return True
        attempt = self._in_hand(live).get(request.item)
        if attempt is None:
            deltas = Settler(self._database, epoch, live, now).drop(request.item, request.item)
            self._live_jobs.count(live, deltas, now)
            return True
        # The item may come back unchanged, or fail and need another attempt. Then the request is not done.
        if number not in self._sent:
            self._cancels[number] = (attempt, live.row.policy.grace_s if kill == 1 else 0.0)
        return False

    def _in_hand(self, live: LiveJob) -> dict[int, AttemptId]:
        attempts = self._attempts.get(live.id)
        if attempts is None:
            attempts = {item: AttemptId(live.id, item, attempt) for item, attempt in live.in_hand}
            self._attempts[live.id] = attempts
        return attempts

    def send(self) -> None:
        """End the attempts that must end. Call it after the commit."""
        for attempt, grace_s in self._cancels.values():
            self._executor.cancel([attempt], grace_s)
        self._sent.update(self._cancels)
        self._cancels.clear()
        self._item_sets.send(self._executor, self._waiting)
        for live in self._live_jobs.changed:
            end_running(self._executor, live)


def has_rows_left(live: LiveJob) -> bool:
    """True if a step left rows for the next step: to take out of the queue, or to decide."""
    return has_rows_to_drop(live) or followed_rows.is_due(live) or bool(live.sweeps)


def needs_commit(live: LiveJob, now: int) -> bool:
    """True if a stop must be written or continued without any outcome that would cause a commit."""
    return has_rows_left(live) or live.must_stop_unstarted or is_expired(live, now) or live.is_stuck(now)


def is_expired(live: LiveJob, now: int) -> bool:
    """True if the deadline of the job has passed and nothing has stopped it."""
    deadline = live.row.deadline_at
    return deadline is not None and deadline <= now and live.stop is None and not live.closing


def _rule_order(live: LiveJob, now: int) -> StopOrder | None:
    if live.stop is not None or live.closing:
        return None
    if is_expired(live, now):
        return StopOrder(Stop.EXPIRED, "engine", "its deadline passed", 1)
    if live.broken_dependency:
        return StopOrder(Stop.DEPENDENCY, "engine", live.broken_dependency, 1)
    if live.is_stuck(now):
        return StopOrder(Stop.COMMAND, "engine", live.problem, 0)
    broken = breaks_rule(live)
    if broken is None:
        return None
    return StopOrder(broken[0], "engine", broken[1], 1 if live.row.policy.halt == "now" else 0)


def write_stop(database: Database, live: LiveJob, order: StopOrder, now: int) -> None:
    """Write that a job stops, in the caller's transaction. A second order can only make the stop quicker."""
    if live.closing or (live.stop is not None and order.kill <= live.row.stop_now):
        return
    first = live.stop is None
    if first:
        live.row = replace(live.row, stop=order.stop, stop_reason=order.reason)
        live.drop_from = 1
    live.row = replace(live.row, stop_now=order.kill)
    live.ending_sent = False
    reason = live.row.stop_reason
    jobs.update(database, live.id, stop=live.row.stop, stop_now=order.kill, stop_reason=reason, updated_at=now)
    event = "stop" if first else "stop_now"
    journal.note(database, live.id, event, at=now, actor=order.actor, reason=order.reason, rule=str(order.stop))


def drop_rows(database: Database, epoch: int, live: LiveJob, now: int) -> dict[str, int]:
    """Take the next rows that will not run in this round out of the queue. Returns the changes of the counters."""
    if live.drop_from > live.row.total:
        return {}
    last = live.drop_from + CHUNK - 1
    deltas = Settler(database, epoch, live, now).drop(live.drop_from, last)
    live.drop_from = last + 1
    live.next_due = None
    return deltas


def has_rows_to_drop(live: LiveJob) -> bool:
    """True if there are rows left to take out of the queue."""
    return live.stop is not None and live.drop_from <= live.row.total


def end_running(executor: Executor, live: LiveJob) -> None:
    """After the commit: take back the attempts that have not begun, and end the others if the stop says so."""
    if live.stop is None or live.ending_sent:
        return
    live.ending_sent = True
    executor.recall(live.id)
    if live.row.stop_now and live.in_hand:
        grace_s = live.row.policy.grace_s if live.row.stop_now == 1 else 0.0
        executor.cancel([AttemptId(live.id, *key) for key in live.in_hand], grace_s)


def take_back(executor: Executor, live: LiveJob, *, paused: bool) -> None:
    """If a job is paused, ask the executor for its attempts that have not begun."""
    if paused and not live.taken_back:
        executor.recall(live.id)
    live.taken_back = paused
