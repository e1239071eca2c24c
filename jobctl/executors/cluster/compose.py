"""From the words on an engine's command line to its executor."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Sequence
from dataclasses import replace

from jobctl.domain.crew import AWAY
from jobctl.executors.cluster.executor import ClusterExecutor
from jobctl.executors.cluster.options import ClusterOptions
from jobctl.executors.local import LocalExecutor
from jobctl.process import moment
from jobctl.store import clock, daemon, meta
from jobctl.store.database import UNWRITABLE, Database


def cluster_executor(words: Sequence[str], local: LocalExecutor, database: Database) -> ClusterExecutor:
    """The executor of an engine whose items run on a cluster."""
    os.environ["JOBCTL_STARTS"] = ""  # what begins there is noted by the fence, not in the ring of our supervisor
    return ClusterExecutor(
        local, ClusterOptions.from_words(words), _store_name(database), lambda reason: _wait(database, reason)
    )


def _wait(database: Database, reason: str) -> None:
    """Say for the daemon that its engine lives, and what it waits for before it can begin."""
    row = daemon.load(database)
    if row is None:
        return
    row = replace(row, pid=os.getppid(), engine_pid=os.getpid(), state="recovering", slots=0, pressure=AWAY + reason)
    with contextlib.suppress(*UNWRITABLE):  # a full disk: then nobody learns of it
        daemon.save(
            database, replace(row, heartbeat_at=clock.in_store(database, moment.now())), daemon.load_crew(database)
        )


def _store_name(database: Database) -> str:
    """Names the store to the cluster, for good; the same name is never given to another one."""
    return meta.cluster_name(database, if_new=uuid.uuid4().hex[:16])
