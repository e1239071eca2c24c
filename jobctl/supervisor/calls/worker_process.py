"""One process that makes calls: it lives from one group of attempts to the next.

Everything that ends processes treats a worker like the process of an item. The difference: a worker holds several
attempts at once. One of them runs, those that ended are safe in its page, and those that have not begun can be taken
back while a slow call keeps them waiting.
"""

from __future__ import annotations

import os
import select
import socket
import time

from jobctl.supervisor.backlog import Dispatch, JobLine
from jobctl.supervisor.calls.call_watch import CallWatch
from jobctl.supervisor.calls.ends import (
    EndOfCall,
    end_by_itself,
    end_of_broken,
    end_of_endless_load,
    end_of_refusal,
    end_while_loading,
)
from jobctl.supervisor.calls.group import CallGroup, connect, group_size
from jobctl.supervisor.pressure import NEVER
from jobctl.supervisor.protocol import fields, wire
from jobctl.supervisor.protocol.channel import MessageChannel
from jobctl.supervisor.protocol.fields import id_of
from jobctl.supervisor.protocol.page import DONE_COUNT, NOW_INDEX, BrokenPage
from jobctl.supervisor.running import AttemptId, Running, Verdict, code_when_ended

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

    from jobctl.supervisor.calls.host import WorkerHost

_GROUP_BYTES = 1 << 20
#: A worker without work ends after this time.
_IDLE_S = 30.0
_WORK_LOAD = 0
_WORK_CALLS = 1
#: The messages of a worker: it can make calls, its group is over, it cannot make calls. ``worker.main`` writes them.
_READY, _DONE, _REFUSED = b"rdx"


