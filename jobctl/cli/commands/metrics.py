"""``jobctl metrics``: the metrics of a store, for Prometheus."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import now_us, session
from jobctl.errors import Exit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def metrics(
    ctx: typer.Context,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write it to this file, in one step.")
    ] = None,
) -> int:
    """Print jobs, items, failures, ages and the state of the daemon as OpenMetrics text.

    Examples:
      jobctl metrics
      jobctl metrics -o /var/lib/node_exporter/textfile/jobctl.prom

    Run it with -o from cron to feed the textfile collector of node_exporter.

    This works with and without a daemon, and reads no items. Every metric is a gauge: it counts the jobs that are kept,
    so prune lowers it. With --json the same names, labels and values are one JSON document.
    """
    from jobctl.services.metrics import metrics_of, write_metrics

    shared = session(ctx)
    reading = metrics_of(shared.home, now_us())
    if output is not None and output != "-":
        document = write_metrics(output, reading.text())
        if shared.json:
            shared.emit(document)
    elif shared.json:
        shared.emit(reading.document())
    else:
        _print(reading.text())
    return Exit.OK


def _print(text: str) -> None:
    if sys.stdout.isatty():  # a label must not act on the terminal of the reader
        from jobctl.render.inert import inert_log

        text = inert_log(text)
    sys.stdout.write(text)
