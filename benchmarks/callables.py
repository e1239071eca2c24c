"""Calls of a function that does nothing: jobctl, huey and celery record them, and a process pool does not."""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks import peers
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import Paired, compare
from benchmarks.rows import Bench, bench
from benchmarks.usage import environment, measure

TITLE = "calls of a function that does nothing"
NOTES = """
*Settled* is the time from the start of the first call to the end of the last, plus 100 ms. That is the longest time
that an outcome waits for the barrier that makes it survive a power cut. *Whole* is the time from the start of the
command to its end, including the result files.

All programs have the same number of workers. huey (SqliteHuey with threads, its faster kind) and celery (prefork, Redis
as broker and for results) have all calls in their queue before they start, and are timed from the first call to the
last. `ProcessPoolExecutor.map(chunksize=64)` keeps no records, and its start is part of its time.

The engine needs about 5 µs of CPU to settle an item, 3.5 µs of it inside SQLite (claim 1.1, settle 1.0, record 1.0, the
rest for commits). The line in the result files takes 4 µs more, the supervisor 1.5 µs, and the worker 3.2 µs. The
engine is one process, so 5 to 8 µs per item with its barriers is the limit. A pool that records nothing needs 2 to
5 µs, depending on the machine.

These variants were measured:

* messages of 32 calls, and a commit with single statements: 14 to 15 µs;
* groups of 512 calls with their outcomes in shared memory, neighbours settled by one guarded `UPDATE`, and records
  passed to SQLite as they come: 12.6 to 8.2 µs;
* no partial index of the running items: 0.35 µs less, which is not worth the loss of the index;
* a WAL four times as large before its checkpoint: no difference.

The targets were set on a machine where huey took 871 µs per call, celery 3,262 µs and the pool 5.4 µs. On this machine
they take a fifth to a quarter of that. The engine, one process with its database, does not become faster by the same
factor: 40 times faster than huey would be 4.5 to 5.3 µs per item here, and SQLite alone takes 3.5 µs.
"""
#: The longest time that an outcome waits for its commit, in seconds.
_BARRIER_S = 0.1
_ROOT = Path(__file__).parents[1]
_CALL = ("--call", "benchmarks._functions:nothing")


def run(scale: Scale) -> list[Figure]:
    """Compare with the pool over all rows, and with the slow peers over a part of them."""
    with bench(scale.of(1_000_000, 100_000)) as many:
        figures = [*_pool(many, scale), _whole(many, scale)]
    with bench(scale.of(500_000, 50_000)) as few:
        return [*figures, *_queues(few, scale)]


def _pool(rows: Bench, scale: Scale) -> Iterator[Figure]:
    pairs = [(_jobctl(rows), _script("_pool", rows.file, rows.slots)) for _ in range(scale.pairs)]
    rates = [rows.count / ours["settled"] for ours, _ in pairs]
    detail = f"{len(rates)} runs of {rows.count:,}, {min(rates):,.0f} to {max(rates):,.0f}; aim 80,000"
    yield Figure("items settled durably", statistics.median(rates), "/s", 50_000, True, detail)
    pool = [theirs for _, theirs in pairs]
    per = rows.count / 1e6
    settled = Paired([ours["settled"] for ours, _ in pairs], pool)
    yield settled.figure("settled, of ProcessPoolExecutor.map(chunksize=64)", 4.0, "µs", per)
    whole = Paired([ours["whole"] for ours, _ in pairs], pool)
    yield whole.figure("whole, without submit, of the same", None, "µs", per)
    cpu = statistics.median([ours["cpu"] for ours, _ in pairs]) / per
    yield Figure("CPU time per item, all processes", cpu, "µs", detail="result files included")


def _whole(rows: Bench, scale: Scale) -> Figure:
    taken = [_run(rows) for _ in range(scale.of(3, 1))]
    rate = rows.count / statistics.median(taken)
    return Figure("items of a whole jobctl run, submit included", rate, "/s", detail=f"{len(taken)} runs")


def _queues(rows: Bench, scale: Scale) -> Iterator[Figure]:
    for peer, needs, count, target in (("huey", (), 3_000, 40.0), ("celery", ("Redis", "redis-py"), 2_000, 100.0)):
        name = f"times faster than {peer}, settled"
        if absent := [need for need in (peer, *needs) if not peers.is_here(need)]:
            yield peers.missing(name, absent[0])
            continue
        with tempfile.TemporaryDirectory() as folder:
            theirs = partial(_script, f"_{peer}", count, rows.slots, "thread" if peer == "huey" else folder)
            pair = compare(lambda: _jobctl(rows)["settled"] / rows.count, theirs, 3)
        yield pair.advantage(name, target, "µs", 1e-6)


def _jobctl(rows: Bench) -> dict[str, float]:
    """Submit, then time a daemon that runs the job: seconds until settled, seconds of the whole, CPU seconds."""
    with tempfile.TemporaryDirectory(dir=rows.folder) as home:
        env = {"JOBCTL_HOME": home}
        options = ("--slots", str(rows.slots), "-q", *_CALL)
        measure([*peers.jobctl(), "submit", rows.file, *options], env=env, cwd=_ROOT)
        used = measure([*peers.jobctl(), "daemon", "run", "--drain"], env=env, cwd=_ROOT)
        database = sqlite3.connect(Path(home) / "jobctl.db")
        (succeeded,) = database.execute("SELECT succeeded FROM jobs").fetchone()
        assert succeeded == rows.count
        (us,) = database.execute("SELECT max(started_at + duration_us) - min(started_at) FROM attempts").fetchone()
        database.close()
    return {"settled": us / 1e6 + _BARRIER_S, "whole": used.wall_s, "cpu": used.cpu_s}


def _run(rows: Bench) -> float:
    with tempfile.TemporaryDirectory(dir=rows.folder) as home:
        options = ("--slots", str(rows.slots), "-q", *_CALL)
        return measure([*peers.jobctl(), "run", rows.file, *options], env={"JOBCTL_HOME": home}, cwd=_ROOT).wall_s


def _script(name: str, *words: object) -> float:
    """Return the seconds that one of our scripts prints."""
    argv = [sys.executable, "-m", f"benchmarks.{name}", *map(str, words)]
    done = subprocess.run(argv, env=environment({}), cwd=_ROOT, check=True, capture_output=True, text=True)
    return float(done.stdout)
