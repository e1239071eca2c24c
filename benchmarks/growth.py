"""Cost of an item over the size of the job, compared with xargs and GNU parallel; draws growth.svg."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import peers
from benchmarks._instant import Store
from benchmarks.figure import Figure, Scale
from benchmarks.plot import Line, svg
from benchmarks.rows import Bench, bench
from benchmarks.usage import Usage

TITLE = "cost of an item over the size of the job"
NOTES = """
The figure is the CPU time of the command, its processes and the items, divided by the rows. Wall time would include
other work of the machine. The lines of the plot include the start-up, which dominates small jobs.

The engine is also measured alone, because a million processes take eight minutes. This measurement lasts from the first
claim to the result files, with an executor that reports success at once.

A run of a million real processes, once, at commit 877d24d, took 830 µs of CPU per item, against 859 µs for 10,000 items
before and after it (0.97 x), and 467 µs of wall time. The supervisor had 15 MiB. The engine had 40 MiB while the items
ran, and 83 MiB when it wrote the result files.

![Cost of an item over the size of the job](growth.svg)
"""
PLOT = Path(__file__).with_name("growth.svg")
SIZES = (10, 100, 1_000, 10_000, 40_000)
ENGINE_SIZES = (1_000, 10_000, 100_000, 1_000_000)
#: Larger jobs would take a slow peer many minutes.
LARGEST_OF_SLOW = 2_000


def run(scale: Scale) -> list[Figure]:
    """Measure the engine at all its sizes, then whole commands."""
    engine = engine_line(ENGINE_SIZES[: scale.of(4, 3)])
    sizes = SIZES[: scale.of(5, 3)]
    lines: dict[str, Line] = {
        "jobctl run": line(sizes, Bench.jobctl),
        "xargs": line(sizes, Bench.xargs),
        "jobctl's engine alone": sorted((float(size), us) for size, us in engine.items()),
    }
    if peers.is_here("GNU parallel"):
        slow = [size for size in sizes if size <= LARGEST_OF_SLOW]
        lines["parallel --results"] = line(slow, Bench.parallel)
    if not scale.quick:
        PLOT.write_text(svg("CPU time of one item of true", "rows", "microseconds", lines))
    largest = max(engine)
    few, many = lines["jobctl run"][-2:]
    return [
        growth("the engine's part of an item", 10_000 if largest > 10_000 else 1_000, largest, engine),
        growth("a whole run of true, an item", int(few[0]), int(many[0]), {int(size): us for size, us in (few, many)}),
        *(
            Figure(f"{name}, {size:,.0f} rows, per item", us, "µs")
            for name, points in lines.items()
            for size, us in points[-1:]
        ),
    ]


def growth(name: str, few: int, many: int, costs: dict[int, float]) -> Figure:
    """Compare the cost of an item of a large job with that of a smaller job."""
    detail = f"{costs[many]:.1f} µs against {costs[few]:.1f} µs"
    return Figure(f"{name} of {many:,}, of one of {few:,}", costs[many] / costs[few], "x", 1.15, detail=detail)


def engine_line(sizes: tuple[int, ...]) -> dict[int, float]:
    """Return the CPU time per item in microseconds by size; small sizes run before and after the largest one."""
    costs: dict[int, list[float]] = {size: [] for size in sizes}
    for turn in range(3):
        for size in sizes if turn == 1 else sizes[:-1]:
            with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
                store = Store(Path(folder, "store"))
                store.submit(size)
                costs[size].append(store.run_engine().per_item_us)
    return {size: statistics.median(values) for size, values in costs.items()}


def line(sizes: tuple[int, ...] | list[int], act: Callable[[Bench], Usage]) -> list[tuple[float, float]]:
    """Return the CPU time per item of a command in microseconds by size; for small sizes, the lowest of three runs."""
    points: list[tuple[float, float]] = []
    for size in sizes:
        with bench(size) as rows:
            points.append((size, min(act(rows).cpu_s for _ in range(3 if size <= LARGEST_OF_SLOW else 1)) / size * 1e6))
    return points
