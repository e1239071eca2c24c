"""``jobctl retry``: another round for what did not succeed."""

from __future__ import annotations

from typing import Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import now_us, session
from jobctl.errors import Exit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def retry(
    ctx: typer.Context,
    targets: Annotated[list[str], typer.Argument(metavar="JOB[.ITEM]...", help="Jobs, or items such as 42.17,20-25.")],
    failed: Annotated[bool, typer.Option("--failed", help="Only items that failed.")] = False,
    unprocessed: Annotated[bool, typer.Option("--unprocessed", help="Only items that were never tried.")] = False,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Also items whose outcome is unknown, even with --on-crash fail.")
    ] = False,
    code: Annotated[
        list[str] | None,
        typer.Option("--code", metavar="CODE", help="Only items that failed for this cause: exit_22, timeout."),
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
    from jobctl.services.control.retry import retry_all, retry_document, selections
    from jobctl.services.control.targets import targets_of
    from jobctl.services.daemon.absence import absence_for_jobs

    shared = session(ctx)
    chosen = Selection(failed, unprocessed, unknown, tuple(code or ()))
    wanted = selections(targets_of(shared.home, targets), chosen)
    answers = retry_all(shared.home, wanted, now=now_us())
    if shared.json:
        shared.emit(retry_document(answers))
    for answer in answers:
        shared.note(answer.sentence)
    shared.note_any(absence_for_jobs(shared.home, list(wanted), shared.program))
    return Exit.OK
