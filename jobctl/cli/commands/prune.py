"""``jobctl prune``: remove old jobs and free the space."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import Session, now_us, session
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.services.control.prune_choice import KeptJob, Pruned, PruneOptions

#: The most jobs that a message names.
SHOWN = 10

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def prune(
    ctx: typer.Context,
    jobs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[JOB]...", help="The jobs to remove: numbers, names, last, or 1,3,5-8."),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="Remove only jobs that ended longer ago than this; default: the setting, or 30d."
        ),
    ] = None,
    keep_failed: Annotated[bool, typer.Option("--keep-failed", help="Keep all jobs that did not succeed.")] = False,
    include_failed: Annotated[
        bool, typer.Option("--include-failed", help="Remove jobs with failures that were not retried, too.")
    ] = False,
    undelivered: Annotated[
        bool, typer.Option("--undelivered", help="Remove jobs with an undelivered notification, too; it is lost.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show the jobs that would be removed, but change nothing.")
    ] = False,
) -> int:
    """Remove old jobs with their rows, logs and result files, and free the space.

    Examples:
      jobctl prune --dry-run
      jobctl prune --older-than 7d --keep-failed
      jobctl prune 42                    this job now, however new it is

    Jobs that are not done are never removed. A job with failures that were not retried stays unless you name it or give
    --include-failed. jobctl never removes anything by itself. After a prune, no file of the store has any data of the
    jobs: neither the database, nor its log, nor its backups. For --only-new, hashes of finished rows are kept for 400
    days.
    """
    from jobctl.services.control.prune import prunable
    from jobctl.services.control.prune_choice import Pruned, PruneOptions

    shared = session(ctx)
    _refuse_contradictions(jobs, older_than, keep_failed=keep_failed, include_failed=include_failed)
    numbers = prunable(shared.home, jobs) if jobs else None
    age_s = 0.0 if jobs else _age_s(shared, older_than)
    options = PruneOptions(age_s, keep_failed, include_failed, dry_run, undelivered, numbers)
    report = shared.if_store_exists(lambda: _remove(shared, options), None)
    if shared.json:
        shared.emit((report or Pruned(dry_run, age_s)).document())
    elif report is not None:
        _tell(shared, report, named=bool(jobs))
    return Exit.OK


def _remove(shared: Session, options: PruneOptions) -> Pruned:
    import os

    from jobctl.services.control.prune import prune

    os.environ.setdefault("SQLITE_TMPDIR", str(shared.home.root))  # where there is room to rewrite a large database
    return prune(shared.home, options, now=now_us())


def _refuse_contradictions(
    jobs: list[str] | None, older_than: str | None, *, keep_failed: bool, include_failed: bool
) -> None:
    from jobctl.errors import UsageError

    if keep_failed and include_failed:
        raise UsageError("--keep-failed and --include-failed at once", hint="give one of them")
    if jobs and older_than is not None:
        raise UsageError("JOB and --older-than at once", hint="a job that is named is removed however young it is")


def _age_s(shared: Session, text: str | None) -> float:
    """The age in seconds: the option, otherwise the setting, otherwise the default."""
    import os

    from jobctl.cli.submission.untrusted import tell_untrusted
    from jobctl.domain.durations import option_duration
    from jobctl.services.control.prune_choice import age_as_set
    from jobctl.services.settings.settings import load_settings

    if text is not None:
        return option_duration("--older-than", text)
    age_s = age_as_set(load_settings(os.environ, os.getcwd()))
    tell_untrusted(shared, "prune")
    return age_s


def _kept_line(kept: Sequence[KeptJob], why: str) -> str:
    """One line for all jobs that are kept for one reason."""
    from jobctl.render.inert import inert

    named = ", ".join(f"{job.job} ({inert(job.name)})" for job in kept[:SHOWN])
    more = f" and {len(kept) - SHOWN} more" if len(kept) > SHOWN else ""
    return f"job {named} stays: {why}" if len(kept) == 1 else f"jobs {named}{more} stay: {why}"


def _tell(shared: Session, report: Pruned, *, named: bool) -> None:
    from jobctl.domain.durations import format_given
    from jobctl.domain.wording import plural, size
    from jobctl.render.clock import local
    from jobctl.render.inert import inert

    if shared.is_terminal(sys.stdout) and report.jobs:
        from jobctl.render.grid import print_grid

        cells = [(j.job, j.name, j.state, local(j.finished_at), j.items, size(j.file_bytes)) for j in report.jobs]
        print_grid(("job", "name", "state", "finished", "items", "files"), cells, sys.stdout, shared.look(sys.stdout))
    else:
        for job in report.jobs:
            facts = f"{job.state} {job.finished_at}, {plural(job.items, 'item')}, {size(job.file_bytes)} of files"
            shared.say(f"{job.job}\t{inert(job.name)}\t{facts}")
    for why in dict.fromkeys(kept.why for kept in report.kept):
        shared.note(_kept_line([kept for kept in report.kept if kept.why == why], why))
    which = "" if named else f" done for more than {format_given(report.older_than_s)}"
    if report.dry_run:
        shared.note(f"{plural(len(report.jobs), 'job')}{which} would be removed; nothing was changed")
        return
    if report.finished:
        numbers = ", ".join(map(str, report.finished[:SHOWN])) + (", ..." if len(report.finished) > SHOWN else "")
        shared.note(f"finished what an interrupted prune had begun to remove: job {numbers}")
    if report.jobs or report.file_bytes or report.database_bytes > 0:
        freed = f"{size(report.file_bytes)} of files, {size(max(0, report.database_bytes))} of database"
        shared.note(f"{plural(len(report.jobs), 'job')}{which} removed: {freed}")
    else:
        shared.note(f"no job{which}: nothing was removed" if not report.kept else f"no job{which} was removed")
    _name_set_aside(shared, report)


def _name_set_aside(shared: Session, report: Pruned) -> None:
    from jobctl.render.inert import inert

    if report.set_aside:
        shared.note(
            f"{', '.join(report.set_aside)} in {inert(str(shared.home.root))}: saved from a damaged or removed"
            " database, may hold rows of removed jobs; jobctl never deletes it, so delete it when you do not need it"
        )
