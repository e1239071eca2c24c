"""``jobctl export``: a job in a format that another tool reads."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import Session, session
from jobctl.errors import Exit, UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
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

    With --json, each line is an entry of "rows" in one JSON document; its keys are other names of the same columns.

    Columns: Seq Host Starttime JobRuntime Send Receive Exitval Signal Command, the latest attempt of each item.
    """
    from jobctl.services.control.targets import job_of

    shared = session(ctx)
    to_stdout = output is None or output == "-"
    if not joblog and not (shared.json and to_stdout):
        raise UsageError("export in which format?", hint="jobctl export JOB --joblog")
    number = job_of(shared.home, job)
    if output is None or output == "-":
        _print(shared, number)
    else:
        _write(shared, number, output)
    return Exit.OK


def _print(shared: Session, number: int) -> None:
    from jobctl.services.output.export import export_head, export_joblog, export_rows

    if shared.json:
        shared.emit_list(export_head(number), "rows", export_rows(shared.home, number))
        return
    sys.stdout.flush()
    export_joblog(shared.home, number, sys.stdout.buffer)


def _write(shared: Session, number: int, output: str) -> None:
    from jobctl.services.output.export import export_file

    document = export_file(shared.home, number, output)
    if shared.json:
        shared.emit(document)
    else:
        shared.note(f"{document['rows']} lines written to {output}")
