"""Chooses the attempts that run next, with a slot and a worker for each: packs for free slots.

Dask does not place the packs. Its estimate of when a task starts would put a short pack behind a long item while
another worker is idle. Dask also does not know which worker has the function of a job loaded, and cannot apply the
limits of jobs and queues.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jobctl.domain.ports import SLOT_MARK, AttemptId, Dispatch
from jobctl.executors.cluster.dispatch_record import DispatchRecord
from jobctl.executors.cluster.job import ClusterJob
from jobctl.executors.cluster.messages import PackOrder
from jobctl.executors.cluster.packing import LONG_S, Pack, pack_pack
from jobctl.executors.cluster.sizing import PackRoom, pack_us
from jobctl.executors.cluster.worker_table import ClusterWorker, WorkerTable
from jobctl.supervisor.backlog import Backlog, JobLine


class Placer:
    """Makes packs from the waiting attempts of the backlog; at most one is out for each slot."""

    def __init__(
        self, backlog: Backlog, workers: WorkerTable, jobs: Mapping[int, ClusterJob], sender: tuple[str, str]
    ) -> None:
        """``sender``: the names of the store and of this engine. ``nonce`` names this connection for the fence."""
        self.nonce = ""
        self._backlog = backlog
        self._workers = workers
        self._jobs = jobs
        self._store, self._name = sender
        self._serial = 0
        self._unplaced: list[JobLine] = []  # jobs whose needs no worker can meet now

    def place(self) -> Iterator[tuple[DispatchRecord, PackOrder]]:
        """A pack for every free slot, as long as attempts wait."""
        for unplaced in self._unplaced:
            self._backlog.hold(unplaced, held=False)
        self._unplaced.clear()
        apart = {number for number, job in self._jobs.items() if job.needs}
        while (line := self._backlog.next_line()) is not None:
            needs = self._jobs[line.job].needs
            worker = self._workers.pick(needs)
            if worker is None and needs:
                self._backlog.hold(line, held=True)
                self._unplaced.append(line)
            elif worker is None:
                return
            else:
                yield self._pack(line, worker, apart)

    def _pack(self, line: JobLine, worker: ClusterWorker, apart: set[int]) -> tuple[DispatchRecord, PackOrder]:
        share = -(-self._backlog.waiting // max(1, self._backlog.capacity - self._backlog.running))
        record, entries = self._fill(line, worker.address, share, apart)
        self._workers.occupy(worker.address, record.key, record.resources)
        specs = {job: self._jobs[job].fields for job in record.slots}
        long_s = max(LONG_S, 2 * pack_us(self._backlog.capacity) / 1e6)
        pack = Pack(record.key, self._store, self.nonce, list(record.slots.items()), long_s, specs, entries)
        return record, PackOrder(record.key, pack_pack(pack), worker.address, record.resources)

    def _fill(self, line: JobLine, worker: str, share: int, apart: set[int]) -> tuple[DispatchRecord, list[Dispatch]]:
        """Attempts for one slot; jobs take turns in it, and an attempt that needs more than a slot travels alone."""
        first, slot = self._backlog.take(line)
        taken, lines = {line.job: slot}, {line.job: line}
        entries: list[Dispatch] = []
        room = PackRoom(share, self._backlog.capacity)
        more: tuple[JobLine, tuple[object, ...]] | None = (line, first)
        while more is not None:
            found, fields = more
            lines[found.job] = found
            job = self._jobs[found.job]
            entry = _numbered(Dispatch(*fields), taken[found.job], slotted=job.spec.slotted)  # type: ignore[arg-type]
            entries.append(entry)
            has_room = room.spend(job.durations.mean_us, sum(map(len, entry.argv)), alone=job.travels_alone)
            more = self._backlog.take_after(taken, apart) if has_room else None
        self._serial += 1
        key = f"jobctl-{self._store}-{self._name}-{self._serial}"
        waiting = {AttemptId(*entry[:3]) for entry in entries}
        return DispatchRecord(key, worker, waiting, taken, lines, resources=dict(self._jobs[line.job].needs)), entries


def _numbered(dispatch: Dispatch, slot: int, *, slotted: bool) -> Dispatch:
    """The attempt with its slot number, which only the engine knows, because it counts slots over all workers."""
    number = b"%d" % slot
    argv = dispatch.argv
    if slotted:
        argv = tuple(argument.replace(SLOT_MARK, number) for argument in argv)
    return dispatch._replace(argv=argv, env=(*dispatch.env, b"JOBCTL_SLOT=" + number))
