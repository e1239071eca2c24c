"""``jobctl metrics``: the store for Prometheus."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.session import now_us
from jobctl.errors import Exit, NotFound, UsageError

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
    and prune takes from it.
    """
    from jobctl.services.metrics import metrics_text, write_metrics

    shared = session(ctx)
    if shared.json:
        raise UsageError("metrics are OpenMetrics text", hint="jobctl status --json, jobctl daemon status --json")
    try:
        database = shared.open()
    except NotFound:
        database = None
    text = metrics_text(database, shared.home, now_us())
    if output is None or output == "-":
        if sys.stdout.isatty():  # a label is data for who collects it, and must not act on who looks at it
            from jobctl.render.inert import inert_log

            text = inert_log(text)
        sys.stdout.write(text)
    else:
        write_metrics(Path(output), text)
    return Exit.OK
