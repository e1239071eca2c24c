"""Runs packs on a worker. A supervisor of the worker's own runs the items, with the same code as on one machine.

That supervisor is also the guard: if this process is gone, frozen or cut off for longer than its lease, the guard ends
everything that it started. Dask's threads and its event loop call these methods, so one lock protects the records.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import shutil
import socket
import tempfile
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
from jobctl.executors.cluster.pack_run import GuardJob, PackRun, for_guard
from jobctl.executors.cluster.packing import Pack, Report
from jobctl.executors.local import LocalExecutor
from jobctl.process.sweep import sweep
from jobctl.supervisor.guest import GuestSupervisor, start_guest

_IDLE_S = 60.0
_REVOKED_ROOM = 4096
_KEPT_S = 7 * 86_400

#: Sends a message to the engine of a store: (store, message).
Tell = Callable[[str, dict[str, Any]], None]


class PackRunner:
    """Runs packs, each in one of ``slots`` slots."""

    def __init__(self, slots: int, tell: Tell, parent: str | None = None) -> None:
        """Start the guard. ``parent`` is the folder in which output is spooled. Raises OSError."""
        self.host = socket.gethostname()
        self.slots = slots
        self._tell = tell
        self._spool = _make_spool(parent)
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._lines: dict[tuple[str, int, int], GuardJob] = {}
        self._by_number: dict[int, GuardJob] = {}
        self._runs: dict[str, PackRun] = {}
        self._units: set[int] = set()
        self._revoked: OrderedDict[tuple[str, AttemptId], None] = OrderedDict()
        self._closed = False
        self._start_guard()
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
            unit = min(set(range(1, len(self._units) + 2)) - self._units)
            self._units.add(unit)
            self._runs[pack.key] = run
            self._hand_over(pack, run, unit)
        if not run.over.wait(pack.long_s):
            self._tell_long(run)
            run.over.wait()
        report = run.report(self.host)
        with self._lock:
            self._put_away(run, unit, report)
        return report

    def _hand_over(self, pack: Pack, run: PackRun, unit: int) -> None:
        unwanted = {id_ for id_ in run.pending if (pack.key, id_) in self._revoked}
        if unwanted:
            run.give_back(unwanted)
        for job, spec in pack.specs.items():
            line = run.lines[job] = self._line(pack.store, job, unit)
            line.run, line.job = run, job
            if line.spec != spec:
                line.spec = spec
                self._guard.define(self._spec_of(line, spec, unit))
        self._guard.start(
            [for_guard(run.lines[entry.job], entry) for entry in pack.entries if entry[:3] in run.pending]
        )

    def _line(self, store: str, job: int, unit: int) -> GuardJob:
        line = self._lines.get((store, job, unit))
        if line is None:
            number = next(self._numbers)
            line = GuardJob(number, os.path.join(self._spool, str(number)))
            self._lines[store, job, unit] = self._by_number[number] = line
        return line

    def _spec_of(self, line: GuardJob, fields: tuple[Any, ...], unit: int) -> JobSpec:
        """The job for the guard. Each slot of the worker is a queue with one slot, so it runs one attempt at a time."""
        spec = JobSpec(*fields)
        return replace(
            spec,
            job=line.number,
            slots=1,
            queue=str(unit),
            queue_slots=1,
            log_dir=os.fsencode(line.directory),
            call=None if spec.call is None else CallSpec(*spec.call),
        )

    def _put_away(self, run: PackRun, unit: int, report: Report) -> None:
        now = time.monotonic()
        for line in run.lines.values():
            line.run, line.idle_since = None, now
        done = [AttemptId(run.lines[fields[0]].number, fields[1], fields[2]) for fields in report.finished]
        if not self._closed:
            self._guard.acknowledge(done)
        del self._runs[run.key]
        self._units.discard(unit)

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
        for line in run.lines.values():
            self._guard.recall(line.number)

    def cancel(self, key: str, ids: Iterable[AttemptId], grace_s: float, ending: int) -> None:
        """End these attempts of a pack, even if the pack arrives only later."""
        with self._lock:
            run = self._runs.get(key)
            if run is not None:
                known = [AttemptId(run.lines[id_.job].number, *id_[1:]) for id_ in ids if id_ in run.pending]
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
            line = run.lines[id_.job]
            return line.peek(started.log, "out", skip[0]), line.peek(started.log, "err", skip[1])

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
        """Drop what is kept for a job, such as processes that have its function loaded."""
        with self._lock:
            if not self._closed:
                self._drop(place for place in self._lines if place[:2] == (store, job))

    def _drop_idle(self, before: float) -> None:
        self._drop(place for place, line in self._lines.items() if line.idle_since < before)

    def _drop(self, places: Iterable[tuple[str, int, int]]) -> None:
        for place in list(places):
            line = self._lines[place]
            if line.run is None:
                self._guard.forget(line.number)
                del self._lines[place], self._by_number[line.number]
                line.clear()

    # ---- events of the guard ----

    def _listen(self) -> None:
        while not self._closed:
            poll = select.poll()
            poll.register(self._guard.fileno(), select.POLLIN)
            while self._hear(poll):
                pass

    def _hear(self, poll: select.poll) -> bool:
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
            line = self._by_number.get(event.job)
            run = None if line is None else line.run
            if line is None or run is None:
                continue
            run.take(line.job, event)
            if isinstance(event, Started) and (run.is_single or run.is_long):
                run.is_long = False
                self._announce(run)

    def _replace_guard(self) -> None:
        """The guard was killed: end what it left, report the attempts that may have begun, start another guard."""
        self._guest.end.close()
        self._guest.process.wait()
        sweep(self._guest.store_id, grace_s=0.0)
        for run in self._runs.values():
            run.lose()
        for line in self._lines.values():
            line.spec = ()
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
            self._guest.end.close()
            for run in list(self._runs.values()):
                run.lose()
            for line in self._lines.values():
                line.clear()
        self._guest.process.wait()
        with contextlib.suppress(OSError):  # it is gone, or not empty: it keeps output that was too long to travel
            os.rmdir(self._spool)


def _make_spool(parent: str | None) -> str:
    """A new folder for this worker; folders of earlier workers in the same place are removed after a week."""
    root = os.path.join(parent or tempfile.gettempdir(), f"jobctl-worker-{os.getuid()}")
    os.makedirs(root, 0o700, exist_ok=True)
    status = os.lstat(root)
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or not os.path.isdir(root) or os.path.islink(root):
        raise PermissionError(f"{root} is not a folder that only this user can use")
    for name in os.listdir(root):
        path = os.path.join(root, name)
        if os.lstat(path).st_mtime < time.time() - _KEPT_S:
            shutil.rmtree(path, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root)
