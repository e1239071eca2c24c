"""Items on a Dask cluster, compared with ``Client.map`` on the same cluster, and by the size of a message."""

from __future__ import annotations

import importlib.util
import itertools
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._cluster_rig import Rig, active_s, jobctl, rig, store
from benchmarks.figure import Figure, Scale

if TYPE_CHECKING:
    from jobctl.render.report.svg import Drawing

TITLE = "items through a scheduler and two workers of one slot each, fence on, outcomes durable"
PLOT = Path(__file__).with_name("cluster.svg")
NOTES = """
![throughput over items per message](cluster.svg)

Users of Dask write `Client.map`: it makes one task for each item and records nothing. "Cores taken" shows how much
processor time the busy machine gave to the cluster. An idle machine with two cores would show twice the rate per core.

A message costs the scheduler, the client and the worker together some milliseconds of CPU (update of the graph, claim,
result, release). An item in it costs tens of microseconds. From about 50 to 100 items, the items cost more than the
message, and larger messages only make items wait longer. So jobctl fills a message with a tenth of a second of work, at
most 500 items.
"""
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


def run(scale: Scale) -> list[Figure]:
    """Measure everything on one cluster, one after the other."""
    if importlib.util.find_spec("distributed") is None:
        return [Figure("items on a cluster", None, detail="distributed is not installed")]
    with rig() as cluster:
        bare = _bare(cluster, scale.of(3_000, 500))
        calls = _job(cluster, scale.of(100_000, 10_000), "--call", "noop:noop")
        commands = _job(cluster, scale.of(5_000, 500), "--", "true")
        curve = dict(_curve(cluster, scale))
        if not scale.quick:
            _draw(curve, bare[0])
    return [
        Figure("no-op calls through jobctl", calls[0], "/s", 5_000, at_least=True, detail=_taken(calls)),
        Figure("commands (true) through jobctl", commands[0], "/s", 400, at_least=True, detail=_taken(commands)),
        Figure("no-op tasks through bare Client.map", bare[0], "/s", detail=_taken(bare)),
        Figure("calls: times as many as Client.map", calls[0] / bare[0], "x"),
        *(Figure(f"calls, {size} in a message", rate, "/s") for size, rate in curve.items()),
    ]


#: (items per second, CPU seconds per item of everything but the daemon, cores taken)
Measured = tuple[float, float, float]


def _taken(measured: Measured) -> str:
    _, cpu_s, cores = measured
    return f"{cores:.1f} cores taken by the cluster, {cpu_s * 1e6:,.0f} µs of CPU per item there"


def _timed(cluster: Rig, count: int, act: Callable[[], float]) -> Measured:
    before = cluster.cpu_s()
    wall_s = act()
    cpu_s = cluster.cpu_s() - before
    return count / wall_s, cpu_s / count, cpu_s / wall_s


def _bare(cluster: Rig, count: int) -> Measured:
    from distributed import Client

    def act() -> float:
        began = time.perf_counter()
        client.gather(client.map(_noop, range(count), pure=False, batch_size=None))
        return time.perf_counter() - began

    with Client(scheduler_file=str(cluster.scheduler_file), set_as_default=False) as client:
        client.gather(client.map(abs, range(100), pure=False))  # warm
        return _timed(cluster, count, act)


_noop = abs  # of the standard library: workers need not find this module


def _job(cluster: Rig, count: int, *how: str) -> Measured:
    env = store(cluster.folder, cluster.scheduler_file)
    rows = cluster.folder / f"rows-{count}.txt"
    rows.write_text("".join(f"{n}\n" for n in range(count)))
    jobctl(env, cluster.folder, "daemon", "start")
    try:
        options = ("--env", f"PYTHONPATH={env['PYTHONPATH']}")
        warm = jobctl(env, cluster.folder, "submit", str(rows), "--wait", "--select", "1-50", *options, *how)
        job: list[str] = [warm]

        def act() -> float:
            job[0] = jobctl(env, cluster.folder, "submit", str(rows), "--wait", *options, *how).strip()
            return active_s(env, cluster.folder, job[0])

        return _timed(cluster, count, act)
    finally:
        jobctl(env, cluster.folder, "daemon", "stop")


def _curve(cluster: Rig, scale: Scale) -> Iterator[tuple[int, float]]:
    """Yield the calls per second through the executor alone, by the number of items in a message."""
    for size in _SIZES:
        yield size, _rate(cluster, size, scale.of(min(40_000, 600 * size), min(2_000, 60 * size)))


