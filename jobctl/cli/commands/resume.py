"""``jobctl resume``: let paused work go on."""

from __future__ import annotations

from typing import Annotated

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.holding import answer, answer_queue, check_either
from jobctl.cli.presence import note_daemon, note_daemon_for_queue
from jobctl.cli.session import now_us
from jobctl.errors import Exit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def resume(
    ctx: typer.Context,
    jobs: Annotated[list[str] | None, typer.Argument(metavar="[JOB]...", help="Numbers, names, last.")] = None,
    queue: Annotated[str | None, typer.Option(metavar="NAME", help="A whole queue instead of jobs.")] = None,
) -> int:
    """Continue a paused or held job, or a paused queue.

    Examples:
      jobctl resume 42
      jobctl resume --queue downloads
    """
    from jobctl.cli.submission.naming_queues import check_queue
    from jobctl.services.control.pause import resume as release
    from jobctl.services.control.pause import resume_queue
    from jobctl.services.control.targets import resolve_jobs

    shared = session(ctx)
    check_either(jobs, queue, "resume")
    if queue is not None:
        check_queue(shared, queue)
        answer_queue(shared, resume_queue(shared.home, queue), "resume", "goes on")
        note_daemon_for_queue(shared, queue)
        return Exit.OK
    database = shared.open()
    numbers = resolve_jobs(database, jobs or [])
    database.close()
    answer(shared, release(shared.home, numbers, now=now_us()), "resume", "goes on")
    note_daemon(shared, numbers)
    return Exit.OK
