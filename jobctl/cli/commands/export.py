"""``jobctl export``: a job in a format that another tool reads."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.item_conditions import CONDITIONS, FAILED, ItemsCommand, selection_of
from jobctl.cli.session import Session, now_us, session
from jobctl.errors import Exit, UsageError

if TYPE_CHECKING:
    from jobctl.services.output.export import Exported

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class ExportCommand(ItemsCommand):
    """The command, with the options that select items."""

    item_conditions = (*CONDITIONS, FAILED)


@app.command(cls=ExportCommand)
def export(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A number, a name or last.")],
    joblog: Annotated[
        bool, typer.Option("--joblog", help="Use the format of the --joblog option of GNU parallel.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it to this file instead of standard output."),
    ] = None,
) -> int:
    """Write one line for each item that ran, for tools that read the joblog of GNU parallel.

    Examples:
      jobctl export last --joblog
      jobctl export 42 --joblog -o joblog.tsv
      jobctl export 42 --joblog --state failed --where 'duration > 60'

    With --json, each line is an entry of "rows" in one JSON document; its keys are other names of the same columns.

    Columns: Seq Host Starttime JobRuntime Send Receive Exitval Signal Command, the latest attempt of each item.
    """
    from jobctl.services.output.export import exported

    shared, selection = session(ctx), selection_of(ctx)
    to_stdout = output is None or output == "-"
    if not joblog and not (shared.json and to_stdout):
        raise UsageError("export needs the option of a format", hint="jobctl export JOB --joblog; jobctl export --help")
    wanted = exported(shared.home, job, selection, now_us())
    if output is None or output == "-":
        _print(shared, wanted)
    else:
        _write(shared, wanted, output)
    shared.note_unless_empty(wanted.note())
    return Exit.OK


def _print(shared: Session, wanted: Exported) -> None:
    from jobctl.services.output.export import export_head, export_joblog, export_rows

    if shared.json:
        shared.emit_list(export_head(wanted.job), "rows", export_rows(wanted))
        return
    sys.stdout.flush()
    export_joblog(wanted, sys.stdout.buffer)


def _write(shared: Session, wanted: Exported, output: str) -> None:
    from jobctl.services.output.export import export_file

    document = export_file(wanted, output)
    if shared.json:
        shared.emit(document)
    else:
        shared.note(f"{document['rows']} lines written to {output}")
