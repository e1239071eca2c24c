"""The choice of the jobs that a prune removes, and the reasons why it keeps others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from jobctl.config import Home
from jobctl.domain.durations import format_time, parse_duration
from jobctl.errors import UsageError
from jobctl.services.control.prune_files import bytes_in, folders_of
from jobctl.services.settings.settings import Settings, untrusted
from jobctl.store import pruning
from jobctl.store.database import Database
from jobctl.store.pruning import FinishedJob

if TYPE_CHECKING:
    from jobctl.domain.documents.control import KeptJobBlock, PrunedJobBlock, PruneDocument
    from jobctl.domain.documents.values import JobStateName

SCHEMA: Final = "jobctl.prune/1"
#: Without a setting, a job is removed when it has been done for longer than this.
DEFAULT_AGE_S = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class PruneOptions:
    """The options that choose the jobs to remove."""

    older_than_s: float = DEFAULT_AGE_S
    keep_failed: bool = False  # keep all jobs that did not succeed
    include_failed: bool = False  # also remove jobs with failures that were not retried
    dry_run: bool = False
    undelivered: bool = False  # also remove jobs with a notification that is not delivered; it is lost then
    jobs: tuple[int, ...] | None = None  # only these, whatever their age and their failures
    among: frozenset[int] | None = None  # of the jobs that are old enough, only these: they meet other conditions
    shown: frozenset[int] | None = None  # only these, because a person has permitted no others


@dataclass(frozen=True, slots=True)
class PrunedJob:
    """A job that was removed, or that a dry run would remove."""

    job: int
    name: str
    state: str
    finished_at: str
    items: int
    file_bytes: int

    def block(self) -> PrunedJobBlock:
        """Return the job as a part of ``jobctl.prune/1``."""
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
    """A job that is old enough and is kept nevertheless."""

    job: int
    name: str
    state: str
    why: str

    def block(self) -> KeptJobBlock:
        """Return the job as a part of ``jobctl.prune/1``."""
        return {"job": self.job, "name": self.name, "state": cast("JobStateName", self.state), "why": self.why}


@dataclass(slots=True)
class Pruned:
    """The jobs that were removed or kept, with the reasons, and the space that this gave back."""

    dry_run: bool
    older_than_s: float
    jobs: list[PrunedJob] = field(default_factory=list)
    kept: list[KeptJob] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)  # jobs whose removal an earlier run had begun
    rows: int = 0
    file_bytes: int = 0
    database_bytes: int = 0
    set_aside: list[str] = field(
        default_factory=list
    )  # files that were saved from damaged or removed databases; prune keeps them

    def document(self) -> PruneDocument:
        """Return ``jobctl.prune/1``."""
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


def age_as_set(settings: Settings) -> float:
    """Return the age in seconds above which a job is removed: the setting, or the default.

    Raises UsageError if an untrusted project file sets it. If jobctl ignored the setting, it could remove more than the
    author of the file wants; if jobctl followed it, the file could make it remove everything.
    """
    layer = settings.untrusted
    if layer is not None and ("prune", "older-than") in layer.unused:
        raise UsageError(
            f"{layer.where} {untrusted(layer)}, and it sets prune.older-than",
            hint="give --older-than AGE, or read the file, then: jobctl config trust",
        )
    found: str | None = settings.value("prune", "older-than")
    return DEFAULT_AGE_S if found is None else parse_duration(found, allow_zero=True)


def choose(database: Database, home: Home, options: PruneOptions, now: int, report: Pruned) -> None:
    """Add the jobs to remove and the jobs to keep to a report; ``now`` is in microseconds UTC.

    Raises UsageError for a named job that cannot be removed.
    """
    reasons = Reasons(database, options)
    # An undo job goes only with or after the job whose rows it has taken back.
    for job in sorted(_candidates(database, options, now), key=lambda job: job.undo_of is not None):
        why = reasons.to_keep(job)
        if why and options.jobs is not None and not options.keep_failed:
            raise UsageError(f"job {job.id} cannot be removed: {why}", hint=reasons.remedy(job))
        if why:
            report.kept.append(KeptJob(job.id, job.name, job.state, why))
            continue
        reasons.note_removed(job.id)
        size = sum(bytes_in(folder) for folder in folders_of(home, job.id))
        at = format_time(job.finished_at)
        report.jobs.append(PrunedJob(job.id, job.name, job.state, at, job.total, size))


def _candidates(database: Database, options: PruneOptions, now: int) -> list[FinishedJob]:
    """Return the jobs that are done and old enough, or named. Raises UsageError for a named job that is not done."""
    if options.jobs is None:
        found = pruning.candidates(database, oldest_end(options, now))
        return [job for job in found if all(chosen is None or job.id in chosen for chosen in _limits(options))]
    found = pruning.named(database, options.jobs)
    live = sorted(set(options.jobs) - {job.id for job in found})
    if live:
        listed, wanted = (",".join(map(str, numbers)) for numbers in (live, sorted(options.jobs)))
        raise UsageError(
            f"{_jobs(live)} not done: only finished jobs can be removed",
            hint=f"jobctl wait {listed}, or jobctl cancel {listed}; then jobctl prune {wanted}",
        )
    return found


def _limits(options: PruneOptions) -> tuple[frozenset[int] | None, ...]:
    return options.among, options.shown


def _jobs(numbers: list[int]) -> str:
    listed = ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")
    return f"job {listed} is" if len(numbers) == 1 else f"jobs {listed} are"


def oldest_end(options: PruneOptions, now: int) -> int:
    """The time (microseconds UTC) before which a job must have ended; beyond all times if jobs are named."""
    return 1 << 62 if options.jobs is not None else now - int(options.older_than_s * 1e6)


class Reasons:
    """The reasons to keep a job that is old enough."""

    def __init__(self, database: Database, options: PruneOptions) -> None:
        self._options = options
        self._resubmitted = pruning.resubmitted(database)
        self._awaited = pruning.awaited(database)
        self._being_undone = pruning.being_undone(database)
        self._existing = pruning.existing(database)

    def to_keep(self, job: FinishedJob) -> str:
        """The reason to keep this job; empty if there is none."""
        if job.id in self._awaited:
            return "a job that comes after it is not done"
        if job.id in self._being_undone:
            return "an undo job takes its rows back"
        if job.undo_of in self._existing:  # what was taken back must be known as long as it can be asked for
            return f"job {job.undo_of}, whose rows it has taken back, is kept"
        if job.undelivered and not self._options.undelivered:
            return "a notification about its end is not delivered yet"
        if self._options.keep_failed and job.state != "succeeded":
            return f"it is {job.state} (--keep-failed)"
        if self._options.jobs is None and not self._options.include_failed and self._is_neglected(job):
            return "its failed items were not retried (--include-failed removes it nevertheless)"
        return ""

    def note_removed(self, job: int) -> None:
        """Note a job that is removed, so that its undo jobs can be removed with it."""
        self._existing.discard(job)

    def remedy(self, job: FinishedJob) -> str:
        """The commands after which a named job can be removed."""
        if job.id in self._being_undone:
            return f"jobctl status {job.id} names the undo job; wait for it, then: jobctl prune {job.id}"
        if job.undo_of in self._existing:
            return f"remove both: jobctl prune {job.undo_of},{job.id}"
        if job.id in self._awaited:
            return f"jobctl status shows the job that waits for it; jobctl cancel ends it, then jobctl prune {job.id}"
        return (
            f"jobctl notify list {job.id} shows it; to remove the job without it: jobctl prune {job.id} --undelivered"
        )

    def _is_neglected(self, job: FinishedJob) -> bool:
        """Return whether rows failed, or never ran without a cancel, and were neither retried nor submitted again."""
        unwanted = job.failed or (job.unprocessed and job.state != "cancelled")
        return bool(unwanted) and job.round == 1 and job.uid not in self._resubmitted
