"""The output of items: where they write while they run, and where it is kept.

An item writes directly into the scratch pair (``N.out``, ``N.err``) of its slot; no pipe is involved. When the item is
over, its output is appended to the log pair of the job, and the scratch pair is emptied for the next item. So a
million small outputs lie in a few files. Items never hold a log file open: ``echo > /dev/stderr`` truncates the file
behind descriptor 2, and a process that outlives its item would write into the output of another item. A large output
is not copied: its scratch pair becomes a log, and the slot gets a new pair. Of an output over the job's cap, head and
tail are kept; the middle gives its blocks back while the item still runs.

An item shares the open file with the supervisor and with the next item of its slot. If the item changes the flags of
that file, for example clears O_APPEND, the change stays, so the slot gets a new pair. Calls of functions share a pair
while their worker lives; see ``calls.group_output``.
"""

from __future__ import annotations

import fcntl
import os

from jobctl.supervisor import streams

_MODE = 0o600
_NEW = os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
#: The flags of an open file that an item can change and must leave as they are.
_FLAGS = os.O_APPEND | os.O_NONBLOCK | getattr(os, "O_DIRECT", 0) | getattr(os, "O_ASYNC", 0)
#: A log pair of this size is full, and a new pair follows it.
ROTATE_AT = 64 << 20
#: An output larger than this is not copied.
PROMOTE_AT = 256 << 10

#: (log, out_off, out_len, err_off, err_len, cut, out_tail, err_tail)
OutputPlace = tuple[int, int, int, int, int, bool, bytes, bytes]
NOWHERE: OutputPlace = (0, 0, 0, 0, 0, False, b"", b"")


class Scratch:
    """The pair of files that the items of one slot write to, one after the other."""

    __slots__ = ("err", "number", "out")

    def __init__(self, number: int, out: int, err: int) -> None:
        self.number = number
        self.out = out
        self.err = err


class LogStream:
    """One stream of the log pair; only this process appends to it."""

    __slots__ = ("fd", "size")

    def __init__(self) -> None:
        self.fd = -1
        self.size = 0