def _rate(cluster: Rig, size: int, count: int) -> float:
    from jobctl.domain.ports import AttemptId, CallSpec, Dispatch, Finished, JobSpec
    from jobctl.executors.cluster import sizing
    from jobctl.executors.cluster.executor import ClusterExecutor
    from jobctl.executors.cluster.options import ClusterOptions

    sizing.MAX_ITEMS, sizing.PACK_US = size, 1e8
    options = ClusterOptions(scheduler_file=str(cluster.scheduler_file))
    executor = ClusterExecutor(Alone(), options, f"bench-{os.getpid()}-{size}")  # type: ignore[arg-type]
    executor.adopt()
    executor.resize(1_000)
    call = CallSpec(os.fsencode(sys.executable), "noop:noop", "", "", "lines", ("line",), 0)
    env = (b"PATH=" + os.environb[b"PATH"], b"PYTHONPATH=" + os.fsencode(cluster.folder))
    folder = os.fsencode(cluster.folder)
    executor.define(JobSpec(1, env, folder, 0o022, 2, "q", None, None, 1.0, folder + b"/logs", 0, False, call))
    began = time.perf_counter()
    executor.start([Dispatch(1, n, 1, (b"x",), ()) for n in range(count)])
    done = 0
    while done < count:
        ended = [event for event in executor.collect(10.0) if isinstance(event, Finished)]
        executor.acknowledge([AttemptId(*event[:3]) for event in ended])
        done += len(ended)
    rate = count / (time.perf_counter() - began)
    executor.close(0.0)
    return rate


class Alone:
    """Replaces the local executor: no supervisor requests a stop."""

    fresh = True
    up = False

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def fileno(self) -> int:
        return self._read

    def collect(self, timeout_s: float | None = 0) -> list[Any]:
        return []

    def adopt(self) -> list[Any]:
        return []

    def acknowledge(self, attempts: Any, calls: Any = ()) -> None:
        return None

    def stop_requested(self) -> int:
        return 0

    def close(self, grace_s: float) -> None:
        os.close(self._read)
        os.close(self._write)


_Place = Callable[[float, float], tuple[float, float]]
_LEFT, _TOP, _WIDTH, _HEIGHT, _LOW = 70.0, 20.0, 520.0, 260.0, 10.0
_STYLE = (
    "<style>text{font:12px sans-serif;fill:#444}.grid{stroke:#ddd}.curve{stroke:#0a6;stroke-width:2}"
    ".bare{stroke:#c60;stroke-dasharray:5 4}</style>"
)


def _draw(curve: dict[int, float], bare: float) -> None:
    """Draw the throughput over items per message, with both axes logarithmic."""
    from jobctl.render.report.svg import Drawing

    high = 10 ** math.ceil(math.log10(max(*curve.values(), bare)))

    def place(size: float, rate: float) -> tuple[float, float]:
        x = _LEFT + _WIDTH * math.log10(size) / math.log10(_SIZES[-1])
        return x, _TOP + _HEIGHT * (1 - math.log10(max(rate, _LOW) / _LOW) / math.log10(high / _LOW))

    drawing = Drawing(640, 330, "Calls per second over items per message")
    _draw_axes(drawing, place, high)
    points = [place(size, value) for size, value in curve.items()]
    for start, end in itertools.pairwise(points):
        drawing.line(start, end, "curve")
    drawing.line(place(1, bare), place(_SIZES[-1], bare), "bare")
    drawing.text((_LEFT + _WIDTH, place(1, bare)[1] - 6), "Client.map, one task per item", "end")
    markup = drawing.markup().replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    PLOT.write_text(markup.replace(">", f">{_STYLE}", 1) + "\n", encoding="utf-8")


def _draw_axes(drawing: Drawing, place: _Place, high: float) -> None:
    for size in _SIZES:
        drawing.text((place(size, _LOW)[0], _TOP + _HEIGHT + 18), str(size))
    rate = _LOW
    while rate <= high:
        drawing.text((_LEFT - 8, place(1, rate)[1] + 4), f"{rate:,.0f}", "end")
        drawing.line(place(1, rate), place(_SIZES[-1], rate), "grid")
        rate *= 10
    drawing.text((_LEFT + _WIDTH / 2, _TOP + _HEIGHT + 40), "items per message")
    drawing.text((_LEFT, 12), "calls per second", "start")
