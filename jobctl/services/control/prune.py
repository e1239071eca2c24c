"""``jobctl prune``: remove jobs with everything that belongs to them, and free the space. Nothing else removes jobs.

One commit removes a job for every command; its rows and files follow in small steps, and at the end their remains in
the files of the home (``erasure``). The store remembers a removal that a crash interrupts, and the next run finishes it
first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing

from jobctl.config import Home
from jobctl.process import lock
from jobctl.process.wakeup import wake
from jobctl.services.control.erasure import Eraser
from jobctl.services.control.prune_choice import Pruned, PrunedJob, PruneOptions, Reasons, choose, oldest_end
from jobctl.services.control.prune_files import (
    by_worth,
    folders_of,
    is_older,
    numbered_folders,
    remove_folder,
    size_of,
)
from jobctl.services.control.pruning_room import make_room
from jobctl.services.control.targets import resolve_jobs
from jobctl.services.daemon.log import blank_lines
from jobctl.services.daemon.watched_wait import Look
from jobctl.store import done, pruning, staging
from jobctl.store.database import Database
from jobctl.store.opening import backup
from jobctl.store.opening.open import open_database

#: The most jobs that one transaction removes.
JOBS_AT_ONCE = 50
#: The write-ahead log is moved into the database when it is longer than this.
CHECKPOINT_BYTES = 16 << 20


def prune(home: Home, options: PruneOptions, *, now: int, look: Look | None = None) -> Pruned:
    """Remove jobs that have been done for long enough, or those that are named.

    Jobs that are not done are never removed.

    When this returns, no file of the home has any data of them. ``now`` is in microseconds UTC. Raises UsageError for a
    named job that cannot be removed, before anything is changed; HomeError if files cannot be removed, and Busy if some
    data can still be read. In both cases the next run removes the rest. ``look`` is called from time to time.
    """
    database = open_database(home)
    try:
        report = Pruned(options.dry_run, options.older_than_s)
        choose(database, home, options, now, report)
        if options.dry_run:
            return report
        freed = make_room(home.root, by_worth(home, [job.job for job in report.jobs]), remove_folder)
        if freed:
            database.close()
            database = open_database(home)  # on a full disk the first connection could only read
            report = Pruned(options.dry_run, options.older_than_s, file_bytes=freed)
            choose(database, home, options, now, report)
        _Pruner(database, home, report, look or (lambda: None)).run(options, now)
        return report
    finally:
        database.close()


def prunable(home: Home, texts: Sequence[str]) -> tuple[int, ...]:
    """Return the jobs that these words name. Raises NotFound, UsageError.

    A job whose removal was interrupted is left out: it has no row any more, and every prune finishes its removal.
    """
    with closing(open_database(home)) as database:
        interrupted = {str(number) for number in pruning.unfinished(database)}
        parts = [part for text in texts for part in (text.split(",") if text.replace(",", "").isdecimal() else [text])]
        return tuple(resolve_jobs(database, [part for part in parts if part not in interrupted]))


class _Pruner:
    """Removes the chosen jobs, step by step."""

    def __init__(self, database: Database, home: Home, report: Pruned, look: Look) -> None:
        self._look = look
        self._database = database
        self._home = home
        self._report = report
        self._wal = f"{database.path}-wal"
        self._emptied: list[int] = []  # jobs without rows and files, of which other files may have remains

    def run(self, options: PruneOptions, now: int) -> None:
        """Finish interrupted removals, remove the chosen jobs, erase their remains, and free the space."""
        begun = pruning.unfinished(self._database)
        saved = [*self._home.root.glob("damaged-*"), *backup.folder(self._home.root).glob(f"*{backup.RESCUED}.db")]
        self._report.set_aside = sorted(str(found.relative_to(self._home.root)) for found in saved)
        self._report.finished = [job for job in begun if not staging.is_wanted(self._home.intakes, job)]
        self._remove(self._report.finished)
        chosen, self._report.jobs = self._report.jobs, []
        for batch in _batches(chosen):
            removed = self._take_out(batch, options, now)
            self._remove([job.job for job in removed])
            self._report.jobs += removed
        if options.jobs is None and options.among is None:
            self._remove_strays(options, now)
        with self._database.transaction():
            done.forget(self._database, now)
        self._erase(options, now)

    def _erase(self, options: PruneOptions, now: int) -> None:
        """Erase remains.

        The store remembers the jobs until that is done, so that after a kill the next run finishes it.
        """
        if self._emptied or not pruning.is_erased(self._database):
            again = "jobctl prune" if options.jobs is None else f"jobctl prune {','.join(map(str, self._emptied))}"
            blank_lines(self._home.daemon_log, self._emptied)
            self._report.database_bytes = Eraser(self._database, self._home, again, self._look).erase(now)
            pruning.note_erased(self._database)
            pruning.finish(self._database, self._emptied)
        else:
            self._report.database_bytes = pruning.give_back(self._database, self._pause)
        self._checkpoint()

    def _take_out(self, batch: list[PrunedJob], options: PruneOptions, now: int) -> list[PrunedJob]:
        """Remove the rows of these jobs in one transaction, and return them.

        A job that must be kept now, because it has changed since it was chosen, is left out.
        """
        removed = []
        with self._database.transaction():
            reasons = Reasons(self._database, options)
            for job in batch:
                current = pruning.candidate(self._database, job.job, oldest_end(options, now))
                if current is not None and not reasons.to_keep(current):
                    self._report.rows += pruning.remove_job(self._database, current, now)
                    reasons.note_removed(job.job)
                    removed.append(job)
        return removed

    def _remove(self, jobs: list[int]) -> None:
        for job in jobs:
            self._report.rows += pruning.remove_rows(self._database, job, self._pause)
            for folder in folders_of(self._home, job):
                self._report.file_bytes += remove_folder(folder)
        if jobs:
            self._emptied += jobs
            self._pause()

    def _remove_strays(self, options: PruneOptions, now: int) -> None:
        """Remove folders with numbers that no job has, if they are old enough.

        A submission that is under way may use a higher number, so only numbers up to that of the newest job count. The
        folders may be the only remains of jobs whose database was lost, so they are kept for as long as jobs are.
        """
        before = oldest_end(options, now)
        highest = pruning.highest_job(self._database)
        existing = set(pruning.unfinished(self._database))  # read first: such a number may become a job in between
        existing |= pruning.existing(self._database)
        for parent in (self._home.logs, self._home.results):
            for folder in numbered_folders(parent):
                is_stray = int(folder.name) <= highest and int(folder.name) not in existing
                if is_stray and is_older(folder, before):
                    self._report.file_bytes += remove_folder(folder)

    def _pause(self) -> None:
        self._look()
        if size_of(self._wal) > CHECKPOINT_BYTES:
            self._checkpoint()
        time.sleep(pruning.COURTESY_S)

    def _checkpoint(self) -> None:
        """Move the write-ahead log into the database.

        If an engine is running, only wake it, because it alone may do that.
        """
        try:
            descriptor = lock.take_for_a_while(str(self._home.lock))
        except lock.HeldError:
            wake(self._home.wake)
            return
        try:
            self._database.checkpoint()
        finally:
            lock.release(descriptor)


def _batches(jobs: list[PrunedJob]) -> Iterator[list[PrunedJob]]:
    """Group jobs for one transaction each, so that no transaction removes too many jobs or rows."""
    batch: list[PrunedJob] = []
    rows = 0
    for job in jobs:
        if batch and (len(batch) >= JOBS_AT_ONCE or rows + job.items > pruning.ROWS_AT_ONCE):
            yield batch
            batch, rows = [], 0
        batch.append(job)
        rows += job.items
    if batch:
        yield batch
