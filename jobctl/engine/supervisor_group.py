"""The attempts that a worker has at the time, and how what became of them gets out of its page."""

from __future__ import annotations

import errno
import fcntl
import marshal
import os
import signal
import socket
import time

from jobctl.engine.supervisor_running import AttemptId, Running, code_of, kib
from jobctl.process import page as pages
from jobctl.process import streams, wire
from jobctl.process.backlog import Dispatch, JobLine
from jobctl.process.output import NOWHERE, Place, Scratch, Span
from jobctl.process.page import Page
from jobctl.process.plan import PressureError

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

    from jobctl.engine.supervisor_calls import Calls


_FAILED = 1
#: Signals by which a process ends itself.
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)


#: Quick calls travel in groups of about this much work, so that messages cost little beside it.
_GROUP_S = 0.01
_LARGEST_GROUP = 512
_FIRST_FREE_FD = 10


def connect() -> tuple[Page, socket.socket, int]:
    """A page and a socket for a new worker, and the descriptor of its end of that. Raises PressureError."""
    try:
        page = Page(_FIRST_FREE_FD)
    except OSError as problem:
        raise PressureError(f"memory for a worker: {problem.strerror}") from problem
    try:
        ours, theirs = socket.socketpair()
    except OSError as problem:
        page.close()
        raise PressureError(f"a socket for a worker: {problem.strerror}") from problem
    with theirs:  # its number must not be one of those that the worker gets
        return page, ours, fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_FD)


