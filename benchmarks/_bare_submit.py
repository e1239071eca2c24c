"""Stores a file of rows with as little work as possible: parse, encode, one transaction. Arguments: ``FILE STORE``.

It reads CSV with csv.reader and json.dumps, and JSON lines with orjson. It does not check, hash or limit anything.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson

from jobctl.config import Home
from jobctl.store.opening.open import open_database


def main() -> None:
    """Put the rows into the items of a store."""
    path, store = sys.argv[1:]
    rows = _json_lines(path) if path.endswith(".jsonl") else _csv(path)
    database = open_database(Home(Path(store)), create=True)
    with database.transaction():
        database.executemany("INSERT INTO items (job, item, payload) VALUES (1, ?, ?)", enumerate(rows, 1))
    database.close()


def _csv(path: str) -> Iterator[str]:
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            yield json.dumps(row)


def _json_lines(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        for line in file:
            yield orjson.dumps(orjson.loads(line))


if __name__ == "__main__":
    main()
