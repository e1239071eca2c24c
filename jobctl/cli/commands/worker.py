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
        int | None, typer.Option("--slots", "-j", min=1, metavar="N", help="Items at once; default: the CPUs.")
    ] = None,
    resources: Annotated[
        str | None, typer.Option(metavar="NAME=N,...", help="What it has besides: gpu=2,mem=64.")
    ] = None,
    spool: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where output waits until it has travelled; default: TMPDIR.")
    ] = None,
    patience: Annotated[
        str, typer.Option("--wait", metavar="DURATION", help="Leave after so long without a scheduler.")
    ] = "10m",
) -> int:
    """Run items for the daemons of a cluster, in the foreground.

    Examples:
      jobctl worker --scheduler-file sched.json --insecure
      sbatch --wrap 'jobctl worker --scheduler-file sched.json --insecure'

    Off this machine it needs --tls-ca, --tls-cert and --tls-key, or --insecure on a network where nobody else is.
    Whatever it runs ends with it, however it ends. When the scheduler is gone it waits for the next one; it leaves
    when the scheduler says so, or on TERM.
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
