"""The live jobs of the engine, kept in step with the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from jobctl.domain.ports import Executor
from jobctl.domain.states import Counts, JobState, live_state
from jobctl.engine.attempts.not_started import missing_sentence
from jobctl.engine.jobs.fair_share import Share
from jobctl.engine.jobs.job_spec import JobSpecs, secrets_for
from jobctl.engine.jobs.limits import check_dependencies
from jobctl.engine.jobs.live_job import LOOKAHEAD_S, LiveJob
from jobctl.engine.jobs.ready_queue import ReadyQueue
from jobctl.engine.jobs.resources import Resources
from jobctl.errors import JobctlError
from jobctl.handlers.handler import Handler
from jobctl.handlers.kinds import handler_for, unreadable_handler
from jobctl.store import figures, followed, items, jobs, journal
from jobctl.store.damage import UNREADABLE_KIND
from jobctl.store.database import Database
from jobctl.store.groups import FailureGroups
from jobctl.store.job_row import JobRow


class LiveJobs:
    """Live jobs by number. The database has the truth; this is a copy, with the attempts that the executor has."""

    def __init__(
        self, database: Database, executor: Executor, specs: JobSpecs, ready_queue: ReadyQueue, resources: Resources
    ) -> None:
        self._database = database
        self._executor = executor
        self._specs = specs
        self._ready_queue = ready_queue
        self._resources = resources
        self._jobs: dict[int, LiveJob] = {}
        self._rows: dict[int, tuple[Any, ...]] = {}  # as the database had them at the last look
        self._version = -1
        self._ahead_s = LOOKAHEAD_S

    def look_ahead(self, ahead_s: float) -> None:
        """Set the seconds of work that each slot has in hand beyond the item that it runs."""
        self._ahead_s = ahead_s
        for live in self:
            live.ahead_s = ahead_s

    def fit_to_resources(self) -> None:
        """Compute again for each job how many items can run at once, after workers came or went."""
        for live in self:
            self._fit(live)
            self._ready_queue.touch(live)

    def _fit(self, live: LiveJob) -> None:
        live.needs = self._resources.needs(live.row.policy)
        live.most_at_once = self._resources.most_at_once(live.needs)

    def __iter__(self) -> Iterator[LiveJob]:
        return iter(self._jobs.values())

    def __len__(self) -> int:
        return len(self._jobs)

    def get(self, job: int) -> LiveJob | None:
        """A live job by its number."""
        return self._jobs.get(job)

    @property
    def changed(self) -> Collection[LiveJob]:
        """The jobs that were touched since the last step."""
        return self._ready_queue.changed.values()

    def count(self, live: LiveJob, deltas: Mapping[str, int], now: int) -> None:
        """Change the counters of a job, in the caller's transaction."""
        for name, delta in deltas.items():
            if name in live.counts:
                live.counts[name] += delta
        self._ready_queue.touch(live)
        rate, mean = live.pace.rate_per_s(), live.pace.mean_us
        jobs.add_counts(
            self._database, live.id, deltas, cursor=live.cursor, updated_at=now, rate_per_s=rate, mean_us=mean
        )

    def drop(self, job: int) -> None:
        """Remove a job whose round is closed."""
        self._jobs.pop(job, None)
        self._rows.pop(job, None)
        self._ready_queue.remove(job)
        self._executor.forget(job)

    def is_stale(self) -> bool:
        """True if another connection has written to the database since the last refresh."""
        return self._database.data_version() != self._version

    def expect_changes(self) -> None:
        """Read the database again at the next step, because this connection itself has made a job."""
        self._version = -1

    def refresh(self, epoch: int) -> None:
        """Read the changes of commands: new jobs, pauses, changed rules. Call it in a transaction."""
        self._version = self._database.data_version()
        rows = jobs.live_rows(self._database)
        for gone in self._jobs.keys() - rows.keys():
            self.drop(gone)
        for number, fields in rows.items():
            if self._rows.get(number) != fields:
                self._rows[number] = fields
                self._take_in(jobs.job_row(fields), epoch)
        self.check_dependencies()

    def _take_in(self, row: JobRow, epoch: int) -> None:
        live = self._jobs.get(row.id)
        if live is None:
            live = self._jobs[row.id] = self._enter(row, epoch)
        else:
            self._update(live, row)
        self._ready_queue.touch(live)

    def check_dependencies(self) -> None:
        """Find the jobs that wait for others."""
        for live in self:
            if live.row.after:
                check_dependencies(self._database, live)
                self._ready_queue.touch(live)

    def check_dependents(self, job: int) -> list[LiveJob]:
        """Check the jobs that come after a job whose round was closed, which may start now. Returns all of them."""
        dependents = [live for live in self if any(number == job for number, _ in live.row.after)]
        for live in dependents:
            check_dependencies(self._database, live)
            self._ready_queue.touch(live)
        return dependents

    def touch(self, live: LiveJob) -> None:
        """Note that something about the job has changed."""
        self._ready_queue.touch(live)

    def touch_all(self) -> None:
        """Note a change that may concern any job."""
        for live in self:
            self._ready_queue.touch(live)

    def write_states(self, changed: Iterable[LiveJob], now: int) -> None:
        """Write the states that follow from counts and flags, in the caller's transaction."""
        for live in changed:
            row, counts = live.row, Counts(**live.counts)
            started, paused = row.started_at is not None, row.paused_at is not None
            state = live_state(counts, started=started, paused=paused, stop=row.stop)
            if state == row.state:
                continue
            started_at = row.started_at or (now if state is JobState.RUNNING else None)
            live.row = replace(row, state=state, started_at=started_at)
            jobs.update(self._database, live.id, state=state, started_at=started_at, updated_at=now)
            journal.note(self._database, live.id, str(state), at=now, actor="engine", round=row.round)

    def rebuild(self, epoch: int) -> None:
        """After a failed transaction: forget everything that was not committed."""
        paces = {live.id: (live.pace, live.used_us, live.barred, live.share) for live in self}
        for job in self._jobs:
            self._ready_queue.remove(job)
        self._jobs.clear()
        self._rows.clear()
        self.refresh(epoch)
        self._version = -1  # also the queues and rates, which another part keeps, are to be read again
        shares = {live.row.owner: paces[live.id][3] for live in self if live.id in paces}
        for live in self:
            live.share = shares.get(live.row.owner, live.share)
            if live.id in paces:
                live.pace, live.used_us, barred, _ = paces[live.id]
                live.barred = barred.intersection(live.in_hand)

    def _enter(self, row: JobRow, epoch: int) -> LiveJob:
        row, handler = _with_handler(row)
        live = LiveJob(
            row=row,
            handler=handler,
            groups=FailureGroups(self._database, row.id),
            counts={k: v for k, v in asdict(row.counts).items() if k not in ("rejected", "skipped")},
            cursor=row.cursor,
            durations=figures.durations(self._database, row.id),
            before=journal.done_before(self._database, row.id, row.round),
            course=figures.course(self._database, row.id, row.round),
            ahead_s=self._ahead_s,
        )
        live.in_hand = dict.fromkeys(items.running_under(self._database, row.id, epoch), 0.0)
        if any(condition == followed.CONDITION for _, condition in row.after):
            live.has_followed = followed.has_any(self._database, row.id)
        live.next_due = items.next_due(self._database, row.id) if row.counts.retrying else None
        self._fit(live)
        self._enter_level(live)
        self._define(live)
        return live

    def _enter_level(self, live: LiveJob) -> None:
        """Let a new job start level with those that have used least. The jobs of an owner count together."""
        level_us = min((other.level_us for other in self if _is_active(other)), default=0.0)
        live.used_us = level_us
        owner = live.row.owner
        if owner is None:
            return
        own = [other for other in self if other.row.owner == owner]
        active = [other.used_us for other in own if _is_active(other)]
        live.share = share = (own[0].share if own else None) or Share(level_us)
        if active:
            live.used_us = min(active)
        else:  # it does not make up for the time in which it had nothing to do
            share.used_us = max(share.used_us, level_us)

    def _define(self, live: LiveJob) -> None:
        """Look up the secrets of its items, and describe the job to the executor."""
        secrets = secrets_for(live.row)
        live.mask, live.problem = secrets.mask, secrets.problem
        live.missing_variables = "" if secrets.problem else missing_sentence(secrets.missing)
        if live.row.damage:  # the rest of the row must not run
            from jobctl.domain.blocker_kinds import DAMAGED  # the table of blockers is for commands

            live.problem = DAMAGED.words(damage=live.row.damage)
        self._executor.define(self._specs.spec(live.row, secrets, slotted=live.handler.slotted))

    def look_up_secrets(self, changed: Iterable[LiveJob], now: int) -> None:
        """Look up the secrets again of jobs that only a problem keeps from starting."""
        for live in [each for each in changed if each.is_stuck(now)]:
            self._define(live)
            self._ready_queue.touch(live)

    def _update(self, live: LiveJob, row: JobRow) -> None:
        before = live.row
        if before.damage and not row.damage:
            row, live.handler = _with_handler(row)
        live.row = row
        if (before.policy, before.queue, before.damage) != (row.policy, row.queue, row.damage):
            self._define(live)
        live.cursor = row.cursor


def _is_active(live: LiveJob) -> bool:
    """Return whether a job runs items or could."""
    return bool(live.in_hand or live.counts["queued"])


def _with_handler(row: JobRow) -> tuple[JobRow, Handler]:
    """Return a row and its handler. A row whose work nothing can be made of counts as damaged and has no work."""
    if row.damage:
        return row, unreadable_handler()
    try:
        return row, handler_for(row)
    except (JobctlError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # One such row must not end the engine, which works for all the other jobs.
        damage = f"nothing can be made of its command: {error}"
        return replace(row, damage=damage, handler=UNREADABLE_KIND, command=()), unreadable_handler()
