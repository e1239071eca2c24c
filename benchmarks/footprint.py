"""Footprint: memory of engine and supervisor, and bytes of the database and of outputs per item."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import peers
from benchmarks.figure import Figure, Scale
from benchmarks.usage import environment, peak_kib

TITLE = "memory, database and outputs of many items"
NOTES = """
The figures of the database and of the growth of the engine come from the real loop on a real database. It gets the
outcomes from memory and writes the result files at the end. The figures of outputs come from a million calls of a
function under a daemon; each call prints 50 bytes. The figures of the supervisor come from the same daemon, and from
one that starts processes, at two sizes.
"""
ROOT = Path(__file__).parents[1]
OUTPUT = 50
MANY = 1_000_000
_FUNCTION = f"def say(line):\n    print(line.zfill({OUTPUT - 1}))\n"
_BY_TABLE = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 2"


def run(scale: Scale) -> list[Figure]:
    """Measure a million items without processes, and some thousands with processes."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        root = Path(folder)
        (root / "spoken.py").write_text(_FUNCTION)
        engine = list(_engine(root, scale.of(MANY, 20_000)))
        calls = _daemon(root, scale.of(MANY, 20_000), ["--call", "spoken:say"])
        few, many = (_daemon(root, items, ["--", "printf", f"%0{OUTPUT}d", "{}"]) for items in _sizes(scale))
        silent = _daemon(root, scale.of(5_000, 300), ["--", "true"])
    return [*engine, *_real(calls, few, many, silent)]


def _sizes(scale: Scale) -> tuple[int, int]:
    return scale.of(5_000, 300), scale.of(20_000, 1_200)


def _engine(root: Path, items: int) -> Iterator[Figure]:
    path = root / "rows.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write("id,url,text\n")
        file.writelines(f"{n},https://example.org/items/{n},item number {n}\n" for n in range(1, items + 1))
    argv = [sys.executable, "-m", "benchmarks._engine_items", str(root / "engine"), str(path), str(OUTPUT)]
    done = subprocess.run(argv, cwd=ROOT, env=environment({}), stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    mib = [resident / (1 << 20) for _, resident, _ in found["memory"]]
    above = (found["database"] - found["payload"]) / items
    yield Figure(
        f"memory of the engine, {items:,} items",
        found["peak_kib"] / 1024,
        "MiB",
        120,
        detail="at its peak, files written",
    )
    yield Figure(
        "its growth from the first tenth to the last", mib[-2] - mib[0], "MiB", detail=f"from {mib[0]:.1f} MiB"
    )
    yield Figure(
        "database above the payload, per item",
        above,
        "B",
        160,
        detail=f"payload {found['payload'] / items:.1f} B; {_tables(root / 'engine' / 'jobctl.db', items)}",
    )


def _tables(path: Path, items: int) -> str:
    """Return the bytes of an item by table, if this SQLite can report them."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        try:
            rows = database.execute(_BY_TABLE).fetchall()
        except sqlite3.Error:
            return "tables not known"
    return ", ".join(f"{name} {size / items:.1f} B" for name, size in rows)


class _Real(NamedTuple):
    """The logs and the memory of a job of real processes."""

    items: int
    log_bytes: int
    log_files: int
    supervisor_kib: int
    engine_kib: int


def _daemon(root: Path, items: int, words: Sequence[str]) -> _Real:
    """Run this number of items under a daemon."""
    rows = root / "rows.txt"
    rows.write_text("".join(f"{n}\n" for n in range(items)))
    with tempfile.TemporaryDirectory(dir=root) as store:

        def call(*words: object) -> str:
            argv = [*peers.jobctl(), *map(str, words)]
            env = environment({"JOBCTL_HOME": store})
            return subprocess.run(argv, env=env, check=True, capture_output=True, text=True, cwd=root).stdout

        call("daemon", "start", "--slots", "2")
        try:
            call("submit", rows, "-q", "--wait", *words)
            supervisor = json.loads(call("daemon", "status", "--json"))["pid"]
            (engine,) = _children(supervisor)
            peaks = peak_kib(supervisor), peak_kib(engine)
        finally:
            call("daemon", "stop")
        logs = [path.stat().st_size for path in Path(store, "logs").rglob("*") if path.is_file()]
    return _Real(items, sum(logs), len(logs), *peaks)


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _real(calls: _Real, few: _Real, many: _Real, silent: _Real) -> Iterator[Figure]:
    grown = (many.supervisor_kib - few.supervisor_kib) / 1024
    processes = f"{many.supervisor_kib / 1024:.1f} MiB with {many.items:,} processes ({grown:+.1f} since {few.items:,})"
    name = f"memory of the supervisor, {calls.items:,} calls"
    yield Figure(name, calls.supervisor_kib / 1024, "MiB", 25, detail=f"at its peak; {processes}")
    other = f"{many.engine_kib / 1024:.1f} MiB with {many.items:,} processes"
    name = f"memory of the engine at the same time, {calls.items:,} calls"
    yield Figure(name, calls.engine_kib / 1024, "MiB", 120, detail=f"at its peak, files written; {other}")
    name = f"logs of {calls.items:,} calls that print {OUTPUT} B each"
    each = ", ".join(f"{real.log_bytes / real.items:.2f} B each of {real.items:,} processes" for real in (few, many))
    yield Figure(name, calls.log_bytes / 1e6, "MB", 150 * calls.items / MANY, detail=each)
    yield Figure("files they are in", float(calls.log_files), "files", 1000)
    yield Figure(f"logs of {silent.items:,} processes without output", float(silent.log_bytes), "B", 0)
