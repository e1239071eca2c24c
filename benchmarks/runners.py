"""Command items: a whole ``jobctl run`` of ``true``, compared with other programs that record items, and with make."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks import peers
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import compare
from benchmarks.rows import Bench, bench, wall
from benchmarks.usage import Usage

TITLE = "rows of true, compared with GNU parallel, HyperQueue, task-spooler and make"
NOTES = """
The figures are wall time with equal slots, including the start-up of each program. There are fewer rows than in the
comparison with xargs. This favours the other programs, because the start of jobctl weighs more. make keeps no records.

The target for parallel was set where parallel took 8.1 ms per row and xargs 0.83 ms. On this machine both are faster,
and parallel has gained more. xargs, which keeps nothing, is here only some six to eight times as fast as parallel, and
no program that starts processes in the same way can be faster than that.

At every start, the dynamic linker asks the processor about its features (`handle_amd`), and on a virtual machine the
host answers each of these questions. They are a third of the cost of a process here, for all programs.
"""


def run(scale: Scale) -> list[Figure]:
    """Compare with each program."""
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
