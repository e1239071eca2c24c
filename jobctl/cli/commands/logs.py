"""``jobctl logs``: the output of items."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.output_printer import OutputPrinter, follow_outputs
from jobctl.cli.session import session
from jobctl.errors import Exit, UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def logs(
    ctx: typer.Context,
    targets: Annotated[
        list[str], typer.Argument(metavar="JOB[.ITEM]...", help="Jobs or items: 42, last, 42.17, 42.1-5.")
    ],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show output as it is written, until the items end.")
    ] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Show only items that failed.")] = False,
    stdout: Annotated[bool, typer.Option("--stdout", help="Show only standard output.")] = False,
    stderr: Annotated[bool, typer.Option("--stderr", help="Show only standard error.")] = False,
    attempt: Annotated[
        str | None, typer.Option(metavar="N|all", help="Show this attempt, or all of them; default: the latest.")
    ] = None,
) -> int:
    """Show the output of items, in the order of the items.

    Examples:
      jobctl logs 42.17                  one item, stdout and stderr separately
      jobctl logs last --failed          failed items, each under a heading
      jobctl logs 42 --follow            output as it is written
      jobctl logs 42.17 --attempt 1      an earlier attempt

    With --json, one item is one document, and several items are a list in one document; with --follow, each line is a
    document.
    """
    from jobctl.services.output.log_documents import Outputs
    from jobctl.services.output.logs import Choice

    shared = session(ctx)
    choice = Choice(failed=failed, attempt=_number(attempt), every_attempt=attempt == "all")
    outputs = Outputs(shared.home, targets, choice, _streams(stdout=stdout, stderr=stderr))
    if follow:
        follow_outputs(shared, outputs)
    elif not shared.json:
        OutputPrinter(shared, outputs).show()
    elif outputs.is_single:
        shared.emit(outputs.document())
    else:
        shared.emit_list({"schema": "jobctl.logs/1"}, "outputs", outputs.documents())
    return Exit.OK


def _streams(*, stdout: bool, stderr: bool) -> tuple[str, ...]:
    if stdout and stderr:
        raise UsageError("--stdout and --stderr at once", hint="without them you get both")
    return ("out",) if stdout else ("err",) if stderr else ("out", "err")


def _number(attempt: str | None) -> int | None:
    if attempt is None or attempt == "all":
        return None
    if not re.fullmatch("0*[1-9][0-9]{0,17}", attempt):
        raise UsageError(f"--attempt {attempt!r} is not a number of an attempt", hint="1, 2, ... or all")
    return int(attempt)
