"""``jobctl resume``: let paused work continue."""

from __future__ import annotations

from typing import Annotated

import typer

from jobctl.cli.choosing import selects
from jobctl.cli.commands.pause import check_either, numbers_of
from jobctl.cli.job_conditions import ChangeCommand
from jobctl.cli.session import Session, now_us, session
from jobctl.errors import Exit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=ChangeCommand)
def resume(
    ctx: typer.Context,
    jobs: Annotated[list[str] | None, typer.Argument(metavar="[JOB]...", help="Numbers, names or last.")] = None,
    queue: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Resume a whole queue; with --all or a condition, its jobs instead."),
    ] = None,
) -> int:
    """Continue a paused or held job, or a paused queue.

    Examples:
      jobctl resume 42
      jobctl resume --queue downloads
      jobctl resume --all                every job that is paused
    """
    from jobctl.services.control.job_choice import RESUME

    check_either(ctx, jobs, queue)
    if queue is not None and not selects(ctx):
        _resume_queue(session(ctx), queue)
    else:
        _resume_jobs(session(ctx), numbers_of(ctx, jobs, queue, RESUME))
    return Exit.OK


def _resume_jobs(shared: Session, numbers: list[int]) -> None:
    from jobctl.services.control.pause import resume, resume_document
    from jobctl.services.daemon.absence import absence_for_jobs

    resumed = resume(shared.home, numbers, now=now_us())
    if shared.json:
        shared.emit(resume_document(resumed))
    for each in () if shared.json else resumed:
        shared.note(each.sentence("continues"))
    shared.note_unless_empty(absence_for_jobs(shared.home, numbers, shared.program))


def _resume_queue(shared: Session, queue: str) -> None:
    from jobctl.services.control.pause import resume_document, resume_queue
    from jobctl.services.control.queues import check_queue
    from jobctl.services.daemon.absence import absence_for_queue

    check_queue(shared.home, queue)
    resumed = resume_queue(shared.home, queue, now=now_us())
    if shared.json:
        shared.emit(resume_document([], resumed))
    else:
        shared.note(resumed.sentence("continues"))
    shared.note_unless_empty(absence_for_queue(shared.home, queue, shared.program))
