"""Copies and cuts parts of output files, and gives their blocks back to the disk."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

TAIL = 4096
_CHUNK = 1 << 20
#: An output that exceeds its cap by no more than this is not cut, because the mark takes room too.
SLACK = 64
_BLOCK = 4096
_PUNCH_HOLE_KEEP_SIZE = 3


def punch(fd: int, start: int, end: int) -> None:
    """Turn the whole blocks between two offsets into a hole; where that is not possible, nothing happens."""
    start = (start + _BLOCK - 1) // _BLOCK * _BLOCK
    end = end // _BLOCK * _BLOCK
    if start >= end:
        return
    try:
        import ctypes
    except (OSError, ImportError):  # no free descriptor
        return
    fallocate: Any = getattr(ctypes.CDLL(None), "fallocate64", None) or getattr(ctypes.CDLL(None), "fallocate", None)
    if fallocate is not None:
        fallocate(fd, _PUNCH_HOLE_KEEP_SIZE, ctypes.c_int64(start), ctypes.c_int64(end - start))


def pieces(length: int, cap: int) -> list[tuple[int, int, bytes]]:
    """The parts that are kept of a stream: (start, end, text before the part)."""
    if not 0 < cap < length - SLACK:
        return [(0, length, b"")]
    head = cap // 2
    tail = cap - head
    mark = b"\n[jobctl: %d bytes left out here]\n" % (length - cap)
    return [(0, head, b""), (length - tail, length, mark)]


def copy(source: int, start: int, end: int, target: int) -> int:
    """Append a part of a file to another; returns the number of bytes that it copied. Raises OSError."""
    done = 0
    while start < end:
        data = os.pread(source, min(_CHUNK, end - start), start)
        if not data:  # the writer has truncated the file
            break
        done += write(target, data)
        start += len(data)
    return done


def write(fd: int, data: bytes) -> int:
    """Write all of it. Raises OSError."""
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, data[written:])
    return written


def tail(fd: int, length: int) -> bytes:
    """The last bytes of a stream."""
    return os.pread(fd, TAIL, max(0, length - TAIL)) if length else b""
