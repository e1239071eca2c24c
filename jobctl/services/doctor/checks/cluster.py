"""The check of the cluster: it has usable workers, or the settings describe a cluster that can be used."""

from __future__ import annotations

import os
from importlib.util import find_spec

from jobctl.domain.blocker_kinds import NO_WORKERS
from jobctl.domain.cluster_workers import ClusterWorkers
from jobctl.domain.wording import plural
from jobctl.errors import JobctlError
from jobctl.services.doctor.check_types import CheckedStore, CheckResult, fail, ok, warn

_FILES = ("scheduler-file", "tls-ca", "tls-cert", "tls-key")
_PLACES = ("scheduler", "scheduler-file", "cluster")


def cluster(checked: CheckedStore) -> CheckResult:
    """Check the workers of the daemon's cluster; without a daemon, check the settings that name a cluster."""
    cluster = checked.daemon.cluster
    if cluster is not None and not checked.daemon.is_away:
        return _workers(cluster, checked.daemon.join)
    if cluster is not None:
        return ok(f"{cluster.place}; see the check of the daemon")
    return _settings()


def _workers(cluster: ClusterWorkers, join: str) -> CheckResult:
    if cluster.unfit:
        return warn(
            f"{cluster.place}: {cluster.unfit[0]}",
            "install the same version everywhere: pip install 'jobctl[dask]'",
            cluster.unfit,
        )
    if not cluster.workers:
        return warn(f"{cluster.place}: {NO_WORKERS.words(more='')}, so nothing runs", join)
    slots = sum(offer.workers * offer.slots for offer in cluster.offers)
    return ok(f"{cluster.place}, {plural(cluster.workers, 'worker')} with {plural(slots, 'slot')}")


def _settings() -> CheckResult:
    from jobctl.services.settings.settings import load_settings

    try:
        settings = load_settings(os.environ, os.getcwd())
    except (JobctlError, OSError):
        return ok("the settings cannot be read; see the check of the settings")
    named = {name: str(settings.value("daemon", name) or "") for name in ("executor", *_PLACES, *_FILES)}
    if named["executor"] == "local" or not any(named[name] for name in ("executor", *_PLACES)):
        return ok("none; items run on this machine")
    if find_spec("distributed") is None:
        return fail("the settings name a cluster, but dask.distributed is not installed", "pip install 'jobctl[dask]'")
    missing = [name for name in _FILES if named[name] and not os.access(os.path.expanduser(named[name]), os.R_OK)]
    if missing == ["scheduler-file"]:
        path = named["scheduler-file"]
        return warn(f"there is no {path} yet: no scheduler has written it", f"dask scheduler --scheduler-file {path}")
    if missing:
        return fail(f"daemon.{missing[0]} cannot be read: {named[missing[0]]}", "jobctl config path")
    place = next((named[name] for name in _PLACES if named[name]), "")
    if not place:
        return warn(
            "daemon.executor is dask, but no setting says where the scheduler is",
            "jobctl daemon start --scheduler-file FILE",
        )
    return ok(f"by the settings: {place}")
