"""Attempts that a supervisor was about to start, in a mapped file whose content survives the supervisor.

Attempts wait in the supervisor's memory ahead of their slots. When it dies, recovery asks this ring which of them may
have begun; the others can run as if nothing had happened. A write to a mapped page survives any kill but not a power
cut, so a ring is valid only in the boot in which it was made, and only for a database that knows its name.

The ring holds many times more attempts than can wait or run unrecorded. A start leaves the ring only after later ones,
and the engine hands those over only when this one is in the database.
"""

from __future__ import annotations

import os
import struct

from jobctl.process.identity import boot_id
from jobctl.process.mapped import open_mapped

_RECORD = struct.Struct("<QQQ")  # job, item, attempt
_ROOM = 1 << 16
_HEADER = struct.Struct("<8s32s36sQ")  # magic, name, boot id, place of the next record
_MAGIC = b"jobctl\0\1"
_RECORDS_AT = 128
_SIZE = _RECORDS_AT + _ROOM * _RECORD.size
_PLACE = struct.Struct("<Q")
_PLACE_AT = _HEADER.size - 8


class KeptStarts:
    """The supervisor's end of the ring; ``name`` is empty when nothing can be recorded."""

    def __init__(self, path: str) -> None:
        """Continue the ring of this boot, or make one. Never fails: without a ring, every attempt may have begun."""
        self.name = ""
        self._next = 0
        try:
            self._map = open_mapped(path, _SIZE)
        except (OSError, ValueError):
            return
        magic, name, boot, place = _HEADER.unpack_from(self._map)
        if magic != _MAGIC or boot.rstrip(b"\0").decode() != boot_id() or place >= _ROOM:
            self._map[:] = bytes(_SIZE)
            name, place = os.urandom(16).hex().encode(), 0
            _HEADER.pack_into(self._map, 0, _MAGIC, name, boot_id().encode(), 0)
        self.name = name.rstrip(b"\0").decode()
        self._next = place

    def note(self, job: int, item: int, attempt: int) -> None:
        """This attempt may begin from now on."""
        if not self.name:
            return
        _RECORD.pack_into(self._map, _RECORDS_AT + self._next * _RECORD.size, job, item, attempt)
        self._next = (self._next + 1) % _ROOM
        _PLACE.pack_into(self._map, _PLACE_AT, self._next)


def begun(path: str, name: str) -> set[tuple[int, int, int]] | None:
    """Attempts that may have begun: (job, item, attempt). None when the ring has another name or is of another boot."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        data = os.read(fd, _SIZE)
    finally:
        os.close(fd)
    if len(data) != _SIZE:
        return None
    magic, found, boot, _ = _HEADER.unpack_from(data)
    if magic != _MAGIC or not name or found.decode() != name or boot.rstrip(b"\0").decode() != boot_id():
        return None
    return set(_RECORD.iter_unpack(data[_RECORDS_AT:]))
