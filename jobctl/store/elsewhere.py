"""Remembers the cluster that got attempts last, because an engine elsewhere would run the same items a second time."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from jobctl.domain.wording import plural
from jobctl.errors import Exit, JobctlError
from jobctl.store import meta
from jobctl.store.database import Database
from jobctl.store.sqlite import with_states

_KEY = "cluster"
_PREFIX = "cluster."
_PLACES = ("scheduler", "scheduler_file", "cluster")
_FLAGS = ("insecure",)
_RUNNING = with_states("SELECT count(*) FROM items WHERE state = {RUNNING}")


class Elsewhere(JobctlError):
    """Items may run on a cluster, and the engine that is to start would not use that cluster."""

    exit_code = Exit.BUSY
    code = "elsewhere"


def last_cluster(database: Database) -> tuple[str, ...]:
    """The cluster of the last engine, as words of an engine's command line; no words = this machine."""
    text = meta.value(database, _KEY)
    return tuple(json.loads(text)) if text else ()


def remember(database: Database, cluster: Sequence[str]) -> None:
    """Store that attempts are handed to this cluster, in the transaction that begins the engine's epoch."""
    meta.put(database, _KEY, json.dumps(list(cluster)))


def check(database: Database, cluster: Sequence[str] = (), running: int | None = None) -> None:
    """Raise Elsewhere if attempts run on a cluster and an engine starts for another one, or for this machine.

    ``running`` is the number of attempts that this engine does not have; None = all that are recorded as running.
    """
    before = last_cluster(database)
    if not before or _place(before) == _place(cluster):
        return
    count = database.scalar(_RUNNING) if running is None else running
    if count:
        raise _error(before, count)


def _error(cluster: Sequence[str], count: int) -> Elsewhere:
    values = dict(_place(cluster))
    where = values.get("scheduler") or values.get("scheduler_file") or f"by {values.get('cluster')}"
    return Elsewhere(
        f"{plural(count, 'item')} may still run on a cluster ({where}), and nothing runs here meanwhile",
        hint=f"{command(cluster)}; when that cluster is gone for good: jobctl daemon start --forget-cluster",
    )


def command(cluster: Sequence[str]) -> str:
    """The command that starts the daemon on this cluster."""
    return _spelled(["jobctl", "daemon", "start", "--executor", "dask"], cluster)


def _spelled(words: list[str], cluster: Sequence[str]) -> str:
    for name, value in _values(cluster):
        option = f"--{name.replace('_', '-')}"
        words += [option] if name in _FLAGS else [option, value]
    return shlex.join(words)


def worker_command(cluster: Sequence[str]) -> str:
    """The command that makes a machine a worker of this cluster; if workers are batch jobs, the one that lists them."""
    if any(name == "cluster" for name, _ in _place(cluster)):
        return "jobctl daemon logs"
    return _spelled(["jobctl", "worker"], cluster)


def _values(cluster: Sequence[str]) -> list[tuple[str, str]]:
    parts = [word.removeprefix(_PREFIX).partition("=") for word in cluster]
    return [(name, value) for name, _, value in parts]


def _place(cluster: Sequence[str]) -> list[tuple[str, str]]:
    """The words that identify a cluster; the rest say how to connect to it."""
    return [(name, value) for name, value in _values(cluster) if name in _PLACES]
