"""Outcomes of calls that the engine has not acknowledged, kept where the death of the supervisor cannot lose them.

As ``supervisor.kept_outcomes`` does for processes, but for messages of any length, hundreds of outcomes each: a ring
of bytes in a mapped file. ``oldest`` and ``next`` count bytes ever written; what lies between them is told by the next
supervisor. The file is believed only in the boot it was made in. A message that finds no room is lost with the
supervisor.
"""

from __future__ import annotations

import marshal
import os
import struct

from jobctl.process.identity import boot_id
from jobctl.process.mapped import open_mapped, wipe, wipe_ring
from jobctl.process.private import open_plain
from jobctl.supervisor.protocol import fields

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    #: Fields of domain.ports.Calls as they go over the wire; the second is its number.
    Made = tuple[Any, ...]

_MAGIC = b"jobctl\0\3"
_HEADER = struct.Struct("<8s36s")  # magic, boot id
_COUNTERS_AT = 64
_COUNTERS = struct.Struct("<QQ")
_OLDEST, _NEXT = 0, 1
_RING_AT = 4096
_ROOM = 4 << 20
_SIZE = _RING_AT + _ROOM
_HEAD = struct.Struct("<QQ")  # where it begins, as a count of bytes; its length
_MARSHAL_VERSION = 2


def holds_any(path: str) -> bool:
    """Whether there is something that a supervisor before this one left."""
    try:
        with open(open_plain(path, os.O_RDONLY), "rb") as file:
            start = file.read(_COUNTERS_AT + _COUNTERS.size)
    except OSError:
        return False
    if len(start) < _COUNTERS_AT + _COUNTERS.size or start[: _HEADER.size] != _header():
        return False
    oldest, next_ = _COUNTERS.unpack_from(start, _COUNTERS_AT)
    return bool(oldest != next_)


def _header() -> bytes:
    return _HEADER.pack(_MAGIC, boot_id().encode())


class KeptCalls:
    """What the supervisor told the engine about calls. Never fails: without the file, nothing is kept."""

    def __init__(self, path: str) -> None:
        self._begins: dict[int, int] = {}  # by number, oldest first
        self._next = 0
        self._works = False
        try:
            self._map = open_mapped(path, _SIZE)
        except (OSError, ValueError):
            return
        self._works = True
        self._counters = memoryview(self._map)[_COUNTERS_AT : _COUNTERS_AT + _COUNTERS.size].cast("Q")
        if self._map[: _HEADER.size] != _header():
            self._counters[_OLDEST] = self._counters[_NEXT] = 0
            self._map[: _HEADER.size] = _header()
        self._next = self._counters[_NEXT]
        self._wipe()

    def _wipe(self) -> None:
        """What was acknowledged may be of jobs that are removed; an older jobctl left it here, and so does a kill."""
        waiting = min(_ROOM, max(0, self._next - self._counters[_OLDEST]))
        wipe_ring(self._map, _RING_AT, _ROOM, self._next, _ROOM - waiting)

    def load(self) -> Iterator[Made]:
        """What the supervisor before this one left, oldest first; to be acknowledged like any other."""
        at = self._counters[_OLDEST] if self._works else 0
        while at < self._next:
            if _HEAD.size > _ROOM - at % _ROOM:
                at += _ROOM - at % _ROOM
                continue
            begins, length = _HEAD.unpack_from(self._map, _RING_AT + at % _ROOM)
            end = at % _ROOM + _HEAD.size + length
            if begins != at or end > _ROOM:  # the rest of the ring was too short for the next one
                at += _ROOM - at % _ROOM
                continue
            made = _read(self._map[_RING_AT + at % _ROOM + _HEAD.size : _RING_AT + end])
            if made is not None:
                self._begins[made[fields.CALLS_NUMBER]] = at
                yield made
            at += _HEAD.size + length

    def put(self, made: Made) -> None:
        """Keep a message until it is acknowledged."""
        if not self._works:
            return
        data = marshal.dumps(made, _MARSHAL_VERSION)
        size = _HEAD.size + len(data)
        begins = self._next
        if size > _ROOM - begins % _ROOM:
            begins += _ROOM - begins % _ROOM
        if begins + size - self._counters[_OLDEST] > _ROOM:
            return
        place = _RING_AT + begins % _ROOM
        self._map[place : place + size] = _HEAD.pack(begins, len(data)) + data
        self._begins[made[fields.CALLS_NUMBER]] = begins
        self._next = self._counters[_NEXT] = begins + size  # one store of eight bytes: never seen by halves

    def acknowledge(self, numbers: Iterable[int]) -> None:
        """The messages with these numbers are recorded; nothing of what the calls said stays here."""
        for number in numbers:
            begins = self._begins.pop(number, None)
            if begins is not None:
                self._blank(begins)
        if self._works:
            self._counters[_OLDEST] = next(iter(self._begins.values()), self._next)

    def _blank(self, begins: int) -> None:
        """Its length stays: who loads the ring goes on from there to the next message."""
        place = _RING_AT + begins % _ROOM
        _, length = _HEAD.unpack_from(self._map, place)
        wipe(self._map, place + _HEAD.size, place + _HEAD.size + length)


def _read(data: bytes) -> Made | None:
    try:
        made: Made = marshal.loads(data)  # noqa: S302 - a private file of ours
    except (ValueError, EOFError, TypeError):
        return None
    return made if type(made) is tuple and len(made) == fields.CALLS_COUNT else None
