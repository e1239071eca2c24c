"""Removing jobs with everything that belongs to them, and giving the space back. Nothing else ever does that.

A job goes in one commit and is gone for every command from then on; its rows and files follow in small steps, and at
the end what they left in the files of the home (``erasure``). What a crash leaves half done is remembered, and the next
run finishes it first.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from jobctl.config import Home
from jobctl.domain.durations import format_time, parse_duration
from jobctl.errors import HomeError, UsageError
from jobctl.process import lock
from jobctl.process.wakeup import wake
from jobctl.services.control.erasure import Eraser
from jobctl.services.control.pruning_room import make_room
from jobctl.services.control.targets import resolve_jobs
from jobctl.services.daemon.log import blank_lines
from jobctl.services.settings.settings import Settings, untrusted
from jobctl.store import done, pruning, staging
from jobctl.store.database import Database
from jobctl.store.opening import backup
from jobctl.store.opening.open import open_database
from jobctl.store.pruning import Candidate

if TYPE_CHECKING:
    from jobctl.domain.documents.control import KeptJobBlock, PrunedJobBlock, PruneDocument
    from jobctl.domain.documents.values import JobStateName

SCHEMA: Final = "jobctl.prune/1"
DEFAULT_AGE_S = 30 * 86_400.0
JOBS_AT_ONCE = 50
#: The WAL is moved into the database when it has grown to this.
CHECKPOINT_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class PruneOptions:
    """Which jobs go."""

    older_than_s: float = DEFAULT_AGE_S
    keep_failed: bool = False  # whatever did not succeed stays
    include_failed: bool = False  # also failures that nobody retried
    dry_run: bool = False
    undelivered: bool = False  # also where a notification is still on its way, which then reaches nobody
    jobs: tuple[int, ...] | None = None  # these and no others, however young, and whether or not anything failed


@dataclass(frozen=True, slots=True)
class PrunedJob:
    """A job that went, or would go."""

    job: int
    name: str
    state: str
    finished_at: str
    items: int
    file_bytes: int

    def block(self) -> PrunedJobBlock:
        """As part of the document."""
        return {
            "job": self.job,
            "name": self.name,
            "state": cast("JobStateName", self.state),
            "finished_at": self.finished_at,
            "items": self.items,
            "file_bytes": self.file_bytes,
        }


@dataclass(frozen=True, slots=True)
class KeptJob:
    """A job that is old enough and stays."""

    job: int
    name: str
    state: str
    why: str

    def block(self) -> KeptJobBlock:
        """As part of the document."""
        return {"job": self.job, "name": self.name, "state": cast("JobStateName", self.state), "why": self.why}


@dataclass(slots=True)
class Pruned:
    """What went, what stayed and why, and what it brought."""

    dry_run: bool
    older_than_s: float
    jobs: list[PrunedJob] = field(default_factory=list)
    kept: list[KeptJob] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)  # jobs that an earlier run had begun to remove
    rows: int = 0
    file_bytes: int = 0
    database_bytes: int = 0
    set_aside: list[str] = field(default_factory=list)  # saved from damaged or removed databases: left alone

    def document(self) -> PruneDocument:
        """As JSON."""
        return {
            "schema": SCHEMA,
            "dry_run": self.dry_run,
            "older_than_s": self.older_than_s,
            "jobs": [job.block() for job in self.jobs],
            "kept": [job.block() for job in self.kept],
            "finished": self.finished,
            "rows": self.rows,
            "file_bytes": self.file_bytes,
            "database_bytes": self.database_bytes,
            "set_aside": self.set_aside,
        }


def prune(home: Home, options: PruneOptions, *, now: int) -> Pruned:
    """Remove jobs that have been done for long enough, or those that are named. Live ones never go.

    When this returns, nothing of them can be read from any file of the home. Raises UsageError for a named job that
    cannot go, before anything is changed; HomeError when files cannot be removed, Busy when something can still be
    read: what is left is then removed by the next run.
    """
    database = open_database(home)
    try:
        report = Pruned(options.dry_run, options.older_than_s)
        _choose(database, home, options, now, report)
        if options.dry_run:
            return report
        freed = make_room(home.root, _files_first(home, report.jobs), _remove_folder)
        if freed:
            database.close()
            database = open_database(home)  # on a full disk it could only be read
            report = Pruned(options.dry_run, options.older_than_s, file_bytes=freed)
            _choose(database, home, options, now, report)
        _Pruner(database, home, report).run(options, now)
        return report
    finally:
        database.close()


def age_as_set(settings: Settings) -> float:
    """The age in seconds from which a job is old, as set or by default.

    Raises UsageError if a project file that is not trusted sets it: an age that is ignored could remove more than its
    writer wanted, and one that counts could as well.
    """
    layer = settings.untrusted
    if layer is not None and ("prune", "older-than") in layer.unused:
        raise UsageError(
            f"{layer.where} {untrusted(layer)}, and it sets prune.older-than",
            hint="give --older-than AGE, or read the file, then: jobctl config trust",
        )
    found: str | None = settings.value("prune", "older-than")
    return DEFAULT_AGE_S if found is None else parse_duration(found, allow_zero=True)


def prunable(home: Home, texts: Sequence[str]) -> tuple[int, ...]:
    """The jobs that these words name. A job whose removal was interrupted has no row to find; the next prune finishes
    it anyway."""
    database = open_database(home)
    try:
        interrupted = {str(number) for number in pruning.begun(database)}
        parts = [part for text in texts for part in (text.split(",") if text.replace(",", "").isdecimal() else [text])]
        return tuple(resolve_jobs(database, [part for part in parts if part not in interrupted]))
    finally:
        database.close()


# ---- which ----


def _choose(database: Database, home: Home, options: PruneOptions, now: int, report: Pruned) -> None:
    reasons = _Reasons(database, options)
    for job in _candidates(database, options, now):
        why = reasons.to_keep(job)
        if why and options.jobs is not None and not options.keep_failed:
            raise UsageError(f"job {job.id} cannot be removed: {why}", hint=reasons.way_out(job))
        if why:
            report.kept.append(KeptJob(job.id, job.name, job.state, why))
            continue
        size = sum(_bytes_in(folder) for folder in _folders(home, job.id))
        at = format_time(job.finished_at)
        report.jobs.append(PrunedJob(job.id, job.name, job.state, at, job.total, size))


def _candidates(database: Database, options: PruneOptions, now: int) -> list[Candidate]:
    """Jobs that are done and may be chosen. Raises UsageError for one that is named and not done."""
    if options.jobs is None:
        return pruning.candidates(database, _before(options, now))
    found = pruning.named(database, options.jobs)
    live = sorted(set(options.jobs) - {job.id for job in found})
    if live:
        listed, wanted = (",".join(map(str, numbers)) for numbers in (live, sorted(options.jobs)))
        raise UsageError(
            f"{_jobs(live)} not done: only what is done can be removed",
            hint=f"jobctl wait {listed}, or jobctl cancel {listed}; then jobctl prune {wanted}",
        )
    return found


def _jobs(numbers: list[int]) -> str:
    listed = ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")
    return f"job {listed} is" if len(numbers) == 1 else f"jobs {listed} are"


def _before(options: PruneOptions, now: int) -> int:
    return 1 << 62 if options.jobs is not None else now - int(options.older_than_s * 1e6)


class _Reasons:
    """What speaks for keeping a job that is old enough."""

    def __init__(self, database: Database, options: PruneOptions) -> None:
        self._options = options
        self._resubmitted = pruning.resubmitted(database)
        self._awaited = pruning.awaited(database)

    def to_keep(self, job: Candidate) -> str:
        """Why it stays; empty if it goes."""
        if job.id in self._awaited:
            return "a job that comes after is not done"
        if job.undelivered and not self._options.undelivered:
            return "a notification of its end is still on its way"
        if self._options.keep_failed and job.state != "succeeded":
            return f"it is {job.state} (--keep-failed)"
        if self._options.jobs is None and not self._options.include_failed and self._is_neglected(job):
            return "nobody has retried what failed (--include-failed removes it all the same)"
        return ""

    def way_out(self, job: Candidate) -> str:
        """What to type so that a named job may go."""
        if job.id in self._awaited:
            return f"jobctl status shows the job that waits for it; jobctl cancel ends it, then jobctl prune {job.id}"
        return (
            f"jobctl notify list {job.id} shows it; to remove the job without it: jobctl prune {job.id} --undelivered"
        )

    def _is_neglected(self, job: Candidate) -> bool:
        """Whether rows failed, or were never tried without anybody having wanted that, and nobody did anything."""
        unwanted = job.failed or (job.unprocessed and job.state != "cancelled")
        return bool(unwanted) and job.round == 1 and job.uid not in self._resubmitted


# ---- removing ----


class _Pruner:
    """Removes what was chosen, step by step."""

    def __init__(self, database: Database, home: Home, report: Pruned) -> None:
        self._database = database
        self._home = home
        self._report = report
        self._wal = f"{database.path}-wal"
        self._emptied: list[int] = []  # jobs of which no row and no file is left, but perhaps a trace

    def run(self, options: PruneOptions, now: int) -> None:
        """Finish what was begun, take out what was chosen, give the space back, leave nothing that can be read."""
        begun = pruning.begun(self._database)
        aside = [*self._home.root.glob("damaged-*"), *backup.folder(self._home.root).glob(f"*{backup.RESCUED}.db")]
        self._report.set_aside = sorted(str(found.relative_to(self._home.root)) for found in aside)
        self._report.finished = [job for job in begun if not staging.is_wanted(self._home.intakes, job)]
        self._remove(self._report.finished)
        chosen, self._report.jobs = self._report.jobs, []
        for batch in _batches(chosen):
            went = self._take_out(batch, options, now)
            self._remove([job.job for job in went])
            self._report.jobs += went
        if options.jobs is None:
            self._remove_strays(options, now)
        with self._database.transaction():
            done.forget(self._database, now)
        self._erase(options, now)

    def _erase(self, options: PruneOptions, now: int) -> None:
        """Remembered as begun until it is done: a run that was killed before is finished by the next one."""
        if self._emptied or not pruning.is_erased(self._database):
            again = "jobctl prune" if options.jobs is None else f"jobctl prune {','.join(map(str, self._emptied))}"
            blank_lines(self._home.daemon_log, self._emptied)
            self._report.database_bytes = Eraser(self._database, self._home, again).erase(now)
            pruning.note_erased(self._database)
            pruning.finish(self._database, self._emptied)
        else:
            self._report.database_bytes = pruning.give_back(self._database, self._pause)
        self._checkpoint()

    def _take_out(self, batch: list[PrunedJob], options: PruneOptions, now: int) -> list[PrunedJob]:
        """Those that went: something may have happened to a job in the meantime that keeps it."""
        went = []
        with self._database.transaction():
            reasons = _Reasons(self._database, options)
            for job in batch:
                current = pruning.candidate(self._database, job.job, _before(options, now))
                if current is not None and not reasons.to_keep(current):
                    self._report.rows += pruning.take_out(self._database, current, now)
                    went.append(job)
        return went

    def _remove(self, jobs: list[int]) -> None:
        for job in jobs:
            self._report.rows += pruning.remove_rows(self._database, job, self._pause)
            for folder in _folders(self._home, job):
                self._report.file_bytes += _remove_folder(folder)
        if jobs:
            self._emptied += jobs
            self._pause()

    def _remove_strays(self, options: PruneOptions, now: int) -> None:
        """Folders of numbers that no job has, as old as a job has to be; a submission may be at work on higher numbers.

        They may be all that is left of the jobs of a database that is gone, so they are kept for as long as jobs are.
        """
        before = _before(options, now)
        highest = pruning.highest_job(self._database)
        existing = set(pruning.begun(self._database))  # asked first: they may become jobs in between
        existing |= pruning.existing(self._database)
        for parent in (self._home.logs, self._home.results):
            for folder in _numbered(parent):
                is_stray = int(folder.name) <= highest and int(folder.name) not in existing
                if is_stray and _is_older(folder, before):
                    self._report.file_bytes += _remove_folder(folder)

    def _pause(self) -> None:
        if _size(self._wal) > CHECKPOINT_BYTES:
            self._checkpoint()
        time.sleep(pruning.COURTESY_S)

    def _checkpoint(self) -> None:
        """Move the WAL into the database: our business only while there is no engine, whose business it is."""
        try:
            descriptor = lock.take_for_a_while(str(self._home.lock))
        except lock.HeldError:
            wake(self._home.wake)
            return
        try:
            self._database.checkpoint()
        finally:
            os.close(descriptor)


def _batches(jobs: list[PrunedJob]) -> Iterator[list[PrunedJob]]:
    """Jobs that are taken out in one transaction: few enough, and with few enough rows."""
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


# ---- files ----


def _folders(home: Home, job: int) -> tuple[Path, Path]:
    return home.job_logs(job), home.job_results(job)


def _files_first(home: Home, jobs: list[PrunedJob]) -> list[Path]:
    """Folders of jobs that go, those that are missed least first."""
    return [home.job_logs(job.job) for job in jobs] + [home.job_results(job.job) for job in jobs]


def _numbered(parent: Path) -> Iterator[Path]:
    with contextlib.suppress(FileNotFoundError):
        yield from [entry for entry in parent.iterdir() if entry.name.isascii() and entry.name.isdigit()]


def _is_older(folder: Path, before: int) -> bool:
    """Whether a folder was last changed before that time."""
    with contextlib.suppress(OSError):
        return folder.lstat().st_mtime * 1e6 < before
    return False


def _bytes_in(folder: Path) -> int:
    """Disk space of the files in a folder, links not followed."""
    total = 0
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                total += _bytes_in(Path(entry.path))
            else:
                total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total


def _remove_folder(folder: Path) -> int:
    """Remove a folder and what is in it, never what a link in it points to; returns the space. Raises HomeError."""
    size = _bytes_in(folder)
    try:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise HomeError(
            f"cannot remove {error.filename or folder}: {error.strerror}",
            hint="fix that, then run jobctl prune again: it continues where it stopped",
        ) from error
    return size


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
