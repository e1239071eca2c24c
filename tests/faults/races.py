"""T14: many daemons at once. T15: many commands at once. T16: the WAL-reset bug of SQLite. T13: clocks that jump."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from random import Random

from jobctl.store.sqlite import has_wal_reset_bug
from tests.faults.campaign import fault, measure, on_a_rig
from tests.faults.rig import QUICK, Rig, Skip, kill, pause
from tests.wait import wait_until

_STARTERS = 20
_WAL_LIMIT = 64 << 20


@fault("T14", f"{_STARTERS} daemons started at once", full=50, sample=1)
@on_a_rig
def many_daemons(rig: Rig) -> None:
    """Exactly one comes up; the others say who holds the store."""
    if rig.rng.random() < 0.5:
        rig.submit(10, mix=QUICK)
    started = [rig.begin("daemon", "start") for _ in range(_STARTERS)]
    codes = [starter.wait() for starter in started]
    complaints = "".join(starter.stderr.read() for starter in started if starter.stderr)
    if codes.count(0) != 1 or codes.count(75) != _STARTERS - 1:
        rig.notes.append(f"exit codes of {_STARTERS} starts: {sorted(codes)}: {complaints[-400:]}")
    rig.wait_done()


@fault("T15", "8 submitters, 4 watchers (one stopped), a daemon", full=20, sample=1)
@on_a_rig
def contention(rig: Rig) -> None:
    """Nobody sees "database is locked", the WAL stays small."""
    rig.submit(150, mix=QUICK)
    rig.start()
    watchers = [rig.begin("status", "--watch", "--no-color") for _ in range(4)]
    pause(rig.rng, 0.5)
    kill(watchers[0].pid, signal.SIGSTOP)
    largest = 0
    try:
        for _ in range(2):
            rows = rig.rows_file(5000, QUICK)
            submitters = [rig.begin(*rig.submit_words(rows, "--hold"), stdout=subprocess.PIPE) for _ in range(8)]
            while any(submitter.poll() is None for submitter in submitters):
                largest = max(largest, _wal_bytes(rig))
                time.sleep(0.01)
            for submitter in submitters:
                stdout, stderr = submitter.communicate()
                if submitter.returncode or "locked" in stderr:
                    rig.notes.append(f"a submit failed: exit {submitter.returncode}: {stderr[-300:]}")
                else:
                    rig.acknowledge(stdout, 5000)
        jobs = [accepted.job for accepted in rig.accepted[1:]]
        done = rig.jobctl("cancel", *jobs)
        if done.returncode:
            rig.notes.append(f"cancel: exit {done.returncode}: {done.stderr[-300:]}")
    finally:
        kill(watchers[0].pid, signal.SIGCONT)
        for watcher in watchers:
            watcher.terminate()
        complaints = [watcher.communicate()[1] for watcher in watchers]
    for complaint in complaints:
        if "locked" in complaint or "Traceback" in complaint:
            rig.notes.append(f"a watcher said: {complaint[-300:]}")
    if largest > _WAL_LIMIT:
        rig.notes.append(f"the WAL grew to {largest >> 20} MiB")
    rig.wait_done()


def _wal_bytes(rig: Rig) -> int:
    try:
        return (rig.home.root / "jobctl.db-wal").stat().st_size
    except FileNotFoundError:
        return 0


# ---- SQLite itself ----

_CHURN_S = "8"


def _churn(rng: Random, arm: str) -> str:
    """What ``integrity_check`` says after a churn run."""
    rig = Rig(rng)
    memory = "/dev/shm"  # more commits there than on any disk
    with tempfile.TemporaryDirectory(dir=memory if os.path.isdir(memory) else None) as place:
        argv = [sys.executable, "-m", "tests.faults.churn", arm, place, _CHURN_S]
        done = subprocess.run(argv, env=rig.env, capture_output=True, text=True)
        if done.returncode == 77:
            raise Skip(done.stderr.strip().splitlines()[-1])
    rig.close()
    assert done.returncode == 0, done.stderr[-500:]
    parts = [line.split() for line in done.stderr.splitlines()]
    measure("commits", sum(int(count) for name, count in parts if name == "writer"))
    measure("checkpointers held", sum(int(count) for name, count in parts if name == "held"))
    return done.stdout.strip()


def _sound(arm: str, what: str, full: int, sample: int) -> None:
    def trial(rng: Random, _number: int) -> list[str]:
        verdict = _churn(rng, arm)
        return [] if verdict == "ok" else [f"integrity_check: {verdict[:200]}"]

    fault(f"T16-{arm}", f"WAL churn for {_CHURN_S} s {what}", full=full, sample=sample)(trial)


_sound("stdlib", "through jobctl's connections on the standard library's SQLite", 30, 1)
_sound("pysqlite3", "through jobctl's connections on pysqlite3", 30, 1)
_sound("control-pysqlite3", "with automatic checkpoints and two checkpointers on pysqlite3", 10, 0)


@fault("T16-control", "the same on the standard library's SQLite: must corrupt if it has the bug", full=10, sample=1)
def control(rng: Random, _number: int) -> list[str]:
    """Shows that the load does harm where the bug is."""
    if not has_wal_reset_bug(sqlite3.sqlite_version_info):
        raise Skip(f"SQLite {sqlite3.sqlite_version} does not have the bug")
    if _churn(rng, "control") == "ok":
        return ["the control arm came to no harm: the churn proves nothing here"]
    measure("corrupted", 1)
    return []


# ---- clocks ----

_FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


@fault("T13", "the wall clock jumps by an hour or a day, forth or back", full=30, sample=2)
@on_a_rig
def jumping_clock(rig: Rig) -> None:
    """Time limits and waits are measured by a clock that does not jump."""
    if not os.path.exists(_FAKETIME):
        raise Skip("no libfaketime here")
    clock = rig.place / "clock"
    clock.write_text("+0")
    rig.launcher = (
        "env",
        f"LD_PRELOAD={_FAKETIME}",
        f"FAKETIME_TIMESTAMP_FILE={clock}",
        "DONT_FAKE_MONOTONIC=1",
        "FAKETIME_NO_CACHE=1",
    )
    mix = (("true", 60), ("nap", 20), ("fail", 20), ("forever", 3))
    rig.submit(60, "--timeout", "1s", "--backoff", "0.4sx1", mix=mix)
    rig.start()
    pause(rig.rng, 0.6)
    clock.write_text(rig.rng.choice(["-3600", "+3600", "+86400", "-86400"]))
    began = time.monotonic()
    wait_until(rig.is_done, 45, "the job to end in spite of the clock")
    if time.monotonic() - began > 30:
        rig.notes.append(f"the jump held the job up for {time.monotonic() - began:.0f} s")
    for item, duration in rig.rows("SELECT item, duration_us FROM attempts WHERE ending = 2"):
        if not 0.5e6 < duration < 4e6:
            rig.notes.append(f"item {item} timed out after {duration / 1e6:.1f} s instead of 1 s")
    for item, duration in rig.rows("SELECT item, duration_us FROM attempts WHERE duration_us < 0"):
        rig.notes.append(f"item {item} lasted {duration} us")
