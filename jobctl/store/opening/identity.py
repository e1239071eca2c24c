"""Whether a database is one of jobctl, as far as its numbers and the kinds of its objects tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jobctl.errors import StoreError
from jobctl.store.opening import layout
from jobctl.store.schema import APPLICATION_ID, SCHEMA_VERSION

if TYPE_CHECKING:
    from jobctl.store.database import Database
    from jobctl.store.sqlite import Connection

_READ = (
    "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id),"
    " count(*), coalesce(sum(type NOT IN ('table', 'index') OR sql LIKE 'create virtual%'), 0) FROM sqlite_schema"
)


class Identity(NamedTuple):
    """What a database says of itself."""

    version: int  # of the schema; 0 in an empty file
    application: int
    objects: int  # tables, indexes and all else
    strange: int  # of them, triggers, views and virtual tables, which jobctl never makes


def read(connection: Connection) -> Identity:
    """All of it by one statement: another process may be making the schema."""
    return Identity._make(connection.execute(_READ).fetchone())


def check(database: Database) -> int:
    """The schema version; 0 for an empty file. Raises StoreError for a foreign or newer database."""
    version, application, objects, strange = read(database.connection)
    if application == APPLICATION_ID:
        if strange:
            raise StoreError(
                f"{database.path} has triggers, views or virtual tables, which jobctl never makes: it is not trusted",
                hint="see where the file comes from; nothing was changed",
            )
        if version == 0 and objects:  # whoever makes the tables sets the number in the same transaction
            raise StoreError(
                layout.said(f"{database.path}", 0, ["there is no schema of that number"]),
                hint=layout.way_out(database.path.parent),
            )
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{database.path} was written by a newer jobctl (schema {version}, this one knows {SCHEMA_VERSION})",
                hint="upgrade jobctl; nothing was changed",
            )
        return int(version)
    if application != 0 or version != 0 or objects:
        raise StoreError(
            f"{database.path} is not a jobctl database",
            hint="move it away or choose another --home; nothing was changed",
        )
    return 0
