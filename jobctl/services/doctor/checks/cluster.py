"""The check of a cluster: the workers of the running daemon, or whether the settings describe a usable cluster."""

from __future__ import annotations

import os
from importlib.util import find_spec

from jobctl.domain.blockers import NO_WORKERS
from jobctl.domain.cluster_workers import ClusterWorkers
from jobctl.domain.wording import plural
from jobctl.errors import JobctlError
from jobctl.services.doctor.examination import Examined, Finding, fail, ok, warn

_FILES = ("scheduler-file", "tls-ca", "tls-cert", "tls-key")
_PLACES = ("scheduler", "scheduler-file", "cluster")


def cluster(examined: Examined) -> Finding:
    """Of the daemon's cluster its workers; without a daemon the settings that name one."""
    cluster = examined.daemon.cluster
    if cluster is not None and not examined.daemon.is_away:
        return _workers(cluster, examined.daemon.join)
    if cluster is not None:
        return ok(f"{cluster.place}; see the daemon")
    return _settings()


def _workers(cluster: ClusterWorkers, join: str) -> Finding:
    if cluster.unfit:
        return warn(
            f"{cluster.place}: {cluster.unfit[0]}",
            "pip install 'jobctl[dask]' of one version everywhere",
            cluster.unfit,
        )
    if not cluster.workers:
        return warn(f"{cluster.place}: {NO_WORKERS.words(more='')}, so nothing runs", join)
    slots = sum(offer.workers * offer.slots for offer in cluster.offers)
    return ok(f"{cluster.place}, {plural(cluster.workers, 'worker')} with {plural(slots, 'slot')}")


def _settings() -> Finding:
    from jobctl.services.settings.settings import load_settings

    try:
        settings = load_settings(os.environ, os.getcwd())
    except (JobctlError, OSError):
        return ok("the settings cannot be read; see there")
    said = {name: str(settings.value("daemon", name) or "") for name in ("executor", *_PLACES, *_FILES)}
    if said["executor"] == "local" or not any(said[name] for name in ("executor", *_PLACES)):
        return ok("none; items run on this machine")
    if find_spec("distributed") is None:
        return fail("the settings name a cluster, and dask.distributed is not installed", "pip install 'jobctl[dask]'")
    missing = [name for name in _FILES if said[name] and not os.access(os.path.expanduser(said[name]), os.R_OK)]
    if missing == ["scheduler-file"]:
        path = said["scheduler-file"]
        return warn(f"there is no {path} yet: no scheduler has written it", f"dask scheduler --scheduler-file {path}")
    if missing:
        return fail(f"daemon.{missing[0]} cannot be read: {said[missing[0]]}", "jobctl config path")
    place = next((said[name] for name in _PLACES if said[name]), "")
    if not place:
        return warn(
            "daemon.executor is dask, and no setting says where the scheduler is",
            "jobctl daemon start --scheduler-file FILE",
        )
    return ok(f"by the settings: {place}")
