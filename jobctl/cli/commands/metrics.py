"""``jobctl metrics``: the store for Prometheus."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.session import now_us
from jobctl.errors import Exit, NotFound

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def metrics(
    ctx: typer.Context,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Replace this file in one step.")
    ] = None,
) -> int:
    """Print jobs, items, failures, ages and the daemon's state as OpenMetrics text.

    Examples:
      jobctl metrics
      jobctl metrics -o /var/lib/node_exporter/textfile/jobctl.prom

    With -o from cron it feeds the textfile collector of node_exporter.

    It answers with the daemon up or down and reads no item. Everything is a gauge: what is counted is what is kept,
    and prune takes from it. With --json the same names, labels and values are one JSON document.
    """
    from jobctl.services.metrics import read_metrics, write_metrics

    shared = session(ctx)
    try:
        database = shared.open()
    except NotFound:
        database = None
    reading = read_metrics(database, shared.home, now_us())
    text = reading.text()
    if output is not None and output != "-":
        write_metrics(Path(output), text)
        if shared.json:
            size = len(text.encode())
            shared.emit({"schema": "jobctl.metrics_file/1", "path": os.path.abspath(output), "bytes": size})
    elif shared.json:
        shared.emit(reading.document())
    else:
        if sys.stdout.isatty():  # a label is data for who collects it, and must not act on who looks at it
            from jobctl.render.inert import inert_log

            text = inert_log(text)
        sys.stdout.write(text)
    return Exit.OK
