"""The ids of events: one sequence for the whole store, which never goes back.

Each line of the journal and each settled outcome has an id of it. Writers take ids inside BEGIN IMMEDIATE, so the
ids become visible in their order: a reader that has seen an id has seen all that come before it. The last id is stored
apart from the events, so that a prune of the newest job does not free its ids.
"""

from __future__ import annotations

from jobctl.store import meta
from jobctl.store.database import Database

#: In ``meta``: the last id that was taken.
KEY = "last_event"
#: The largest id that every reader of JSON can hold.
LARGEST = (1 << 53) - 1
#: Ids that a restored copy leaves out. The lost database cannot have used that many since the copy was made: it would
#: have taken four days at 26,000 outcomes per second, and 860 GB.
AFTER_A_RESTORE = 10_000_000_000


def last(database: Database) -> int:
    """The last id that was taken; 0 in a new store."""
    kept = _kept(database)
    # The journal is read as well: a database that was damaged, or that an older jobctl made, must not use an id twice.
    return max(kept, _highest(database, "journal"), 0 if kept else _highest(database, "outcomes"))


def take(database: Database, count: int = 1) -> int:
    """Take the next ids, in the caller's transaction. Returns the last of them."""
    taken = last(database) + count
    meta.put(database, KEY, str(taken))
    return taken


def leave_out(database: Database, count: int) -> None:
    """Let the next ids begin so much later, in the caller's transaction. The database may have an older schema."""
    meta.put(database, KEY, str(max(_kept(database), _highest(database, "journal")) + count))


def _highest(database: Database, table: str) -> int:
    return int(database.scalar(f"SELECT max(id) FROM {table}") or 0)  # noqa: S608 - names of this module


def _kept(database: Database) -> int:
    try:
        found = int(meta.value(database, KEY) or 0)
    except ValueError:  # the database is damaged
        return 0
    return found if 0 <= found <= LARGEST else 0
