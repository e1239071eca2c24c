"""Memory shared with one worker: what it does now, what has become of the calls of its group, where it must stop.

The worker writes and this side reads, without messages or locks; only the limit goes the other way. Words are eight
aligned bytes. Because the memory outlives the worker, the outcomes of calls that ended are never lost with it.
"""

from __future__ import annotations

import fcntl
import marshal
import mmap
import os
import struct

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any


# As in engine/worker.py, which is loaded alone and cannot import this.
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

NO_LIMIT = 1 << 40
#: Values of ``fault``.
NOT_LOADED = 1
SETUP_RAISED = 2


class Page:
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
            self._memory = mmap.mmap(self.fd, SIZE)
        except OSError:
            os.close(self.fd)
            raise
        self.reset()

    def reset(self) -> None:
        """Nothing runs and nothing has ended; only while the worker waits."""
        NOW.pack_into(self._memory, 0, -1, 0, 0, 0)
        DONE.pack_into(self._memory, DONE_AT, 0, 0, 0)
        self.limit(NO_LIMIT)

    def limit(self, index: int) -> None:
        """No call from this index on shall begin. One that began meanwhile shows itself in ``now`` soon after."""
        WORD.pack_into(self._memory, LIMIT_AT, index)

    def now(self) -> tuple[int, int, int, int]:
        """What runs: index in its group (-1 = nothing), begin (monotonic ns), bytes of stdout and stderr before it."""
        seen: tuple[int, int, int, int] = NOW.unpack_from(self._memory, 0)
        while (again := NOW.unpack_from(self._memory, 0)) != seen:  # caught between two calls
            seen = again
        return seen

    def done(self) -> tuple[int, int, int]:
        """Calls that ended, bytes of their records, how many of them failed."""
        done: tuple[int, int, int] = DONE.unpack_from(self._memory, DONE_AT)
        while (again := DONE.unpack_from(self._memory, DONE_AT)) != done:  # caught while it was written
            done = again
        return done

    def records(self, start: int, end: int) -> bytes:
        """Those of the records that lie between two offsets (see ``unpack``)."""
        start += RECORDS_AT
        end += RECORDS_AT
        if end > len(self._memory):  # the worker made more room
            self._memory = mmap.mmap(self.fd, os.fstat(self.fd).st_size)
        return self._memory[start:end]

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


def pack(records: list[Any]) -> bytes:
    """The reverse of ``unpack``."""
    return marshal.dumps(records, 2)[5:]


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("jobctl-worker", os.MFD_CLOEXEC)
    import tempfile

    fd, path = tempfile.mkstemp()
    os.unlink(path)
    return fd
