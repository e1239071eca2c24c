"""The check before an engine starts on this machine: no cluster may still run items of the store."""

from __future__ import annotations

from jobctl.errors import NotFound
from jobctl.process.daemon import StartOptions, lock_holder
from jobctl.store import elsewhere
from jobctl.store.opening.open import open_database


def refuse_elsewhere(options: StartOptions) -> None:
    """Raises Elsewhere if a cluster may still run attempts of a daemon that was killed.

    The engine checks this again, in the transaction in which it takes over. An engine on a cluster can ask the cluster,
    so for such an engine nothing is checked here.
    """
    home = options.home
    if options.cluster or options.forget_cluster or lock_holder(home.lock) is not None:
        return
    try:
        database = open_database(home)
    except NotFound:  # no file, or an empty one: a process is creating the store, or was killed while it did
        return
    try:
        elsewhere.check(database)
    finally:
        database.close()
