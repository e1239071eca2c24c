"""Process items without a database: a supervisor compared with xargs, and its CPU time.

The feeding side keeps the supervisor's backlog filled and acknowledges in batches, as the engine does.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks._feeder import CAPACITY
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import Paired
from benchmarks.usage import measure
from jobctl.config import Home
from jobctl.process.start_options import StartOptions, python_argv

TITLE = "processes of the supervisor alone, without records"
COMMAND = "true"


def run(scale: Scale) -> list[Figure]:
    """Compare a round of a supervisor with xargs."""
    count = scale.of(5_000, 1_000)
    ours, theirs = [], []
    for _ in range(scale.pairs):
        ours.append(supervised(count))
        theirs.append(xargs(count))
    pair = Paired([wall for wall, _, _ in ours], theirs)
    per_item = 1e6 / count
    return [
        pair.figure(f"wall time, {count:,} rows of {COMMAND}, of xargs -P{CAPACITY} -n1", 1.0, "µs", count / 1e6),
        Figure("CPU of the supervisor, per item", statistics.median(cpu for _, cpu, _ in ours) * per_item, "µs"),
        Figure("CPU of the feeding side, per item", statistics.median(cpu for _, _, cpu in ours) * per_item, "µs"),
    ]


def xargs(count: int) -> float:
    """Return the seconds that ``xargs -P -n1`` takes."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder, "rows")
        rows.write_text("".join(f"{n}\n" for n in range(count)))
        return measure(["xargs", f"-P{CAPACITY}", "-n1", COMMAND], stdin=rows).wall_s


def supervised(count: int) -> tuple[float, float, float]:
    """Return the seconds that a supervisor takes for the same, and the CPU seconds of it and of the feeding side."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as root, socket.socket(socket.AF_UNIX) as door:
        door.bind(f"{root}/door")
        door.listen()
        engine = python_argv("benchmarks._feeder", str(count), f"{root}/door", COMMAND)
        options = StartOptions(Home(Path(root)), CAPACITY, engine=engine)
        supervisor = subprocess.Popen(options.supervisor_argv())
        report, _ = door.accept()
        with report:
            wall, supervisor_cpu, engine_cpu = (float(word) for word in report.recv(200).split())
        supervisor.wait()
    return wall, supervisor_cpu, engine_cpu
