"""Memory shared with one worker: the call that it makes now, the records of calls that ended, the limit of its group.

The worker writes and this side reads, without messages or locks; only the limit goes the other way. Words are eight
aligned bytes. The memory outlives the worker, so the death of a worker loses no outcome of a call that had ended.

The worker runs code of the user, which can write anything here. Impossible values raise ``BrokenPage``. The file can
grow but not shrink: reading a page that is gone would end this process with SIGBUS.
"""

from __future__ import annotations

import contextlib
import fcntl
import marshal
import mmap
import os
import resource
import struct

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any


# worker/main.py has the same numbers; it is loaded alone and cannot import this module. A test compares them.
NOW = struct.Struct("<qqqq")
DONE = struct.Struct("<qqq")
DONE_AT = 32
WORD = struct.Struct("<q")
LIMIT_AT = 56
FAULT_AT = 64
RSS_AT = 72
TOOK_AT = 80
RECORDS_AT = 128
SIZE = 256 << 10
#: The records of one group never take more: a group ends early, and the value of a call is bounded.
LARGEST = 128 << 20
#: Memory that reading records may take, in addition to a multiple of their size.
_PARSING_BYTES = 128 << 20
_SIZE_FACTOR = 32
#: The first bytes of each record: a tuple of ten in the format of marshal.
_HEAD = b"(\x0a\0\0\0"
_TRIES = 1000
#: The parser of marshal gives up at 2000 levels of nesting.
_DEEPEST = 1990

NO_LIMIT = 1 << 40
#: Positions in the tuples of ``SharedPage.now`` and ``SharedPage.done``.
NOW_INDEX, NOW_BEGAN_NS, NOW_OUT, NOW_ERR = range(4)
DONE_COUNT, DONE_BYTES, DONE_FAILED = range(3)
#: Values of ``fault``.
NOT_LOADED = 1
SETUP_RAISED = 2
OUTPUT_SPOILT = 3  # a call shortened or replaced what others had written before it


class BrokenPage(Exception):
    """A worker wrote something impossible."""


class SharedPage:
    """The page of one worker; ``fd`` is the descriptor that the worker gets."""

    def __init__(self, lowest_fd: int) -> None:
        """``fd`` is not below ``lowest_fd``. Raises OSError when there is no memory or no descriptor for it."""
        file = _anonymous_file()
        try:
            self.fd = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, lowest_fd)
        finally:
            os.close(file)
        try:
            os.ftruncate(self.fd, SIZE)
            _forbid_shrinking(self.fd)
            self._memory = mmap.mmap(self.fd, SIZE)
        except OSError:
            os.close(self.fd)
            raise
        self.reset()

    def reset(self) -> None:
        """Set the page to "no call runs, no call has ended"; call it only while the worker waits."""
        NOW.pack_into(self._memory, 0, -1, 0, 0, 0)
        DONE.pack_into(self._memory, DONE_AT, 0, 0, 0)
        WORD.pack_into(self._memory, FAULT_AT, 0)
        self.limit(NO_LIMIT)

    def limit(self, index: int) -> None:
        """Let no call from this index on begin. One that has just begun appears in ``now`` soon after."""
        WORD.pack_into(self._memory, LIMIT_AT, index)

    def now(self) -> tuple[int, int, int, int]:
        """The running call: index in its group (-1 = none), start (monotonic ns), bytes in stdout and stderr then."""
        seen: tuple[int, int, int, int] = NOW.unpack_from(self._memory, 0)
        for _ in range(_TRIES):
            if (again := NOW.unpack_from(self._memory, 0)) == seen:
                return seen
            seen = again  # read while the worker wrote it
        raise BrokenPage("the number of the running call changes all the time")

    def done(self) -> tuple[int, int, int]:
        """The number of calls that ended, the bytes of their records, and the number of failures."""
        done: tuple[int, int, int] = DONE.unpack_from(self._memory, DONE_AT)
        for _ in range(_TRIES):
            if (again := DONE.unpack_from(self._memory, DONE_AT)) == done:
                return done
            done = again  # read while the worker wrote it
        raise BrokenPage("the number of calls that ended changes all the time")

    def records(self, start: int, end: int) -> bytes:
        """The records between two offsets, for ``unpack``. Raises BrokenPage."""
        if not 0 <= start <= end <= LARGEST:
            raise BrokenPage(f"records from byte {start} to byte {end}")
        start += RECORDS_AT
        end += RECORDS_AT
        if end > len(self._memory):  # the worker made more room
            self._grow(end)
        return self._memory[start:end]

    def _grow(self, end: int) -> None:
        if end > os.fstat(self.fd).st_size:
            raise BrokenPage(f"records up to byte {end} of a shorter page")
        try:
            self._memory = mmap.mmap(self.fd, end)
        except (OSError, ValueError) as problem:
            raise BrokenPage(f"{end} bytes of records cannot be read: {problem}") from problem

    def fault(self) -> int:
        """0, or why the worker cannot make calls."""
        return int(WORD.unpack_from(self._memory, FAULT_AT)[0])

    def max_rss(self) -> int:
        """The worker's largest resident size, in the unit of getrusage."""
        return int(WORD.unpack_from(self._memory, RSS_AT)[0])

    def took_s(self) -> float:
        """Seconds from the start of the group's first call to the end of its last, by the worker's own clock."""
        return int(WORD.unpack_from(self._memory, TOOK_AT)[0]) / 1e9

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
        os.close(self.fd)


