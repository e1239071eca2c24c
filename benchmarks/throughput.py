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
100 ms. xargs keeps nothing. The target is for wall time. The CPU time of all processes together excludes other work of
the machine.

Most of the CPU time of an item is its own (exec, dynamic linker, exit: see `shares`) and is the same for both programs.
Loops written by hand that record nothing show the lowest cost for a Python parent that gives each item a session:

* around `posix_spawn`: 0.92 to 0.94 of the CPU time of xargs;
* around the `fork_exec` of subprocess: 0.88 to 0.93.

The supervisor uses `fork_exec`. `posix_spawn` takes 20 µs more per item, and `posix_spawn` by ctypes with everything
prepared takes 27 µs more than that.

Of 9.2 s for 20,000 rows on a quiet machine, jobctl takes 0.04 s until the command reads, 0.16 s until the first item
runs (submission, and start of supervisor and engine, while the command loads the code that shows the job), and 0.1 s
for the result files and the end. xargs starts the first item at once.

While items run, each takes 431 µs of wall time. For 376 µs of it two items run, for 41 µs one, and for 13 µs none,
because one process starts and reaps them, as with xargs. That process spends 58 % of the time in `vfork`, where it
waits for the `exec` of the next item. It waits for its next event for 26 %, and works for 16 %.

Two changes were tried to shorten these gaps:

* The supervisor fills the slot of an item that ended before it looks at the next item that ended: 1.01 x.
* The supervisor gets a short time slice (`sched_setattr`), so that it does not wait behind the item that it has just
  started. With a slice of 0.1 ms, 16 % of the starts waited longer than 0.3 ms instead of 9 %; with one of 2 ms, 36 %.

`spawners` has the figures of two supervisors.
"""


def run(scale: Scale) -> list[Figure]:
    """Compare runs of jobctl, with one and two spawners, with xargs."""
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
