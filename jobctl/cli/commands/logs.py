"""``jobctl logs``: the output of items."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from jobctl.cli.item_conditions import CONDITIONS, FAILED, ItemsCommand, selection_of
from jobctl.cli.output_printer import OutputPrinter, emit_outputs, follow_outputs
from jobctl.cli.session import now_us, session
from jobctl.errors import Exit, UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class LogsCommand(ItemsCommand):
    """The command, with the options that select items."""

    item_conditions = (FAILED, *CONDITIONS)


@app.command(cls=LogsCommand)
def logs(
    ctx: typer.Context,
    targets: Annotated[
        list[str], typer.Argument(metavar="JOB[.ITEM]...", help="Jobs or items: 42, last, 42.17, 42.1-5.")
    ],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show output as it is written, until the items end.")
    ] = False,
    stdout: Annotated[bool, typer.Option("--stdout", help="Show only standard output.")] = False,
    stderr: Annotated[bool, typer.Option("--stderr", help="Show only standard error.")] = False,
    attempt: Annotated[
        str | None, typer.Option(metavar="N|all", help="Show this attempt, or all of them; default: the latest.")
    ] = None,
    tail: Annotated[
        int | None,
        typer.Option("--tail", "-n", metavar="N", min=0, help="Show only the last N lines of each stream of an item."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Show only items that ran since then: 10m, 22:00, yesterday, 2026-12-01."),
    ] = None,
    no_headings: Annotated[
        bool, typer.Option("--no-headings", help="Print no headings between the items, as with -q.")
    ] = False,
) -> int:
    """Show the output of items, in the order of the items.

    Examples:
      jobctl logs 42.17                  one item, stdout and stderr separately
      jobctl logs last --failed          failed items, each under a heading
      jobctl logs 42 --follow            output as it is written
      jobctl logs 42 -n 3 --since 10m    the last lines of what ran lately
      jobctl logs 42.17 --attempt 1      an earlier attempt
      jobctl logs 42 --cause timeout --follow

    If the selection depends on outcomes, --follow shows each attempt that ends so when it ends.

    With --json, one item is one document, and several items are a list in one document; with --follow, each line is a
    document.
    """
    from jobctl.services.output.log_documents import Outputs
    from jobctl.services.output.logs import Choice

    shared, now = session(ctx), now_us()
    choice = Choice(selection_of(ctx), _number(attempt), attempt == "all", tail, _moment(since, now), now)
    outputs = Outputs(shared.home, targets, choice, _streams(stdout=stdout, stderr=stderr))
    headings = not (no_headings or shared.quiet)
    if follow:
        follow_outputs(shared, outputs, headings=headings)
    elif shared.json:
        emit_outputs(shared, outputs)
    else:
        OutputPrinter(shared, outputs, headings=headings).show()
    return Exit.OK


def _streams(*, stdout: bool, stderr: bool) -> tuple[str, ...]:
    if stdout and stderr:
        raise UsageError("--stdout and --stderr at once", hint="without them you get both")
    return ("out",) if stdout else ("err",) if stderr else ("out", "err")


def _moment(since: str | None, now: int) -> int | None:
    """The time that ``--since`` means, in microseconds UTC."""
    if since is None:
        return None
    from jobctl.domain.times import parse_since

    try:
        return parse_since(since, now)
    except UsageError as error:
        raise UsageError(f"--since: {error.message}", hint=error.hint) from None


def _number(attempt: str | None) -> int | None:
    if attempt is None or attempt == "all":
        return None
    if not re.fullmatch("0*[1-9][0-9]{0,17}", attempt):
        raise UsageError(f"--attempt {attempt!r} is not a number of an attempt", hint="1, 2, ... or all")
    return int(attempt)
