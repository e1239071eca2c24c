"""The messages between the engine and a worker: packs of attempts, and reports with their outcomes and output.

The format is msgpack, which comes with distributed. A pack runs in one slot of a worker, one attempt after the other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgpack

from jobctl.domain.ports import AttemptId, Dispatch, Finished, JobSpec, raised_of

#: Output up to this size, per stream and attempt, travels whole; of a longer one, head and tail travel.
TRAVEL_BYTES = 256 << 10
#: A pack of several attempts that takes longer than planned, and longer than this, gives back what has not started.
LONG_S = 1.0


class Pack(NamedTuple):
    """Attempts for one slot of a worker."""

    key: str
    store: str
    nonce: str  # names the connection over which the engine sent it
    slots: list[tuple[int, int]]  # (job, slot of that job)
    long_s: float  # after this time, the pack gives back what has not started
    specs: dict[int, tuple[Any, ...]]  # fields of JobSpec by job
    entries: list[Dispatch]

    def ids(self) -> list[AttemptId]:
        """The attempts in the pack."""
        return [AttemptId(*entry[:3]) for entry in self.entries]


class Report(NamedTuple):
    """The progress of a pack. In ``finished``, the output of an attempt is given by offsets into ``outputs``."""

    host: str
    finished: list[list[Any]]  # fields of Finished
    returned: list[list[int]]  # (job, item, attempt) that did not start
    lost: list[list[int]]  # (job, item, attempt) that may have started
    running: list[list[Any]]  # fields of Started
    outputs: dict[int, list[bytes]]  # by job: stdout and stderr of all attempts in ``finished``
    refused: bool = False  # the fence refused the claim, because another worker has the pack


def spec_fields(spec: JobSpec) -> tuple[Any, ...]:
    """A JobSpec as plain values."""
    return tuple(getattr(spec, field.name) for field in dataclasses.fields(spec))


def pack_pack(value: Pack) -> bytes:
    """A pack as bytes."""
    return _pack(value._replace(specs=list(value.specs.items())))  # type: ignore[arg-type]


def pack_report(value: Report) -> bytes:
    """A report as bytes."""
    return _pack(value)


def _pack(value: Sequence[Any]) -> bytes:
    packed: bytes = msgpack.packb(list(value), use_bin_type=True)
    return packed


def _unpack(data: bytes) -> list[Any]:
    values: list[Any] = msgpack.unpackb(data, raw=False, strict_map_key=False, use_list=True)
    return values


def unpack_pack(data: bytes) -> Pack:
    """The reverse of ``pack_pack``."""
    key, store, nonce, slots, long_s, specs, entries = _unpack(data)
    return Pack(
        key,
        store,
        nonce,
        [(job, slot) for job, slot in slots],
        long_s,
        {job: _frozen(spec) for job, spec in specs},
        [Dispatch(*entry[:3], *map(tuple, entry[3:5]), *entry[5:]) for entry in entries],
    )


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def unpack_report(data: bytes) -> Report:
    """The reverse of ``pack_report``."""
    return Report(*_unpack(data))


def finished_of(fields: Sequence[Any]) -> Finished:
    """One of ``Report.finished``."""
    event = Finished._make(fields)
    return event if event.raised is None else event._replace(raised=raised_of(event.raised))
