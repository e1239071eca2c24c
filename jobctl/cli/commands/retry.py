"""``jobctl retry``: another round for the items that did not succeed."""

from __future__ import annotations

from typing import Annotated

import typer

from jobctl.cli.item_conditions import (
    FAILED,
    ITEMS,
    RETRY_CAUSE,
    STATE,
    UNDONE,
    UNKNOWN,
    UNPROCESSED,
    WHERE,
    ItemsCommand,
    selection_of,
)
from jobctl.cli.session import now_us, session
from jobctl.cli.submission.options import AS_NEW, RetryOptions, command_line, values
from jobctl.errors import Exit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class RetryCommand(ItemsCommand, RetryOptions):
    """The command, with the options that select items and those that change rules."""

    on_first_screen = (
        *("--state", "--cause", "--where", "--items", "--unknown"),
        *("--timeout", "--attempts", "--slots", "--env", "--as-new"),
    )
    item_conditions = (STATE, RETRY_CAUSE, WHERE, ITEMS, FAILED, UNPROCESSED, UNKNOWN, UNDONE)


@app.command(cls=RetryCommand)
def retry(
    ctx: typer.Context,
    targets: Annotated[list[str], typer.Argument(metavar="JOB[.ITEM]...", help="Jobs, or items such as 42.17,20-25.")],
    as_new: Annotated[
        bool,
        typer.Option("--as-new", help="Make a new job of the selected rows, in any state.", rich_help_panel=AS_NEW),
    ] = False,
) -> int:
    """Run the items that did not succeed again, as the next round of the same job.

    Examples:
      jobctl retry 42                    all items that failed or never ran
      jobctl retry 42 --cause timeout    items that failed for one cause
      jobctl retry 42 --timeout 10m      with a longer time limit
      jobctl retry 42.17 42.20-25        only these items
      jobctl retry 42 --as-new -- ./import --slowly '{id}'

    The job must be done. Its history keeps the attempts so far; the result files are written again when the round
    ends. A rule that is given counts from this round on; the others stay as they are, and jobctl explain shows the
    rules of every round. If the job was submitted with --on-crash fail, items whose outcome is unknown run again only
    with --unknown.

    With --as-new, the selected rows are those of a new job: any items that are named by number or state, otherwise
    those that did not succeed. The other job stays as it is, and may still be running. The new job has its command,
    rules, environment, queue and labels unless options give others.
    """
    if as_new:
        from jobctl.cli.submission.as_new import retry_as_new

        return retry_as_new(ctx, targets)
    from jobctl.services.submit.copy_options import refuse_without_as_new

    refuse_without_as_new(values(ctx), command_line(ctx).words)
    return _another_round(ctx, targets)


def _another_round(ctx: typer.Context, targets: list[str]) -> int:
    from jobctl.services.control.retry import retry_all, retry_document, selections
    from jobctl.services.control.round_rules import rules_of_round
    from jobctl.services.control.targets import targets_of
    from jobctl.services.daemon.absence import absence_for_jobs

    shared = session(ctx)
    wanted = selections(targets_of(shared.home, targets), selection_of(ctx))
    answers = retry_all(shared.home, wanted, rules_of_round(values(ctx)), now=now_us())
    if shared.json:
        shared.emit(retry_document(answers))
    for answer in answers:
        shared.note(answer.sentence)
    shared.note_unless_empty(absence_for_jobs(shared.home, list(wanted), shared.program))
    return Exit.OK
