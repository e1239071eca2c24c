"""Rows for every state, written as a real store has them: consistent counters, items, attempts and causes."""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jobctl.config import Home
from jobctl.domain.policy import Policy
from jobctl.domain.states import ItemState
from jobctl.store import jobs, outbox
from jobctl.store.database import Database
from jobctl.store.ended_job import end_body
from jobctl.store.opening.open import open_database

#: 2026-11-23T18:28:31.004Z
SUBMITTED_AT = 1_795_458_511_004_000
SECOND = 1_000_000


@dataclass
class JobMaker:
    """Builds one job; items are given as a list of states or as bare counts."""

    database: Database
    values: dict[str, Any] = field(default_factory=dict)

    def job(self, states: str = "q", **values: Any) -> int:
        """A job with one item per letter: q(ueued) r(unning) t(o retry) s(ucceeded) f(ailed) u(nprocessed)."""
        items = [ItemState("qrtsfu".index(letter)) for letter in states]
        counts = {state.word: items.count(state) for state in ItemState}
        number = self.counted_job(counts, **values)
        for position, state in enumerate(items, 1):
            self._item(number, position, state)
        return number

    def counted_job(self, counts: dict[str, int], **values: Any) -> int:
        """A job with counters alone, for what must not look at items."""
        row = default_job() | counts | {"total": sum(counts.values())} | self.values | values
        with self.database.transaction():
            return jobs.insert(self.database, row)

    def _item(self, job: int, item: int, state: ItemState) -> None:
        began = state not in (ItemState.QUEUED, ItemState.UNPROCESSED)
        with self.database.transaction():
            self.database.execute(
                "INSERT INTO items (job, item, state, attempt, due_at, payload) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    job,
                    item,
                    int(state),
                    int(began),
                    SUBMITTED_AT + 90 * SECOND if state is ItemState.RETRYING else None,
                    f"{item}\0https://example.org/{item}".encode(),
                ),
            )
        if began:
            failed = state in (ItemState.FAILED, ItemState.RETRYING)
            self.attempt(
                job,
                item,
                ending=None if state is ItemState.RUNNING else 0,
                code=22 if failed else 0,
                message="curl: (22) The requested URL returned error: 503" if failed else None,
            )

    def attempt(self, job: int, item: int, attempt: int = 1, **values: Any) -> None:
        """One run of an item; two seconds after the submit, a quarter of a second long unless given."""
        row: dict[str, Any] = {
            "job": job,
            "item": item,
            "attempt": attempt,
            "round": 1,
            "slot": 1,
            "started_at": SUBMITTED_AT + 2 * SECOND,
            "ending": 0,
            "duration_us": 250_000,
            "log": 0,
        } | values
        if row["ending"] is None:
            row["duration_us"] = None
        columns = ", ".join(row)
        with self.database.transaction():
            self.database.execute(
                f"INSERT OR REPLACE INTO attempts ({columns}) VALUES ({', '.join('?' * len(row))})",
                tuple(row.values()),
            )

    def failure(self, job: int, items: int, **values: Any) -> None:
        """A cause of failure."""
        row: dict[str, Any] = {
            "job": job,
            "code": "exit_22",
            "message": "curl: (22) The requested URL returned error: <n>",
            "outcome": "known",
            "retryable": 1,
            "items": items,
            "attempts": 3 * items,
            "first_at": SUBMITTED_AT + 9 * SECOND,
            "last_at": SUBMITTED_AT + 59 * SECOND,
            "samples": "[17, 52, 90]",
        } | values
        columns = ", ".join(row)
        with self.database.transaction():
            number = self.database.execute(
                f"INSERT INTO failures ({columns}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
            ).lastrowid
            self.database.execute(
                "UPDATE items SET failure = ? WHERE job = ? AND state = 4 AND failure IS NULL"
                " AND item IN (SELECT value FROM json_each(?))",
                (number, job, row["samples"]),
            )

    def daemon(self, **values: Any) -> None:
        """The daemon's last words."""
        row: dict[str, Any] = {
            "id": 1,
            "pid": 4123,
            "engine_pid": os.getpid(),  # one that lives
            "state": "up",
            "scope": "all",
            "slots": 4,
            "version": "0.1.0",
            "started_at": SUBMITTED_AT,
            "heartbeat_at": SUBMITTED_AT,
        } | values
        columns = ", ".join(row)
        with self.database.transaction():
            self.database.execute(
                f"INSERT OR REPLACE INTO daemon ({columns}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
            )


def make_store(home: Home) -> JobMaker:
    """A new store and the maker of its rows.

    This connection does not wait for the disk: a row is one transaction here, and no test takes the machine's power.
    """
    database = open_new(home)
    database.execute("PRAGMA synchronous=OFF")
    return JobMaker(database)


def open_new(home: Home) -> Database:
    """Open the new store of a home. Its tables come from a copy, because creating them takes most of a short test."""
    if home.root.exists():
        return open_database(home, create=True)
    home.root.mkdir(mode=0o700, parents=True)
    descriptor = os.open(home.database, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(_empty_store())
    database = open_database(home, create=True)
    database.execute("UPDATE meta SET value = ? WHERE key = 'store_id'", (uuid.uuid4().hex,))
    return database


@cache
def _empty_store() -> bytes:
    with tempfile.TemporaryDirectory() as place:
        home = Home(Path(place) / "home")
        database = open_database(home, create=True)
        database.checkpoint()
        database.close()
        return home.database.read_bytes()


def default_job() -> dict[str, Any]:
    """Columns of a job of four commands at once over a CSV file."""
    return {
        "uid": str(uuid.uuid4()),
        "name": "nightly-invoices",
        "queue": "default",
        "handler": "command",
        "command": ["curl", "-fsS", "-o", "out/{id}.pdf", "{url}"],
        "cwd": "/srv/invoices",
        "umask": 0o022,
        "env": {"PATH": "/usr/bin:/bin"},
        "policy": json.dumps(Policy(slots=4).to_json()),
        "input_path": "invoices.csv",
        "input_format": "csv",
        "columns": ["id", "url"],
        "input_bytes": 48_211,
        "input_sha256": "ab" * 32,
        "fingerprint": "cd" * 32,
        "state": "queued",
        "submitted_at": SUBMITTED_AT,
        "updated_at": SUBMITTED_AT,
        "round_at": SUBMITTED_AT,
    }


def enqueue_end(database, job, now):
    """Write the deliveries for the end of a round, in the caller's transaction, as the engine does; their number."""
    return outbox.enqueue(database, job, end_body(database, job, 1, outbox.program_for(database.path.parent)), now)
