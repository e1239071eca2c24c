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
# The tables are read as well: a database that was damaged, or that an older jobctl made, must not use an id twice.
_IN_TABLES = "SELECT max(coalesce((SELECT max(id) FROM journal), 0), coalesce((SELECT max(id) FROM outcomes), 0))"


def last(database: Database) -> int:
    """The last id that was taken; 0 in a new store."""
    return max(_kept(database), int(database.scalar(_IN_TABLES)))


def take(database: Database, count: int = 1) -> int:
    """Take the next ids, in the caller's transaction. Returns the last of them."""
    taken = last(database) + count
    meta.put(database, KEY, str(taken))
    return taken


def leave_out(database: Database, count: int) -> None:
    """Let the next ids begin so much later, in the caller's transaction. The database may have an older schema."""
    in_journal = database.scalar("SELECT coalesce(max(id), 0) FROM journal")
    meta.put(database, KEY, str(max(_kept(database), int(in_journal)) + count))


def _kept(database: Database) -> int:
    try:
        found = int(meta.value(database, KEY) or 0)
    except ValueError:  # the database is damaged
        return 0
    return found if 0 <= found <= LARGEST else 0
