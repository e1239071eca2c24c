"""The cost of ``--only-new`` per row: the lookup of rows that are all done, and the same file without the option."""

from __future__ import annotations

import io
import os
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure, Scale
from jobctl.config import Home
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources.options import InputOptions
from jobctl.store import done
from jobctl.store.database import Database
from jobctl.store.done import RowHash
from jobctl.store.opening.open import open_database

TITLE = "lookup of rows that are done"
BATCH = 4_000
NOW = 1_800_000_000_000_000
LIMIT_US = 5.0


def run(scale: Scale) -> list[Figure]:
    """Return the microseconds per row of the fastest run, which other work of the machine affects least."""
    rows = scale.of(200_000, 20_000)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        root = Path(folder)
        home = Home(root / "home")
        payloads = [f"order-{n:09}\0{n * 7919 % 100_003}\0some text of the row".encode() for n in range(rows)]
        database = open_database(home, create=True)
        fill(database, payloads)
        figures = [Figure("lookup, per row", best(lambda: look_up(database, payloads)) / rows, "µs", LIMIT_US)]
        path = root / "export.csv"
        path.write_bytes(b"id,amount,text\n" + b"".join(p.replace(b"\0", b",") + b"\n" for p in payloads))
        for words, options in (
            ("plain submit", {}),
            ("submit with --item-key", {"item_key": "id"}),
            ("submit with --item-key --only-new", {"item_key": "id", "only_new": True}),
        ):
            took = best(lambda o=options: accept(home, path, o)) / rows
            figures.append(Figure(f"{words}, per row", took, "µs"))
    return figures


def best(act: object, times: int = 3) -> float:
    """Return the microseconds of the fastest run."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        act()  # type: ignore[operator]
        took.append((time.perf_counter() - began) * 1e6)
    return min(took)


def hashes() -> RowHash:
    """Return the hashes of a job with this name and command."""
    return RowHash("nightly", '["command", ["load", "{id}"]]')


def fill(database: Database, payloads: list[bytes]) -> None:
    """Record every row as done by an earlier job."""
    row_hash = hashes()
    with database.transaction():
        pairs = [(row_hash.of_key(p.split(b"\0", 1)[0]), row_hash.of_content(p)) for p in payloads]
        done.add(database, pairs, 1, NOW)


def look_up(database: Database, payloads: list[bytes]) -> None:
    """Look up each batch of rows as the intake does: hash key and content, then ask the store."""
    row_hash = hashes()
    for first in range(0, len(payloads), BATCH):
        batch = payloads[first : first + BATCH]
        keys = [row_hash.of_key(p.split(b"\0", 1)[0]) for p in batch]
        found = done.finished(database, keys, [row_hash.of_content(p) for p in batch], NOW)
        assert all(found)


def accept(home: Home, path: Path, options: dict[str, object]) -> None:
    """Submit the file once."""
    request = SubmitRequest(
        input=InputOptions(str(path)),
        command=("load", "{id}"),
        name="nightly",
        cwd="/",
        **options,  # type: ignore[arg-type]
    )
    submit(home, request, now=NOW, stdin=io.BytesIO())
