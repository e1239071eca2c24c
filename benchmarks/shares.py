"""The CPU time of a command item in the engine, the supervisor and the item itself, compared with all of xargs."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.daemons import Activity, Daemon, daemon
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import Paired
from benchmarks.usage import measure
from jobctl.store.opening.open import open_database

TITLE = "command items of a running daemon: CPU time by process, and wall time"
NOTES = """
A running daemon with two slots runs rows of `true`, so start-up is not included. The engine and the supervisor report
the CPU time that they used; the records of the items have the time of the items.

The time of an item lasts from its first instruction in the borrowed memory of the supervisor to its end. The kernel and
the dynamic linker take this time for any process. xargs has the same cost, and is measured as a whole.

If other work keeps the machine busy, as it did for these figures, give the benchmark priority:
`chrt -r 1 python -m benchmarks shares`.
"""
SLOTS = 2
SETTLE_S = 1.5


def run(scale: Scale) -> list[Figure]:
    """Compare jobs on one daemon with xargs over the same number of rows."""
    rows = scale.of(3_000, 1_000)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder, daemon(SLOTS) as ours:
        path = Path(folder, "rows.txt")
        path.write_text("".join(f"{n}\n" for n in range(rows)))
        one_job(ours, path, rows)  # so that later jobs import and compile nothing
        turns = [(one_job(ours, path, rows), xargs(path, rows)) for _ in range(scale.pairs)]
    pair = Paired([sum(parts) for (parts, _), _ in turns], [theirs for _, (theirs, _) in turns])
    wall = Paired([ours for (_, ours), _ in turns], [theirs for _, (_, theirs) in turns])
    names = ("engine", "supervisor", "item itself")
    return [
        wall.figure(f"wall time from first to last of {rows:,} rows, of xargs -P{SLOTS} -n1", 1.0, "µs"),
        pair.figure(f"CPU of an item, {rows:,} rows, of xargs -P{SLOTS} -n1", None, "µs"),
        *(part(name, [parts[at] for (parts, _), _ in turns], pair.ours) for at, name in enumerate(names)),
    ]


def part(name: str, values: Sequence[float], totals: Sequence[float]) -> Figure:
    """Return one part of the CPU time, with its share of the total."""
    shares = [value / total for value, total in zip(values, totals, strict=True)]
    return Figure(f"CPU of an item: {name}", statistics.median(values), "µs", detail=f"{statistics.median(shares):.0%}")


def one_job(ours: Daemon, path: Path, rows: int) -> tuple[tuple[float, float, float], float]:
    """Return the microseconds per item of engine, supervisor and item, and of wall time while the job ran."""
    time.sleep(SETTLE_S)
    before = Activity.of(ours.engine), Activity.of(ours.supervisor)
    job = ours.call("submit", str(path), "--", "true")
    ours.call("wait", job)
    after = Activity.of(ours.engine), Activity.of(ours.supervisor)
    database = open_database(ours.home)
    own_us = database.scalar("SELECT sum(cpu_us) FROM attempts WHERE job = ?", (job,))
    wall_us = database.scalar("SELECT finished_at - started_at FROM jobs WHERE id = ?", (job,))
    database.close()
    engine, supervisor = (b.since(a).cpu_us / rows for a, b in zip(before, after, strict=True))
    return (engine, supervisor, own_us / rows), wall_us / rows


def xargs(path: Path, rows: int) -> tuple[float, float]:
    """Return the microseconds of CPU and of wall time per item, all processes included."""
    time.sleep(SETTLE_S)
    used = measure(["xargs", f"-P{SLOTS}", "-n1", "true"], stdin=path)
    return used.cpu_s / rows * 1e6, used.wall_s / rows * 1e6
