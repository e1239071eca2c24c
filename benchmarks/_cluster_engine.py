"""Runs an engine with 1,000 workers of four slots each: real loop, database and cluster executor, simulated workers.

Arguments: ``STORE FILE DURATION_US``. Prints one JSON document: CPU per item, memory, size of the database.
"""

from __future__ import annotations

import io
import json
import os
import select
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cluster import Alone
from benchmarks.usage import peak_kib
from jobctl.config import Home
from jobctl.domain.endings import Ending
from jobctl.domain.ports import Finished
from jobctl.engine.loop import Engine
from jobctl.engine.options import EngineOptions
from jobctl.executors.cluster import link, messages, worker_plugin
from jobctl.executors.cluster.executor import ClusterExecutor
from jobctl.executors.cluster.options import ClusterOptions
from jobctl.executors.cluster.packing import Report, pack_report, unpack_pack
from jobctl.process.wakeup import WakeUp
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources.options import InputOptions
from jobctl.store import jobs
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database

WORKERS, SLOTS = 1_000, 4
TICK_US = 50_000


class _Workers:
    """Replaces the link: every pack has ended at the next look, and each of its items took the same time."""

    duration_us = 0

    def __init__(self, options: Any, store: str, nonce: str, hear: Callable[[messages.Message], None]) -> None:
        self._hear = hear
        self.messages = 0

    def open(self) -> None:
        workers = [
            {"worker": f"tcp://w{n}:1", "host": f"w{n}", "slots": SLOTS, "resources": {}} for n in range(WORKERS)
        ]
        self._hear(messages.Connected("fence", "nonce", {}, [], workers, [], 20.0))

    def send(self, orders: Sequence[messages.PackOrder]) -> None:
        for order in orders:
            self.messages += 1
            self._hear(messages.PackDone(order.key, self._report(order)))

    def _report(self, order: messages.PackOrder) -> bytes:
        now = time.time_ns() // 1000
        finished = [
            list(
                Finished(
                    *entry[:3], Ending.EXITED, 0, 1, now, self.duration_us, 500, 9000, 1, 6 * at, 6, 0, 0, 0, b"", b""
                )
            )
            for at, entry in enumerate(unpack_pack(order.data).entries)
        ]
        return pack_report(Report("w", finished, [], [], [], {1: [b"hello\n" * len(finished), b""]}))

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None  # follow, release, ask, give_up, close


def main() -> None:
    """Submit the file, run its items, and print the cost."""
    place, path, duration_us = sys.argv[1:]
    _Workers.duration_us = int(duration_us)
    link.Link = _Workers  # type: ignore[assignment, misc]
    home, now = Home(Path(place)), time.time_ns() // 1000
    request = SubmitRequest(input=InputOptions(path), command=("true", "{1}"), cwd=str(Path(path).parent))
    accepted = submit(home, request, now=now, stdin=io.BytesIO())
    database = open_database(home)
    executor = ClusterExecutor(Alone(), ClusterOptions(scheduler="x"), "store")  # type: ignore[arg-type]
    wake = WakeUp(home.wake)
    engine = Engine(database, executor, home, EngineOptions(slots=0, elastic=True), wake, now)
    engine.begin(now, fresh=False)
    began = time.process_time()
    _run_engine(engine, database, wake, now)
    cpu_s = time.process_time() - began
    database.checkpoint()
    json.dump(_report(database, accepted.items, cpu_s, executor), sys.stdout)
    sys.stdout.flush()
    os._exit(0)


def _run_engine(engine: Engine, database: Database, wake: WakeUp, now: int) -> None:
    """Advance the time as fast as the engine works. While the result files are written, the engine waits as usual."""
    while live := jobs.load_live(database):
        now += TICK_US
        engine.tick(now)
        if not live[0].counts.live:
            select.select([wake], [], [], 1.0)
            wake.drain()


def _report(database: Database, items: int, cpu_s: float, executor: ClusterExecutor) -> dict[str, Any]:
    pages = database.execute("SELECT * FROM pragma_page_count, pragma_page_size").fetchone()
    return {
        "items": items,
        "cpu_s": cpu_s,
        "peak_kib": peak_kib(os.getpid()),
        "database": pages[0] * pages[1],
        "messages": executor._link.messages,  # type: ignore[attr-defined]
    }


assert worker_plugin  # a real link sends it; imported so that the measured memory includes it

if __name__ == "__main__":
    main()
