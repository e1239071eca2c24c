"""Reads and writes the row of the daemon: its state at its last heartbeat."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

from jobctl.domain.cluster_workers import ClusterWorkers
from jobctl.store import meta
from jobctl.store.cells import checked_cells
from jobctl.store.database import Database


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The state of the daemon at its last heartbeat."""

    pid: int
    engine_pid: int
    state: str
    scope: str
    slots: int
    version: str
    started_at: int
    heartbeat_at: int
    pressure: str


_NAMES = [f.name for f in fields(Heartbeat)]
_STORED_UNDER = "crew"
_ENVIRONMENT = "environment"


def load(database: Database) -> Heartbeat | None:
    """The last heartbeat; None if no daemon ever ran here."""
    row = database.one(f"SELECT {', '.join(_NAMES)} FROM daemon")  # noqa: S608 - names of this module
    return None if row is None else Heartbeat(*checked_cells(Heartbeat, row))


def load_cluster(database: Database) -> ClusterWorkers | None:
    """The workers in the last heartbeat; None if its daemon had no cluster."""
    text = meta.value(database, _STORED_UNDER)
    return ClusterWorkers.from_json(json.loads(text)) if text else None


def save(database: Database, row: Heartbeat, cluster: ClusterWorkers | None = None) -> None:
    """Write a heartbeat. It need not survive a power cut, so it costs no flush."""
    marks = ", ".join("?" * len(_NAMES))
    database.execute("PRAGMA synchronous=NORMAL")
    try:
        with database.transaction():
            database.execute(
                f"INSERT OR REPLACE INTO daemon (id, {', '.join(_NAMES)}) VALUES (1, {marks})",  # noqa: S608
                astuple(row),
            )
            _save_cluster(database, cluster)
    finally:
        database.execute("PRAGMA synchronous=FULL")


def _save_cluster(database: Database, cluster: ClusterWorkers | None) -> None:
    if cluster is None:
        meta.remove(database, _STORED_UNDER)
    else:
        database.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
            " WHERE value <> excluded.value",
            (_STORED_UNDER, json.dumps(cluster.to_json())),
        )


def save_environment(database: Database, engine_pid: int, names: Iterable[str]) -> None:
    """Store the names of an engine's environment variables, never their values. In the caller's transaction."""
    document = {"engine_pid": engine_pid, "names": sorted(names)}
    meta.put(database, _ENVIRONMENT, json.dumps(document))


def load_environment(database: Database, engine_pid: int) -> frozenset[str] | None:
    """The names of the variables of that engine; None if it stored none, as an engine of an older version."""
    text = meta.value(database, _ENVIRONMENT)
    try:
        found = json.loads(text) if text else {}
        return frozenset(found["names"]) if found.get("engine_pid") == engine_pid else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
