"""Runs an engine whose executor reports success at once, to measure the cost of the engine alone."""

from __future__ import annotations

import io
import os
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jobctl.config import Home
from jobctl.domain.endings import Ending
from jobctl.domain.policy import Policy
from jobctl.domain.ports import AttemptId, Dispatch, Event, Finished, JobSpec
from jobctl.engine.loop import Engine
from jobctl.engine.options import EngineOptions
from jobctl.process import moment
from jobctl.process.wakeup import WakeUp
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources.options import InputOptions
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database

#: The duration that the executor reports for an item; with two slots the engine claims about 200 items ahead.
DURATION_US = 2_000
SLOTS = 2


class InstantExecutor:
    """An executor that keeps nothing from one ``collect`` to the next, and requests a stop after ``limit`` items."""

    fresh = True
    identity = ""

    def __init__(self, limit: int | None = None) -> None:
        self._left = limit
        self._reader, self._writer = os.pipe()
        self._waiting: list[Dispatch] = []

    def fileno(self) -> int:
        return self._reader

    def define(self, spec: JobSpec) -> None:
        pass

    def forget(self, job: int) -> None:
        pass

    def resize(self, slots: int) -> None:
        pass

    def start(self, batch: Sequence[Dispatch]) -> None:
        if not self._waiting:
            os.write(self._writer, b"!")
        self._waiting += batch

    def collect(self, timeout_s: float | None = 0) -> list[Event]:
        if not self._waiting:
            return []
        os.read(self._reader, 1)
        now = moment.now()
        waiting, self._waiting = self._waiting, []
        if self._left is not None:
            self._left -= len(waiting)
        return [
            Finished(*d[:3], Ending.EXITED, 0, 1, now, DURATION_US, 500, 1500, 0, 0, 0, 0, 0, 0, b"", b"")
            for d in waiting
        ]

    def acknowledge(self, attempts: Sequence[AttemptId], calls: Sequence[int] = ()) -> None:
        pass

    def recall(self, job: int | None = None) -> None:
        pass

    def cancel(self, attempts: Sequence[AttemptId], grace_s: float, ending: Ending = Ending.CANCELLED) -> None:
        pass

    def follow(self, job: int, item: int | None) -> None:
        pass

    def adopt(self) -> list[AttemptId]:
        return []

    def stop_requested(self) -> int:
        return int(self._left is not None and self._left <= 0)

    def close(self, grace_s: float) -> None:
        pass


class Cost(NamedTuple):
    """The CPU time of the process from its takeover to the end, the items, and the largest memory."""

    cpu_us: float
    items: int
    max_rss_kib: int

    @property
    def per_item_us(self) -> float:
        return self.cpu_us / self.items


class Store:
    """A store with jobs. The caller makes and removes the parent of its folder."""

    def __init__(self, root: Path) -> None:
        root.mkdir(exist_ok=True)
        self.root = root
        self.home = Home(root / "home")

    def submit(self, rows: int, jobs: int = 1, policy: Policy | None = None, **options: object) -> None:
        """Submit jobs with this number of rows each."""
        path = self.root / "rows.csv"
        path.write_text("id,name\n" + "".join(f"{n},row number {n}\n" for n in range(rows)), encoding="utf-8")
        request = SubmitRequest(
            input=InputOptions(str(path)),
            command=("true", "{id}"),
            policy=policy or Policy(),
            cwd=str(self.root),
            **options,  # type: ignore[arg-type]
        )
        for _ in range(jobs):
            submit(self.home, request, now=moment.now(), stdin=io.BytesIO())

    def run_engine(self, limit: int | None = None) -> Cost:
        """Run an engine until every job is done, or until this number of items is done."""
        database = open_database(self.home)
        before = self._succeeded(database)
        wake = WakeUp(self.home.wake)
        options = EngineOptions(SLOTS, drain=True)
        engine = Engine(database, InstantExecutor(limit), self.home, options, wake, moment.now())
        engine.begin(moment.now(), fresh=True)
        began = time.process_time()
        engine.run()
        took = time.process_time() - began
        items = self._succeeded(database) - before
        database.close()
        wake.close()
        return Cost(took * 1e6, items, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    def _succeeded(self, database: Database) -> int:
        return int(database.scalar("SELECT sum(succeeded) FROM jobs") or 0)
