"""``jobctl pause``: start no more items of a job or a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.choosing import selected_to_change, selects
from jobctl.cli.job_conditions import ALL, CONDITIONS, ChangeCommand, refuse_with_jobs
from jobctl.cli.session import Session, now_us, session
from jobctl.errors import Exit, UsageError

if TYPE_CHECKING:
    from jobctl.services.control.job_choice import JobVerb

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=ChangeCommand)
def pause(
    ctx: typer.Context,
    jobs: Annotated[list[str] | None, typer.Argument(metavar="[JOB]...", help="Numbers, names or last.")] = None,
    queue: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Pause a whole queue; with --all or a condition, its jobs instead."),
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="The reason; status and explain show it.")] = "",
) -> int:
    """Stop starting items of a job or a queue; running items finish.

    Examples:
      jobctl pause 42 --reason "replacing the disk"
      jobctl pause --queue downloads           also the jobs that come later
      jobctl pause --queue downloads --all     the jobs that are in it now
      jobctl pause --label team=billing

    A pause does not stop the clock of a deadline. If more than ten jobs meet the conditions, pause asks on a terminal.
    """
    from jobctl.services.control.job_choice import PAUSE

    shared = session(ctx)
    check_either(ctx, jobs, queue)
    if queue is not None and not selects(ctx):
        _pause_queue(shared, queue, reason)
    else:
        _pause_jobs(shared, numbers_of(ctx, jobs, queue, PAUSE), reason)
    return Exit.OK


def _pause_jobs(shared: Session, numbers: list[int], reason: str) -> None:
    from jobctl.services.control.pause import pause, pause_document

    paused = pause(shared.home, numbers, reason=reason, now=now_us())
    if shared.json:
        shared.emit(pause_document(paused))
        return
    for each in paused:
        shared.note(each.sentence("paused"))


def _pause_queue(shared: Session, queue: str, reason: str) -> None:
    from jobctl.services.control.pause import pause_document, pause_queue
    from jobctl.services.control.queues import check_queue

    check_queue(shared.home, queue)
    paused = pause_queue(shared.home, queue, reason=reason, now=now_us())
    if shared.json:
        shared.emit(pause_document([], paused))
    else:
        shared.note(paused.sentence("paused"))


def numbers_of(ctx: typer.Context, jobs: list[str] | None, queue: str | None, verb: JobVerb) -> list[int]:
    """The jobs that a command line names, or those that its conditions select."""
    from jobctl.services.control.targets import jobs_of

    return jobs_of(session(ctx).home, jobs) if jobs else selected_to_change(ctx, verb, queue=queue)


def check_either(ctx: typer.Context, jobs: list[str] | None, queue: str | None) -> None:
    """Raises UsageError unless either jobs, a queue or conditions are given."""
    verb = ctx.info_name
    if jobs:
        refuse_with_jobs(ctx, (*CONDITIONS, ALL))
    if jobs and queue is not None:
        raise UsageError(
            "JOB and --queue at once",
            hint=f"jobctl {verb} JOB..., or jobctl {verb} --queue NAME; jobctl {verb} --help",
        )
    if not (jobs or queue is not None or selects(ctx)):
        raise UsageError(
            f"{verb} needs a JOB, a queue, or a condition on jobs",
            hint=f"jobctl {verb} JOB..., or --queue NAME, or --name 'nightly*'; jobctl {verb} --help",
        )
