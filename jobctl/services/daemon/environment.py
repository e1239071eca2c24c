"""The check that the running daemon has the variables that the items of a new job get from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

from jobctl.config import Home
from jobctl.errors import UsageError
from jobctl.process import lock


def check_names(home: Home, names: Sequence[str], environ: Mapping[str, str]) -> None:
    """Raises UsageError for a variable of ``names`` that is set here and that the running daemon does not have.

    Without a daemon, or with a daemon that does not list its variables, nothing is known, and the check passes. The
    items fail later if the variable is missing.
    """
    holder = lock.holder(str(home.lock))
    if holder is None or not home.database.exists():
        return
    from jobctl.store import daemon
    from jobctl.store.opening.open import open_database

    with closing(open_database(home)) as database:
        row = daemon.load(database)
        serves = row is not None and holder in (0, row.pid) and row.scope == "all"
        known = daemon.load_environment(database, row.engine_pid) if row is not None and serves else None
    lacking = [name for name in names if name in environ and known is not None and name not in known]
    if lacking:
        name = lacking[0]
        raise UsageError(
            f"--env {name}: items get this variable from the running daemon, which does not have it",
            hint=f"start the daemon again with {name} set, or use --env-file, or --env {name}=VALUE, which is stored",
        )
