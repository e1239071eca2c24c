"""Runs items through the engine alone: real loop, real database, outcomes from memory.

Arguments: ``STORE FILE OUTPUT_BYTES``. Prints one JSON document: memory during the run, CPU per item, size of the
database.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jobctl.config import Home
from jobctl.domain.endings import Ending
from jobctl.domain.ports import Dispatch, Event, Finished, OutputFlag
from jobctl.engine.loop import Engine
from jobctl.engine.options import EngineOptions
from jobctl.process.process_status import resident_bytes
from jobctl.process.wakeup import WakeUp
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources.options import InputOptions
from jobctl.store import jobs
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from tests.executors.fake import FakeExecutor

SLOTS = 100
#: The simulated time between two ticks of the engine; nothing waits for it.
TICK_US = 50_000
STEPS = 10
_DURATION_US = 800


def main() -> None:
    """Submit the file, run its items, and print the cost."""
    store, path, output = sys.argv[1:]
    home = Home(Path(store))
    now = time.time_ns() // 1000
    request = SubmitRequest(input=InputOptions(path), command=("true", "{id}"), cwd=str(Path(path).parent))
    accepted = submit(home, request, now=now, stdin=io.BytesIO())
    database = open_database(home)
    engine = Engine(database, _Outcomes(int(output)), home, EngineOptions(slots=SLOTS), WakeUp(home.wake), now)
    engine.begin(now, fresh=True)
    memory = list(_run_engine(engine, database, accepted.items, now))
    database.checkpoint()
    json.dump(_report(database, accepted.items, memory), sys.stdout)
    sys.stdout.flush()
    os._exit(0)


def _run_engine(engine: Engine, database: Database, items: int, now: int) -> Iterator[tuple[int, int, float]]:
    """Yield (items done, bytes resident, CPU seconds) after every tenth of the items, and after the result files."""
    step = 1
    while live := jobs.load_live(database):
        for _ in range(5):
            now += TICK_US
            engine.tick(now)
        if (done := live[0].counts.succeeded) >= step * items // STEPS:
            step = done * STEPS // items + 1
            yield done, resident_bytes(os.getpid()) or 0, time.process_time()
    yield items, resident_bytes(os.getpid()) or 0, time.process_time()


def _report(database: Database, items: int, memory: Sequence[tuple[int, int, float]]) -> dict[str, Any]:
    pages = database.execute("SELECT * FROM pragma_page_count, pragma_page_size").fetchone()
    return {
        "items": items,
        "memory": memory,
        "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "database": pages[0] * pages[1],
        "payload": database.scalar("SELECT sum(length(payload)) FROM items"),
    }


class _Outcomes(FakeExecutor):
    """Attempts succeed at once and are forgotten; each has written ``output`` bytes to the log of its job."""

    def __init__(self, output: int) -> None:
        super().__init__()
        self._output = output
        self._written = 0
        self._taken: list[Dispatch] = []

    def start(self, batch: Sequence[Dispatch]) -> None:
        """Take attempts until the next ``collect``."""
        self._taken.extend(batch)

    def collect(self, timeout_s: float | None = 0) -> list[Event]:
        """Report all of them as succeeded."""
        taken, self._taken = self._taken, []
        return [self._outcome(dispatch, number) for number, dispatch in enumerate(taken)]

    def _outcome(self, dispatch: Dispatch, number: int) -> Finished:
        offset, self._written = self._written, self._written + self._output
        took = _DURATION_US + dispatch.item % 500
        return Finished(
            *dispatch[:3],
            ending=Ending.EXITED,
            code=0,
            slot=1 + number % 2,
            started_at=time.time_ns() // 1000,
            duration_us=took,
            cpu_us=took - 100,
            max_rss_kib=1_800 + dispatch.item % 100,
            log=1 if self._output else 0,
            out_off=offset if self._output else 0,
            out_len=self._output,
            err_off=0,
            err_len=0,
            flags=OutputFlag.NONE,
            out_tail=b"",
            err_tail=b"",
        )


if __name__ == "__main__":
    main()
