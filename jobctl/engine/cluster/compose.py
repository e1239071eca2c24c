"""From the words on an engine's command line to its executor."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence

from jobctl.engine.cluster.executor import ClusterExecutor
from jobctl.engine.cluster.options import ClusterOptions
from jobctl.engine.local import LocalExecutor
from jobctl.store.database import Database


def cluster_executor(words: Sequence[str], local: LocalExecutor, database: Database) -> ClusterExecutor:
    """The executor of an engine whose items run on a cluster."""
    os.environ["JOBCTL_STARTS"] = ""  # what begins there is noted by the fence, not in the ring of our supervisor
    return ClusterExecutor(local, ClusterOptions.from_words(words), _store_name(database))


def _store_name(database: Database) -> str:
    """Names the store to the cluster, for good; the same name is never given to another one."""
    with database.transaction():
        name = uuid.uuid4().hex[:16]
        database.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('cluster_name', ?)", (name,))
    return str(database.scalar("SELECT value FROM meta WHERE key = 'cluster_name'"))
