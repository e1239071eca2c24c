"""Keeps the dispatched packs: their running attempts, their unacknowledged outcomes, the files of their output."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from jobctl.domain.ports import AttemptId, Event, Finished, Lost, Returned, Started
from jobctl.executors.cluster import messages, worker_plugin
from jobctl.executors.cluster.dispatch_record import DispatchRecord, PackOutcome
from jobctl.executors.cluster.job import ClusterJob, KeptOutput, new_outputs, with_local_output
from jobctl.executors.cluster.link import Link
from jobctl.executors.cluster.live_output import LiveCopies
from jobctl.executors.cluster.log import log
from jobctl.executors.cluster.packing import Report, finished_of, unpack_report
from jobctl.executors.cluster.worker_table import WorkerTable
from jobctl.supervisor.backlog import Backlog, JobLine

#: By key of a pack: its worker, the attempts that may have begun, their slots.
_Held = dict[str, tuple[str, list[list[int]], list[tuple[int, int]]]]


class Packs:
    """Every pack from its dispatch until all its outcomes are recorded, and the jobs of its attempts."""

    def __init__(self, backlog: Backlog, workers: WorkerTable, link: Link, report: Callable[[Event], None]) -> None:
        """``report`` is called with every event."""
        self.dispatched: dict[str, DispatchRecord] = {}
        self.key_of: dict[AttemptId, str] = {}
        self.outcomes: dict[AttemptId, PackOutcome] = {}
        self.jobs: dict[int, ClusterJob] = {}
        self._backlog = backlog
        self._workers = workers
        self._link = link
        self._copies = LiveCopies(link)
        self._report = report

    # ---- jobs ----

    def forget(self, job: int) -> None:
        """Drop everything that is kept for a job, now or when none of its attempts runs."""
        known = self.jobs.get(job)
        if known is None:
            return
        if self._backlog.forget(job) is None:
            known.is_leaving = True
            return
        known.output.close()
        del self.jobs[job]
        self._link.forget(sorted(known.callers), job)

    def follow(self, job: int, item: int | None) -> None:
        """Fetch the output of the running attempts of this job or item as they write it."""
        known = self.jobs.get(job)
        if known is None or not self._copies.want(job, item):
            return
        for record in self.dispatched.values():
            for started in record.running.values():
                if started.job == job and item in (None, started.item):
                    self._copies.fetch(record, started, known.spec.log_dir)

    # ---- packs ----

    def add(self, record: DispatchRecord) -> None:
        """Keep a pack that was sent."""
        self.dispatched[record.key] = record
        self.key_of.update(dict.fromkeys(record.waiting, record.key))
        for job in record.slots:
            if self.jobs[job].spec.call is not None:
                self.jobs[job].callers.add(record.worker)

    def keys_on(self, address: str) -> list[str]:
        """Keys of the packs that were sent to this worker and are not over."""
        return [key for key, record in self.dispatched.items() if record.worker == address and not record.is_over]

    def has_live(self) -> bool:
        """Whether any pack was sent and is not over."""
        return any(not record.is_over for record in self.dispatched.values())

    def reconcile(self, held: _Held, *, is_same: bool) -> None:
        """After a connection to the same scheduler or to another one: compare our packs with those that it holds."""
        for record in list(self.dispatched.values()):
            if record.is_over:
                continue
            if record.key in held:
                self._workers.occupy(record.worker, record.key, record.resources)
            else:
                self.abandon(record, begun=not is_same or bool(record.running))
        self._adopt(held)

    def acknowledge(self, id_: AttemptId) -> bool:
        """The outcome of an attempt is recorded; False if it has no outcome here."""
        outcome = self.outcomes.pop(id_, None)
        if outcome is not None and (record := self.dispatched.get(outcome.key)) is not None:
            record.unacknowledged.discard(id_)
            self._forget_if_recorded(record)
        return outcome is not None

    def _adopt(self, held: _Held) -> None:
        """Adopt packs of earlier engines; they get their slots when their jobs are defined."""
        by_worker: dict[str, list[str]] = {}
        for key, (worker, ids, slots) in held.items():
            by_worker.setdefault(worker, []).append(key)
            if key not in self.dispatched:
                record = self.dispatched[key] = DispatchRecord(
                    key, worker, {AttemptId(*id_) for id_ in ids}, dict(slots)
                )
                self.key_of.update(dict.fromkeys(record.waiting, key))
                self._workers.occupy(worker, key, {})
        self._link.follow(list(held))
        for worker, keys in by_worker.items():
            self._link.ask(worker, worker_plugin.look, keys, tag="look")

    def give_slots(self, line: JobLine) -> None:
        """A job was defined: packs that were found again take their slots of the job.

        If two packs name the same slot, the older one had given it up: it is over, and only its report is missing.
        """
        needs = self.jobs[line.job].needs
        for record in reversed(self.dispatched.values()):
            if line.job in record.slots and line.job not in record.lines and not record.is_over:
                if self._backlog.occupy(line, record.slots[line.job], joined=bool(record.lines)):
                    record.lines[line.job] = line
                if needs:
                    self._workers.occupy(record.worker, record.key, needs)
            for started in list(record.running.values()):  # reported before its job was defined
                if started.job == line.job and not started.log:
                    self._report(self._with_copy(record, started))

    # ---- messages of workers ----

    def note_long(self, message: dict[str, object]) -> None:
        """A worker reports the running attempts of a pack that takes longer than planned."""
        record = self.dispatched.get(str(message["key"]))
        if record is None:
            return
        self._note_running(record, message["running"], str(message["host"]))  # type: ignore[arg-type]
        if len(record.waiting) > 1:
            self._link.ask(record.worker, worker_plugin.look, [record.key], tag="look")

    def _note_running(self, record: DispatchRecord, running: Sequence[Sequence[object]], host: str) -> None:
        for fields in running:
            started = Started._make(fields)
            id_ = AttemptId(*started[:3])
            if id_ in record.waiting and id_ not in record.running:
                slot = record.slots[started.job]
                started = started._replace(slot=slot, log=0, out_off=0, err_off=0, host=host)
                record.running[id_] = started
                self._report(self._with_copy(record, started))

    def _with_copy(self, record: DispatchRecord, started: Started) -> Started:
        """Reserve the files into which the output of a running attempt is fetched while a command follows it."""
        job = self.jobs.get(started.job)
        if job is None or started.log:
            return started
        with contextlib.suppress(OSError):
            started = started._replace(log=job.output.reserve())
        record.running[AttemptId(*started[:3])] = started
        self._copies.fetch(record, started, job.spec.log_dir)
        return started

    def _note_read(self, id_: AttemptId, value: object) -> None:
        record = self.dispatched.get(self.key_of.get(id_, ""))
        job = self.jobs.get(id_.job)
        if record is not None and job is not None and id_ in record.running:
            self._copies.take(id_, value)
            self._copies.fetch(record, record.running[id_], job.spec.log_dir, at_once=False)

    def note_answer(self, answer: messages.WorkerAnswer) -> None:
        """A worker answered with the progress of packs, or with the output of an attempt."""
        if answer.tag[0] == "read":
            self._note_read(answer.tag[1], answer.value)
        if answer.tag == "look":
            for key, data in (answer.value or {}).items():
                record = self.dispatched.get(key)
                if record is not None:
                    report = unpack_report(data)
                    self._settle(record, report)
                    self._note_running(record, report.running, report.host)

    def note_done(self, done: messages.PackDone) -> None:
        """The final report of a pack arrived."""
        record = self.dispatched.get(done.key)
        if record is None:
            return
        report = unpack_report(done.data)
        if report.refused:  # another worker had claimed it; what that worker had begun ended with it
            self.abandon(record, begun=True)
            return
        self._settle(record, report)
        self.abandon(record, begun=True)

    def note_failed(self, failed: messages.PackFailed) -> None:
        """A pack will not get a report."""
        record = self.dispatched.get(failed.key)
        if record is not None:
            log(f"a message to {record.worker} has no outcome: {failed.reason}")
            self.abandon(record, begun=failed.claimed)

    # ---- outcomes ----

    def _settle(self, record: DispatchRecord, report: Report) -> None:
        """Report the news in a report of a pack: outcomes, returned and lost attempts."""
        places = {job: self._append_output(job, *new) for job, new in new_outputs(record, report).items()}
        for fields in report.finished:
            event = finished_of(fields)
            id_ = AttemptId(*event[:3])
            if id_ in record.waiting:
                self._finish(record, id_, with_local_output(event, places.get(event.job), record.slots[event.job]))
        for fields in report.returned:
            if self._remove_attempt(record, AttemptId(*fields)):
                self._report(Returned(*fields))
        for fields in report.lost:
            if self._remove_attempt(record, AttemptId(*fields)):
                self._keep_outcome(record, Lost(*fields))

    def _finish(self, record: DispatchRecord, id_: AttemptId, event: Finished) -> None:
        self._remove_attempt(record, id_)
        job = self.jobs.get(id_.job)
        if job is not None:
            job.durations.add(event.duration_us)
        self._keep_outcome(record, event)

    def _keep_outcome(self, record: DispatchRecord, event: Finished | Lost) -> None:
        """Report how an attempt ended. Until that is recorded, the scheduler keeps the pack for a later engine."""
        id_ = AttemptId(*event[:3])
        record.unacknowledged.add(id_)
        self.outcomes[id_] = PackOutcome(event, record.key)
        self._report(event)

    def _append_output(self, number: int, outputs: Sequence[bytes], first: tuple[int, int]) -> KeptOutput | None:
        """Append the output to the files of the job; None if that is not possible now."""
        job = self.jobs.get(number)
        try:
            return None if job is None else job.keep(outputs, first)
        except OSError as problem:
            log(f"output of job {number} cannot be kept: {problem.strerror}")
            return None

    def _remove_attempt(self, record: DispatchRecord, id_: AttemptId) -> bool:
        """Remove an attempt from its pack; False if it was not in the pack."""
        if id_ not in record.waiting:
            return False
        record.waiting.discard(id_)
        record.running.pop(id_, None)
        self.key_of.pop(id_, None)
        self._copies.drop(id_)
        return True

    def abandon(self, record: DispatchRecord, *, begun: bool) -> None:
        """A pack is over: attempts without an outcome are lost, or returned if none of them can have ``begun``."""
        for id_ in list(record.waiting):
            self._remove_attempt(record, id_)
            if begun:
                self._keep_outcome(record, Lost(*id_))
            else:
                self._report(Returned(*id_))
        record.is_over = True
        self._workers.vacate(record.worker, record.key)
        for job, line in record.lines.items():
            self._backlog.release(line, record.slots[job], joined=job != next(iter(record.lines)))
            if not line.busy and not line.waiting and job in self.jobs:
                self._forget_if_leaving(job)
        record.lines = {}
        self._forget_if_recorded(record)

    def _forget_if_leaving(self, job: int) -> None:
        known = self.jobs[job]
        if known.is_leaving:
            self.forget(job)

    def _forget_if_recorded(self, record: DispatchRecord) -> None:
        """Forget a pack when all its outcomes are recorded."""
        if record.is_over and not record.unacknowledged:
            del self.dispatched[record.key]
            self._link.release([record.key])
