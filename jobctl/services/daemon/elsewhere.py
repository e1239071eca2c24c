"""A check before an engine starts on this machine: a cluster must not still run items of the store."""

from __future__ import annotations

from jobctl.errors import NotFound
from jobctl.process.daemon import StartOptions, lock_holder
from jobctl.store import elsewhere
from jobctl.store.opening.open import open_database


def refuse_elsewhere(options: StartOptions) -> None:
    """Raises Elsewhere if the attempts of a daemon that was killed may run on a cluster.

    The engine looks again, within the transaction in which it takes over; an engine on a cluster knows more than
    we do, so it alone looks.
    """
    home = options.home
    if options.cluster or options.forget_cluster or lock_holder(home.lock) is not None:
        return
    try:
        database = open_database(home)
    except NotFound:  # no file, or an empty one: a process makes the store right now, or was killed while it made it
        return
    try:
        elsewhere.check(database)
    finally:
        database.close()
