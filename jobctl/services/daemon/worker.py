"""``jobctl worker``: offer the slots of this machine to the daemons of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.errors import UsageError
from jobctl.services.daemon.options import cluster_words

if TYPE_CHECKING:
    from jobctl.domain.documents.program import WorkerDocument
    from jobctl.services.settings.settings import Settings


class Offer(NamedTuple):
    """The options of a worker, as texts of a command line."""

    cluster: Mapping[str, Any]  # options of ``cluster_words`` by name
    slots: int | None  # None = one for each CPU
    resources: str | None
    spool: str | None  # a folder
    patience: str  # a duration: the longest time without a scheduler


def serve_cluster(offer: Offer, settings: Settings, tell: Callable[[str], None]) -> WorkerDocument:
    """Run items for a cluster until the scheduler or a signal ends the worker; returns ``jobctl.worker/1``.

    Raises UsageError, ClusterError.
    """
    words = cluster_words(offer.cluster, settings)
    if not words:
        raise UsageError("no cluster is named", hint="jobctl worker --scheduler-file FILE, or --scheduler ADDRESS")
    from jobctl.config import cpu_count
    from jobctl.domain.durations import parse_duration
    from jobctl.domain.resources import parse_resources
    from jobctl.executors.cluster.options import ClusterOptions
    from jobctl.executors.cluster.worker import WorkerOptions, serve

    offered = parse_resources(offer.resources) if offer.resources else {}
    cluster, patience_s = ClusterOptions.from_words(words), parse_duration(offer.patience)
    options = WorkerOptions(cluster, offer.slots or cpu_count(), offered, offer.spool, patience_s)
    code = int(serve(options, tell))
    return {"schema": "jobctl.worker/1", "slots": options.slots, "resources": offered, "exit_code": code}
