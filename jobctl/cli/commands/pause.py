"""``jobctl pause``: let nothing more start."""

from __future__ import annotations

from typing import Annotated

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.holding import answer, answer_queue, check_either
from jobctl.cli.session import now_us
from jobctl.errors import Exit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def pause(
    ctx: typer.Context,
    jobs: Annotated[list[str] | None, typer.Argument(metavar="[JOB]...", help="Numbers, names, last.")] = None,
    queue: Annotated[str | None, typer.Option(metavar="NAME", help="A whole queue instead of jobs.")] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; status and explain say it.")] = "",
) -> int:
    """Stop starting items of a job or a queue; running items finish.

    Examples:
      jobctl pause 42 --reason "disk is being changed"
      jobctl pause --queue downloads

    A deadline of the job goes on running.
    """
    from jobctl.cli.submission.naming_queues import check_queue
    from jobctl.services.control.pause import pause as hold
    from jobctl.services.control.pause import pause_queue
    from jobctl.services.control.targets import resolve_jobs

    shared = session(ctx)
    check_either(jobs, queue, "pause")
    if queue is not None:
        check_queue(shared, queue)
        answer_queue(shared, pause_queue(shared.home, queue, reason=reason, now=now_us()), "pause", "paused")
        return Exit.OK
    database = shared.open()
    numbers = resolve_jobs(database, jobs or [])
    database.close()
    answer(shared, hold(shared.home, numbers, reason=reason, now=now_us()), "pause", "paused")
    return Exit.OK
