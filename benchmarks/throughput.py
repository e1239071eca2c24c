"""Command items: a whole ``jobctl run`` of ``true`` compared with xargs, the start-up of each included."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.figure import Figure, Scale
from benchmarks.pairs import Paired
from benchmarks.rows import bench
from benchmarks.usage import Usage

TITLE = "rows of true, including the start-up of each program"
NOTES = """
jobctl captures outputs and makes outcomes durable, with a barrier that survives a power cut for each batch of at most
100 ms. xargs keeps nothing. The target is for wall time; the CPU time of all processes together excludes other work of
the machine.

Most of an item's CPU time is its own (exec, dynamic linker, exit: see `shares`) and the same for both. Written by hand
and recording nothing, a loop around `posix_spawn` took 0.92 to 0.94 of the CPU time of xargs, one around the
`fork_exec` of subprocess 0.88 to 0.93: the floor for a Python parent that gives each item a session. Also tried
`fork_exec`, which the supervisor uses: `posix_spawn` (20 us more an item) and `posix_spawn` by ctypes with everything
prepared (27 us more than that).

Where the rest goes, of 9.2 s for 20,000 rows on a quiet machine: 0.04 s until the command reads, 0.16 s until the
first item runs (submission; start of supervisor and engine, while the command loads what shows the job), 0.1 s
result files and end; xargs begins at once. While items run, two of them run for 376 of the 431 µs that an item takes,
one for 41 µs, none for 13 µs: one process starts and reaps them, as with xargs. That process is in `vfork` for 58 %
of the time, waiting for the `exec` of the next item, for its next event for 26 %, and does its own work for 16 %.

Tried against the gaps: the place of an item that ended is filled before the next one that ended is looked at (1.01
x); a time slice of 0.1 ms for the supervisor (sched_setattr), so that it would not wait behind the item it has just
started: 16 % of the starts waited longer than 0.3 ms instead of 9 %, and with one of 2 ms 36 %. Two supervisors: see
`spawners`.
"""


def run(scale: Scale) -> list[Figure]:
    """Pairs of runs."""
    with bench(scale.of(20_000, 2_000)) as rows:
        turns = [(rows.jobctl(), rows.jobctl(spawners=2), rows.xargs()) for _ in range(scale.pairs)]
    name = f"{rows.count:,} rows, of xargs -P{rows.slots} -n1"
    one, two, theirs = zip(*turns, strict=True)
    return [
        _wall(one, theirs).figure(f"wall time, {name}", 1.0, "µs", rows.count / 1e6),
        _cpu(one, theirs).figure(f"CPU time, {name}", None, "µs", rows.count / 1e6),
        _wall(two, theirs).figure(f"wall time with two spawners, {name}", None, "µs", rows.count / 1e6),
    ]


def _wall(ours: Sequence[Usage], theirs: Sequence[Usage]) -> Paired:
    return Paired([used.wall_s for used in ours], [used.wall_s for used in theirs])


def _cpu(ours: Sequence[Usage], theirs: Sequence[Usage]) -> Paired:
    return Paired([used.cpu_s for used in ours], [used.cpu_s for used in theirs])
