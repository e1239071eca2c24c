"""Runs COUNT calls through huey's SqliteHuey with WORKERS of KIND, and prints the seconds per call.

The calls are in the queue before the consumer starts, and the time begins when the first call has left the queue.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from pathlib import Path

from huey import SqliteHuey

from benchmarks._functions import nothing

_POLL_S = 0.005


def main() -> None:
    """``COUNT WORKERS KIND``."""
    count, workers, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        huey = SqliteHuey(filename=str(Path(folder) / "huey.db"))
        task = huey.task()(nothing)
        for number in range(count):
            task(str(number))
        consumer = huey.create_consumer(workers=workers, worker_type=kind, periodic=False)
        consumer.start()
        left = _wait(huey, count - 1)
        began = time.perf_counter()
        _wait(huey, 0)
        taken = time.perf_counter() - began
        consumer.stop()
        sys.stdout.write(f"{taken / left}\n")


def _wait(huey: SqliteHuey, most: int) -> int:
    """Wait until at most this number of calls is pending; returns the number that is."""
    left: int
    while (left := huey.pending_count()) > most:
        time.sleep(_POLL_S)
    return left


if __name__ == "__main__":
    main()
