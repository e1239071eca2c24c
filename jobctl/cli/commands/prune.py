"""``jobctl prune``: remove old jobs and free the space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.job_conditions import ALL, CONDITIONS, YES, EndCommand, names_given, refuse_with_jobs, value_of
from jobctl.cli.session import Session, now_us, session
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.services.control.prune_choice import Pruned, PruneOptions

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class _PruneCommand(EndCommand):
    on_first_screen = (
        *("--older-than", "--keep-failed", "--include-failed", "--dry-run"),
        *("--name", "--label", "--queue", "--since", "--all", "--yes"),
    )


@app.command(cls=_PruneCommand)
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
    """Remove finished jobs, the old ones or those that you name, with their rows, logs and result files.

    Examples:
      jobctl prune --dry-run
      jobctl prune --older-than 7d --keep-failed
      jobctl prune 42                    this job now, however new it is
      jobctl prune --name 'test-*' --older-than 1h

    On a terminal, prune says what it will remove and asks. Without a terminal, as in cron, it asks nothing; with
    conditions or --all, it needs --yes there.

    Jobs that are not done are never removed. A job with failures that were not retried stays unless you name it or give
    --include-failed. jobctl never removes anything by itself. After a prune, no file of the store has any data of the
    jobs: neither the database, nor its log, nor its backups. For --only-new, hashes of finished rows are kept for 400
    days.
    """
    from jobctl.services.control.prune_choice import Pruned, PruneOptions

    shared = session(ctx)
    _refuse_contradictions(ctx, jobs, older_than, keep_failed=keep_failed, include_failed=include_failed)
    numbers = _numbers(ctx, jobs, may_ask=not dry_run) if jobs else None
    age_s = 0.0 if jobs or value_of(ctx, ALL) else _age_s(shared, older_than)
    options = PruneOptions(age_s, keep_failed, include_failed, dry_run, undelivered, numbers)
    report = shared.if_store_exists(lambda: _remove(ctx, options), None)
    if shared.json:
        shared.emit((report or Pruned(dry_run, age_s)).document())
    elif report is not None:
        from jobctl.cli.pruned import tell

        tell(shared, report, named=bool(jobs))
    return Exit.OK


def _numbers(ctx: typer.Context, jobs: list[str], *, may_ask: bool) -> tuple[int, ...]:
    from jobctl.cli.choosing import clear_words
    from jobctl.services.control.job_choice import PRUNE
    from jobctl.services.control.prune import prunable

    return prunable(session(ctx).home, clear_words(ctx, jobs, PRUNE, may_ask=may_ask))


def _remove(ctx: typer.Context, options: PruneOptions) -> Pruned:
    import os
    from dataclasses import replace

    from jobctl.cli.live.waiting_line import for_prune
    from jobctl.services.control.prune import prune

    home = session(ctx).home
    os.environ.setdefault("SQLITE_TMPDIR", str(home.root))  # where there is room to rewrite a large database
    if names_given(ctx):
        options = replace(options, among=_among(ctx))
    if _needs_permission(ctx, options):
        from jobctl.cli.pruned import permit_removal

        planned = prune(home, replace(options, dry_run=True), now=now_us())
        permit_removal(session(ctx), planned)
        options = replace(options, shown=frozenset(job.job for job in planned.jobs))
    try:
        with for_prune(session(ctx)) as line:
            return prune(home, options, now=now_us(), look=line.look)
    except KeyboardInterrupt:
        session(ctx).note("\nthe removal is not complete; the next jobctl prune finishes what it has begun")
        raise


def _needs_permission(ctx: typer.Context, options: PruneOptions) -> bool:
    """Whether somebody must permit the removal: always on a terminal, and elsewhere for jobs that meet conditions."""
    from jobctl.cli.asking import has_terminal

    return not (options.dry_run or value_of(ctx, YES)) and (
        bool(names_given(ctx, (*CONDITIONS, ALL))) or has_terminal()
    )


def _among(ctx: typer.Context) -> frozenset[int]:
    """The finished jobs that meet the conditions of the command line."""
    from jobctl.cli.choosing import condition_of
    from jobctl.services.control.job_choice import PRUNE, jobs_selected

    found = jobs_selected(session(ctx).home, condition_of(ctx, PRUNE), PRUNE.states, now_us())
    return frozenset(job.id for job in found)


def _refuse_contradictions(
    ctx: typer.Context, jobs: list[str] | None, older_than: str | None, *, keep_failed: bool, include_failed: bool
) -> None:
    from jobctl.errors import UsageError

    if jobs:
        refuse_with_jobs(ctx, (*CONDITIONS, ALL))
    if older_than is not None and value_of(ctx, ALL):
        raise UsageError("--all and --older-than at once", hint="give one of them: --all removes jobs of every age")
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
