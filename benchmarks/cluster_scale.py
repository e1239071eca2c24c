"""The cost of 1,000 workers for the engine and its database: the real executor with simulated workers."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, Scale

TITLE = "an engine of 1,000 workers with four slots each"
NOTES = """
Each row of the table is from ten million items, each from its claim to its line in the result files. The engine is one
thread, so the rate is that of one core. A message takes a tenth of a second of work, but no more items than there are
for each slot.
"""
MANY = 10_000_000


def run(scale: Scale) -> list[Figure]:
    """Measure long items, then short ones."""
    if importlib.util.find_spec("distributed") is None:
        return [Figure("engine of 1,000 workers", None, detail="distributed is not installed")]
    figures = []
    for name, duration_us in (("one second", 1_000_000), ("one millisecond", 1_000)):
        found = _measure(scale.of(MANY, 40_000), duration_us)
        figures += _figures(name, found)
    return figures


def _figures(name: str, found: dict[str, Any]) -> list[Figure]:
    cpu_us = found["cpu_s"] / found["items"] * 1e6
    size = found["database"] / found["items"]
    return [
        Figure(f"items of {name}: engine CPU per item", cpu_us, "µs", detail=f"{found['items']:,} items"),
        Figure(f"items of {name}: limit per second", 1e6 / cpu_us, "/s", detail="one core"),
        Figure(f"items of {name}: items in a message", found["items"] / found["messages"], "x"),
        Figure(f"items of {name}: all of them", found["items"] * cpu_us / 3.6e9, "h", detail="of one core"),
        Figure(f"items of {name}: database", found["database"] / 2**30, "GiB", detail=f"{size:.0f} bytes each"),
        Figure(f"items of {name}: memory of the engine", found["peak_kib"] / 1024, "MiB"),
    ]


def _measure(count: int, duration_us: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as name:
        folder = Path(name)
        rows = folder / "rows.txt"
        with rows.open("w") as file:
            file.writelines(f"{number}\n" for number in range(count))
        argv = [sys.executable, "-m", "benchmarks._cluster_engine", str(folder / "home"), str(rows), str(duration_us)]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
