"""``jobctl results``: the result files of a finished job."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.item_conditions import CONDITIONS, FAILED, SUCCEEDED, UNPROCESSED, ItemsCommand, selection_of
from jobctl.cli.session import Session, now_us, session
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.domain.documents.results import ResultsDocument
    from jobctl.services.output.results import ListedFile, Results

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class ResultsCommand(ItemsCommand):
    """The command, with the options that select items."""

    item_conditions = (SUCCEEDED, FAILED, UNPROCESSED, *CONDITIONS)


@app.command(cls=ResultsCommand)
def results(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A number, a name or last.")],
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Take the rows that were not accepted, with the reasons.")
    ] = False,
    undone: Annotated[bool, typer.Option("--undone", help="Take the rows that jobctl undo has taken back.")] = False,
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
      jobctl results 42 --cause timeout -o slow.csv      rows of one cause

    Each row of the input is in exactly one of succeeded, failed and unprocessed: its own columns as they were, then
    jobctl_* columns with the exit code, duration, message and more.
    """
    from jobctl.services.output.results import results_of

    shared, selection = session(ctx), selection_of(ctx)
    found = results_of(shared.home, job, selection, rejected=rejected, undone=undone, now=now_us())
    if output == "-":
        _print(shared, found)
    elif output is not None:
        _copy(shared, found, output)
    elif shared.json:
        shared.emit(found.document())
    else:
        found.refuse_rows()
        _list(shared, found.files, bare=bool(selection.states) or rejected or undone)
    return Exit.OK


def _print(shared: Session, found: Results) -> None:
    if shared.json:
        head: ResultsDocument = {"schema": "jobctl.results/1", "job": found.job, "files": [found.one().document()]}
        shared.emit_list(head, "lines", found.lines())
    else:
        sys.stdout.flush()
        found.stream_out(sys.stdout.buffer)
    shared.note_unless_empty(found.note())


def _copy(shared: Session, found: Results, output: str) -> None:
    from jobctl.domain.wording import plural

    document = found.copied(output)
    if shared.json:
        shared.emit(document)
    else:
        shared.note(found.note() or f"{plural(document['files'][0]['rows'], 'row')} written to {output}")


def _list(shared: Session, files: list[ListedFile], *, bare: bool) -> None:
    """Only the paths for one kind, so that a command can use them; with the number of rows for all kinds."""
    if bare or not shared.is_terminal(sys.stdout):
        for file in files:
            shared.say(str(file.path) if bare else f"{file.kind}\t{file.rows}\t{file.path}")
        return
    from jobctl.render.grid import print_grid

    rows = [(file.kind, file.rows, file.path) for file in files]
    print_grid(("items", "rows", "file"), rows, sys.stdout, shared.look(sys.stdout))
