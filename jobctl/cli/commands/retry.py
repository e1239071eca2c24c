"""``jobctl retry``: another round for what did not succeed."""

from __future__ import annotations

from typing import Annotated

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.presence import note_daemon
from jobctl.cli.session import now_us
from jobctl.errors import Exit, UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def retry(
    ctx: typer.Context,
    targets: Annotated[list[str], typer.Argument(metavar="JOB[.ITEM]...", help="Jobs, or items such as 42.17,20-25.")],
    failed: Annotated[bool, typer.Option("--failed", help="Only items that failed.")] = False,
    unprocessed: Annotated[bool, typer.Option("--unprocessed", help="Only items that were never tried.")] = False,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Items of which nobody knows what they did, even if at-most-once.")
    ] = False,
    code: Annotated[
        list[str] | None, typer.Option("--code", metavar="CODE", help="Only failures of this cause: exit_22, timeout.")
    ] = None,
) -> int:
    """Run again what did not succeed: the same job, its next round.

    Examples:
      jobctl retry 42                    all that failed or was never tried
      jobctl retry 42 --code timeout     one cause of failure
      jobctl retry 42.17 42.20-25        some items

    The job must be done. The history of attempts stays; the result files are written again when the round ends.
    Items whose outcome is unknown are left out when the job was submitted with --on-crash fail, unless --unknown.
    """
    from jobctl.domain.selection import Selection
    from jobctl.services.control.retry import retry_all
    from jobctl.services.control.targets import resolve

    shared = session(ctx)
    database = shared.open()
    found = resolve(database, targets)
    database.close()
    by_job: dict[int, list[int]] = {}
    for target in found:
        by_job.setdefault(target.job, []).extend(target.items or ())
    if any(target.item is None and by_job[target.job] for target in found):
        raise UsageError("a job and items of it at once", hint="name the job, or its items")
    wanted = {
        job: Selection(failed, unprocessed, unknown, tuple(code or ()), tuple(dict.fromkeys(items)))
        for job, items in by_job.items()
    }
    answers = retry_all(shared.home, wanted, now=now_us())
    if shared.json:
        fields = ("job", "round", "items", "left_out")
        rounds = [{name: getattr(answer, name) for name in fields} for answer in answers]
        shared.emit({"schema": "jobctl.retry/1", "retried": rounds})
    for answer in answers:
        shared.note(answer.sentence)
    note_daemon(shared, list(wanted))
    return Exit.OK
