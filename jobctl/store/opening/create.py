"""Making the schema in an empty database file."""

from __future__ import annotations

import uuid

from jobctl.store.database import Database
from jobctl.store.opening import layout
from jobctl.store.opening.folder import jobs_with_files
from jobctl.store.schema import APPLICATION_ID, SCHEMA_VERSION, stored


def create_schema(database: Database) -> None:
    """Create every table in one transaction. It does nothing if another process was faster."""
    with database.transaction():
        if database.scalar("PRAGMA user_version"):
            return
        for statement in stored().split(";\n"):
            if statement.strip():
                database.execute(statement)
        database.execute("INSERT INTO meta (key, value) VALUES ('store_id', ?), ('epoch', '0')", (uuid.uuid4().hex,))
        # If the database was lost, files of its jobs may still be there: their numbers must not go to other jobs.
        jobs = jobs_with_files(database.path.parent)
        if jobs:
            database.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', ?)", (jobs[-1],))
        layout.note(database.connection)
        database.execute(f"PRAGMA application_id={APPLICATION_ID}")
        database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
