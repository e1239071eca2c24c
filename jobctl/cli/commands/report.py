"""``jobctl report``: a report on a job, as one HTML file to keep or to send."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import now_us, session
from jobctl.errors import Exit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def report(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A number, a name or last.")],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write it to this file; - means standard output. Default: job-JOB.html.",
        ),
    ] = None,
) -> int:
    """Write a report on a job as one HTML file: figures, charts, failures, and the next steps.

    Examples:
      jobctl report last
      jobctl report 42 -o report.html

    The file is self-contained: it loads nothing from elsewhere, so you can send it as it is.
    """
    from jobctl.render.report.page import report_page
    from jobctl.services.control.targets import job_of
    from jobctl.services.output.report import report_of, write_report

    shared, number = session(ctx), job_of(session(ctx).home, job)
    page = report_page(report_of(shared.home, number, now_us(), program=shared.program))
    path = None if output == "-" else Path(output or f"job-{number}.html")
    document = write_report(number, page, path)
    if shared.json:
        shared.emit(document)
    elif path is None:
        sys.stdout.write(page)
    else:
        shared.say(str(path))
    return Exit.OK
