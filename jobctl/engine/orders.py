"""What commands and rules order: a job or an item is to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jobctl.domain.ports import AttemptId, Executor
from jobctl.domain.states import Stop
from jobctl.engine import stopping
from jobctl.engine.attempts.settling import Settler, breaks_rule
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.engine.jobs.live_jobs import LiveJobs
from jobctl.engine.jobs.ready_queue import ReadyQueue
from jobctl.engine.rounds import followed_rows
from jobctl.store import requests
from jobctl.store.database import Database

Count = Callable[[LiveJob, Mapping[str, int], int], None]


class Orders:
    """Writes stops in the engine's transaction, and passes them on to the executor after its commit."""

    def __init__(self, database: Database, executor: Executor, ready_queue: ReadyQueue, count: Count) -> None:
        self._database = database
        self._ready_queue = ready_queue
        self._executor = executor
        self._count = count
        #: By number of the request: what is to be ended, with which grace.
        self._cancels: dict[int, tuple[AttemptId, float]] = {}
        self._sent: set[int] = set()  # requests whose items still have to end
        self._held: dict[int, dict[int, AttemptId]] = {}  # what runs of jobs with requests, by item
        self.wants_checkpoint = False  # somebody waits for the write-ahead log to be emptied

    def write(self, live_jobs: LiveJobs, epoch: int, now: int) -> None:
        """Obey requests and rules, take what will not run out of the queues."""
        self._cancels.clear()
        self._obey_all(live_jobs, epoch, now)
        for live in list(self._ready_queue.changed.values()):
            self.obey_rules(live, now)
            if followed_rows.is_due(live):
                self._count(live, followed_rows.decide(self._database, live, now), now)
            if stopping.has_waiting(live):
                self._count(live, stopping.drop_waiting(self._database, epoch, live, now), now)

    def obey_rules(self, live: LiveJob, now: int) -> None:
        """Stop a job that must not go on, in the caller's transaction."""
        order = _rule_order(live, now)
        if order is not None:
            stopping.give(self._database, live, order, now)
            self._ready_queue.touch(live)

    def _obey_all(self, live_jobs: LiveJobs, epoch: int, now: int) -> None:
        waiting = requests.waiting(self._database)
        self._held.clear()
        obeyed = []
        for number, request in waiting:
            if request.verb == requests.CHECKPOINT:  # cannot be obeyed inside a transaction
                self.wants_checkpoint = True
                continue
            live = live_jobs.get(request.job)
            if live is None or self._obey(number, request, live, epoch, now):
                obeyed.append(number)
        if obeyed:
            requests.drop(self._database, obeyed)
        self._sent.intersection_update(number for number, _ in waiting)

    def _obey(self, number: int, request: requests.Request, live: LiveJob, epoch: int, now: int) -> bool:
        """Whether nothing is left to do about a request."""
        if request.verb == requests.FOLLOW:
            self._executor.follow(live.id, request.item)
            return True
        kill = 2 if request.now else 1
        if request.item is None:
            stopping.give(self._database, live, stopping.Order(Stop.CANCEL, request.actor, request.reason, kill), now)
            self._ready_queue.touch(live)
            return True
        running = self._in_hand(live).get(request.item)
        if running is None:
            self._count(live, Settler(self._database, epoch, live, now).drop(request.item, request.item), now)
            return True
        # It may come back as it was, or fail in a way that calls for another attempt: then there is more to do.
        if number not in self._sent:
            self._cancels[number] = (running, live.row.policy.grace_s if kill == 1 else 0.0)
        return False

    def _in_hand(self, live: LiveJob) -> dict[int, AttemptId]:
        held = self._held.get(live.id)
        if held is None:
            held = self._held[live.id] = {item: AttemptId(live.id, item, attempt) for item, attempt in live.in_hand}
        return held

    def send(self) -> None:
        """After the commit: end what is to end."""
        for attempt, grace_s in self._cancels.values():
            self._executor.cancel([attempt], grace_s)
        self._sent.update(self._cancels)
        self._cancels.clear()
        for live in self._ready_queue.changed.values():
            stopping.end_running(self._executor, live)


def has_more(live: LiveJob) -> bool:
    """Whether a step left rows for the next one: to take out of the queue, or to decide."""
    return stopping.has_waiting(live) or followed_rows.is_due(live)


def is_called_for(live: LiveJob, now: int) -> bool:
    """Whether an order is to be given, or carried on, of which no outcome tells."""
    return has_more(live) or live.is_doomed or is_expired(live, now) or live.is_stuck(now)


def is_expired(live: LiveJob, now: int) -> bool:
    """Whether the job's deadline has passed and nothing has been done about it."""
    deadline = live.row.deadline_at
    return deadline is not None and deadline <= now and live.stop is None and not live.closing


def _rule_order(live: LiveJob, now: int) -> stopping.Order | None:
    if live.stop is not None or live.closing:
        return None
    if is_expired(live, now):
        return stopping.Order(Stop.EXPIRED, "engine", "its deadline passed", 1)
    if live.never:
        return stopping.Order(Stop.DEPENDENCY, "engine", live.never, 1)
    if live.is_stuck(now):
        return stopping.Order(Stop.COMMAND, "engine", live.lack, 0)
    broken = breaks_rule(live)
    if broken is None:
        return None
    return stopping.Order(broken[0], "engine", broken[1], 1 if live.row.policy.halt == "now" else 0)