class JobOutput:
    """The output files of one job. OSError from ``scratch`` means that no file can be made now."""

    def __init__(self, log_dir: bytes, cap: int, part: tuple[int, int] = (0, 1)) -> None:
        """``part`` is (number, count) of the processes that make files in this folder: each has numbers of its own."""
        self.cap = cap
        self._part, self._parts = part
        self._dir = log_dir
        self._next = 0
        self._slots: dict[int, Scratch] = {}
        self._log_number = 0
        self.out_log = LogStream()
        self.err_log = LogStream()

    def scratch(self, slot: int) -> Scratch:
        """The empty pair that the next item of a slot writes to. Raises OSError."""
        scratch = self._slots.get(slot)
        if scratch is None:
            scratch = self._slots[slot] = self.lend()
        return scratch

    def lend(self) -> Scratch:
        """A new pair. A process that runs many items has it until ``take_back``. Raises OSError."""
        number = self.reserve()
        out = self._create(number, b".out", os.O_RDWR)
        try:
            err = self._create(number, b".err", os.O_RDWR)
        except OSError:
            self._put_away(number, b".out", out)
            raise
        return Scratch(number, out, err)

    def take_back(self, scratch: Scratch) -> None:
        """Close a lent pair; no process may write to it any more."""
        self._put_away(scratch.number, b".out", scratch.out)
        self._put_away(scratch.number, b".err", scratch.err)

    def settle(self, scratch: Scratch, slot: int, with_tail: bool) -> OutputPlace:
        """Keep what an item wrote; returns where, and its last bytes if ``with_tail``."""
        is_good = is_untouched(scratch)
        place = self._settle(scratch, slot, with_tail)
        if not is_good:
            self.retire(slot)
        return place

    def _settle(self, scratch: Scratch, slot: int, with_tail: bool) -> OutputPlace:
        out_len = os.lseek(scratch.out, 0, os.SEEK_END)
        err_len = os.lseek(scratch.err, 0, os.SEEK_END)
        if not out_len and not err_len:
            return NOWHERE
        tails = (streams.tail(scratch.out, out_len), streams.tail(scratch.err, err_len)) if with_tail else (b"", b"")
        cut = self.is_over(out_len) or self.is_over(err_len)
        if max(out_len, err_len) > PROMOTE_AT:
            return self._promote(scratch, slot, (out_len, err_len), tails)
        try:
            number, out_off, err_off = self.open_log(bool(out_len), bool(err_len))
            out_kept = self.append(self.out_log, scratch.out, out_len)
            err_kept = self.append(self.err_log, scratch.err, err_len)
        except OSError:  # no room for a second copy: the scratch pair itself becomes the log
            return self._promote(scratch, slot, (out_len, err_len), tails)
        empty(scratch)
        return (number, out_off, out_kept, err_off, err_kept, cut, *tails)

    def keep(self, out: bytes, err: bytes) -> tuple[int, int, int]:
        """Append output that was written elsewhere; returns (log, out_off, err_off). Raises OSError."""
        place = self.open_log(bool(out), bool(err))
        for log, data in ((self.out_log, out), (self.err_log, err)):
            if data:
                log.size += streams.write(log.fd, data)
        return place

    def _promote(
        self, scratch: Scratch, slot: int, lengths: tuple[int, int], tails: tuple[bytes, bytes]
    ) -> OutputPlace:
        """Keep the scratch pair itself as a log."""
        kept = list(lengths)
        for at, (fd, suffix) in enumerate(((scratch.out, b".out"), (scratch.err, b".err"))):
            if self.is_over(lengths[at]):
                kept[at] = self._cut_in_place(fd, self._path(scratch.number, suffix), lengths[at])
        self.retire(slot)
        return (scratch.number, 0, kept[0], 0, kept[1], kept != list(lengths), *tails)

    def _cut_in_place(self, source: int, path: bytes, length: int) -> int:
        """Move the tail behind the head; returns the new length, or the old one if that is not possible now."""
        (_, head, _), (start, end, mark) = streams.pieces(length, self.cap)
        try:
            target = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)  # without O_APPEND
        except OSError:
            return length
        try:
            os.lseek(target, head, os.SEEK_SET)
            kept = head + streams.write(target, mark) + streams.copy(source, start, end, target)
        except OSError:  # the disk is full or fails: the head alone is better than a torn tail
            kept = head
        os.ftruncate(target, kept)
        os.close(target)
        return kept

    def is_over(self, length: int) -> bool:
        """True if an output of this length exceeds the cap."""
        return 0 < self.cap < length - streams.SLACK

    def trim(self, scratch: Scratch, starts: tuple[int, int] = (0, 0)) -> None:
        """Give back the blocks in the middle of an output that is far over the cap and still grows.

        ``starts`` is where the output of the item begins in stdout and in stderr.
        """
        if not self.cap:
            return
        for fd, start in zip((scratch.out, scratch.err), starts, strict=True):
            status = os.fstat(fd)
            if status.st_blocks * 512 > start + 2 * self.cap + PROMOTE_AT:
                streams.punch(fd, start + self.cap // 2, status.st_size - self.cap)

    def shrink(self) -> None:
        """Keep files open for one slot only, while the job has no work."""
        for slot in [slot for slot in self._slots if slot != 1]:
            self.retire(slot)

    def retire(self, slot: int) -> None:
        """Let the slot get a new pair next time: the old one may still have a writer, or became a log."""
        scratch = self._slots.pop(slot, None)
        if scratch is not None:
            self._put_away(scratch.number, b".out", scratch.out)
            self._put_away(scratch.number, b".err", scratch.err)

    def close(self) -> None:
        """Close all files and unlink the empty ones."""
        for slot in list(self._slots):
            self.retire(slot)
        self._rotate()

    def reserve(self) -> int:
        """A number for a pair of files that the caller may make. Raises OSError."""
        if not self._next:
            os.makedirs(self._dir, 0o700, exist_ok=True)
            first = 1 + max((_number_of(name) for name in _names_in(self._dir)), default=0)
            self._next = first + (self._part - first) % self._parts
        number = self._next
        self._next += self._parts
        return number

    def _create(self, number: int, suffix: bytes, access: int) -> int:
        return os.open(self._path(number, suffix), _NEW | access, _MODE)

    def _path(self, number: int, suffix: bytes) -> bytes:
        return b"%s/%d%s" % (self._dir, number, suffix)

    def open_log(self, out: bool, err: bool) -> tuple[int, int, int]:
        """Prepare the log pair for output in stdout or stderr; returns its number and its sizes. Raises OSError."""
        if max(self.out_log.size, self.err_log.size) >= ROTATE_AT:
            self._rotate()
        if not self._log_number:
            self._log_number = self.reserve()
        for log, suffix, wanted in ((self.out_log, b".out", out), (self.err_log, b".err", err)):
            if wanted and log.fd < 0:
                log.fd = self._create(self._log_number, suffix, os.O_WRONLY)
        return self._log_number, self.out_log.size, self.err_log.size

    def append(self, log: LogStream, source: int, length: int, at: int = 0, note: bytes = b"") -> int:
        """Append ``length`` bytes from an offset, without the middle if they exceed the cap.

        A ``note`` comes after them. Returns the number of bytes that it appended. Raises OSError.
        """
        if not length:
            return 0
        before = log.size
        try:
            for start, end, mark in streams.pieces(length, self.cap):
                if mark:
                    log.size += streams.write(log.fd, mark)
                log.size += streams.copy(source, at + start, at + end, log.fd)
            if note:
                log.size += streams.write(log.fd, note)
        except OSError:
            os.ftruncate(log.fd, before)
            log.size = before
            raise
        return log.size - before

    def _rotate(self) -> None:
        for log in (self.out_log, self.err_log):
            if log.fd >= 0:
                os.close(log.fd)
        self._log_number = 0
        self.out_log = LogStream()
        self.err_log = LogStream()

    def _put_away(self, number: int, suffix: bytes, fd: int) -> None:
        """Close a scratch file; an empty one is unlinked."""
        empty = not os.fstat(fd).st_size
        os.close(fd)
        if empty:
            try:
                os.unlink(self._path(number, suffix))
            except OSError:  # prune has removed it already
                return


def is_untouched(scratch: Scratch) -> bool:
    """True if the item left the flags of the open files as they were."""
    flags = fcntl.fcntl
    out, err = flags(scratch.out, fcntl.F_GETFL), flags(scratch.err, fcntl.F_GETFL)
    return out & _FLAGS == os.O_APPEND == err & _FLAGS


def empty(scratch: Scratch) -> None:
    """Remove the contents of a pair."""
    os.ftruncate(scratch.out, 0)
    os.ftruncate(scratch.err, 0)


def _names_in(directory: bytes) -> list[str]:
    """The names in a folder. A symbolic link in its place is not followed. Raises OSError."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return os.listdir(fd)
    finally:
        os.close(fd)


def _number_of(name: str) -> int:
    stem = name.partition(".")[0]
    return int(stem) if stem.isdigit() else 0
