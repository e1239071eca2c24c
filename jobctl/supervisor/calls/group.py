"""The attempts that a worker has at one time. Reads their outcomes from its page and reports them."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import time

from jobctl.supervisor.backlog import Dispatch, JobLine
from jobctl.supervisor.calls.ends import EndOfCall
from jobctl.supervisor.calls.group_output import GroupOutput
from jobctl.supervisor.calls.records import OutputSpan, check_records, moved, spans_of
from jobctl.supervisor.job_plan import PressureError
from jobctl.supervisor.output import NOWHERE, OutputPlace
from jobctl.supervisor.protocol import wire
from jobctl.supervisor.protocol.fields import id_of
from jobctl.supervisor.protocol.page import DONE_COUNT, DONE_FAILED, NOW_INDEX, BrokenPage, SharedPage
from jobctl.supervisor.running import AttemptId, Running, kib, left_text

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from jobctl.supervisor.calls.host import WorkerHost


#: The start of a call may be this much earlier than the time when the group was sent: two clocks are read.
_SKEW_NS = 1_000_000_000
#: Quick calls travel in groups of about this much work, so that messages cost little compared with the calls.
_GROUP_S = 0.01
_LARGEST_GROUP = 512
_FIRST_FREE_FD = 10


def connect() -> tuple[SharedPage, socket.socket, int]:
    """A page and a socket for a new worker, and the descriptor of the worker's end. Raises PressureError."""
    try:
        page = SharedPage(_FIRST_FREE_FD)
    except OSError as problem:
        raise PressureError(f"memory for a worker: {problem.strerror}") from problem
    try:
        ours, theirs = socket.socketpair()
    except OSError as problem:
        page.close()
        raise PressureError(f"a socket for a worker: {problem.strerror}") from problem
    try:
        # The copy has a number above those that the worker gets for its own descriptors.
        with theirs:
            return page, ours, fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_FD)
    except OSError as problem:
        page.close()
        ours.close()
        raise PressureError(f"a socket for a worker: {problem.strerror}") from problem


