"""``jobctl worker``: offer this machine's slots to the jobctl daemons of a cluster."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from jobctl.cli.session import session
from jobctl.cli.submission.cluster import WorkerCommand, cluster_given

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=WorkerCommand)
def worker(
    ctx: typer.Context,
    slots: Annotated[
        int | None,
        typer.Option("--slots", "-j", min=1, metavar="N", help="Run N items at once; default: the number of CPUs."),
    ] = None,
    resources: Annotated[
        str | None, typer.Option(metavar="NAME=N,...", help="The resources that this worker offers: gpu=2,mem=64.")
    ] = None,
    spool: Annotated[
        str | None, typer.Option(metavar="DIR", help="The folder for output until it is sent; default: TMPDIR.")
    ] = None,
    patience: Annotated[
        str, typer.Option("--wait", metavar="DURATION", help="End after this time without a scheduler.")
    ] = "10m",
) -> int:
    """Run items for the daemons of a cluster, in the foreground.

    Examples:
      jobctl worker --scheduler-file sched.json --insecure
      sbatch --wrap 'jobctl worker --scheduler-file sched.json --insecure'

    For a scheduler on another machine, the worker needs --tls-ca, --tls-cert and --tls-key, or --insecure on a private
    network. However the worker ends, its items end with it. When the scheduler ends, the worker waits for the next one;
    it ends when the scheduler tells it to, or on SIGTERM.
    """
    from jobctl.cli.submission.untrusted import tell_untrusted
    from jobctl.services.daemon.worker import Offer, serve_cluster
    from jobctl.services.settings.settings import load_settings

    shared = session(ctx)
    tell_untrusted(shared, "daemon")
    offer = Offer(cluster_given(ctx), slots, resources, spool, patience)
    document = serve_cluster(offer, load_settings(os.environ, os.getcwd()), shared.note)
    if shared.json:
        shared.emit(document)
    return int(document["exit_code"])
