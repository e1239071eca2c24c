"""From the durable commit of a submission to the start of its first process, by an idle daemon."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.daemons import Daemon, daemon
from benchmarks.figure import Figure, Scale
from jobctl.services.submit.intake import Intake
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources.options import InputOptions
from jobctl.store.opening.open import open_database

TITLE = "from a submission's commit to its first process, idle daemon"
NOTES = """
The clock starts when the commit that survives a power cut has returned. Two times are measured: the moment at which the
supervisor starts the process, and the time that the started `date` prints, which includes its own start-up.

No process polls: the submission writes a byte to the FIFO of the engine. If other work keeps the machine busy, as it
did for these figures, give the benchmark priority: `chrt -r 1 python -m benchmarks latency`.
"""
#: Seconds until the daemon is idle again.
SETTLE_S = 0.3


def run(scale: Scale) -> list[Figure]:
    """Return the median of a number of submissions."""
    with daemon() as ours:
        rows = ours.home.root / "row.txt"
        rows.write_text("+%s%N\n")
        times = [one(ours, rows) for _ in range(scale.of(40, 10))]
    starts, witnesses = ([pair[at] for pair in times] for at in (0, 1))
    return [
        Figure("commit to start, median", statistics.median(starts), "ms", 5.0, detail=spread(starts)),
        Figure("commit to the output of date, median", statistics.median(witnesses), "ms", detail=spread(witnesses)),
    ]


def spread(values: list[float]) -> str:
    """Describe the lowest value, the highest, and the 90th percentile."""
    ordered = sorted(values)
    most = ordered[len(ordered) * 9 // 10]
    return f"{ordered[0]:.1f} to {ordered[-1]:.1f}, 90 % below {most:.1f}; {len(values)} submissions"


def one(ours: Daemon, rows: Path) -> tuple[float, float]:
    """Return the milliseconds from commit to start, by the clock of the supervisor and by that of the item."""
    time.sleep(SETTLE_S)
    request = SubmitRequest(input=InputOptions(str(rows)), command=("date", "{}"), cwd="/")
    with returns_of(Intake, "run") as committed_ns:
        job = submit(ours.home, request, now=time.time_ns() // 1000, stdin=io.BytesIO()).job
    ours.call("wait", str(job))
    database = open_database(ours.home)
    started_us = database.scalar("SELECT started_at FROM attempts WHERE job = ?", (job,))
    database.close()
    printed_ns = int(ours.call("logs", f"{job}.1", "--stdout"))
    return started_us / 1e3 - committed_ns[0] / 1e6, (printed_ns - committed_ns[0]) / 1e6


@contextmanager
def returns_of(kind: type, name: str) -> Iterator[list[int]]:
    """Record the times at which a method returns, in nanoseconds."""
    method, times = getattr(kind, name), []

    def timed(*given: object) -> object:
        result = method(*given)
        times.append(time.time_ns())
        return result

    setattr(kind, name, timed)
    try:
        yield times
    finally:
        setattr(kind, name, method)