def group_size(call_s: float | None, line: JobLine, left: int) -> int:
    """The number of attempts that a worker gets at once, by the duration of a call in seconds (None: unknown).

    ``left`` is the number of calls that the worker may still make; -1 means any number.
    """
    if call_s is None:
        return 1
    size = min(int(_GROUP_S / call_s), _LARGEST_GROUP, 1 + len(line.waiting) // line.slots)
    return max(1, size if left < 0 else min(size, left))


class CallGroup:
    """Attempts in the order in which they run; the engine has the outcomes of the first ``reported``."""

    __slots__ = ("_calls", "_given", "_kept", "_worker", "batch", "output", "page", "reported", "sent")

    def __init__(self, calls: WorkerHost, worker: Running, page: SharedPage) -> None:
        self._calls = calls
        self._worker = worker
        self.page = page
        self.batch: list[Dispatch] = []
        self._given = 0
        self.sent = 0.0  # monotonic
        self.reported = 0
        self.output = GroupOutput(worker, page)
        self._kept = (0, 0, 0, 0)  # of the reported calls: bytes of records, failures, bytes of stdout and stderr

    def begin(self, batch: list[Dispatch], now: float) -> None:
        """The worker gets these attempts now."""
        self.batch = batch
        self._given = len(batch)
        self.sent = now
        self.reported = 0
        self._kept = (0, 0, 0, 0)
        self.page.reset()

    def now(self) -> tuple[int, int, int, int]:
        """The call that runs, like ``SharedPage.now``. Raises BrokenPage for impossible values."""
        index, began_ns, out, err = self.page.now()
        if not -1 <= index <= self._given:
            raise BrokenPage(f"call {index} of {self._given} runs")
        latest = time.monotonic_ns()
        return index, min(max(began_ns, int(self.sent * 1e9) - _SKEW_NS), latest), max(0, out), max(0, err)

    def done(self) -> tuple[int, int, int]:
        """The calls that ended, like ``SharedPage.done``. Raises BrokenPage for impossible values."""
        count, size, failed = done = self.page.done()
        fits = self.reported <= count <= self._given and self._kept[0] <= size and self._kept[1] <= failed <= count
        if not fits or (count == self.reported) != (size == self._kept[0]):
            raise BrokenPage(f"{count} calls of {self._given} ended, {failed} failed, with {size} bytes of records")
        return done

    def has(self, index: int) -> bool:
        """True if the group has a call with this index."""
        return 0 <= index < len(self.batch)

    def cut(self, keep: int) -> list[Dispatch]:
        """Remove the attempts from this index on, and return them."""
        rest = self.batch[keep:]
        del self.batch[keep:]
        return rest

    def ids(self) -> list[AttemptId]:
        """Attempts whose outcome is not reported."""
        return [id_of(dispatch) for dispatch in self.batch[self.reported :]]

    def settle(self, last: OutputSpan | None = None) -> OutputPlace:
        """The worker writes no more: report the outcomes of calls that ended.

        Returns the place of the output of the last call, which did not end: ``last`` is its span.
        """
        place = self._tell(self.done(), None, last)
        self._kept = (*self._kept[:2], 0, 0)
        return place

    def settle_ended(self) -> None:
        """Report the outcomes of calls that ended while another one runs."""
        done = self.done()
        if done[DONE_COUNT] > self.reported:
            records = self._records(done)
            out, out_len, err, err_len = spans_of(done[DONE_COUNT] - self.reported, records)[-1]
            self._tell(done, (out + out_len, err + err_len), None)

    def _records(self, done: tuple[int, int, int]) -> bytes:
        """The records of calls that ended and are not reported. Raises BrokenPage."""
        count, size, failed = done
        records = self.page.records(self._kept[0], size)
        check_records(count - self.reported, records, self.batch[self.reported : count], failed - self._kept[1])
        return records

    def _tell(self, done: tuple[int, int, int], until: tuple[int, int] | None, last: OutputSpan | None) -> OutputPlace:
        count, size, failed = done
        _, kept_failed, *begin = self._kept
        worker = self._worker
        records = self._records(done) if count > self.reported else b""
        count -= self.reported
        tails = self.output.tails(last)
        log, out_off, err_off, spans = self.output.keep(
            (begin[0], begin[1]), until, lambda: spans_of(count, records) + ([] if last is None else [last])
        )
        cut: tuple[int, ...] = ()
        last_cut = False
        if spans is not None:
            if last is not None:
                last_cut = spans[-1][1::2] != last[1::2]
                last = spans.pop()
            cut, records = moved(count, records, spans)
        if count:
            rss = kib(max(0, self.page.max_rss()))
            failed -= kept_failed
            self._calls.add((worker.line.job, worker.slot, rss, log, out_off, err_off, failed, cut, (count, records)))
        self.reported = done[DONE_COUNT]
        self._kept = (size, done[DONE_FAILED], *(until or begin))
        if last is None or not (last[1] or last[3]):
            return NOWHERE
        return (log, out_off + last[0], last[1], err_off + last[2], last[3], last_cut, *tails)

    def lose(self, index: int, end: EndOfCall) -> None:
        """Report the outcome of a call that did not end by itself, and of the calls before it. Raises BrokenPage."""
        now, began_ns, out, err = self.now()
        id_ = id_of(self.batch[index])
        place = self.settle(self.output.span_after((out, err)))
        self._keep_lost(id_, end, began_ns / 1e9 if now >= 0 else self.sent, place)

    def lose_unread(self, end: EndOfCall) -> None:
        """Report the outcome of the call that broke the page. Values in the page that are impossible are not used.

        Calls before it have ended, but the page no longer tells how: they count as interrupted. Calls after it stay
        in the batch.
        """
        last = min(max(self.reported, self._last_begun()), len(self.batch) - 1)
        for index in range(self.reported, last + 1):
            lost = end if index == last else EndOfCall(wire.INTERRUPTED, 0)
            self._keep_lost(id_of(self.batch[index]), lost, self.sent, NOWHERE)
        self.reported = last + 1

    def _last_begun(self) -> int:
        with contextlib.suppress(BrokenPage):
            if (index := self.now()[NOW_INDEX]) >= 0:
                return index
        with contextlib.suppress(BrokenPage):
            return self.done()[DONE_COUNT] - 1
        return 0

    def _keep_lost(self, id_: AttemptId, end: EndOfCall, began: float, place: OutputPlace) -> None:
        worker = self._worker
        log, out_off, out_len, err_off, err_len, cut, out_tail, err_tail = place
        if end.text:
            err_tail = end.text.encode("utf-8", "replace")
        until, usage = (time.monotonic(), None) if worker.reaped is None else (worker.reaped[2], worker.reaped[1])
        used_us = max(0, int((until - began) * 1e6))
        cpu_us = 0 if usage is None else min(used_us, int((usage.ru_utime + usage.ru_stime) * 1e6))
        rss = 0 if usage is None else kib(usage.ru_maxrss)
        flags = end.flags | (wire.CUT if cut else 0)
        started_at = time.time_ns() // 1000 - used_us
        where = (log, out_off, out_len, err_off, err_len, flags, out_tail, err_tail)
        used = (worker.slot, started_at, used_us, cpu_us, rss)
        more = (None, end.raised, "", left_text(worker.left)) if worker.left else (None, end.raised)
        self._calls.attempts.keep((*id_, end.ending, end.code, *used, *where, *more))
