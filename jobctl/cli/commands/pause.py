"""``jobctl pause``: start no more items of a job or a queue."""

from __future__ import annotations

from typing import Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import Session, now_us, session
from jobctl.errors import Exit, UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def pause(
    ctx: typer.Context,
    jobs: Annotated[list[str] | None, typer.Argument(metavar="[JOB]...", help="Numbers, names or last.")] = None,
    queue: Annotated[str | None, typer.Option(metavar="NAME", help="Pause a whole queue instead of jobs.")] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="The reason; status and explain show it.")] = "",
) -> int:
    """Stop starting items of a job or a queue; running items finish.

    Examples:
      jobctl pause 42 --reason "replacing the disk"
      jobctl pause --queue downloads

    A pause does not stop the clock of a deadline.
    """
    shared = session(ctx)
    check_either(jobs, queue, "pause")
    if queue is not None:
        _pause_queue(shared, queue, reason)
    else:
        _pause_jobs(shared, jobs or [], reason)
    return Exit.OK


def _pause_jobs(shared: Session, words: list[str], reason: str) -> None:
    from jobctl.services.control.pause import pause, pause_document
    from jobctl.services.control.targets import jobs_of

    paused = pause(shared.home, jobs_of(shared.home, words), reason=reason, now=now_us())
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


def check_either(jobs: list[str] | None, queue: str | None, verb: str) -> None:
    """Raises UsageError unless either jobs or a queue are named."""
    if bool(jobs) == (queue is not None):
        raise UsageError(
            f"{verb} what?", hint=f"jobctl {verb} JOB..., or jobctl {verb} --queue NAME; jobctl {verb} --help"
        )
