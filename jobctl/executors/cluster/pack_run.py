"""A pack that runs on a worker: its attempts that wait, run or have ended, and its jobs as the guard knows them."""

from __future__ import annotations

import os
import threading
from typing import Any

from jobctl.domain.ports import AttemptId, Finished, Lost, OutputFlag, Returned, Started
from jobctl.executors.cluster.packing import TRAVEL_BYTES, Pack, Report
from jobctl.supervisor import streams


class GuardJob:
    """The attempts of one job in one slot of the worker. The guard knows them as a job of its own with one slot."""

    def __init__(self, number: int, directory: str) -> None:
        self.number = number
        self.directory = directory
        self.spec: tuple[Any, ...] = ()
        self.run: PackRun | None = None
        self.job = 0
        self.idle_since = 0.0
        self._retained: set[str] = set()  # files with output that was too long to travel whole

    def read(self, host: str, log: int, suffix: str, offset: int, length: int) -> bytes:
        """The output of an attempt. The middle of a long one is left out; then the file stays here whole."""
        if not length:
            return b""
        path = os.path.join(self.directory, f"{log}.{suffix}")
        parts = []
        with open(path, "rb", buffering=0) as file:
            for start, end, mark in streams.pieces(length, TRAVEL_BYTES):
                if mark:
                    self._retained.add(path)
                    place = (
                        f"\n[jobctl: {start - TRAVEL_BYTES // 2} bytes left out here; all of it is on {host} in {path}"
                    )
                    parts.append(f"{place}, from byte {offset}, {length} bytes]\n".encode())
                parts.append(os.pread(file.fileno(), end - start, offset + start))
        if path not in self._retained:
            self._free_blocks(path, offset, length)
        return b"".join(parts)

    def read_from(self, log: int, suffix: str, skip: int) -> bytes:
        """The output of a running attempt after the first ``skip`` bytes."""
        try:
            with open(os.path.join(self.directory, f"{log}.{suffix}"), "rb", buffering=0) as file:
                return os.pread(file.fileno(), TRAVEL_BYTES, skip)
        except OSError:
            return b""

    @staticmethod
    def _free_blocks(path: str, offset: int, length: int) -> None:
        """Give the blocks of an output that has travelled back to the disk. ``clear`` removes the file itself."""
        if length < 1 << 12:  # less than a block
            return
        with open(path, "r+b", buffering=0) as file:
            streams.punch(file.fileno(), offset, offset + length)

    def clear(self) -> None:
        """Remove the files, except those with output that was too long to travel whole."""
        for name in os.listdir(self.directory) if os.path.isdir(self.directory) else ():
            path = os.path.join(self.directory, name)
            if path not in self._retained:
                os.unlink(path)
        if not self._retained and os.path.isdir(self.directory):
            os.rmdir(self.directory)


class PackRun:
    """A pack that runs in one slot of the worker."""

    def __init__(self, pack: Pack) -> None:
        self.key = pack.key
        self.store = pack.store
        self.pending = set(pack.ids())
        self.is_single = len(pack.entries) == 1
        self.guard_jobs: dict[int, GuardJob] = {}  # by job
        self.running: dict[AttemptId, Started] = {}
        self.over = threading.Event()
        self.is_long = False  # the engine was told that the pack takes long
        self._finished: list[Finished] = []
        self._returned: list[AttemptId] = []
        self._lost: list[AttemptId] = []
        self._reported = 0  # how many of ``_finished`` are in ``_report`` with their output
        self._report: list[list[Any]] = []
        self._outputs: dict[int, list[bytearray]] = {}

    def take(self, job: int, event: Started | Finished | Returned | Lost) -> None:
        """Record an event of the guard about an attempt of this pack."""
        event = event._replace(job=job)
        id_ = AttemptId(*event[:3])
        if isinstance(event, Started):
            self.running[id_] = event
            return
        if id_ not in self.pending:
            return
        self.pending.discard(id_)
        self.running.pop(id_, None)
        if isinstance(event, Finished):
            self._finished.append(event)
        elif isinstance(event, Returned):
            self._returned.append(id_)
        else:
            self._lost.append(id_)
        if not self.pending:
            self.over.set()

    def lose(self) -> None:
        """The guard is gone: attempts without an outcome may have begun."""
        self._lost += self.pending
        self.pending.clear()
        self.running.clear()
        self.over.set()

    def give_back(self, ids: set[AttemptId]) -> None:
        """These attempts were cancelled before they were handed to the guard."""
        self._returned += ids
        self.pending -= ids
        if not self.pending:
            self.over.set()

    def report(self, host: str) -> Report:
        """The progress of the pack."""
        for event in self._finished[self._reported :]:
            self._report.append(self._with_output(host, event))
        self._reported = len(self._finished)
        return Report(
            host,
            self._report,
            [list(id_) for id_ in self._returned],
            [list(id_) for id_ in self._lost],
            [list(started) for started in self.running.values()],
            {job: [bytes(out), bytes(err)] for job, (out, err) in self._outputs.items()},
        )

    def _with_output(self, host: str, event: Finished) -> list[Any]:
        outputs = self._outputs.setdefault(event.job, [bytearray(), bytearray()])
        guard_job, log = self.guard_jobs[event.job], event.log
        starts = [len(stream) for stream in outputs]
        flags = event.flags
        for stream, suffix, offset, length in (
            (outputs[0], "out", event.out_off, event.out_len),
            (outputs[1], "err", event.err_off, event.err_len),
        ):
            try:
                data = guard_job.read(host, log, suffix, offset, length)
            except OSError:  # the spool was emptied from outside
                data = b""
            if len(data) != length:
                flags |= OutputFlag.CUT
            stream += data
        lengths = [len(stream) - start for stream, start in zip(outputs, starts, strict=True)]
        return list(
            event._replace(
                log=1 if any(lengths) else 0,
                out_off=starts[0],
                out_len=lengths[0],
                err_off=starts[1],
                err_len=lengths[1],
                flags=int(flags),
                host=host,
            )
        )
