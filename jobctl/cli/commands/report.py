"""``jobctl report``: how a job went, as one HTML file to keep or to send."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.session import Session, now_us
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.store.database import Database

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def report(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A number, a name or last.")],
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write it here; - is standard output. Default: job-JOB.html."
        ),
    ] = None,
) -> int:
    """Write how a job went as one HTML file: figures, drawings, failures, what to do.

    Examples:
      jobctl report last
      jobctl report 42 -o report.html

    The file needs nothing but itself: it loads nothing from anywhere and can be sent as it is.
    """
    from jobctl.services.control.targets import resolve_job

    shared = session(ctx)
    database = shared.open()
    number = resolve_job(database, job)
    if output == "-":
        page = _page(shared, database, number)
        if shared.json:
            file = {"path": None, "bytes": len(page.encode()), "html": page}
            shared.emit({"schema": "jobctl.report_file/1", "job": number} | file)
        else:
            sys.stdout.write(page)
        return Exit.OK
    path = Path(output or f"job-{number}.html")
    size = _write(path, _page(shared, database, number).encode())
    if shared.json:
        shared.emit({"schema": "jobctl.report_file/1", "job": number, "path": str(path.absolute()), "bytes": size})
    else:
        shared.say(str(path))
    return Exit.OK


def _page(shared: Session, database: Database, number: int) -> str:
    from jobctl.render.report.page import report_page
    from jobctl.services.output.report import Subject, report

    return report_page(report(database, shared.home, Subject(number, now_us(), shared.program)))


def _write(path: Path, content: bytes) -> int:
    """Whole or not at all; a report that was there is replaced."""
    from jobctl.services.output.write_file import placed

    with placed(path) as file:
        file.write(content)
    return len(content)
