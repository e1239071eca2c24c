"""Two spawners compared with one, on the same number of slots."""

from __future__ import annotations

from benchmarks.figure import Figure, Scale
from benchmarks.pairs import Paired
from benchmarks.rows import bench

TITLE = "two spawners compared with one"
NOTES = """
The benchmark sets `daemon.spawners = 2`. While one supervisor waits for the `exec` of the item that it starts, the
other one can fill the other slot.

A machine with more cores gains more: one supervisor takes about 100 µs of CPU per item and waits for the `exec` of
each, so its limit is some thousands of processes per second. The default is one spawner all the same, because the items
of additional spawners end with the engine (see "Guarantees" in the README).
"""


def run(scale: Scale) -> list[Figure]:
    """Compare runs with two spawners and with one."""
    with bench(scale.of(4_000, 1_000)) as rows:
        turns = [(rows.jobctl(spawners=2), rows.jobctl()) for _ in range(scale.pairs)]
    name = f"with two spawners, of with one; {rows.count:,} rows, {rows.slots} slots"
    wall = Paired([two.wall_s for two, _ in turns], [one.wall_s for _, one in turns])
    cpu = Paired([two.cpu_s for two, _ in turns], [one.cpu_s for _, one in turns])
    per_item = rows.count / 1e6
    return [
        wall.figure(f"wall time {name}", None, "µs", per_item),
        cpu.figure(f"CPU time {name}", None, "µs", per_item),
    ]
