"""``jobctl pause`` and ``jobctl resume``: stop and continue the start of items of jobs and queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.config import Home
from jobctl.domain.states import TERMINAL_JOB_STATES
from jobctl.domain.texts import MAX_NAME, check_printable, checked_reason
from jobctl.domain.wording import plural
from jobctl.process.this_process import actor
from jobctl.process.wakeup import wake
from jobctl.services.control.targets import existing_job
from jobctl.services.daemon.running import running_in, running_of
from jobctl.store import clock, jobs, journal, queues
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow
from jobctl.store.opening.open import open_database

if TYPE_CHECKING:
    from jobctl.domain.documents.control import PausedJobBlock, PauseDocument, PausedQueueBlock, ResumeDocument


#: The most jobs that one transaction changes: the engine waits for it.
JOBS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class PauseResult:
    """The result of pausing or resuming a job."""

    job: int
    changed: bool
    note: str

    def sentence(self, done: str) -> str:
        """``job 42: paused; 3 running items will finish``; ``done`` is the change as a participle."""
        return f"job {self.job}: {_sentence(self, done)}"


@dataclass(frozen=True, slots=True)
class QueuePauseResult:
    """The result of pausing or resuming a queue."""

    name: str
    changed: bool
    note: str

    def sentence(self, done: str) -> str:
        """``queue mail: paused; 2 running items will finish``; ``done`` is the change as a participle."""
        return f"queue {self.name}: {_sentence(self, done)}"


def pause_document(results: Sequence[PauseResult], queue: QueuePauseResult | None = None) -> PauseDocument:
    """Return ``jobctl.pause/1`` for jobs or for a queue."""
    return {"schema": "jobctl.pause/1", "jobs": _job_blocks(results), "queue": _queue_block(queue)}


def resume_document(results: Sequence[PauseResult], queue: QueuePauseResult | None = None) -> ResumeDocument:
    """Return ``jobctl.resume/1`` for jobs or for a queue."""
    return {"schema": "jobctl.resume/1", "jobs": _job_blocks(results), "queue": _queue_block(queue)}


def _job_blocks(results: Sequence[PauseResult]) -> list[PausedJobBlock]:
    return [{"job": each.job, "changed": each.changed, "note": each.note} for each in results]


def _queue_block(results: QueuePauseResult | None) -> PausedQueueBlock | None:
    return None if results is None else {"name": results.name, "changed": results.changed, "note": results.note}


def _sentence(results: PauseResult | QueuePauseResult, done: str) -> str:
    if not results.changed:
        return results.note
    return f"{done}; {results.note}" if results.note else done


def pause(home: Home, numbers: Sequence[int], *, reason: str, now: int) -> list[PauseResult]:
    """Start no more items of these jobs; running items finish. The time until a deadline still counts.

    ``now`` is in microseconds UTC. Raises NotFound, UsageError for a reason that cannot be kept.
    """
    checked = checked_reason(reason)
    return _each(home, numbers, now, lambda database, row, now: _pause(database, home, row, checked, now))


def resume(home: Home, numbers: Sequence[int], *, now: int) -> list[PauseResult]:
    """Let paused jobs continue; ``now`` is in microseconds UTC. Raises NotFound."""
    return _each(home, numbers, now, _resume)


def _each(
    home: Home, numbers: Sequence[int], now: int, act: Callable[[Database, JobRow, int], PauseResult]
) -> list[PauseResult]:
    results: list[PauseResult] = []
    with closing(open_database(home)) as database:
        for first in range(0, len(numbers), JOBS_AT_ONCE):
            with database.transaction():
                at = clock.follow(database, now)
                batch = numbers[first : first + JOBS_AT_ONCE]
                results += [act(database, existing_job(database, number), at) for number in batch]
    wake(home.wake)
    return results


def _pause(database: Database, home: Home, row: JobRow, reason: str, now: int) -> PauseResult:
    if row.state in TERMINAL_JOB_STATES:
        return PauseResult(row.id, False, f"it is done already ({row.state})")
    if row.paused_at is not None:
        return PauseResult(row.id, False, "it is paused already")
    jobs.update(database, row.id, paused_at=now, pause_reason=reason, updated_at=now, state="paused")
    journal.note(database, row.id, "paused", at=now, actor=actor(), reason=reason)
    return PauseResult(row.id, True, _finishing(running_of(database, home, row.id, now)))


def _finishing(running: int) -> str:
    return f"{plural(running, 'running item')} will finish" if running else ""


def _resume(database: Database, row: JobRow, now: int) -> PauseResult:
    if row.state in TERMINAL_JOB_STATES:
        return PauseResult(row.id, False, f"it is done already ({row.state})")
    if row.paused_at is None:
        return PauseResult(row.id, False, f"it is not paused, it is {row.state}")
    state = "running" if row.started_at is not None else "queued"
    jobs.add_counts(
        database,
        row.id,
        jobs.paused(row, now),
        paused_at=None,
        pause_reason="",
        updated_at=now,
        state=state,
    )
    journal.note(database, row.id, "resumed", at=now, actor=actor())
    return PauseResult(row.id, True, "")


class QueueNote(NamedTuple):
    """The line of the journal about a change of a queue."""

    event: str
    reason: str = ""


def pause_queue(home: Home, name: str, *, reason: str, now: int) -> QueuePauseResult:
    """Start no more items of a queue; running items finish. ``now`` is in microseconds UTC. Raises UsageError."""
    checked = checked_reason(reason)
    note = QueueNote(journal.QUEUE_PAUSED, checked)
    if not change_queue(home, name, note, now, lambda at: {"paused_at": at, "pause_reason": checked}):
        return QueuePauseResult(name, False, "it was paused already")
    with closing(open_database(home)) as database:
        return QueuePauseResult(name, True, _finishing(running_in(database, home, now, name)))


def resume_queue(home: Home, name: str, *, now: int) -> QueuePauseResult:
    """Let a queue continue; ``now`` is in microseconds UTC. Raises UsageError."""
    note = QueueNote(journal.QUEUE_RESUMED)
    changed = change_queue(home, name, note, now, lambda _: {"paused_at": None, "pause_reason": ""})
    return QueuePauseResult(name, changed, "" if changed else "it was not paused")


def change_queue(home: Home, name: str, note: QueueNote, now: int, values: Callable[[int], Mapping[str, Any]]) -> bool:
    """Change columns of a queue's row, whose values depend on the moment; ``now`` is in microseconds UTC.

    Returns whether anything changed. Raises UsageError for a name that a queue cannot have.
    """
    check_printable("QUEUE", name, MAX_NAME)
    with closing(open_database(home, create=True)) as database, database.transaction():
        at = clock.follow(database, now)
        changed = queues.change(database, name, **values(at))
        if changed:
            journal.note_of_store(database, note.event, at=at, actor=actor(), reason=note.reason, queue=name)
    wake(home.wake)
    return changed
