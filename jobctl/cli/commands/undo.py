"""``jobctl undo``: take back the rows of a job that succeeded."""

from __future__ import annotations

from typing import Annotated

import typer

from jobctl.cli.item_conditions import CAUSE, ITEMS, STATE, UNKNOWN, WHERE, ItemsCommand
from jobctl.cli.session import session
from jobctl.cli.submission.options import UndoCommand
from jobctl.errors import Exit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Undo(ItemsCommand, UndoCommand):
    """The command, with the options that select items and those that change rules."""

    item_conditions = (
        STATE._replace(help="Only items in these states: succeeded, which is the default."),
        CAUSE,
        WHERE,
        ITEMS,
        UNKNOWN._replace(help="Rows whose outcome is not known as well."),
    )
    on_first_screen = ("--where", "--items", "--unknown", "--shell", "--call", "--slots", "--rate")


@app.command(cls=Undo)
def undo(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="JOB[.ITEM]", help="A job, or items of it such as 42.17,20-25.")],
    shell: Annotated[
        str | None, typer.Option("--shell", metavar="TEXT", help="Run this shell script instead of COMMAND.")
    ] = None,
    call: Annotated[
        str | None, typer.Option("--call", metavar="MODULE:FUNCTION", help="Call this function instead of COMMAND.")
    ] = None,
) -> int:
    """Take back the rows of a job that succeeded, the newest first.

    Examples:
      jobctl undo 42                         with the --undo of the job
      jobctl undo 43 -- rm -f 'out/{}.pdf'   with this command
      jobctl undo 44.5-10 --rate 5/s         only these items, five a second

    Its --undo runs once for each row. The undo is a job of its own, with attempts, limits and results like any other,
    and its number is printed. The other job must be done. A row that was taken back is not taken back again, and runs
    again only with jobctl retry --undone. A row whose undo failed can be taken back with the same command, or with
    jobctl retry UNDO-JOB.
    """
    from jobctl.cli.submission.undo import make_undo, undo_request
    from jobctl.services.control.undo import undo_document
    from jobctl.services.daemon.absence import absence_for_jobs

    shared = session(ctx)
    answer = make_undo(shared, undo_request(ctx, target, shell, call))
    if shared.json:
        shared.emit(undo_document(answer))
    else:
        shared.say(str(answer.job))
    for line in answer.sentences:
        shared.note(line)
    shared.note_unless_empty(absence_for_jobs(shared.home, [answer.job], shared.program))
    return Exit.OK
