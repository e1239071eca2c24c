"""Outcomes that the engine has not acknowledged, kept where the death of the supervisor cannot lose them.

The mapped file is a ring of records. ``oldest`` and ``next`` count outcomes; the next supervisor reports those between
them as if it had seen them itself. A mapped page survives any kill but not a power cut, so the file is valid only in
the boot in which it was made. An outcome that finds no room is lost if the supervisor is killed: its item then counts
as interrupted.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import struct

from jobctl.process.identity import boot_id
from jobctl.process.mapped import open_mapped, wipe_ring
from jobctl.supervisor.protocol import fields

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    #: Fields of domain.ports.Finished; the first three name the attempt.
    Outcome = tuple[Any, ...]

#: Change the last byte whenever the fields of an outcome change in any other way than by new fields at the end: a newer
#: jobctl may read a file that an older one wrote.
_MAGIC = b"jobctl\0\2"
_HEADER = struct.Struct("<8s36s")  # magic, boot id
_COUNTERS_AT = 64
_OLDEST, _NEXT = 0, 1
_RECORDS_AT = 512
_RECORD = 512
_ROOM = 4096
_SIZE = _RECORDS_AT + _ROOM * _RECORD
_HEAD = struct.Struct("<QH")  # number of the outcome, length
_LONGEST = _RECORD - _HEAD.size
_BLANK = bytes(_RECORD)
#: Bytes that are kept of a long last output of an item: enough for its last line.
_TAIL = 120
_OUT_TAIL, _ERR_TAIL = fields.FINISHED_OUT_TAIL, fields.FINISHED_ERR_TAIL


class KeptOutcomes:
    """The supervisor's outcomes on their way to the database. Never fails: without the file, it keeps nothing."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._places: dict[tuple[Any, ...], int] = {}
        self._next = 0
        self._works = False
        try:
            self._map = open_mapped(path, _SIZE)
        except (OSError, ValueError):
            return
        self._works = True
        self._counters = memoryview(self._map)[_COUNTERS_AT : _COUNTERS_AT + 16].cast("Q")
        header = _HEADER.pack(_MAGIC, boot_id().encode())
        if self._map[: _HEADER.size] != header:
            self._counters[_OLDEST] = self._counters[_NEXT] = 0
            self._map[: _HEADER.size] = header
        self._next = self._counters[_NEXT]
        self._wipe()

    def _wipe(self) -> None:
        """Erase acknowledged outcomes that an older jobctl or a kill left here: their jobs may be pruned."""
        waiting = min(_ROOM, max(0, self._next - self._counters[_OLDEST]))
        wipe_ring(self._map, _RECORDS_AT, _ROOM * _RECORD, self._next * _RECORD, (_ROOM - waiting) * _RECORD)

    def load(self) -> Iterator[Outcome]:
        """The outcomes that the earlier supervisor left, oldest first; the engine acknowledges them like any other."""
        if not self._works:
            return
        for number in range(max(self._counters[_OLDEST], self._next - _ROOM, 0), self._next):
            outcome = self._read(number)
            if outcome is not None:
                self._places[outcome[:3]] = number
                yield outcome

    def _read(self, number: int) -> Outcome | None:
        at = _RECORDS_AT + number % _ROOM * _RECORD
        found, length = _HEAD.unpack_from(self._map, at)
        if found != number or not 0 < length <= _LONGEST:
            return None
        at += _HEAD.size
        try:
            outcome: Outcome = marshal.loads(self._map[at : at + length])  # noqa: S302 - a private file of ours
        except (ValueError, EOFError, TypeError):
            return None
        return outcome if type(outcome) is tuple and len(outcome) > _ERR_TAIL else None

    def put(self, outcome: Outcome) -> None:
        """Keep an outcome until it is acknowledged."""
        number = self._next
        if not self._works or number - self._counters[_OLDEST] >= _ROOM:
            return
        data = marshal.dumps(outcome)
        if len(data) > _LONGEST:
            data = marshal.dumps(_shortened(outcome))
            if len(data) > _LONGEST:
                return
        at = _RECORDS_AT + number % _ROOM * _RECORD
        self._map[at : at + _HEAD.size + len(data)] = _HEAD.pack(number, len(data)) + data
        self._places[outcome[:3]] = number
        self._next = self._counters[_NEXT] = number + 1  # one store of eight bytes: a kill cannot split it

    def acknowledge(self, ids: Iterable[tuple[Any, ...]]) -> None:
        """The engine has recorded these attempts, (job, item, attempt) each; erase what their items wrote."""
        places = self._places
        for id_ in ids:
            number = places.pop(id_, None)
            if number is not None:
                at = _RECORDS_AT + number % _ROOM * _RECORD
                self._map[at : at + _RECORD] = _BLANK
        if self._works:
            self._counters[_OLDEST] = next(iter(places.values()), self._next)

    def close(self) -> None:
        """The supervisor ends: remove the file if the next one does not need it, because it has output of items."""
        if self._works and not self._places:
            with contextlib.suppress(OSError):
                os.unlink(self._path)


def _shortened(outcome: Outcome) -> Outcome:
    values = list(outcome)
    for at in (_OUT_TAIL, _ERR_TAIL):
        values[at] = values[at][-_TAIL:]
    return tuple(values)
