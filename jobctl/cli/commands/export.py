"""``jobctl export``: a job in the form that another tool reads."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.session import Session
from jobctl.config import Home
from jobctl.errors import Exit, UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def export(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A number, a name or last.")],
    joblog: Annotated[bool, typer.Option("--joblog", help="The format of GNU parallel's --joblog.")] = False,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write it here instead of standard output.")
    ] = None,
) -> int:
    """Write what ran, one line an item, for tools that read GNU parallel's joblog.

    Examples:
      jobctl export last --joblog
      jobctl export 42 --joblog -o joblog.tsv

    With --json each line is an entry of "rows" in one JSON document, with the same columns under names of their own.

    Columns: Seq Host Starttime JobRuntime Send Receive Exitval Signal Command, the latest attempt of each item.
    """
    from jobctl.services.control.targets import resolve_job

    shared = session(ctx)
    to_stdout = output is None or output == "-"
    if not joblog and not (shared.json and to_stdout):
        raise UsageError("export in which format?", hint="jobctl export JOB --joblog")
    database = shared.open()
    number = resolve_job(database, job)
    database.close()
    if output is None or output == "-":
        _write(shared, number)
        return Exit.OK
    count = _write_to(shared.home, number, Path(output))
    if shared.json:
        path = os.path.abspath(output)
        shared.emit({"schema": "jobctl.export_file/1", "job": number, "format": "joblog", "path": path, "rows": count})
        return Exit.OK
    shared.note(f"{count} lines written to {output}")
    return Exit.OK


def _write(shared: Session, number: int) -> None:
    from jobctl.services.output.export import export_joblog, export_rows

    if shared.json:
        head = {"schema": "jobctl.export/1", "job": number, "format": "joblog"}
        shared.emit_list(head, "rows", export_rows(shared.home, number))
        return
    sys.stdout.flush()
    export_joblog(shared.home, number, sys.stdout.buffer)


def _write_to(home: Home, number: int, path: Path) -> int:
    from jobctl.services.output.export import export_joblog
    from jobctl.services.output.write_file import placed

    with placed(path) as target:
        return export_joblog(home, number, target)
