"""What items print: where it is written while they run and where it is kept.

An item writes straight into a scratch file pair (``N.out``, ``N.err``) of its slot; no pipe is pumped. When it
is over, what it wrote is appended to the job's log pair and the scratch is emptied for the next item, so a
million small outputs live in a few files. Items never hold a log file open: ``echo > /dev/stderr`` truncates
the file behind descriptor 2, and a process that outlives its item would write into the output of another one.
A large output is not copied: the scratch pair becomes a log and the slot gets a new one.
"""

from __future__ import annotations

import os

_MODE = 0o600
_NEW = os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
#: A log pair is followed by the next one at this size.
ROTATE_AT = 64 << 20
#: More than this is not copied.
PROMOTE_AT = 256 << 10
TAIL = 4096
_CHUNK = 1 << 20

#: (log, out_off, out_len, err_off, err_len, cut, out_tail, err_tail)
Place = tuple[int, int, int, int, int, bool, bytes, bytes]
NOWHERE: Place = (0, 0, 0, 0, 0, False, b"", b"")


class Scratch:
    """The files that the items of one slot write to, one after the other."""

    __slots__ = ("err", "number", "out")

    def __init__(self, number: int, out: int, err: int) -> None:
        self.number = number
        self.out = out
        self.err = err


class _Log:
    """One stream of the log pair, appended to by this process alone."""

    __slots__ = ("fd", "size")

    def __init__(self) -> None:
        self.fd = -1
        self.size = 0


class JobOutput:
    """The output files of one job. OSError from ``scratch`` means that no file can be made now."""

    def __init__(self, log_dir: bytes, cap: int) -> None:
        self.cap = cap
        self._dir = log_dir
        self._next = 0
        self._slots: dict[int, Scratch] = {}
        self._log_number = 0
        self._out = _Log()
        self._err = _Log()

    def scratch(self, slot: int) -> Scratch:
        """The empty pair that the next item of a slot writes to. Raises OSError."""
        return self._slots.get(slot) or self._new_scratch(slot)

    def settle(self, scratch: Scratch, slot: int, with_tail: bool) -> Place:
        """Keep what an item wrote; say where, and its last bytes if asked."""
        out_len = os.lseek(scratch.out, 0, os.SEEK_END)
        err_len = os.lseek(scratch.err, 0, os.SEEK_END)
        if not out_len and not err_len:
            return NOWHERE
        tails = (_tail(scratch.out, out_len), _tail(scratch.err, err_len)) if with_tail else (b"", b"")
        cut = 0 < self.cap < max(out_len, err_len)
        if max(out_len, err_len) > PROMOTE_AT and not cut:
            self.retire(slot)
            return (scratch.number, 0, out_len, 0, err_len, False, *tails)
        try:
            number, out_off, err_off = self._open_log(bool(out_len), bool(err_len))
            out_len = self._append(self._out, scratch.out, out_len)
            err_len = self._append(self._err, scratch.err, err_len)
        except OSError:  # no room for a second copy: the first one stays
            self.retire(slot)
            return (scratch.number, 0, out_len, 0, err_len, False, *tails)
        _empty(scratch)
        return (number, out_off, out_len, err_off, err_len, cut, *tails)

    def retire(self, slot: int) -> None:
        """Give the slot a new pair next time: the old one may still have a writer, or became a log."""
        scratch = self._slots.pop(slot, None)
        if scratch is not None:
            self._close_if_empty_unlink(scratch.number, b".out", scratch.out)
            self._close_if_empty_unlink(scratch.number, b".err", scratch.err)

    def close(self) -> None:
        """Close all files and unlink the empty ones."""
        for slot in list(self._slots):
            self.retire(slot)
        self._rotate()

    def _new_scratch(self, slot: int) -> Scratch:
        number = self._number()
        out = self._create(number, b".out", os.O_RDWR)
        try:
            err = self._create(number, b".err", os.O_RDWR)
        except OSError:
            self._close_if_empty_unlink(number, b".out", out)
            raise
        scratch = self._slots[slot] = Scratch(number, out, err)
        return scratch

    def _number(self) -> int:
        if not self._next:
            os.makedirs(self._dir, 0o700, exist_ok=True)
            self._next = 1 + max((_number_of(name) for name in os.listdir(self._dir)), default=0)
        number = self._next
        self._next += 1
        return number

    def _create(self, number: int, suffix: bytes, access: int) -> int:
        return os.open(self._path(number, suffix), _NEW | access, _MODE)

    def _path(self, number: int, suffix: bytes) -> bytes:
        return b"%s/%d%s" % (self._dir, number, suffix)

    def _open_log(self, out: bool, err: bool) -> tuple[int, int, int]:
        if max(self._out.size, self._err.size) >= ROTATE_AT:
            self._rotate()
        if not self._log_number:
            self._log_number = self._number()
        for log, suffix, wanted in ((self._out, b".out", out), (self._err, b".err", err)):
            if wanted and log.fd < 0:
                log.fd = self._create(self._log_number, suffix, os.O_WRONLY)
        return self._log_number, self._out.size, self._err.size

    def _append(self, log: _Log, source: int, length: int) -> int:
        """Append a stream, its middle cut out when it is over the cap; returns the length kept. Raises OSError."""
        if not length:
            return 0
        before = log.size
        try:
            for start, end, mark in _pieces(length, self.cap):
                if mark:
                    log.size += _write(log.fd, mark)
                log.size += _copy(source, start, end, log.fd)
        except OSError:
            os.ftruncate(log.fd, before)
            log.size = before
            raise
        return log.size - before

    def _rotate(self) -> None:
        for log in (self._out, self._err):
            if log.fd >= 0:
                os.close(log.fd)
        self._log_number = 0
        self._out = _Log()
        self._err = _Log()

    def _close_if_empty_unlink(self, number: int, suffix: bytes, fd: int) -> None:
        empty = not os.fstat(fd).st_size
        os.close(fd)
        if empty:
            try:
                os.unlink(self._path(number, suffix))
            except OSError:  # somebody pruned it already
                return


def _pieces(length: int, cap: int) -> list[tuple[int, int, bytes]]:
    """(start, end, text before it) of what is kept of a stream."""
    if not cap or length <= cap:
        return [(0, length, b"")]
    head = cap // 2
    tail = cap - head
    mark = b"\n[jobctl: %d bytes left out here]\n" % (length - cap)
    return [(0, head, b""), (length - tail, length, mark)]


def _copy(source: int, start: int, end: int, target: int) -> int:
    done = 0
    while start < end:
        data = os.pread(source, min(_CHUNK, end - start), start)
        if not data:  # truncated by its writer meanwhile
            break
        done += _write(target, data)
        start += len(data)
    return done


def _write(fd: int, data: bytes) -> int:
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, data[written:])
    return written


def _tail(fd: int, length: int) -> bytes:
    return os.pread(fd, TAIL, max(0, length - TAIL)) if length else b""


def _empty(scratch: Scratch) -> None:
    os.ftruncate(scratch.out, 0)
    os.ftruncate(scratch.err, 0)


def _number_of(name: bytes) -> int:
    stem = name.partition(b".")[0]
    return int(stem) if stem.isdigit() else 0
