"""Command items: a whole ``jobctl run`` of ``true``, compared with others that record what they run, and with make."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks import peers
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import compare
from benchmarks.rows import Bench, bench, wall
from benchmarks.usage import Usage

TITLE = "rows of true, against GNU parallel, HyperQueue, task-spooler and make"
NOTES = """
The figures are wall time with equal slots, including the start-up of each program. There are fewer rows than against
xargs, which favours the other programs, because the start of jobctl weighs more. make keeps no records.

The target over parallel was set where parallel took 8.1 ms a row and xargs 0.83. Here both are quicker, parallel more
so: xargs itself, which keeps nothing, is only some six to eight times as fast as it, and nobody who starts processes
the same way can be faster by more. A third of what a process costs here goes into questions about the processor that
the dynamic linker asks at every start (`handle_amd`; on a virtual machine each is answered by the host), for
everybody.
"""


def run(scale: Scale) -> list[Figure]:
    """Pairs with each."""
    with bench(scale.of(2_000, 300)) as rows:
        return list(_all(rows, scale))


def _all(rows: Bench, scale: Scale) -> Iterator[Figure]:
    cases: tuple[tuple[str, str, Callable[[], Usage], float | None], ...] = (
        ("parallel --joblog --results", "GNU parallel", rows.parallel, 8.0),
        ("HyperQueue LocalCluster with output files", "HyperQueue", rows.hyperqueue, 5.0),
        ("parallel --joblog", "GNU parallel", lambda: rows.parallel(results=False), None),
        ("task-spooler", "task-spooler", rows.task_spooler, None),
        ("make", "make", rows.make, None),
        ("xargs, which keeps nothing", "xargs", rows.xargs, None),
    )
    for words, peer, act, target in cases:
        name = f"times faster than {words}, {rows.count:,} rows"
        if not peers.is_here(peer):
            yield peers.missing(name, peer)
        else:
            pair = compare(wall(rows.jobctl), wall(act), scale.pairs if target else 3)
            yield pair.advantage(name, target, "µs", rows.count / 1e6)
