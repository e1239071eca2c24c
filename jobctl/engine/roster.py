"""The live jobs the engine works for, kept in step with the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from jobctl.domain.ports import Executor
from jobctl.engine.gates import check_dependencies
from jobctl.engine.spec import Specs
from jobctl.engine.work import LiveJob
from jobctl.handlers.command import handler_for
from jobctl.store import figures, items, jobs
from jobctl.store.database import Database
from jobctl.store.failures import Groups
from jobctl.store.jobs import JobRow


class Roster:
    """Live jobs by number. What is in the database is the truth; this is its copy plus what the executor holds."""

    def __init__(self, database: Database, executor: Executor, specs: Specs) -> None:
        self._database = database
        self._executor = executor
        self._specs = specs
        self._jobs: dict[int, LiveJob] = {}
        self._version = -1

    def __iter__(self) -> Iterator[LiveJob]:
        return iter(self._jobs.values())

    def __len__(self) -> int:
        return len(self._jobs)

    def get(self, job: int) -> LiveJob | None:
        """A live job by its number."""
        return self._jobs.get(job)

    def drop(self, job: int) -> None:
        """The job's round is closed."""
        self._jobs.pop(job, None)
        self._executor.forget(job)

    def is_stale(self) -> bool:
        """Whether somebody else has written to the database since the last refresh."""
        return bool(self._database.scalar("PRAGMA data_version") != self._version)

    def refresh(self, epoch: int) -> None:
        """Take in what commands wrote: new jobs, pauses, changed rules. Inside a transaction."""
        self._version = self._database.scalar("PRAGMA data_version")
        rows = {row.id: row for row in jobs.load_live(self._database)}
        for gone in self._jobs.keys() - rows.keys():
            self.drop(gone)
        for row in rows.values():
            known = self._jobs.get(row.id)
            if known is None:
                self._jobs[row.id] = self._enter(row, epoch)
            else:
                self._update(known, row)
        self.check_dependencies()

    def check_dependencies(self) -> None:
        """See which jobs still wait for others."""
        for live in self:
            if live.row.after:
                check_dependencies(self._database, live)

    def rebuild(self, epoch: int) -> None:
        """Forget everything uncommitted after a transaction that failed."""
        paces = {live.id: (live.pace, live.used_us) for live in self}
        self._jobs.clear()
        self.refresh(epoch)
        for live in self:
            if live.id in paces:
                live.pace, live.used_us = paces[live.id]

    def _enter(self, row: JobRow, epoch: int) -> LiveJob:
        live = LiveJob(
            row=row,
            handler=handler_for(row),
            groups=Groups(self._database, row.id),
            counts={k: v for k, v in asdict(row.counts).items() if k not in ("rejected", "skipped")},
            cursor=row.cursor,
            durations=figures.durations(self._database, row.id),
            course=figures.course(self._database, row.id, row.round),
        )
        live.in_hand = dict.fromkeys(items.held(self._database, row.id, epoch), 0.0)
        live.next_due = items.next_due(self._database, row.id) if row.counts.retrying else None
        live.used_us = min((other.used_us for other in self if other.in_hand or other.counts["queued"]), default=0.0)
        self._executor.define(self._specs.spec(row, slotted=live.handler.slotted))
        return live

    def _update(self, live: LiveJob, row: JobRow) -> None:
        if (live.row.policy, live.row.queue) != (row.policy, row.queue):
            self._executor.define(self._specs.spec(row, slotted=live.handler.slotted))
        if row.paused_at is not None and live.row.paused_at is None:
            self._executor.recall(row.id)
        live.row = row
        live.cursor = row.cursor
