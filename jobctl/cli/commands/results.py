"""``jobctl results``: the result files of a finished job."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import Session, session
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.services.output.results import ListedFile, Results

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def results(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A number, a name or last.")],
    succeeded: Annotated[bool, typer.Option("--succeeded", help="Take the rows that succeeded.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Take the rows that failed.")] = False,
    unprocessed: Annotated[bool, typer.Option("--unprocessed", help="Take the rows that never ran.")] = False,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Take the rows that were not accepted, with the reasons.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Copy the file to this path; - means standard output."),
    ] = None,
) -> int:
    """Show where the result files of a job are, or copy one of them.

    Examples:
      jobctl results last                        the files, with the number of rows
      jobctl results 42 --failed -o again.csv    a copy, which you can submit
      jobctl results 42 --succeeded -o - | cut -d, -f1   the rows themselves

    Each row of the input is in exactly one of succeeded, failed and unprocessed: its own columns as they were, then
    jobctl_* columns with the exit code, duration, message and more.
    """
    from jobctl.services.output.results import results_of

    shared = session(ctx)
    flags = {"succeeded": succeeded, "failed": failed, "unprocessed": unprocessed}
    kinds = [kind for kind, given in flags.items() if given]
    found = results_of(shared.home, job, kinds, rejected=rejected)
    if output == "-":
        _print(shared, found)
    elif output is not None:
        _copy(shared, found, output)
    elif shared.json:
        shared.emit(found.document())
    else:
        _list(shared, found.files, bare=bool(kinds) or rejected)
    return Exit.OK


def _print(shared: Session, found: Results) -> None:
    from jobctl.services.output.results import lines_of, stream_out

    if shared.json:
        shared.emit_list(found.document(), "lines", lines_of(found.one()))
        return
    sys.stdout.flush()
    stream_out(found.one(), sys.stdout.buffer)


def _copy(shared: Session, found: Results, output: str) -> None:
    from jobctl.domain.wording import plural

    document = found.copied(output)
    if shared.json:
        shared.emit(document)
    else:
        shared.note(f"{plural(found.one().rows, 'row')} written to {output}")


def _list(shared: Session, files: list[ListedFile], *, bare: bool) -> None:
    """Only the paths for one kind, so that a command can use them; with the number of rows for all kinds."""
    if bare or not shared.is_terminal(sys.stdout):
        for file in files:
            shared.say(str(file.path) if bare else f"{file.kind}\t{file.rows}\t{file.path}")
        return
    from jobctl.render.grid import print_grid

    rows = [(file.kind, file.rows, file.path) for file in files]
    print_grid(("items", "rows", "file"), rows, sys.stdout, shared.look(sys.stdout))
