"""Packs that are out: what runs of them, what has ended and waits for a receipt, and where output of it is kept."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Sequence

from jobctl.domain.ports import AttemptId, Event, Finished, Lost, Returned, Started
from jobctl.executors.cluster import link, messages, worker_plugin
from jobctl.executors.cluster.dispatch_record import Flight, Outcome, Workers
from jobctl.executors.cluster.job import Job, Place, moved, news
from jobctl.executors.cluster.live_output import Copies
from jobctl.executors.cluster.packing import Report, finished_of, unpack_report
from jobctl.supervisor.backlog import Backlog, JobLine

#: By key: the worker, the attempts that may have begun, their slots.
_Held = dict[str, tuple[str, list[list[int]], list[tuple[int, int]]]]


class Flights:
    """Every pack from when it is sent until all outcomes of it are recorded, and the jobs they are of."""

    def __init__(self, backlog: Backlog, workers: Workers, the_link: link.Link, tell: Callable[[Event], None]) -> None:
        """``tell`` is called with every event."""
        self.out: dict[str, Flight] = {}
        self.key_of: dict[AttemptId, str] = {}
        self.outcomes: dict[AttemptId, Outcome] = {}
        self.jobs: dict[int, Job] = {}
        self._backlog = backlog
        self._workers = workers
        self._link = the_link
        self._copies = Copies(the_link)
        self._tell = tell

    # ---- jobs ----

    def forget(self, job: int) -> None:
        """Drop what is kept for a job."""
        known = self.jobs.get(job)
        if known is None:
            return
        if self._backlog.forget(job) is None:
            known.leaving = True
            return
        known.output.close()
        del self.jobs[job]
        self._link.forget(sorted(known.callers), job)

    def follow(self, job: int, item: int | None) -> None:
        """Bring here what runs of this writes, as it comes."""
        known = self.jobs.get(job)
        if known is None or not self._copies.want(job, item):
            return
        for flight in self.out.values():
            for started in flight.running.values():
                if started.job == job and item in (None, started.item):
                    self._copies.fetch(flight, started, known.spec.log_dir)

    # ---- packs ----

    def add(self, flight: Flight) -> None:
        """It is sent."""
        self.out[flight.key] = flight
        self.key_of.update(dict.fromkeys(flight.waiting, flight.key))
        for job in flight.slots:
            if self.jobs[job].spec.call is not None:
                self.jobs[job].callers.add(flight.worker)

    def on(self, address: str) -> list[str]:
        """Packs that were sent to this worker and are not over."""
        return [key for key, flight in self.out.items() if flight.worker == address and not flight.is_over]

    def compare(self, held: _Held, *, same: bool) -> None:
        """The scheduler is there (again), the ``same`` or another one, and holds these packs for us."""
        for flight in list(self.out.values()):
            if flight.is_over:
                continue
            if flight.key in held:
                self._workers.occupy(flight.worker, flight.key, flight.resources)
            else:
                self.abandon(flight, begun=not same or bool(flight.running))
        self._find_again(held)

    def receipt(self, id_: AttemptId) -> bool:
        """The outcome of an attempt is recorded; False if there was none."""
        outcome = self.outcomes.pop(id_, None)
        if outcome is not None and (flight := self.out.get(outcome.key)) is not None:
            flight.unreceipted.discard(id_)
            self._dismiss(flight)
        return outcome is not None

    def _find_again(self, held: _Held) -> None:
        """Those of an engine before this one get their slots when their jobs are defined."""
        by_worker: dict[str, list[str]] = {}
        for key, (worker, ids, slots) in held.items():
            by_worker.setdefault(worker, []).append(key)
            if key not in self.out:
                flight = self.out[key] = Flight(key, worker, {AttemptId(*id_) for id_ in ids}, dict(slots))
                self.key_of.update(dict.fromkeys(flight.waiting, key))
                self._workers.occupy(worker, key, {})
        self._link.follow(list(held))
        for worker, keys in by_worker.items():
            self._link.ask(worker, worker_plugin.look, keys, tag="look")

    def give_slots(self, line: JobLine) -> None:
        """A job was defined: packs that were found again hold slots of it.

        Two may name the same slot: then the older one is over, for it was given away, and only its report is to come.
        """
        needs = self.jobs[line.job].needs
        for flight in reversed(self.out.values()):
            if line.job in flight.slots and line.job not in flight.lines and not flight.is_over:
                if self._backlog.occupy(line, flight.slots[line.job], joined=bool(flight.lines)):
                    flight.lines[line.job] = line
                if needs:
                    self._workers.occupy(flight.worker, flight.key, needs)
            for started in list(flight.running.values()):  # told before its job was defined
                if started.job == line.job and not started.log:
                    self._tell(self._with_copy(flight, started))

    # ---- what workers say ----

    def note_long(self, message: dict[str, object]) -> None:
        """A worker says what runs of a pack that takes longer than planned."""
        flight = self.out.get(str(message["key"]))
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
        job = self.jobs.get(started.job)
        if job is None or started.log:
            return started
        with contextlib.suppress(OSError):
            started = started._replace(log=job.output.reserve())
        flight.running[AttemptId(*started[:3])] = started
        self._copies.fetch(flight, started, job.spec.log_dir)
        return started

    def _note_read(self, id_: AttemptId, value: object) -> None:
        flight = self.out.get(self.key_of.get(id_, ""))
        job = self.jobs.get(id_.job)
        if flight is not None and job is not None and id_ in flight.running:
            self._copies.take(id_, value)
            self._copies.fetch(flight, flight.running[id_], job.spec.log_dir, at_once=False)

    def note_answer(self, answer: messages.Answer) -> None:
        """A worker answers how far packs are, or what an attempt has written."""
        if answer.tag[0] == "read":
            self._note_read(answer.tag[1], answer.value)
        if answer.tag == "look":
            for key, data in (answer.value or {}).items():
                flight = self.out.get(key)
                if flight is not None:
                    report = unpack_report(data)
                    self._settle(flight, report)
                    self._note_running(flight, report.running, report.host)

    def note_done(self, done: messages.Done) -> None:
        """The report of a pack."""
        flight = self.out.get(done.key)
        if flight is None:
            return
        report = unpack_report(done.data)
        if report.refused:  # what its worker has begun ended with that worker
            self.abandon(flight, begun=True)
            return
        self._settle(flight, report)
        self.abandon(flight, begun=True)

    def note_failed(self, failed: messages.Failed) -> None:
        """A pack has no report and will not get one."""
        flight = self.out.get(failed.key)
        if flight is not None:
            log(f"a message to {flight.worker} has no outcome: {failed.reason}")
            self.abandon(flight, begun=failed.claimed)

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
                self._keep_outcome(flight, Lost(*fields))

    def _finish(self, flight: Flight, id_: AttemptId, event: Finished) -> None:
        self._drop(flight, id_)
        job = self.jobs.get(id_.job)
        if job is not None:
            job.durations.add(event.duration_us)
        self._keep_outcome(flight, event)

    def _keep_outcome(self, flight: Flight, event: Finished | Lost) -> None:
        """Tell how an attempt ended. Until that is recorded the scheduler knows its pack, for an engine after us."""
        id_ = AttemptId(*event[:3])
        flight.unreceipted.add(id_)
        self.outcomes[id_] = Outcome(event, flight.key)
        self._tell(event)

    def _keep(self, number: int, outputs: Sequence[bytes], first: tuple[int, int]) -> Place | None:
        """Append what came to the files of the job; None if that cannot be done now."""
        job = self.jobs.get(number)
        try:
            return None if job is None else job.keep(outputs, first)
        except OSError as problem:
            log(f"output of job {number} cannot be kept: {problem.strerror}")
            return None

    def _drop(self, flight: Flight, id_: AttemptId) -> bool:
        """An attempt needs nothing more from its pack; False if that was so before."""
        if id_ not in flight.waiting:
            return False
        flight.waiting.discard(id_)
        flight.running.pop(id_, None)
        self.key_of.pop(id_, None)
        self._copies.drop(id_)
        return True

    def abandon(self, flight: Flight, *, begun: bool) -> None:
        """A pack is over: what it has not told is lost, or free if nothing of it can have begun."""
        for id_ in list(flight.waiting):
            self._drop(flight, id_)
            if begun:
                self._keep_outcome(flight, Lost(*id_))
            else:
                self._tell(Returned(*id_))
        flight.is_over = True
        self._workers.vacate(flight.worker, flight.key)
        for job, line in flight.lines.items():
            self._backlog.release(line, flight.slots[job], joined=job != next(iter(flight.lines)))
            if not line.busy and not line.waiting and job in self.jobs:
                self._rest(job)
        flight.lines = {}
        self._dismiss(flight)

    def _rest(self, job: int) -> None:
        known = self.jobs[job]
        if known.leaving:
            self.forget(job)

    def _dismiss(self, flight: Flight) -> None:
        """Forget a pack when every outcome of it is recorded."""
        if flight.is_over and not flight.unreceipted:
            del self.out[flight.key]
            self._link.release([flight.key])


def log(text: str) -> None:
    """A line in the daemon's log."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} cluster: {text}\n")
    sys.stderr.flush()
