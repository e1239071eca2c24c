"""Finds jobs among those that one token has submitted."""

from __future__ import annotations

from jobctl.store.database import Database

#: SQLite has no larger number.
_MOST = (1 << 63) - 1


def owner(database: Database, job: int) -> str | None:
    """The name of the token that submitted a job; None for a job of a person, and for one that does not exist."""
    found = database.scalar("SELECT owner FROM jobs WHERE id = ?", (job,))
    return None if found is None else str(found)


def numbered(database: Database, name: str, job: int) -> int | None:
    """The number of this job if the token has submitted it."""
    if not 0 < job <= _MOST:
        return None
    found = database.scalar("SELECT id FROM jobs WHERE id = ? AND owner = ?", (job, name))
    return None if found is None else int(found)


def newest(database: Database, name: str, job_name: str | None = None) -> int | None:
    """The number of the newest job (of this name) that the token has submitted."""
    if job_name is None:
        found = database.scalar("SELECT max(id) FROM jobs WHERE owner = ?", (name,))
    else:
        found = database.scalar("SELECT max(id) FROM jobs WHERE owner = ? AND name = ?", (name, job_name))
    return None if found is None else int(found)


def jobs_by_owner(database: Database) -> dict[str, int]:
    """The number of jobs of each token that has submitted one."""
    rows = database.execute("SELECT owner, count(*) FROM jobs WHERE owner IS NOT NULL GROUP BY owner")
    return {str(name): count for name, count in rows}
