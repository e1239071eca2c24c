"""Where the items of a submission will run, as far as anybody knows when it is made."""

from __future__ import annotations

from typer import Context

from jobctl.cli.session import Session
from jobctl.cli.submission.cluster import set_cluster_words
from jobctl.errors import JobctlError


def runs_on_cluster(shared: Session, ctx: Context, *, foreground: bool) -> bool | None:
    """Whether items will run on a cluster; None while no daemon is up and no setting says so.

    A daemon that is up gets the work, whatever the settings are; ``run`` has options of its own besides.
    """
    from jobctl.process.lock import holder

    if holder(str(shared.home.lock)) is not None:
        from jobctl.services.daemon.view import runs_on_cluster as daemon_runs_on_cluster

        return daemon_runs_on_cluster(shared.home)
    try:
        if _named(ctx) if foreground else set_cluster_words():
            return True
    except JobctlError:  # whoever starts an engine will be told; here it is enough that one was named
        return True
    return False if foreground or ctx.params.get("start_daemon") else None


def _named(ctx: Context) -> tuple[str, ...]:
    from jobctl.cli.submission.cluster import cluster_words

    return cluster_words(ctx)
