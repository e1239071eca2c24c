"""Takes over a store: begins an epoch, adopts the attempts that the executor still has, gives back the others."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from jobctl.domain.ports import AttemptId, Executor, Finished, Lost
from jobctl.engine.attempts.batch import lost_as_finished
from jobctl.store import attempts, downtime, elsewhere, items, jobs, journal, meta
from jobctl.store.database import Database
from jobctl.supervisor import kept_starts


class ClusterChoice(NamedTuple):
    """The cluster that an engine uses."""

    words: Sequence[str] = ()  # as its option names it; none = this machine
    forgets_others: bool = False  # attempts that another cluster may still run count as interrupted


NO_CLUSTER = ClusterChoice()


class Recovered(NamedTuple):
    """The findings of a start."""

    epoch: int
    adopted: list[AttemptId]
    gone: list[AttemptId]  # acknowledged outcomes that were recorded before
    interrupted: dict[int, list[Finished]]  # to settle, by job


def recover(database: Database, executor: Executor, now: int, cluster: ClusterChoice, *, fresh: bool) -> Recovered:
    """Begin an epoch and decide about each attempt that runs according to the database.

    ``fresh`` says that the executor has only just begun to exist, so all these attempts were lost with the executor
    before it; an executor of another identity knows nothing of them either. A lost attempt that may have begun is
    interrupted. One that has not begun, or that never reached an executor, is given back and costs nothing.
    Raises Elsewhere, and changes nothing, if attempts may still run on another cluster.
    """
    holding = set(executor.adopt())
    with database.transaction():
        epoch = meta.begin_epoch(database)
        recorded = {AttemptId(job, item, attempt) for job, item, attempt, _ in items.running(database)}
        adopted = sorted(recorded & holding)
        items.take_over(database, epoch, recorded)
        missing = sorted(recorded - holding)
        another = is_another(database, executor)
        if another and not cluster.forgets_others:
            elsewhere.check(database, cluster.words, len(missing))
        elsewhere.remember(database, cluster.words)
        lost = _may_have_begun(database, missing) if fresh or another else []
        interrupted = _interrupted(database, lost, now)
        _give_back(database, epoch, sorted(set(missing).difference(lost)), now)
    return Recovered(epoch, adopted, sorted(holding - recorded), interrupted)


def is_another(database: Database, executor: Executor) -> bool:
    """True if another executor had the attempts so far: the local one, or another scheduler."""
    return meta.executor(database) != executor.identity


def remember_executor(database: Database, executor: Executor) -> None:
    """Note that this executor, and the file of starts of its supervisor, know which attempts have begun.

    Call it in the transaction that settles the interrupted attempts, before the first claim: until then the
    database holds attempts of an earlier executor, of which this one knows nothing.
    """
    meta.remember_executor(database, executor.identity, _starts_file())


def _starts_file() -> str:
    """The name of the file in which our supervisor notes the attempts that it starts."""
    return os.environ.get("JOBCTL_STARTS", "")


def _may_have_begun(database: Database, missing: list[AttemptId]) -> list[AttemptId]:
    """The attempts that the database or the file of starts has as begun; all of them if that file cannot be trusted."""
    known = meta.starts_file(database)
    path = str(database.path.with_name("starts"))
    begun = kept_starts.begun(path, known) if known and known == _starts_file() else None
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
        jobs.add_counts(database, job, {"running": -len(released), "queued": len(released)}, updated_at=now)
