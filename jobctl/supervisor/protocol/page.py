"""Memory shared with one worker: what it does now, what has become of the calls of its group, where it must stop.

The worker writes and this side reads, without messages or locks; only the limit goes the other way. Words are eight
aligned bytes. Because the memory outlives the worker, the outcomes of calls that ended are never lost with it.

The worker runs code of the user, which can write anything here. Nothing is believed that makes no sense: whoever reads
it gets a ``BrokenPage``. The file can grow but not shrink, or reading it could end this process with SIGBUS.
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


# As in worker/main.py, which is loaded alone and cannot import this.
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
#: Records of one group never take more: it ends early, and what a call may return is bounded.
LARGEST = 128 << 20
#: Memory that reading records may take beyond a multiple of their size.
_ROOM = 128 << 20
_TIMES = 32
#: How each record begins: a tuple of ten, in the form of marshal.
_HEAD = b"(\x0a\0\0\0"
_TRIES = 1000
#: The parser of marshal gives up at 2000 levels.
_DEEPEST = 1990

NO_LIMIT = 1 << 40
#: Values of ``fault``.
NOT_LOADED = 1
SETUP_RAISED = 2
OUTPUT_SPOILT = 3  # a call shortened or replaced what others had written before it


class BrokenPage(Exception):
    """What a worker wrote makes no sense."""


class SharedPage:
    """One page; ``fd`` is for the worker."""

    def __init__(self, lowest_fd: int) -> None:
        """``fd`` is not below ``lowest_fd``. Raises OSError when there is no memory or no descriptor for it."""
        file = _anonymous_file()
        try:
            self.fd = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, lowest_fd)
        finally:
            os.close(file)
        try:
            os.ftruncate(self.fd, SIZE)
            _keep_size(self.fd)
            self._memory = mmap.mmap(self.fd, SIZE)
        except OSError:
            os.close(self.fd)
            raise
        self.reset()

    def reset(self) -> None:
        """Nothing runs and nothing has ended; only while the worker waits."""
        NOW.pack_into(self._memory, 0, -1, 0, 0, 0)
        DONE.pack_into(self._memory, DONE_AT, 0, 0, 0)
        WORD.pack_into(self._memory, FAULT_AT, 0)
        self.limit(NO_LIMIT)

    def limit(self, index: int) -> None:
        """No call from this index on shall begin. One that began meanwhile shows itself in ``now`` soon after."""
        WORD.pack_into(self._memory, LIMIT_AT, index)

    def now(self) -> tuple[int, int, int, int]:
        """What runs: index in its group (-1 = nothing), begin (monotonic ns), bytes of stdout and stderr before it."""
        seen: tuple[int, int, int, int] = NOW.unpack_from(self._memory, 0)
        for _ in range(_TRIES):
            if (again := NOW.unpack_from(self._memory, 0)) == seen:
                return seen
            seen = again  # caught between two calls
        raise BrokenPage("the number of the running call changes all the time")

    def done(self) -> tuple[int, int, int]:
        """Calls that ended, bytes of their records, how many of them failed."""
        done: tuple[int, int, int] = DONE.unpack_from(self._memory, DONE_AT)
        for _ in range(_TRIES):
            if (again := DONE.unpack_from(self._memory, DONE_AT)) == done:
                return done
            done = again  # caught while it was written
        raise BrokenPage("the number of calls that ended changes all the time")

    def records(self, start: int, end: int) -> bytes:
        """Those of the records that lie between two offsets (see ``unpack``). Raises BrokenPage."""
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
        """0, or why no call can be made."""
        return int(WORD.unpack_from(self._memory, FAULT_AT)[0])

    def max_rss(self) -> int:
        """As getrusage tells it."""
        return int(WORD.unpack_from(self._memory, RSS_AT)[0])

    def took_s(self) -> float:
        """From the begin of the group's first call to the end of its last, by the worker's own clock."""
        return int(WORD.unpack_from(self._memory, TOOK_AT)[0]) / 1e9

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
        os.close(self.fd)


def unpack(count: int, records: bytes) -> list[Any]:
    """Records as tuples: each is a value in the form of marshal, and a list is its items behind their number."""
    whole: list[Any] = marshal.loads(b"[%b%b" % (count.to_bytes(4, "little"), records))  # noqa: S302 - from our own worker
    return whole


def unpack_carefully(count: int, records: bytes) -> list[Any]:
    """As ``unpack``, of bytes that may be anything. Raises BrokenPage."""
    if records.count(_HEAD) < count or (count and not records.startswith(_HEAD)):
        raise BrokenPage("there are fewer records than calls that ended")
    found: list[Any] = _carefully(b"[%b%b" % (count.to_bytes(4, "little"), records))
    return found


def value_of(record: bytes) -> Any:
    """A value in the form of marshal, of bytes that may be anything. Raises BrokenPage."""
    return _carefully(record)


def _carefully(data: bytes) -> Any:
    """The parser makes room for as many members as a tuple claims to have, before it looks for them."""
    try:
        return _within(_limit.largest or _limit.renew(0), data)
    except MemoryError:  # this process may have grown since
        try:
            return _within(_limit.renew(_TIMES * len(data)), data)
        except MemoryError as error:
            raise BrokenPage("records that would take all memory") from error


def _within(size: int, data: bytes) -> Any:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        size = min(size, soft)
    resource.setrlimit(resource.RLIMIT_AS, (size, hard))
    try:
        return marshal.loads(data)  # noqa: S302 - checked by whoever asked
    except MemoryError:
        raise
    except Exception as error:
        raise BrokenPage(f"records that cannot be read: {type(error).__name__}") from error
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class _MemoryLimit:
    """How large this process may become while it reads what may be anything."""

    def __init__(self) -> None:
        self.largest = 0

    def renew(self, more: int) -> int:
        """Measure again; ``more`` is what reading may take beyond the usual."""
        # Within the limit the stack could not grow either, and that would end this process: let it grow before.
        with contextlib.suppress(ValueError):  # on some systems it gives up earlier
            marshal.loads(b"(\1\0\0\0" * _DEEPEST + b"N")  # noqa: S302 - our own
        self.largest = _size_of_this_process() + _ROOM
        return self.largest + more


_limit = _MemoryLimit()


def _size_of_this_process() -> int:
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            return int(file.read(64).split()[0]) * mmap.PAGESIZE
    except (OSError, ValueError):  # another system: it has no such limit either
        return 1 << 40


def pack(records: list[Any]) -> bytes:
    """The reverse of ``unpack``."""
    return marshal.dumps(records, 2)[5:]


def _keep_size(fd: int) -> None:
    """No process can make the file shorter, by accident or otherwise."""
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
