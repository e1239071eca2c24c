"""Makes one call per line of FILE in a ProcessPoolExecutor of SLOTS, and prints the seconds, including its start."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks._functions import nothing

CHUNK = 64


def main() -> None:
    """``FILE SLOTS``."""
    lines = Path(sys.argv[1]).read_text().splitlines()
    began = time.perf_counter()
    with ProcessPoolExecutor(int(sys.argv[2])) as pool:
        done = sum(1 for _ in pool.map(nothing, lines, chunksize=CHUNK))
    taken = time.perf_counter() - began
    assert done == len(lines)
    sys.stdout.write(f"{taken}\n")


if __name__ == "__main__":
    main()
