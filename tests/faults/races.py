"""T14: many daemons at once. T15: many commands at once. T16: the WAL-reset bug of SQLite. T13: clocks that jump."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
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
    """No command sees "database is locked", and the WAL stays small."""
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
    """The answer of ``integrity_check`` after a churn run."""
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
        raise Skip("the control arm came to no harm, so this churn proves nothing here")
    measure("corrupted", 1)
    return []


# ---- clocks ----

#: So long a job waits in a trial whose clock jumps.
_WAIT_S = 5
_FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


def _faked_clock(rig: Rig) -> tuple[Path, dict[str, str]]:
    """A file with the offset of the wall clock, and the environment of those who live by it."""
    if not os.path.exists(_FAKETIME):
        raise Skip("no libfaketime here")
    clock = rig.place / "clock"
    _set_clock(clock, "+0")
    faked = {"LD_PRELOAD": _FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(clock)}
    return clock, faked | {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}


def _set_clock(clock: Path, offset: str) -> None:
    part = clock.with_suffix(".part")
    part.write_text(offset)
    part.rename(clock)


@fault("T13", "the wall clock jumps by an hour or a day, forth or back", full=30, sample=2)
@on_a_rig
def jumping_clock(rig: Rig) -> None:
    """Time limits and waits are measured by a clock that does not jump."""
    clock, faked = _faked_clock(rig)
    rig.launcher = ("env", *(f"{name}={value}" for name, value in faked.items()))
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


@fault(
    "T13-waits", "the wall clock jumps before and after jobs are told to wait; the daemon is killed", full=20, sample=1
)
@on_a_rig
def jumps_while_waiting(rig: Rig) -> None:
    """A wait and a deadline are as long as they were given, whichever process first notices that the clock was set."""
    clock, faked = _faked_clock(rig)
    rig.launcher = ("env",)
    rig.env |= faked
    supervisor = rig.start()
    offsets = ["-120", "+120", "-3600", "+86400", "+0"]
    if rig.rng.random() < 0.7:
        _set_clock(clock, rig.rng.choice(offsets))
        pause(rig.rng, 0.3)
    began = time.monotonic()
    rig.submit(20, "--not-before", f"{_WAIT_S}s", "--deadline", "200s", mix=(("true", 80), ("nap", 20)))
    rig.submit(20, "--backoff", "1sx1", "--deadline", "200s", mix=(("true", 60), ("fail", 40)))
    while (left := began + _WAIT_S - 1 - time.monotonic()) > 0:
        time.sleep(min(left, rig.rng.uniform(0.1, 1.0)))
        if rig.rng.random() < 0.6:
            _set_clock(clock, rig.rng.choice(offsets))
        if rig.rng.random() < 0.3:
            kill(supervisor)
            supervisor = rig.start_again()
    early = rig.rows("SELECT count(*) FROM attempts WHERE job = 1")[0][0]
    if early and time.monotonic() < began + _WAIT_S:
        rig.notes.append(f"{early} items of a job began before its wait of {_WAIT_S} s was over")
    wait_until(rig.is_done, 90, "the jobs to end in spite of the clock")
    for job, stop in rig.rows("SELECT id, stop FROM jobs WHERE stop IS NOT NULL"):
        rig.notes.append(f"job {job} was stopped: {stop}")
    for item, duration in rig.rows(
        "SELECT item, duration_us FROM attempts WHERE NOT duration_us BETWEEN 0 AND 60000000"
    ):
        rig.notes.append(f"item {item} lasted {duration / 1e6:.1f} s")
