"""Taking over at a start: a new epoch, attempts still held by the executor adopted, the others given back."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from jobctl.domain.ports import AttemptId, Executor, Finished, Lost
from jobctl.engine.attempts.settling import lost_as_finished
from jobctl.store import attempts, downtime, elsewhere, items, jobs, journal, meta
from jobctl.store.database import Database
from jobctl.supervisor import kept_starts


@dataclass(frozen=True, slots=True)
class Place:
    """Where the attempts of an engine run."""

    cluster: Sequence[str] = ()  # the words that name it; none = this machine
    forgets_others: bool = False  # what another cluster may still run counts as interrupted


HERE = Place()


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a start found."""

    epoch: int
    adopted: list[AttemptId]
    gone: list[AttemptId]  # acknowledged outcomes that were recorded before
    interrupted: dict[int, list[Finished]]  # to settle, by job


def recover(database: Database, executor: Executor, now: int, place: Place, *, fresh: bool) -> Recovered:
    """Begin a new epoch and sort out what the database believes to run.

    ``fresh`` says that the executor has only just begun to exist: what runs according to the database was lost with
    the one before. Of that, what may have begun is interrupted. What has not, or never reached an executor that is
    not fresh, costs nothing. An executor of another identity than the last one knows nothing of it either. What may
    still run on a cluster that is not this executor's stands in the way: raises Elsewhere, and nothing was changed.
    """
    holding = set(executor.adopt())
    with database.transaction():
        epoch = meta.begin_epoch(database)
        believed = {AttemptId(job, item, attempt) for job, item, attempt, _ in items.running(database)}
        adopted = sorted(believed & holding)
        items.take_over(database, epoch, believed)
        missing = sorted(believed - holding)
        another = is_another(database, executor)
        if another and not place.forgets_others:
            elsewhere.check(database, place.cluster, len(missing))
        elsewhere.remember(database, place.cluster)
        lost = _may_have_begun(database, missing) if fresh or another else []
        interrupted = _interrupted(database, lost, now)
        _give_back(database, epoch, sorted(set(missing).difference(lost)), now)
    return Recovered(epoch, adopted, sorted(holding - believed), interrupted)


def is_another(database: Database, executor: Executor) -> bool:
    """Whether attempts were handed to another executor so far: the local one, or another scheduler."""
    return meta.executor(database) != executor.identity


def is_over(database: Database, executor: Executor) -> None:
    """From now on this executor and the ring of its supervisor tell what has begun.

    To be called in the transaction in which the interrupted are settled and before the first claim: until then the
    attempts of those before them stand in the database, of which they know nothing, and afterwards their own do.
    """
    meta.remember_executor(database, executor.identity, _ring())


def _ring() -> str:
    """Name of the ring in which our supervisor notes what it starts."""
    return os.environ.get("JOBCTL_STARTS", "")


def _may_have_begun(database: Database, missing: list[AttemptId]) -> list[AttemptId]:
    """Those that were seen to start or noted before they could; all of them if the notes cannot be believed."""
    known = meta.starts_file(database)
    begun = kept_starts.begun(str(database.path.with_name("starts")), known) if known and known == _ring() else None
    if begun is None:
        return missing
    return [attempt for attempt in missing if attempt in begun or attempts.is_recorded(database, attempt)]


def _interrupted(database: Database, missing: list[AttemptId], now: int) -> dict[int, list[Finished]]:
    by_job: dict[int, list[Finished]] = defaultdict(list)
    until = downtime.since(database) or now
    for attempt in missing:
        by_job[attempt.job].append(lost_as_finished(database, Lost(*attempt), until))
    for job, lost in by_job.items():
        journal.note(
            database,
            job,
            "interrupted",
            at=now,
            actor="engine",
            reason="the daemon or the machine went down",
            items=len(lost),
        )
    return dict(by_job)


def _give_back(database: Database, epoch: int, missing: list[AttemptId], now: int) -> None:
    by_job: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for attempt in missing:
        by_job[attempt.job].append((attempt.item, attempt.attempt))
    for job, unstarted in by_job.items():
        released = items.release(database, job, epoch, unstarted)
        jobs.lower_cursor(database, job, min(item for item, _ in released))
        jobs.count(database, job, {"running": -len(released), "queued": len(released)}, updated_at=now)
