"""Watches the calls of one worker: time limits, cancelled calls, and calls that wait behind a slow one."""

from __future__ import annotations

import time

from jobctl.supervisor.backlog import Dispatch
from jobctl.supervisor.calls.group import CallGroup
from jobctl.supervisor.pressure import NEVER
from jobctl.supervisor.protocol import wire
from jobctl.supervisor.protocol.fields import id_of
from jobctl.supervisor.protocol.page import DONE_COUNT, NOW_BEGAN_NS, NOW_INDEX
from jobctl.supervisor.running import AttemptId, Running, Verdict

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from jobctl.supervisor.calls.host import WorkerHost

#: After this time, the supervisor examines a group and takes back its calls that have not begun.
_LOOK_S = 0.02
#: A worker that has begun no call after this time may be stuck.
_PATIENCE_S = 2.0
#: A larger difference means that a person set the wall clock since the worker started; a smaller one is a correction.
_SET_NS = 1_000_000_000
#: After this time, the page shows a call that began beyond the limit because the worker had not seen the limit yet.
_SETTLED_S = 0.01
#: The time that a worker of a job with a time limit may take to import the function and run its setup, unless the limit
#: is longer. The limit itself counts from the start of a call.
_LOAD_S = 600.0


class CallWatch:
    """Decides for one worker which call to end and which calls to take back, and when to examine its group next."""

    __slots__ = (
        "_calls",
        "_cancelled",
        "_epoch_ns",
        "_group",
        "_limit",
        "_recalled",
        "_reported_start",
        "_stood_still",
        "_worker",
        "load_by",
        "target",
    )

    def __init__(self, calls: WorkerHost, worker: Running, group: CallGroup) -> None:
        self._calls = calls
        self._worker = worker
        self._group = group
        self.load_by = NEVER if worker.plan.timeout_s is None else worker.began + self.load_limit_s
        self.target: AttemptId | None = None  # the call for which the worker is ended
        self._epoch_ns = 0  # wall-clock time at which the monotonic clock was 0
        self._limit: int | None = None  # no call from this index on begins
        self._reported_start: AttemptId | None = None  # the last call that was reported to the engine as started
        self._cancelled: dict[AttemptId, Verdict] = {}
        self._recalled = False
        self._stood_still: tuple[AttemptId, float] | None = None  # a call, and the seconds for which it stood still

    @property
    def load_limit_s(self) -> float:
        """The time that the worker may take until it can make calls, if its job has a time limit."""
        return max(_LOAD_S, self._worker.plan.timeout_s or 0.0)

    @property
    def has_limited(self) -> bool:
        """True if the worker may have ended its group early because of the limit."""
        return self._limit is not None

    def begin(self, now: float, *, is_loaded: bool) -> None:
        """The worker gets a group of calls now."""
        self._limit = None
        self._recalled = False
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self.plan(now, is_loaded=is_loaded)

    def plan(self, now: float, *, is_loaded: bool) -> None:
        """Set the time of the first look at a group."""
        timeout_s = self._worker.plan.timeout_s
        if is_loaded:
            self._worker.deadline = now + (_LOOK_S if timeout_s is None else min(_LOOK_S, timeout_s))
        else:
            self._worker.deadline = self.load_by

    def end(self) -> None:
        """The worker has no group any more."""
        self._cancelled.clear()

    def cancel(self, ids: Iterable[AttemptId], verdict: Verdict) -> None:
        """Let the next look end these calls, or take them back if they have not begun."""
        for id_ in ids:
            self._cancelled[id_] = verdict

    def recall(self) -> None:
        """Let the next look give calls that have not begun back to the engine."""
        self._recalled = True

    def extend_limits(self, index: int, gap_s: float) -> None:
        """The supervisor stood still for this time, and perhaps the call with this index, so it does not count."""
        self.load_by += gap_s
        if self._group.has(index):
            id_ = id_of(self._group.batch[index])
            before = self._stood_still[1] if self._stood_still is not None and self._stood_still[0] == id_ else 0.0
            self._stood_still = (id_, before + gap_s)

    def look(self, now: float, *, is_loaded: bool) -> Verdict | None:
        """Examine the group: the way to end the worker, None if it may continue. Raises BrokenPage.

        Takes calls back that have not begun, and sets the next deadline of the worker.
        """
        seen = self._group.now()
        verdict = self._judge(seen)
        if verdict is not None:
            return verdict
        if self._limit is None:
            self._set_limit(seen[NOW_INDEX], now, is_loaded)
        else:  # the worker may have passed the limit before it saw it, and those calls may have ended since
            self.take_back(max(self._limit, seen[NOW_INDEX] + 1, self._group.done()[DONE_COUNT]))
            self._group.settle_ended()
            self._worker.deadline = self._next_look(seen, now, is_loaded)
        return None

    def _set_limit(self, index: int, now: float, is_loaded: bool) -> None:
        """Let no further call begin, unless the worker has had too little time for its first one."""
        is_wanted_back = self._recalled or bool(self._cancelled)
        if not is_loaded and not is_wanted_back:
            self._worker.deadline = self.load_by
        elif index < 0 and not is_wanted_back and now < self._group.sent + _PATIENCE_S:
            self._worker.deadline = now + _LOOK_S  # the machine is busy, and the worker has not run yet
        else:
            self._limit = index + 1
            self._group.page.limit(self._limit)
            self._worker.deadline = now + _SETTLED_S

    def _next_look(self, seen: tuple[int, int, int, int], now: float, is_loaded: bool) -> float:
        index = seen[NOW_INDEX]
        if index < 0 and not is_loaded:  # its calls have not begun, so only the limit of loading counts
            return self.load_by
        if index < 0:
            return now + _LOOK_S if self._group.batch else NEVER
        if self._worker.plan.timeout_s is None or not self._group.has(index):
            return NEVER
        return (seen[NOW_BEGAN_NS] + self._limit_ns(self._group.batch[index])) / 1e9

    def _limit_ns(self, call: Dispatch) -> int:
        """The time limit of a call in nanoseconds, with the time during which it stood still."""
        stood_still = self._stood_still is not None and self._stood_still[0] == id_of(call)
        extra_s = self._stood_still[1] if self._stood_still is not None and stood_still else 0.0
        return int(((self._worker.plan.limit_s(call) or 0.0) + extra_s) * 1e9)

    def _judge(self, seen: tuple[int, int, int, int]) -> Verdict | None:
        """The way to end the running call, or None if it may continue."""
        index, began_ns, _, _ = seen
        if not self._group.has(index):
            return None
        plan = self._worker.plan
        call = self._group.batch[index]
        id_ = id_of(call)
        verdict = self._cancelled.get(id_)
        if verdict is None and plan.timeout_s is not None and time.monotonic_ns() >= began_ns + self._limit_ns(call):
            verdict = wire.TIMED_OUT, plan.grace_s
        if verdict is not None:
            self.target = id_
        elif id_ != self._reported_start:
            self._reported_start = id_
            self._calls.tell(wire.STARTED, self.started_event(seen))
        return verdict

    def started_event(self, seen: tuple[int, int, int, int]) -> tuple[Any, ...]:
        """Fields of domain.ports.Started for the running call."""
        index, began_ns, out, err = seen
        epoch_ns = time.time_ns() - time.monotonic_ns()
        if abs(epoch_ns - self._epoch_ns) >= _SET_NS:
            self._epoch_ns = epoch_ns
        started_at = (self._epoch_ns + began_ns) // 1000
        worker = self._worker
        return (
            *id_of(self._group.batch[index]),
            worker.slot,
            worker.pid,
            started_at,
            worker.scratch.number,
            out,
            err,
        )

    def take_back(self, keep: int) -> None:
        """Attempts from this index on have not begun and will not begin here: other workers may run them."""
        rest = self._group.cut(keep)
        returned = rest if self._recalled else [each for each in rest if id_of(each) in self._cancelled]
        for dispatch in returned:
            self._calls.tell(wire.RETURNED, id_of(dispatch))
        wanted = [] if self._recalled else [each for each in rest if id_of(each) not in self._cancelled]
        self._calls.attempts.backlog.return_unstarted(self._worker.line, wanted)
