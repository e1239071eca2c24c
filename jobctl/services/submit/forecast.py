"""The forecast for a new job: the items that run at once, and the longest time that the job can take."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

from jobctl.config import Home
from jobctl.domain.bounds import worst_case
from jobctl.domain.policy import Policy
from jobctl.domain.rate import MIN_PER_S, parse_rate
from jobctl.domain.wording import number, plural
from jobctl.errors import JobctlError, UsageError
from jobctl.process import lock
from jobctl.store import queues
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.queues import QueueRow

if TYPE_CHECKING:
    from jobctl.services.daemon.view import DaemonView


class Forecast(NamedTuple):
    """The forecast for a job that has not begun."""

    bounds: str  # the longest that it can take, as a sentence
    fewer: str  # the reason why fewer items run at once than it asks for; empty = there is none


class _Limit(NamedTuple):
    """A number of items that can run at once, and the reason why it is not greater."""

    slots: int
    why: str  # empty = the job asks for this number
    more: str = ""  # the command for a greater number


def expected(
    home: Home, policy: Policy, queue: str, items: int, *, now: int, planned: Callable[[], int], foreground: bool
) -> Forecast:
    """Return the forecast for ``items`` new items, in a store that may not exist yet; ``now`` is in microseconds UTC.

    ``planned`` returns the slots of a daemon or a run that is started now; 0 = the number that the workers of a cluster
    will have. It is called only if no daemon is running.
    """
    if (
        policy.slots is None and policy.timeout_s is None
    ):  # slots do not change the sentence, so the store is not opened
        return Forecast(worst_case(policy, items, None, now=now).sentence, "")
    daemon, queue_row = None, QueueRow(queue)
    # Nothing was accepted into a store that cannot be read, or that does not exist.
    with suppress(JobctlError), closing(open_database(home)) as database:
        daemon, queue_row = _daemon(database, home, now, foreground=foreground), _queue(database, queue)
    if daemon is not None:
        limits, is_known = _of_daemon(policy, daemon), _is_known(policy, daemon)
    else:
        slots = planned()
        limits, is_known = _of_plan(policy, slots, foreground=foreground), slots > 0 and not policy.gpus
    limits += _of_rules(policy, queue_row)
    slots_at_once = min(limit.slots for limit in limits) if is_known and limits else None
    rates = [_per_s(rate) for rate in (policy.rate, queue_row.rate) if rate]
    return Forecast(worst_case(policy, items, slots_at_once, rates, now=now).sentence, _fewer(policy.slots, limits))


def _daemon(database: Database, home: Home, now: int, *, foreground: bool) -> DaemonView | None:
    """Return the daemon that will run a new job; None if there is none. Without a daemon, nothing is imported."""
    if lock.holder(str(home.lock)) is None:
        return None
    from jobctl.services.daemon.view import daemon_view

    view = daemon_view(database, home, now)
    return view if view.slots is not None and view.serves(0, foreground=foreground) else None


def _of_daemon(policy: Policy, daemon: DaemonView) -> list[_Limit]:
    from jobctl.services.status.progress import room

    places = room(daemon, policy)
    found = [_Limit(places, f"the workers have room for {plural(places, 'such item')}")] if places else []
    if daemon.slots:
        owner = "the workers have" if daemon.cluster else "the daemon has"
        found.append(_Limit(daemon.slots, f"{owner} {plural(daemon.slots, 'slot')}"))
    return found


def _is_known(policy: Policy, daemon: DaemonView) -> bool:
    """Return whether slots alone limit the items: not without workers, nor with an unknown number of devices."""
    from jobctl.services.status.progress import room

    places = room(daemon, policy)
    return bool(daemon.slots) and places != 0 and (places is not None or not policy.gpus)


def _of_plan(policy: Policy, planned: int, *, foreground: bool) -> list[_Limit]:
    if not planned:
        return []
    more = f"for more: jobctl daemon start --slots {policy.slots}"
    return [_Limit(planned, "" if foreground else f"a daemon started now has {plural(planned, 'slot')}", more)]


def _of_rules(policy: Policy, queue_row: QueueRow) -> list[_Limit]:
    own = [] if policy.slots is None else [_Limit(policy.slots, "")]
    return own + (
        [_Limit(queue_row.slots, f"queue {queue_row.name!r} has {plural(queue_row.slots, 'slot')}")]
        if queue_row.slots
        else []
    )


def _fewer(asked: int | None, limits: list[_Limit]) -> str:
    """Name the limit below the slots that the job asks for, and its effect; empty if there is none."""
    least = min((limit for limit in limits if limit.why), default=None)
    if asked is None or least is None or least.slots >= asked:
        return ""
    runs = "item of this job runs" if least.slots == 1 else "items of this job run"
    sentence = f"{least.why}: at most {number(least.slots)} {runs} at once, not {number(asked)}"
    return f"{sentence}; {least.more}" if least.more else sentence


def _per_s(rate: str) -> float:
    try:
        return parse_rate(rate)
    except UsageError:  # one of an older version
        return MIN_PER_S


def _queue(database: Database, name: str) -> QueueRow:
    return queues.load_all(database).get(name, QueueRow(name))
