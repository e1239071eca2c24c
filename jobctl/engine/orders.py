"""What commands and rules order: a job or an item is to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jobctl.domain.ports import AttemptId, Executor
from jobctl.domain.states import Stop
from jobctl.engine import stopping
from jobctl.engine.lineup import Lineup
from jobctl.engine.roster import Roster
from jobctl.engine.settling import Settler, breaks_rule
from jobctl.engine.work import LiveJob
from jobctl.store import requests
from jobctl.store.database import Database

Count = Callable[[LiveJob, Mapping[str, int], int], None]


class Orders:
    """Writes stops in the engine's transaction, and passes them on to the executor after its commit."""

    def __init__(self, database: Database, executor: Executor, lineup: Lineup, count: Count) -> None:
        self._database = database
        self._lineup = lineup
        self._executor = executor
        self._count = count
        self._cancels: list[tuple[list[AttemptId], float]] = []

    def write(self, roster: Roster, epoch: int, now: int) -> None:
        """Obey requests and rules, take what will not run out of the queues."""
        self._cancels.clear()
        for request in requests.take(self._database):
            live = roster.get(request.job)
            if live is not None:
                self._obey(request, live, epoch, now)
        for live in list(self._lineup.changed.values()):
            order = _rule_order(live, now)
            if order is not None:
                stopping.give(self._database, live, order, now)
                self._lineup.touch(live)
            if stopping.has_waiting(live):
                self._count(live, stopping.drop_waiting(self._database, epoch, live, now), now)

    def _obey(self, request: requests.Request, live: LiveJob, epoch: int, now: int) -> None:
        if request.verb == requests.FOLLOW:
            self._executor.follow(live.id, request.item)
            return
        kill = 2 if request.now else 1
        if request.item is None:
            stopping.give(self._database, live, stopping.Order(Stop.CANCEL, request.actor, request.reason, kill), now)
            self._lineup.touch(live)
            return
        running = [AttemptId(live.id, *key) for key in live.in_hand if key[0] == request.item]
        if running:
            self._cancels.append((running, live.row.policy.grace_s if kill == 1 else 0.0))
        else:
            self._count(live, Settler(self._database, epoch, live, now).drop(request.item, request.item), now)

    def send(self) -> None:
        """After the commit: end what is to end."""
        for attempts, grace_s in self._cancels:
            self._executor.cancel(attempts, grace_s)
        self._cancels.clear()
        for live in self._lineup.changed.values():
            stopping.end_running(self._executor, live)


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
    broken = breaks_rule(live)
    if broken is None:
        return None
    return stopping.Order(broken[0], "engine", broken[1], 1 if live.row.policy.halt == "now" else 0)
