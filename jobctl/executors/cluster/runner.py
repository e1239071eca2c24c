"""Runs packs on a worker. A supervisor of the worker's own runs the items, with the same code as on one machine.

That supervisor is also the guard: if this process is gone, frozen or cut off for longer than its lease, the guard ends
everything that it started. Dask's threads and its event loop call these methods, so one lock protects the records.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from jobctl.domain.endings import Ending
from jobctl.domain.ports import (
    AttemptId,
    Calls,
    CallSpec,
    Event,
    Finished,
    JobSpec,
    Lost,
    Record,
    Returned,
    Started,
    finished_call,
)
from jobctl.executors.cluster.pack_run import GuardJob, PackRun
from jobctl.executors.cluster.packing import Pack, Report
from jobctl.executors.cluster.spool import make_spool
from jobctl.executors.local import LocalExecutor
from jobctl.process.stop_pipe import StopPipe
from jobctl.process.sweep import sweep
from jobctl.supervisor.guest import GuestSupervisor, start_guest

_IDLE_S = 60.0
_REVOKED_ROOM = 4096

#: Sends a message to the engine of a store: (store, message).
Tell = Callable[[str, dict[str, Any]], None]


class PackRunner:
    """Runs packs, each in one of ``slots`` slots."""

    def __init__(self, slots: int, tell: Tell, parent: str | None = None) -> None:
        """Start the guard. ``parent`` is the folder in which output is spooled. Raises OSError."""
        self.host = socket.gethostname()
        self.slots = slots
        self._tell = tell
        self._spool = make_spool(parent)
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._guard_jobs: dict[tuple[str, int, int], GuardJob] = {}
        self._by_number: dict[int, GuardJob] = {}
        self._runs: dict[str, PackRun] = {}
        self._used_slots: set[int] = set()
        self._revoked: OrderedDict[tuple[str, AttemptId], None] = OrderedDict()
        self._closed = False
        self._start_guard()
        self._stop = StopPipe()
        self._listener = threading.Thread(target=self._listen, name="jobctl-listen", daemon=True)
        self._listener.start()

    def _start_guard(self) -> None:
        self._guest: GuestSupervisor = start_guest()
        self._guard = LocalExecutor(self._guest.end, fresh=True)
        self._guard.resize(1 << 20)  # the number of Dask's threads is the limit
        self._guard.adopt()

    # ---- packs ----

    def run(self, pack: Pack) -> Report:
        """Run the attempts of a pack; returns when the last one is over."""
        run = PackRun(pack)
        with self._lock:
            slot = min(set(range(1, len(self._used_slots) + 2)) - self._used_slots)
            self._used_slots.add(slot)
            self._runs[pack.key] = run
            self._hand_over(pack, run, slot)
        if not run.over.wait(pack.long_s):
            self._tell_long(run)
            run.over.wait()
        report = run.report(self.host)
        with self._lock:
            self._put_away(run, slot, report)
        return report

    def _hand_over(self, pack: Pack, run: PackRun, slot: int) -> None:
        unwanted = {id_ for id_ in run.pending if (pack.key, id_) in self._revoked}
        if unwanted:
            run.give_back(unwanted)
        for job, spec in pack.specs.items():
            guard_job = run.guard_jobs[job] = self._guard_job(pack.store, job, slot)
            guard_job.run, guard_job.job = run, job
            if guard_job.spec != spec:
                guard_job.spec = spec
                self._guard.define(self._spec_of(guard_job, spec, slot))
        wanted = (entry for entry in pack.entries if entry[:3] in run.pending)
        self._guard.start([entry._replace(job=run.guard_jobs[entry.job].number) for entry in wanted])

    def _guard_job(self, store: str, job: int, slot: int) -> GuardJob:
        guard_job = self._guard_jobs.get((store, job, slot))
        if guard_job is None:
            number = next(self._numbers)
            guard_job = GuardJob(number, os.path.join(self._spool, str(number)))
            self._guard_jobs[store, job, slot] = self._by_number[number] = guard_job
        return guard_job

    def _spec_of(self, guard_job: GuardJob, fields: tuple[Any, ...], slot: int) -> JobSpec:
        """The job for the guard. Each slot of the worker is a queue with one slot, so it runs one attempt at a time."""
        spec = JobSpec(*fields)
        return replace(
            spec,
            job=guard_job.number,
            slots=1,
            queue=str(slot),
            queue_slots=1,
            log_dir=os.fsencode(guard_job.directory),
            call=None if spec.call is None else CallSpec(*spec.call),
        )

    def _put_away(self, run: PackRun, slot: int, report: Report) -> None:
        now = time.monotonic()
        for guard_job in run.guard_jobs.values():
            guard_job.run, guard_job.idle_since = None, now
        done = [AttemptId(run.guard_jobs[fields[0]].number, fields[1], fields[2]) for fields in report.finished]
        if not self._closed:
            self._guard.acknowledge(done)
        del self._runs[run.key]
        self._used_slots.discard(slot)

    def _tell_long(self, run: PackRun) -> None:
        """A pack takes long: report it to the engine, and give back what has not begun, so that others can run it."""
        with self._lock:
            self._recall(run)
            self._announce(run)

    def _announce(self, run: PackRun) -> None:
        if not run.is_long:
            run.is_long = True
            running = [list(started) for started in run.running.values()]
            self._tell(run.store, {"what": "long", "key": run.key, "host": self.host, "running": running})

    # ---- requests of the engine ----

    def recall(self, keys: Iterable[str]) -> None:
        """Give back the attempts of these packs that have not started."""
        with self._lock:
            for key in keys:
                if key in self._runs:
                    self._recall(self._runs[key])

    def _recall(self, run: PackRun) -> None:
        for guard_job in run.guard_jobs.values():
            self._guard.recall(guard_job.number)

    def cancel(self, key: str, ids: Iterable[AttemptId], grace_s: float, ending: int) -> None:
        """End these attempts of a pack, even if the pack arrives only later."""
        with self._lock:
            run = self._runs.get(key)
            if run is not None:
                known = [AttemptId(run.guard_jobs[id_.job].number, *id_[1:]) for id_ in ids if id_ in run.pending]
                self._guard.cancel(known, grace_s, Ending(ending))
                return
            for id_ in ids:
                self._revoked[key, id_] = None
            while len(self._revoked) > _REVOKED_ROOM:
                self._revoked.popitem(last=False)

    def look(self, keys: Iterable[str]) -> dict[str, Report]:
        """The progress of packs, without those that are not here."""
        with self._lock:
            return {key: self._runs[key].report(self.host) for key in keys if key in self._runs}

    def read(self, key: str, id_: AttemptId, skip: tuple[int, int]) -> tuple[bytes, bytes] | None:
        """The output of a running attempt in each stream after ``skip`` bytes; None if it does not run here."""
        with self._lock:
            run = self._runs.get(key)
            started = None if run is None else run.running.get(id_)
            if run is None or started is None:
                return None
            guard_job = run.guard_jobs[id_.job]
            return guard_job.read_from(started.log, "out", skip[0]), guard_job.read_from(started.log, "err", skip[1])

    def beat(self, lease_s: float) -> None:
        """The worker lives and is connected to the scheduler: renew the guard's lease."""
        with self._lock:
            if self._closed:
                return
            self._guard.beat(lease_s)
            with contextlib.suppress(OSError):
                os.utime(self._spool)  # or another worker would remove the spool as old while long items run
            self._drop_idle(time.monotonic() - _IDLE_S)

    def forget(self, store: str, job: int) -> None:
        """Drop everything that is kept for a job, such as processes that have its function loaded."""
        with self._lock:
            if not self._closed:
                self._drop(key for key in self._guard_jobs if key[:2] == (store, job))

    def _drop_idle(self, before: float) -> None:
        self._drop(key for key, guard_job in self._guard_jobs.items() if guard_job.idle_since < before)

    def _drop(self, keys: Iterable[tuple[str, int, int]]) -> None:
        for key in list(keys):
            guard_job = self._guard_jobs[key]
            if guard_job.run is None:
                self._guard.forget(guard_job.number)
                del self._guard_jobs[key], self._by_number[guard_job.number]
                guard_job.clear()

    # ---- events of the guard ----

    def _listen(self) -> None:
        while not self._closed:
            poll = select.poll()
            poll.register(self._guard.fileno(), select.POLLIN)
            poll.register(self._stop.reader, select.POLLIN)  # the end of the guard's socket does not end the wait
            while self._take_events(poll):
                pass
        self._stop.close()

    def _take_events(self, poll: select.poll) -> bool:
        """Wait for events of the guard and record them; False when another guard has replaced it."""
        poll.poll()
        with self._lock:
            if self._closed:
                return False
            try:
                events = self._guard.collect(0)
            except EOFError:
                self._replace_guard()
                return False
            self._note(events)
            return True

    def _note(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Calls):
                self._note([finished_call(event, Record._make(record)) for record in event.records])
                self._guard.acknowledge([], [event.number])
            if not isinstance(event, Started | Finished | Returned | Lost):
                continue
            guard_job = self._by_number.get(event.job)
            run = None if guard_job is None else guard_job.run
            if guard_job is None or run is None:
                continue
            run.take(guard_job.job, event)
            if isinstance(event, Started) and (run.is_single or run.is_long):
                run.is_long = False
                self._announce(run)

    def _replace_guard(self) -> None:
        """The guard was killed: end its processes, report the attempts that may have begun, start another guard."""
        self._guest.end.close()
        self._guest.process.wait()
        sweep(self._guest.store_id, grace_s=0.0)
        for run in self._runs.values():
            run.lose()
        for guard_job in self._guard_jobs.values():
            guard_job.spec = ()
        self._start_guard()

    def close(self, grace_s: float) -> None:
        """End everything, the guard last; blocks until the guard is gone."""
        with self._lock:
            if self._closed:
                return
            self._guard.close(grace_s)
            with contextlib.suppress(EOFError):  # the guard has no more events
                self._note(self._guard.collect(0))
            self._closed = True
            self._stop.stop()
            self._guest.end.close()
            for run in list(self._runs.values()):
                run.lose()
            for guard_job in self._guard_jobs.values():
                guard_job.clear()
        self._guest.process.wait()
        with contextlib.suppress(OSError):  # it is gone, or not empty: it keeps output that was too long to travel
            os.rmdir(self._spool)