def unpack(count: int, records: bytes) -> list[Any]:
    """Records as tuples. Each record is a value in the format of marshal, where a list is its length and its items."""
    whole: list[Any] = marshal.loads(b"[%b%b" % (count.to_bytes(4, "little"), records))  # noqa: S302 - from our own worker
    return whole


def unpack_untrusted(count: int, records: bytes) -> list[Any]:
    """Like ``unpack``, for bytes that may be anything. Raises BrokenPage."""
    if records.count(_HEAD) < count or (count and not records.startswith(_HEAD)):
        raise BrokenPage("there are fewer records than calls that ended")
    found: list[Any] = _parse_untrusted(b"[%b%b" % (count.to_bytes(4, "little"), records))
    return found


def parse_untrusted_value(record: bytes) -> Any:
    """A value in the format of marshal, from bytes that may be anything. Raises BrokenPage."""
    return _parse_untrusted(record)


def _parse_untrusted(data: bytes) -> Any:
    """Parse within a limit of memory: the parser allocates as many members as a tuple claims to have."""
    try:
        return _parse_within(_limit.largest or _limit.renew(0), data)
    except MemoryError:  # this process may have grown since the limit was measured
        try:
            return _parse_within(_limit.renew(_SIZE_FACTOR * len(data)), data)
        except MemoryError as error:
            raise BrokenPage("records that would take all memory") from error


def _parse_within(size: int, data: bytes) -> Any:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        size = min(size, soft)
    resource.setrlimit(resource.RLIMIT_AS, (size, hard))
    try:
        return marshal.loads(data)  # noqa: S302 - the callers check the result
    except MemoryError:
        raise
    except Exception as error:
        raise BrokenPage(f"records that cannot be read: {type(error).__name__}") from error
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class _MemoryLimit:
    """The memory limit of this process while it parses bytes that may be anything."""

    def __init__(self) -> None:
        self.largest = 0

    def renew(self, more: int) -> int:
        """Measure again; ``more`` is the number of bytes that parsing may take beyond the usual."""
        # Under the limit the stack cannot grow either, which would end this process. So it must grow before.
        with contextlib.suppress(ValueError):  # on some systems the parser gives up earlier
            marshal.loads(b"(\1\0\0\0" * _DEEPEST + b"N")  # noqa: S302 - our own
        self.largest = _size_of_this_process() + _PARSING_BYTES
        return self.largest + more


_limit = _MemoryLimit()


def _size_of_this_process() -> int:
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            return int(file.read(64).split()[0]) * mmap.PAGESIZE
    except (OSError, ValueError):  # a system without /proc has no such limit either
        return 1 << 40


def pack(records: list[Any]) -> bytes:
    """The reverse of ``unpack``."""
    return marshal.dumps(records, 2)[5:]


def _forbid_shrinking(fd: int) -> None:
    """Seal the file so that no process can make it shorter, by accident or otherwise."""
    if hasattr(fcntl, "F_ADD_SEALS"):
        with contextlib.suppress(OSError):  # no memfd, or an old kernel
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("jobctl-worker", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    import tempfile

    fd, path = tempfile.mkstemp()
    os.unlink(path)
    return fd
