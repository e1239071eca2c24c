"""Makes the cluster executor of an engine from the words on its command line."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Sequence
from dataclasses import replace

from jobctl.domain.cluster_workers import AWAY
from jobctl.executors.cluster.executor import ClusterExecutor
from jobctl.executors.cluster.options import ClusterOptions
from jobctl.executors.local import LocalExecutor
from jobctl.process import moment
from jobctl.store import clock, daemon, items, meta
from jobctl.store.database import UNWRITABLE, Database


def cluster_executor(words: Sequence[str], local: LocalExecutor, database: Database) -> ClusterExecutor:
    """The executor of an engine whose items run on a cluster."""
    os.environ["JOBCTL_STARTS"] = ""  # the fence records the starts, not the ring of the local supervisor
    return ClusterExecutor(
        local,
        ClusterOptions.from_words(words),
        _store_name(database),
        lambda reason: _record_wait(database, reason),
        busy_before=meta.executor(database) if items.running(database) else "",
    )


def _record_wait(database: Database, reason: str) -> None:
    """Record in the store that the engine lives, and the reason why it waits before it can start."""
    row = daemon.load(database)
    if row is None:
        return
    row = replace(row, pid=os.getppid(), engine_pid=os.getpid(), state="recovering", slots=0, pressure=AWAY + reason)
    with contextlib.suppress(*UNWRITABLE):  # on a full disk the status cannot be updated
        daemon.save(
            database, replace(row, heartbeat_at=clock.in_store(database, moment.now())), daemon.load_cluster(database)
        )


def _store_name(database: Database) -> str:
    """The permanent name of the store on clusters; no other store ever gets the same name."""
    return meta.cluster_name(database, if_new=uuid.uuid4().hex[:16])
