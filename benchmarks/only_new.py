"""What ``--only-new`` costs a row: the lookup of 200,000 rows that are all done, beside the same file without it.

python -m benchmarks.only_new [ROWS]
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from pathlib import Path

from jobctl.config import Home
from jobctl.services.request import SubmitRequest
from jobctl.services.submit import submit
from jobctl.sources.options import InputOptions
from jobctl.store import done
from jobctl.store.database import Database, open_database
from jobctl.store.done import RowHash

ROWS = 200_000
BATCH = 4_000
NOW = 1_800_000_000_000_000
LIMIT_US = 5.0


def main() -> None:
    """Print microseconds a row; exit 1 if the lookup costs more than it may."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        home = Home(root / "home")
        payloads = [f"order-{n:09}\0{n * 7919 % 100_003}\0some text of the row".encode() for n in range(rows)]
        database = open_database(home, create=True)
        fill(database, payloads)
        lookup = best(lambda: look_up(database, payloads)) / rows
        print(f"lookup, a row:                      {lookup:5.2f} µs (limit {LIMIT_US} µs)")
        path = root / "export.csv"
        path.write_bytes(b"id,amount,text\n" + b"".join(p.replace(b"\0", b",") + b"\n" for p in payloads))
        for words, options in (
            ("plain submit", {}),
            ("submit with --item-key", {"item_key": "id"}),
            ("submit with --item-key --only-new", {"item_key": "id", "only_new": True}),
        ):
            print(f"{words + ', a row:':<36}{best(lambda o=options: accept(home, path, o)) / rows:5.2f} µs")
    raise SystemExit(lookup > LIMIT_US)


def best(act: object, times: int = 3) -> float:
    """Microseconds of the quickest of some runs: what else the machine does is not what is measured."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        act()  # type: ignore[operator]
        took.append((time.perf_counter() - began) * 1e6)
    return min(took)


def hashes() -> RowHash:
    """As a job of that name and command has them."""
    return RowHash("nightly", '["command", ["load", "{id}"]]')


def fill(database: Database, payloads: list[bytes]) -> None:
    """Every row is done, by an earlier job."""
    row_hash = hashes()
    with database.transaction():
        pairs = [(row_hash.of_key(p.split(b"\0", 1)[0]), row_hash.of_content(p)) for p in payloads]
        done.add(database, pairs, 1, NOW)


def look_up(database: Database, payloads: list[bytes]) -> None:
    """What the intake does for each batch of rows: hash key and content, ask the store."""
    row_hash = hashes()
    for first in range(0, len(payloads), BATCH):
        batch = payloads[first : first + BATCH]
        keys = [row_hash.of_key(p.split(b"\0", 1)[0]) for p in batch]
        found = done.finished(database, keys, [row_hash.of_content(p) for p in batch], NOW)
        assert all(found)


def accept(home: Home, path: Path, options: dict[str, object]) -> None:
    """One submission of the file."""
    request = SubmitRequest(
        input=InputOptions(str(path)),
        command=("load", "{id}"),
        name="nightly",
        cwd="/",
        **options,  # type: ignore[arg-type]
    )
    submit(home, request, now=NOW, stdin=io.BytesIO())


if __name__ == "__main__":
    main()
