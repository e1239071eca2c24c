"""ClusterExecutor: attempts on the workers of a Dask cluster.

Who runs next, in which slot and on which worker is decided here, by the same ``Backlog`` that a local supervisor uses;
at most one pack is out for each slot of the cluster, so the scheduler never holds more tasks than it has threads.
Everything is done in the engine's thread; the link's thread leaves messages and rings.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence

from jobctl.domain.ports import (
    AttemptId,
    Capacity,
    Dispatch,
    Ending,
    Event,
    Finished,
    JobSpec,
    Lost,
    Pressure,
    Returned,
    Started,
)
from jobctl.engine.cluster import link, worker_plugin
from jobctl.engine.cluster.flight import Flight, Outcome, Workers
from jobctl.engine.cluster.following import Copies
from jobctl.engine.cluster.job import Job, Place, moved, news
from jobctl.engine.cluster.options import ClusterError, ClusterOptions
from jobctl.engine.cluster.packing import Report, finished_of, unpack_report
from jobctl.engine.cluster.placing import Placer
from jobctl.engine.cluster.sizing import pack_us
from jobctl.engine.local import LocalExecutor
from jobctl.process.backlog import Backlog, JobLine

_CLOSE_EXTRA_S = 10.0
_CONNECT_S = 15.0


class ClusterExecutor:
    """The executor port over a Dask cluster. ``parent`` is the supervisor of this engine: it says when to stop."""

    def __init__(self, parent: LocalExecutor, options: ClusterOptions, store: str) -> None:
        self.fresh = False
        self.identity = ""  # of the scheduler's fence, once connected
        self._parent = parent
        self._nonce = secrets.token_hex(4)
        self._link = link.Link(options, store, self._nonce, self._hear)
        self._copies = Copies(self._link)
        self._heard: deque[link.Message] = deque()
        self._backlog = Backlog()
        self._jobs: dict[int, Job] = {}
        self._workers = Workers()
        self._placer = Placer(self._backlog, self._workers, self._jobs, (store, self._nonce))
        self._flights: dict[str, Flight] = {}
        self._key_of: dict[AttemptId, str] = {}
        self._outcomes: dict[AttemptId, Outcome] = {}
        self._events: list[Event] = []
        self._limit = 1
        self._told_slots = -1
        self._is_up = False
        self._down: link.Down | None = None
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        self._selector = selectors.DefaultSelector()
        self._selector.register(parent.fileno(), selectors.EVENT_READ)
        self._selector.register(self._reader, selectors.EVENT_READ)

    # ---- the port ----

    def fileno(self) -> int:
        """Readable when ``collect(0)`` has something to do."""
        return self._selector.fileno()

    def define(self, spec: JobSpec) -> None:
        """Say or change what the attempts of a job share."""
        job = self._jobs.get(spec.job)
        if job is None:
            self._jobs[spec.job] = Job(spec)
        else:
            job.define(spec)
        line = self._backlog.define(spec.job, spec.slots, spec.queue, spec.queue_slots)
        if job is None:
            self._give_slots(line)
        self._place()

    def forget(self, job: int) -> None:
        """Drop what is kept for a job."""
        known = self._jobs.get(job)
        if known is None:
            return
        if self._backlog.forget(job) is None:
            known.leaving = True
            return
        known.output.close()
        del self._jobs[job]

    def resize(self, slots: int) -> None:
        """Set how many attempts may run at once; never more than the workers have slots."""
        self._limit = slots
        self._fit()

    def start(self, batch: Sequence[Dispatch]) -> None:
        """Take attempts."""
        for dispatch in batch:
            if dispatch.job in self._jobs:
                self._backlog.add(dispatch)
            else:
                self._tell(Returned(*dispatch[:3]))
        self._place()

    def collect(self, timeout_s: float | None = 0) -> list[Event]:
        """Events since the last call. Raises EOFError when our supervisor is gone."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._exchange()
        before = self._parent.stop_requested()
        while not self._events and self._parent.stop_requested() == before:
            left = None if deadline is None else deadline - time.monotonic()
            if (left is not None and left <= 0) or not self._selector.select(left):
                break
            self._exchange()
        events, self._events = self._events, []
        return events

    def acknowledge(self, attempts: Sequence[AttemptId], calls: Sequence[int] = ()) -> None:
        """The outcomes of these are recorded."""
        strangers = []
        for id_ in map(AttemptId._make, attempts):
            outcome = self._outcomes.pop(id_, None)
            if id_ in self._key_of:  # it runs, and nobody wants it any more
                self.cancel([id_], 0.0)
            elif outcome is None:
                strangers.append(id_)
            elif (flight := self._flights.get(outcome.key)) is not None:
                flight.unreceipted.discard(id_)
                self._dismiss(flight)
        if strangers or calls:  # of this machine, from before it had a cluster
            self._parent.acknowledge(strangers, calls)

    def recall(self, job: int | None = None) -> None:
        """Give back whatever has not started."""
        for dispatch in self._backlog.recall(job):
            self._tell(Returned(*dispatch[:3]))
        for flight in self._flights.values():
            if not flight.is_over and (job is None or job in flight.slots):
                self._link.ask(flight.worker, worker_plugin.recall, [flight.key])

    def cancel(self, attempts: Sequence[AttemptId], grace_s: float, ending: Ending = Ending.CANCELLED) -> None:
        """End these; their outcomes come from their workers."""
        wanted = {tuple(id_) for id_ in attempts}
        for dispatch in self._backlog.withdraw(wanted):  # type: ignore[arg-type]
            self._tell(Returned(*dispatch[:3]))
        requests: dict[str, dict[str, list[AttemptId]]] = {}
        for id_ in attempts:
            key = self._key_of.get(AttemptId._make(id_))
            if key is not None:
                requests.setdefault(self._flights[key].worker, {}).setdefault(key, []).append(id_)
        for worker, by_key in requests.items():
            request = [(key, [tuple(id_) for id_ in ids], grace_s, int(ending)) for key, ids in by_key.items()]
            self._link.ask(worker, worker_plugin.cancel, request)

    def follow(self, job: int, item: int | None) -> None:
        """Bring here what runs of this writes, as it comes."""
        known = self._jobs.get(job)
        if known is None or not self._copies.want(job, item):
            return
        for flight in self._flights.values():
            for started in flight.running.values():
                if started.job == job and item in (None, started.item):
                    self._copies.fetch(flight, started, known.spec.log_dir)

    def adopt(self) -> list[AttemptId]:
        """What it still holds; the first call connects to the cluster. Raises ClusterError, EOFError.

        What ended on this machine before it had a cluster, and was not recorded, is among it.
        """
        if not self._is_up and self._down is None:
            self._connect()
        local = self._parent.adopt()
        for flight in self._flights.values():
            self._events += flight.running.values()
        self._events += [outcome.event for outcome in self._outcomes.values()]
        self._ring()
        waiting = [AttemptId(*dispatch[:3]) for line in self._backlog.lines.values() for dispatch in line.waiting]
        return [*waiting, *self._key_of, *self._outcomes, *local]

    def stop_requested(self) -> int:
        """What whoever runs the daemon asked for."""
        return self._parent.stop_requested()

    def close(self, grace_s: float) -> None:
        """End everything that runs on the cluster and let go; ``collect(0)`` has the last events."""
        self.recall()
        self.cancel(list(self._key_of), grace_s, Ending.INTERRUPTED)
        until = time.monotonic() + grace_s + _CLOSE_EXTRA_S
        while self._key_of and time.monotonic() < until:
            self._selector.select(until - time.monotonic())
            self._exchange()
        self._link.close()
        self._parent.close(grace_s)

    def capacity(self) -> int:
        """Slots of all workers that are there."""
        return self._workers.slots

    # ---- connecting ----

    def _connect(self) -> None:
        """Wait for the cluster. A first engine gives up soon and says why; one that succeeds another goes on trying."""
        self._link.open()
        until = time.monotonic() + _CONNECT_S
        while not self._is_up:
            if self._parent.fresh and (time.monotonic() > until or (self._down and self._down.is_final)):
                raise ClusterError(self._down.reason if self._down else "the scheduler does not answer")
            if self._parent.stop_requested():
                raise ClusterError("told to stop before the scheduler was found")
            self._selector.select(max(0.0, until - time.monotonic()) if self._parent.fresh else None)
            self._exchange()

    def _hear(self, message: link.Message) -> None:
        """Called in the link's thread."""
        self._heard.append(message)
        self._ring()

    def _ring(self) -> None:
        try:
            os.write(self._writer, b"!")
        except BlockingIOError:
            return  # loud enough

    def _exchange(self) -> None:
        self._events += self._parent.collect(0)
        try:
            while os.read(self._reader, 4096):
                pass
        except BlockingIOError:
            pass
        while self._heard:
            message = self._heard.popleft()
            _NOTES[type(message)](self, message)
        self._place()

    # ---- what the link says ----

    def _note_up(self, up: link.Up) -> None:
        for warning in up.warnings:
            _log(warning)
        same = self.identity in ("", up.fence)
        self.identity = up.fence
        self._is_up = True
        self._down = None
        self._workers.replace(up.workers)
        for flight in list(self._flights.values()):
            if flight.is_over:
                continue
            if flight.key in up.held:
                self._workers.occupy(flight.worker, flight.key, flight.resources)
                self._link.follow([flight.key])
            else:
                self._abandon(flight, begun=not same or bool(flight.running))
        self._find_again({key: held for key, held in up.held.items() if key not in self._flights})
        self._fit()
        self._tell(Pressure(""))

    def _find_again(self, held: dict[str, tuple[str, list[list[int]], list[tuple[int, int]]]]) -> None:
        """Packs of an engine before this one; they get their slots when their jobs are defined."""
        by_worker: dict[str, list[str]] = {}
        for key, (worker, ids, slots) in held.items():
            flight = self._flights[key] = Flight(key, worker, {AttemptId(*id_) for id_ in ids}, dict(slots))
            self._key_of.update(dict.fromkeys(flight.waiting, key))
            self._workers.occupy(worker, key, {})
            by_worker.setdefault(worker, []).append(key)
        self._link.follow(list(held))
        for worker, keys in by_worker.items():
            self._link.ask(worker, worker_plugin.look, keys, tag="look")

    def _give_slots(self, line: JobLine) -> None:
        for flight in self._flights.values():
            if line.job in flight.slots and line.job not in flight.lines and not flight.is_over:
                self._backlog.occupy(line, flight.slots[line.job], joined=bool(flight.lines))
                flight.lines[line.job] = line
            for started in list(flight.running.values()):  # told before its job was defined
                if started.job == line.job and not started.log:
                    self._tell(self._with_copy(flight, started))

    def _note_down(self, down: link.Down) -> None:
        if self._is_up or self._down is None or self._down.reason != down.reason:
            _log(down.reason)
        self._is_up = False
        self._down = down
        self._workers.replace([])
        self._fit()
        self._tell(Pressure(down.reason))

    def _note_told(self, told: link.Told) -> None:
        message = told.message
        if message["what"] == "joined":
            self._welcome(message)
        elif message["what"] == "left":
            left = self._workers.remove(message["worker"])
            self._link.give_up(sorted(left.packs) if left is not None else ())
            self._fit()
        elif message["what"] == "long":
            self._note_long(message)

    def _welcome(self, introduction: dict[str, object]) -> None:
        ours, theirs = worker_plugin.versions(), introduction["versions"]
        if theirs != ours:
            _log(f"worker {introduction['worker']} on {introduction['host']} is not used: it has {theirs}, we {ours}")
            return
        self._workers.add(introduction)
        self._fit()

    def _note_long(self, message: dict[str, object]) -> None:
        flight = self._flights.get(str(message["key"]))
        if flight is None:
            return
        self._note_running(flight, message["running"], str(message["host"]))  # type: ignore[arg-type]
        if len(flight.waiting) > 1:
            self._link.ask(flight.worker, worker_plugin.look, [flight.key], tag="look")

    def _note_running(self, flight: Flight, running: Sequence[Sequence[object]], host: str) -> None:
        for fields in running:
            started = Started._make(fields)
            id_ = AttemptId(*started[:3])
            if id_ in flight.waiting and id_ not in flight.running:
                slot = flight.slots[started.job]
                started = started._replace(slot=slot, log=0, out_off=0, err_off=0, host=host)
                flight.running[id_] = started
                self._tell(self._with_copy(flight, started))

    def _with_copy(self, flight: Flight, started: Started) -> Started:
        """It gets a place to which its output is brought when somebody reads along."""
        job = self._jobs.get(started.job)
        if job is None or started.log:
            return started
        with contextlib.suppress(OSError):
            started = started._replace(log=job.output.reserve())
        flight.running[AttemptId(*started[:3])] = started
        self._copies.fetch(flight, started, job.spec.log_dir)
        return started

    def _note_read(self, id_: AttemptId, value: object) -> None:
        flight = self._flights.get(self._key_of.get(id_, ""))
        job = self._jobs.get(id_.job)
        if flight is not None and job is not None and id_ in flight.running:
            self._copies.take(id_, value)
            self._copies.fetch(flight, flight.running[id_], job.spec.log_dir, at_once=False)

    def _note_answer(self, answer: link.Answer) -> None:
        if answer.tag[0] == "read":
            self._note_read(answer.tag[1], answer.value)
        if answer.tag == "look":
            for key, data in (answer.value or {}).items():
                flight = self._flights.get(key)
                if flight is not None:
                    report = unpack_report(data)
                    self._settle(flight, report)
                    self._note_running(flight, report.running, report.host)

    def _note_done(self, done: link.Done) -> None:
        flight = self._flights.get(done.key)
        if flight is None:
            return
        report = unpack_report(done.data)
        if report.refused:  # what its worker has begun ended with that worker
            self._abandon(flight, begun=True)
            return
        self._settle(flight, report)
        self._abandon(flight, begun=True)

    def _note_failed(self, failed: link.Failed) -> None:
        flight = self._flights.get(failed.key)
        if flight is not None:
            _log(f"a message to {flight.worker} has no outcome: {failed.reason}")
            self._abandon(flight, begun=failed.claimed)

    # ---- outcomes ----

    def _settle(self, flight: Flight, report: Report) -> None:
        """Tell what a report says that was not told before."""
        places = {job: self._keep(job, *new) for job, new in news(flight, report).items()}
        for fields in report.finished:
            event = finished_of(fields)
            id_ = AttemptId(*event[:3])
            if id_ in flight.waiting:
                self._finish(flight, id_, moved(event, places.get(event.job), flight.slots[event.job]))
        for fields in report.returned:
            if self._drop(flight, AttemptId(*fields)):
                self._tell(Returned(*fields))
        for fields in report.lost:
            if self._drop(flight, AttemptId(*fields)):
                self._tell(Lost(*fields))

    def _finish(self, flight: Flight, id_: AttemptId, event: Finished) -> None:
        self._drop(flight, id_)
        flight.unreceipted.add(id_)
        self._outcomes[id_] = Outcome(event, flight.key)
        job = self._jobs.get(id_.job)
        if job is not None:
            job.durations.add(event.duration_us)
        self._tell(event)

    def _keep(self, number: int, outputs: Sequence[bytes], first: tuple[int, int]) -> Place | None:
        """Append what came to the files of the job; None if that cannot be done now."""
        job = self._jobs.get(number)
        try:
            return None if job is None else job.keep(outputs, first)
        except OSError as problem:
            _log(f"output of job {number} cannot be kept: {problem.strerror}")
            return None

    def _drop(self, flight: Flight, id_: AttemptId) -> bool:
        """An attempt needs nothing more from its pack; False if that was so before."""
        if id_ not in flight.waiting:
            return False
        flight.waiting.discard(id_)
        flight.running.pop(id_, None)
        self._key_of.pop(id_, None)
        self._copies.drop(id_)
        return True

    def _abandon(self, flight: Flight, *, begun: bool) -> None:
        """A pack is over: what it has not told is lost, or free if nothing of it can have begun."""
        for id_ in list(flight.waiting):
            self._drop(flight, id_)
            self._tell(Lost(*id_) if begun else Returned(*id_))
        flight.is_over = True
        self._workers.vacate(flight.worker, flight.key)
        for job, line in flight.lines.items():
            self._backlog.release(line, flight.slots[job], joined=job != next(iter(flight.lines)))
            if not line.busy and not line.waiting and job in self._jobs:
                self._rest(job)
        flight.lines = {}
        self._dismiss(flight)

    def _rest(self, job: int) -> None:
        known = self._jobs[job]
        if known.leaving:
            self.forget(job)

    def _dismiss(self, flight: Flight) -> None:
        """Forget a pack when every outcome of it is recorded."""
        if flight.is_over and not flight.unreceipted:
            del self._flights[flight.key]
            self._link.release([flight.key])

    # ---- placing ----

    def _fit(self) -> None:
        """Follow a change of the limit or of the workers."""
        slots = min(self._limit, self._workers.slots)
        self._backlog.capacity = slots
        if slots != self._told_slots:
            self._told_slots = slots
            self._tell(Capacity(slots, ahead_s=2 * pack_us(slots) / 1e6))
        self._place()

    def _place(self) -> None:
        if not self._is_up:
            return
        orders = []
        for flight, order in self._placer.place():
            self._flights[flight.key] = flight
            self._key_of.update(dict.fromkeys(flight.waiting, flight.key))
            orders.append(order)
        if orders:
            self._link.send(orders)

    def _tell(self, event: Event) -> None:
        self._events.append(event)
        self._ring()


def _log(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} cluster: {text}\n")
    sys.stderr.flush()


_NOTES: dict[type, Callable[[ClusterExecutor, link.Message], None]] = {
    link.Up: ClusterExecutor._note_up,  # type: ignore[dict-item]
    link.Down: ClusterExecutor._note_down,  # type: ignore[dict-item]
    link.Told: ClusterExecutor._note_told,  # type: ignore[dict-item]
    link.Done: ClusterExecutor._note_done,  # type: ignore[dict-item]
    link.Failed: ClusterExecutor._note_failed,  # type: ignore[dict-item]
    link.Answer: ClusterExecutor._note_answer,  # type: ignore[dict-item]
}
