"""Turns ``tables.py`` into ``schema.sql``, so that making a database costs no import of SQLModel.

``python -m jobctl.store.schema`` prints it; CI compares it with the file.
"""

from __future__ import annotations

import sys

APPLICATION_ID = 0x6A6F6263  # "jobc"
SCHEMA_VERSION = 4
#: The `store.opening.layout.fingerprint` of the columns of each schema. A change of tables.py changes the last line;
#: after a release it needs a new version and a migration.
LAYOUTS = {
    1: "24230224f6ada8bd",
    2: "628f0ac685d9a1cb",
    3: "d186cda40905d4df",
    4: "d45146e4143b9e4a",
}

_HEADER = "-- Generated from tables.py by `python -m jobctl.store.schema`. Do not edit."


def generate() -> str:
    """The DDL of the current schema, one statement after another."""
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.schema import CreateIndex, CreateTable

    from jobctl.store.tables import TABLES

    statements: list[CreateTable | CreateIndex] = []
    for table in TABLES:
        statements.append(CreateTable(table))
        statements.extend(CreateIndex(index) for index in sorted(table.indexes, key=lambda i: str(i.name)))
    lines = [str(s.compile(dialect=sqlite.dialect())).strip() + ";" for s in statements]
    text = "\n\n".join(lines).replace("\t", "  ")
    return f"{_HEADER}\n\n{text}\n".replace(" \n", "\n")


def stored() -> str:
    """The DDL that ships with the package."""
    from importlib import resources  # 2 ms that only the making of a database is worth

    return resources.files("jobctl.store").joinpath("schema.sql").read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.stdout.write(generate())