def group_size(call_s: float | None, line: JobLine, left: int) -> int:
    """How many attempts a worker gets at once, by what a call takes; ``left`` (-1: any number) is what it may do."""
    if call_s is None:
        return 1
    size = min(int(_GROUP_S / call_s), _LARGEST_GROUP, 1 + len(line.waiting) // line.slots)
    return max(1, size if left < 0 else min(size, left))


class End:
    """How a call ended that could not say so itself."""

    __slots__ = ("code", "ending", "flags", "raised", "text")

    def __init__(self, ending: int, code: int, flags: int = 0, *, text: str = "", raised: Any = None) -> None:
        self.ending = ending
        self.code = code
        self.flags = flags
        self.text = text
        self.raised = raised


def end_by_itself(status: int, flags: int) -> End:
    """The call ended its process."""
    code = code_of(status)
    if os.WIFSIGNALED(status):
        return End(wire.SIGNALLED, code, flags)
    if code:
        return End(wire.EXITED, code, flags)
    text = "the call ended its process with exit code 0"
    return End(wire.RAISED, _FAILED, flags, raised=("WorkerExit", text, _FAILED, None, ""))


def end_while_loading(status: int, flags: int, target: str) -> End:
    """The process ended before any call: the next one would do the same, unless somebody ended this one."""
    code = code_of(status)
    if os.WIFSIGNALED(status) and code not in _CRASHES:
        return End(wire.SIGNALLED, code, flags)
    how = f"was ended by signal {code}" if os.WIFSIGNALED(status) else f"ended with exit code {code}"
    return End(wire.NOT_STARTED, errno.ENOENT, flags, text=f"the worker {how} while it loaded {target}")


def end_of_refusal(page: Page) -> End:
    """The function cannot be called; the page says why."""
    _, size, _ = page.done()
    name, text, code, after_s, where = marshal.loads(page.records(0, size))  # noqa: S302 - from our own worker
    page.reset()
    if page.fault() == pages.SETUP_RAISED:
        return End(wire.RAISED, code, wire.SETUP, raised=(name, text, code, after_s, where))
    return End(wire.NOT_STARTED, errno.ENOENT, text=text)


class Group:
    """Attempts in the order in which they run; the first ``told`` of them have their outcome."""

    __slots__ = ("_calls", "_kept", "_worker", "batch", "is_log", "page", "sent", "told")

    def __init__(self, calls: Calls, worker: Running, page: Page) -> None:
        self._calls = calls
        self._worker = worker
        self.page = page
        self.batch: list[Dispatch] = []
        self.sent = 0.0  # monotonic
        self.told = 0
        self.is_log = False  # the files that the worker writes to became a log, because there was no room for a copy
        self._kept = (0, 0, 0, 0)  # of what was told: bytes of records, failures, bytes of stdout and stderr

    def begin(self, batch: list[Dispatch], now: float) -> None:
        """The worker gets these now."""
        self.batch = batch
        self.sent = now
        self.told = 0
        self._kept = (0, 0, 0, 0)
        self.page.reset()

    def cut(self, keep: int) -> list[Dispatch]:
        """Take attempts from this index on out of it."""
        rest = self.batch[keep:]
        del self.batch[keep:]
        return rest

    def ids(self) -> list[AttemptId]:
        """Attempts without an outcome."""
        return [dispatch[:3] for dispatch in self.batch[self.told :]]

    def settle(self, last: Span | None = None) -> Place:
        """The worker writes no more: tell the outcomes of calls that ended.

        Returns where the output of a last one is that did not end.
        """
        place = self._tell(self.page.done(), None, last)
        self._kept = (*self._kept[:2], 0, 0)
        return place

    def settle_ended(self) -> None:
        """Tell the outcomes of calls that ended while another one runs."""
        done = self.page.done()
        if done[0] > self.told:
            out, out_len, err, err_len = _spans(done[0] - self.told, self.page.records(self._kept[0], done[1]))[-1]
            self._tell(done, (out + out_len, err + err_len), None)

    def _tell(self, done: tuple[int, int, int], until: tuple[int, int] | None, last: Span | None) -> Place:
        count, size, failed = done
        kept_size, kept_failed, *begin = self._kept
        count -= self.told
        worker = self._worker
        records = self.page.records(kept_size, size)
        tails = _tails(worker.scratch, last)
        log, out_off, err_off, spans = self._keep_output(
            (begin[0], begin[1]), until, lambda: _spans(count, records) + ([] if last is None else [last])
        )
        cut: tuple[int, ...] = ()
        last_cut = False
        if spans is not None:
            if last is not None:
                last_cut = spans[-1][1::2] != last[1::2]
                last = spans.pop()
            cut, records = _moved(count, records, spans)
        if count:
            rss = kib(self.page.max_rss())
            failed -= kept_failed
            self._calls.add((worker.line.job, worker.slot, rss, log, out_off, err_off, failed, cut, (count, records)))
        self.told = done[0]
        self._kept = (size, done[2], *(until or begin))
        if last is None or not (last[1] or last[3]):
            return NOWHERE
        return (log, out_off + last[0], last[1], err_off + last[2], last[3], last_cut, *tails)

    def _keep_output(
        self, begin: tuple[int, int], until: tuple[int, int] | None, spans: Any
    ) -> tuple[int, int, int, list[Span] | None]:
        scratch = self._worker.scratch
        if self.is_log:
            return scratch.number, 0, 0, None
        place = self._worker.plan.output.settle_calls(scratch, begin, until, spans)
        log, out_off, err_off, moved, self.is_log = place
        return log, out_off, err_off, moved

    def lose(self, index: int, end: End) -> None:
        """Tell the outcome of a call that did not end by itself, and of those before it."""
        worker = self._worker
        now, began_ns, _, _ = self.page.now()
        id_ = self.batch[index][:3]
        log, out_off, out_len, err_off, err_len, cut, out_tail, err_tail = self.settle(self._last_span())
        if end.text:
            err_tail = end.text.encode("utf-8", "replace")
        until, usage = (time.monotonic(), None) if worker.reaped is None else (worker.reaped[2], worker.reaped[1])
        used_us = max(0, int((until - (began_ns / 1e9 if now >= 0 else self.sent)) * 1e6))
        cpu_us = 0 if usage is None else min(used_us, int((usage.ru_utime + usage.ru_stime) * 1e6))
        rss = 0 if usage is None else kib(usage.ru_maxrss)
        flags = end.flags | (wire.CUT if cut else 0)
        started_at = time.time_ns() // 1000 - used_us
        where = (log, out_off, out_len, err_off, err_len, flags, out_tail, err_tail)
        self._calls.attempts.keep(
            (*id_, end.ending, end.code, worker.slot, started_at, used_us, cpu_us, rss, *where, None, end.raised)
        )

    def _last_span(self) -> Span:
        """What was written since the last call that ended."""
        scratch = self._worker.scratch
        _, _, out, err = self.page.now()
        out_end = os.lseek(scratch.out, 0, os.SEEK_END)
        err_end = os.lseek(scratch.err, 0, os.SEEK_END)
        return out, max(0, out_end - out), err, max(0, err_end - err)


def _spans(count: int, records: bytes) -> list[Span]:
    return [record[5:9] for record in pages.unpack(count, records)]


def _moved(count: int, records: bytes, spans: list[Span]) -> tuple[tuple[int, ...], bytes]:
    """Records with the places of what was kept of their output, and the items that were cut."""
    old = pages.unpack(count, records)
    cut = tuple(
        record[0] for record, span in zip(old, spans, strict=True) if (record[6], record[8]) != (span[1], span[3])
    )
    return cut, pages.pack([(*record[:5], *span, record[9]) for record, span in zip(old, spans, strict=True)])


def _tails(scratch: Scratch, last: Span | None) -> tuple[bytes, bytes]:
    if last is None:
        return b"", b""
    out, out_len, err, err_len = last
    out_tail, err_tail = streams.tail(scratch.out, out + out_len), streams.tail(scratch.err, err + err_len)
    return out_tail[-out_len:] if out_len else b"", err_tail[-err_len:] if err_len else b""
