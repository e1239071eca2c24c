"""Outcomes of calls that the engine has not acknowledged, kept where the death of the supervisor cannot lose them.

``supervisor.kept_outcomes`` does the same for processes. Here a message has any length and hundreds of outcomes, so
the mapped file is a ring of bytes. ``oldest`` and ``next`` count the bytes that were ever written; the next supervisor
reports the messages between them. The file is valid only in the boot in which it was made. A message that finds no room
is lost if the supervisor is killed.
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
_HEAD = struct.Struct("<QQ")  # where the message begins, as a count of bytes; its length
_MARSHAL_VERSION = 2
_FIELDS = fields.CALLS_COUNT


def holds_any(path: str) -> bool:
    """True if an earlier supervisor left any outcome in the file."""
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
    """Messages about calls that the engine has not acknowledged. Never fails: without the file, it keeps nothing."""

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
        """Erase acknowledged messages that an older jobctl or a kill left here: their jobs may be pruned."""
        waiting = min(_ROOM, max(0, self._next - self._counters[_OLDEST]))
        wipe_ring(self._map, _RING_AT, _ROOM, self._next, _ROOM - waiting)

    def load(self) -> Iterator[Made]:
        """The messages that the earlier supervisor left, oldest first; the engine acknowledges them like any other."""
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
                self._begins[made[1]] = at
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
        self._begins[made[1]] = begins
        self._next = self._counters[_NEXT] = begins + size  # one store of eight bytes: a kill cannot split it

    def acknowledge(self, numbers: Iterable[int]) -> None:
        """The engine has recorded the messages with these numbers; erase them, because they have results of items."""
        for number in numbers:
            begins = self._begins.pop(number, None)
            if begins is not None:
                self._blank(begins)
        if self._works:
            self._counters[_OLDEST] = next(iter(self._begins.values()), self._next)

    def _blank(self, begins: int) -> None:
        """Erase a message but keep its length, which leads a reader of the ring to the next message."""
        place = _RING_AT + begins % _ROOM
        _, length = _HEAD.unpack_from(self._map, place)
        wipe(self._map, place + _HEAD.size, place + _HEAD.size + length)


def _read(data: bytes) -> Made | None:
    try:
        made: Made = marshal.loads(data)  # noqa: S302 - a private file of ours
    except (ValueError, EOFError, TypeError):
        return None
    return made if type(made) is tuple and len(made) == _FIELDS else None
