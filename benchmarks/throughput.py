"""Command items: a whole ``jobctl run`` of ``true`` beside whatever else works off a list of commands."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import peers
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import compare
from benchmarks.rows import Bench, bench, wall

TITLE = "rows of true, everybody's start-up included"
NOTES = """
Outputs are captured and outcomes are durable on our side: a barrier that survives a power cut for each batch of at most
100 ms. xargs and make keep nothing. The slow peers get fewer rows, which is to their advantage: our start weighs more.
"""


def run(scale: Scale) -> list[Figure]:
    """xargs over all rows; the slow peers over a tenth of them."""
    with bench(scale.of(20_000, 2_000)) as many:
        figures = [_xargs(many, scale), *_make(many, scale)]
    with bench(scale.of(2_000, 300)) as few:
        return [*figures, *_slow_peers(few, scale)]


def _xargs(rows: Bench, scale: Scale) -> Figure:
    pair = compare(wall(rows.jobctl), wall(rows.xargs), scale.pairs)
    return pair.figure(f"wall time, {rows.count:,} rows, of xargs -P{rows.slots} -n1", 1.0, "µs", rows.count / 1e6)


def _make(rows: Bench, scale: Scale) -> Iterator[Figure]:
    name = f"wall time of make -j{rows.slots}, as a share of xargs"
    if not peers.is_here("make"):
        yield peers.missing(name, "make")
    else:
        pair = compare(wall(rows.make), wall(rows.xargs), 3)
        yield pair.figure(name, None, "µs", rows.count / 1e6)


def _slow_peers(rows: Bench, scale: Scale) -> Iterator[Figure]:
    for name, peer, act, target in (
        ("parallel --joblog --results", "GNU parallel", rows.parallel, 8.0),
        ("parallel --joblog", "GNU parallel", lambda: rows.parallel(results=False), None),
        ("HyperQueue LocalCluster with output files", "HyperQueue", rows.hyperqueue, 5.0),
        ("task-spooler", "task-spooler", rows.task_spooler, None),
    ):
        name = f"times faster than {name}, {rows.count:,} rows"
        if not peers.is_here(peer):
            yield peers.missing(name, peer)
        else:
            pair = compare(wall(rows.jobctl), wall(act), scale.pairs)
            yield pair.advantage(name, target, "µs", rows.count / 1e6)
