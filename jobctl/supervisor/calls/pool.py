"""Keeps all workers that call functions, and the outcomes of calls that the engine has not acknowledged."""

from __future__ import annotations

import select

from jobctl.supervisor.backlog import JobLine
from jobctl.supervisor.calls.kept_calls import KeptCalls
from jobctl.supervisor.calls.worker_process import WorkerProcess
from jobctl.supervisor.protocol import fields, wire
from jobctl.supervisor.protocol import page as pages
from jobctl.supervisor.running import AttemptId

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

    from jobctl.supervisor.calls.host import AttemptKeeper
    from jobctl.supervisor.protocol.channel import Tell


#: Idle workers beyond one for each slot: this many jobs can take turns without loading their function again.
_IDLE_WORKERS = 8


class WorkerPool:
    """All workers by the descriptor of their socket, and the outcomes that the engine has not acknowledged."""

    def __init__(self, attempts: AttemptKeeper, poll: select.poll, tell: Tell, kept: KeptCalls) -> None:
        self.attempts = attempts
        self.workers: dict[int, WorkerProcess] = {}
        self.poll = poll
        self.tell = tell
        self._kept = kept
        self._unacknowledged: dict[int, tuple[Any, ...]] = {event[fields.CALLS_NUMBER]: event for event in kept.load()}
        self._number = max(self._unacknowledged, default=0)

    def worker(self, id_: AttemptId, line: JobLine, slot: int, serial: int) -> WorkerProcess:
        """A worker that is not started yet."""
        self._make_room()
        return WorkerProcess(self, id_, line, slot, serial)

    def _make_room(self) -> None:
        """Retire the worker that has been idle longest, so that workers of idle jobs do not accumulate."""
        idle = [worker for worker in self.workers.values() if worker.is_idle and not worker.leaving]
        if len(idle) >= _IDLE_WORKERS + self.attempts.backlog.capacity:
            min(idle, key=lambda worker: worker.deadline).retire()

    def socket_ready(self, fd: int, now: float) -> None:
        """The socket of a worker is readable or writable."""
        self.workers[fd].socket_ready(now)

    def add(self, outcome: tuple[Any, ...]) -> None:
        """Keep and report calls that ended. ``outcome`` has the fields of domain.ports.Calls without the number."""
        self._number += 1
        event = self._unacknowledged[self._number] = (outcome[0], self._number, *outcome[1:])
        self._kept.put(event)
        self.tell(wire.CALLS, event)

    def tell_again(self) -> None:
        """Report all outcomes that the engine has not acknowledged."""
        for event in self._unacknowledged.values():
            self.tell(wire.CALLS, event)

    def acknowledge(self, numbers: list[int]) -> None:
        """The engine has recorded the outcomes with these numbers."""
        for number in numbers:
            self._unacknowledged.pop(number, None)
        self._kept.acknowledge(numbers)

    def held(self) -> list[AttemptId]:
        """Attempts in outcomes that the engine has not acknowledged."""
        return [
            (event[fields.CALLS_JOB], *record[fields.RECORD_ID])
            for event in self._unacknowledged.values()
            for record in pages.unpack(*event[fields.CALLS_RECORDS])
        ]

    def recall(self, job: int | None, now: float) -> None:
        """Give attempts that have not begun back to the engine, of one job or of all."""
        for worker in list(self.workers.values()):  # a worker whose page makes no sense is removed
            if not worker.is_idle and job in (None, worker.line.job):
                worker.recall(now)
                self.attempts.deadline = min(self.attempts.deadline, worker.deadline)