class WorkerProcess(Running):
    """One process that makes calls, with its group of attempts."""

    takes_calls = True

    def __init__(self, calls: WorkerHost, id_: AttemptId, line: JobLine, slot: int, serial: int) -> None:
        super().__init__(id_, line, slot, serial)
        self.leaving = False
        self._calls = calls
        self._end: socket.socket
        self._channel: MessageChannel | None = None
        self.group: CallGroup
        self._watch: CallWatch
        self._loaded = False
        self._holds_slot = False
        self._broken = ""  # the reason why nothing from it is used any more
        self._calls_left: int = self._spec[fields.CALL_RECYCLE] or -1  # calls until it is replaced

    @property
    def _spec(self) -> tuple[Any, ...]:
        spec = self.plan.call
        assert spec is not None
        return spec

    # ---- start, work, end ----

    def start(self, dispatch: Dispatch, cookie: bytes) -> None:
        """Start the process and give it the first attempts. Raises the errors of ``JobPlan.start_worker``."""
        page, self._end, theirs = connect()
        self.group = CallGroup(self._calls, self, page)
        self._watch = CallWatch(self._calls, self, self.group)
        try:
            self.pid, self.scratch = self.plan.start_worker(self.slot, cookie, (theirs, self.group.page.fd))
        except Exception:
            self._end.close()
            self.group.page.close()
            raise
        finally:
            os.close(theirs)
        self._channel = MessageChannel(self._end)
        self._calls.workers[self._end.fileno()] = self
        self._calls.poll.register(self._end.fileno(), select.POLLIN)
        self.plan.workers[self.slot] = self
        self._channel.post(
            _WORK_LOAD, (self._spec[fields.CALL_LOADED], (self.line.job, *self._spec[fields.CALL_NAMING]))
        )
        self.give(dispatch, self.began)

    def give(self, first: Dispatch, now: float) -> None:
        """Hand over an attempt that was taken from the backlog, and those behind it that make a good group."""
        batch = self._batch(first)
        self.group.begin(batch, now)
        self._holds_slot = True
        self.id = id_of(first)
        self._calls.attempts.table.rename(self.place, self.id)
        self._watch.begin(now, is_loaded=self._loaded)
        assert self._channel is not None
        self._channel.post(_WORK_CALLS, [(item, attempt, argv[0]) for _, item, attempt, argv, _, _ in batch])
        self._flush()

    def _batch(self, first: Dispatch) -> list[Dispatch]:
        """This attempt and those behind it that make a good group with it, as far as one message has room."""
        backlog, line, plan = self._calls.attempts.backlog, self.line, self.plan
        room = group_size(plan.call_s, line, self._calls_left) - 1 if self._loaded and not plan.alone else 0
        if not room or not line.waiting:
            return [first]
        batch = [first, *backlog.take_more(line, room)]
        size = 0
        for index, (_, _, _, argv, _, _) in enumerate(batch):
            size += len(argv[0])
            if size > _GROUP_BYTES and index:
                backlog.return_unstarted(line, batch[index:])
                del batch[index:]
                break
        return batch

    def _flush(self) -> None:
        assert self._channel is not None
        done = self._channel.flush()
        self._calls.poll.modify(self._end.fileno(), select.POLLIN if done else select.POLLIN | select.POLLOUT)

    def socket_ready(self, now: float) -> None:
        """The socket is readable or writable."""
        if self._channel is None:
            return
        if self._channel.waiting:
            self._flush()
        try:
            received = self._end.recv(64)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        try:
            for byte in received:
                self._handle_byte(byte, now)
        except Exception as error:
            self._break(error, now)
            return
        if not received:
            self._detach()  # even while it has no calls: the next one of its slot needs another worker
            self._end_at(now + self.plan.grace_s)  # normally the process has ended already

    def _handle_byte(self, byte: int, now: float) -> None:
        """Act on a byte from the worker. Raises BrokenPage for one that makes no sense at this moment."""
        if byte == _READY and not self._loaded:
            self._loaded = True
            self.group.sent = now
            self._watch.plan(now, is_loaded=True)
            self._calls.attempts.deadline = min(self._calls.attempts.deadline, self.deadline)
        elif byte == _DONE and self._loaded and self._holds_slot:
            index, count = self.group.now()[NOW_INDEX], self.group.done()[DONE_COUNT]
            if index >= 0 or not (count or self._watch.has_limited):
                raise BrokenPage("it says that a group has ended that has not")
            self._group_ended(now)
        elif byte == _REFUSED and not self._loaded:
            if self.group.batch:
                self._refused()
            elif self._holds_slot:
                self._give_up_batch(0)
                self.retire()
        else:
            raise BrokenPage(f"it says {bytes([byte])!r}, which means nothing here")

    def _break(self, error: Exception, now: float) -> None:
        """End a worker that sent or wrote something impossible, and use nothing from it from now on."""
        if not self._broken:
            self._broken = str(error) if isinstance(error, BrokenPage) else f"{type(error).__name__}: {error}"
            self._calls.attempts.log_unexpected(error, f"a worker of job {self.line.job}")
        self._detach()
        self._end_at(now)

    def retire(self) -> None:
        """Disconnect, so that the worker ends by itself between two groups."""
        if self.leaving:
            return
        self.leaving = True
        self._detach()
        self._end_at(time.monotonic() + self.plan.grace_s)

    def replace(self) -> None:
        """Let another process make the calls after those that this one has."""
        self._calls_left = 0
        if self.is_idle:
            self.retire()

    def leave(self, _now: float) -> bool:
        if not self.group.batch and self._loaded and not self._broken:  # while it loads, it would not notice
            self.retire()
        return self.leaving

    def _detach(self) -> None:
        """Close the socket, so that the worker gets no more calls and its slot gets another worker."""
        if self._channel is not None:
            self._calls.poll.unregister(self._end.fileno())
            del self._calls.workers[self._end.fileno()]
            self._channel.close()
            self._channel = None
        if self.plan.workers.get(self.slot) is self:
            del self.plan.workers[self.slot]

    def _end_at(self, deadline: float) -> None:
        """End the process at this time if it has not ended by itself."""
        self.deadline = deadline
        self._calls.attempts.deadline = min(self._calls.attempts.deadline, deadline)

    # ---- its attempts ----

    @property
    def is_idle(self) -> bool:
        """True if the worker waits for work."""
        return not self.group.batch

    @property
    def is_loading(self) -> bool:
        """True if the worker has not reported yet that it can make calls."""
        return not self._loaded

    def ids(self) -> list[AttemptId]:
        return self.group.ids()

    def output_starts(self) -> tuple[int, int]:
        index, _, out, err = self._now()
        return (out, err) if index >= 0 else (0, 0)

    def started_event(self) -> tuple[Any, ...] | None:
        now = self._now()
        return self._watch.started_event(now) if self.group.has(now[NOW_INDEX]) else None

    def _now(self) -> tuple[int, int, int, int]:
        try:
            return self.group.now()
        except BrokenPage as error:
            self._break(error, time.monotonic())
            return -1, 0, 0, 0

    # ---- a group that takes long ----

    def overdue(self, now: float) -> Verdict | None:
        if self._channel is None and not self.leaving and self.group.batch and not self._broken:
            self._broken = "it closed its socket and continued to run, perhaps as another program"
        if self._broken:
            return wire.INTERRUPTED, 0.0
        if self.leaving or self._channel is None:
            return wire.INTERRUPTED, self.plan.grace_s
        if not self._loaded and now >= self._watch.load_by:
            if self.group.batch:
                self._watch.target = id_of(self.group.batch[0])
                return wire.TIMED_OUT, self.plan.grace_s
            self.retire()
            return None
        if not self._holds_slot:
            self.retire()
            return None
        return self._look_or_break(now)

    def cancelled(self, ids: set[AttemptId], verdict: Verdict, now: float) -> Verdict | None:
        self._watch.cancel(ids.intersection(self.ids()), verdict)
        return self._look_or_break(now)

    def recall(self, now: float) -> None:
        """Give calls that have not begun back to the engine."""
        self._watch.recall()
        self._look_or_break(now)

    def extend_deadline(self, gap_s: float) -> None:
        super().extend_deadline(gap_s)
        self._watch.extend_limits(self._now()[NOW_INDEX], gap_s)

    def _look_or_break(self, now: float) -> Verdict | None:
        if self._broken:
            return wire.INTERRUPTED, 0.0
        try:
            return self._watch.look(now, is_loaded=self._loaded)
        except Exception as error:
            self._break(error, now)
            return wire.INTERRUPTED, 0.0

    # ---- how a group ends ----

    def _group_ended(self, now: float) -> None:
        count = self.group.done()[DONE_COUNT]
        self.group.settle()
        if count:
            took_s, plan = max(self.group.page.took_s() / count, 1e-6), self.plan
            plan.call_s = took_s if plan.call_s is None else (plan.call_s + took_s) / 2
        if self._calls_left >= 0:
            self._calls_left = max(0, self._calls_left - count)
        self._give_up_batch(count)
        self.deadline = now + _IDLE_S
        output = self.group.output
        if self._calls_left == 0 or output.is_log or output.is_spoilt or self._watch.target is not None:
            self.retire()

    def _give_up_batch(self, done: int) -> None:
        self._watch.take_back(done)
        self.group.batch = []
        self._watch.end()
        self._holds_slot = False
        self._calls.attempts.release(self.line, self.slot)

    def _refused(self) -> None:
        """The function cannot be called: the first attempt ends with that. The others find out in another worker."""
        self.group.lose(0, end_of_refusal(self.group.page))
        self._give_up_batch(1)
        self.retire()

    def leader_ended(self) -> None:
        self.leaving = True  # it gets no more work
        self._detach()
        self.deadline = NEVER

    def died(self, ending: int | None, leftovers: bool) -> None:
        """The process and its descendants are gone; ``ending`` says why the supervisor ended it, None if it did not."""
        self.leader_ended()
        try:
            if self._broken:
                self._give_up_broken()
            elif self.group.batch:
                self._settle_death(ending, leftovers)
        except Exception as error:
            self._break(error, time.monotonic())
            self._give_up_broken()
        if self._holds_slot:  # its calls were given back before it ended
            self._give_up_batch(0)
        self.plan.output.take_back(self.scratch)
        self.group.page.close()

    def _give_up_broken(self) -> None:
        """The process is gone, and its page makes no sense."""
        if not self.group.batch:
            return
        self._report_intact()
        if self.group.reported < len(self.group.batch):
            self.group.lose_unread(end_of_broken(self._broken))
        self._give_up_batch(self.group.reported)

    def _report_intact(self) -> None:
        """Report the calls that had ended before the page broke: their records may still be intact."""
        try:
            self.group.settle()
        except Exception:
            return

    def _settle_death(self, ending: int | None, leftovers: bool) -> None:
        """The call that ran has failed, the calls before it have their outcomes, the calls after it never began."""
        if not self._loaded and self.group.page.fault():  # the page has the refusal, but the byte was not read
            self.group.lose(0, end_of_refusal(self.group.page))
            self._give_up_batch(1)
            return
        count = self.group.done()[DONE_COUNT]
        index = self.group.now()[NOW_INDEX]
        if not count <= index < len(self.group.batch):
            # No call ran. If the worker died by itself before the first call of the group, that call must be charged:
            # otherwise it would kill one worker after another for ever.
            index = 0 if not count and (ending is None or self._watch.target is not None) else -1
        if index < 0:
            self.group.settle()
            self._give_up_batch(count)
            return
        self.group.lose(index, self._end_of(id_of(self.group.batch[index]), ending, leftovers))
        self._give_up_batch(index + 1)

    def _end_of(self, id_: AttemptId, ending: int | None, leftovers: bool) -> EndOfCall:
        assert self.reaped is not None
        status = self.reaped[0]
        flags = wire.LEFTOVERS if leftovers else 0
        has_begun = self._loaded or self.group.now()[NOW_INDEX] >= 0
        if ending == wire.TIMED_OUT and not has_begun:
            return end_of_endless_load(self._watch.load_limit_s, self._spec[fields.CALL_TARGET])
        if ending is not None:  # the worker was ended, perhaps for another call that ended at that moment
            return EndOfCall(
                ending if self._watch.target in (None, id_) else wire.INTERRUPTED, code_when_ended(status), flags
            )
        # It may have reported that it is ready and died in its first call before the supervisor read that report.
        if has_begun:
            return end_by_itself(status, flags)
        return end_while_loading(status, flags, self._spec[fields.CALL_TARGET])
