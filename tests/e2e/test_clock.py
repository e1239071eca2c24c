"""Real daemons and commands whose wall clock is set, by libfaketime: it has a file with the offset of the clock."""

import json
import re
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.wait import wait_until

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
pytestmark = pytest.mark.skipif(
    not LIBRARIES or shutil.which("faketime") is None, reason="libfaketime is not installed here"
)
JUMPS = [-120, pytest.param(3600, marks=pytest.mark.slow)]
#: libfaketime also moves the steady clocks, which nobody can set, unless it is told not to.
HOW = [{"FAKETIME_DONT_FAKE_MONOTONIC": "1"}, {}]


class Clock:
    """The wall clock of everything that is started from now on, daemons included."""

    def __init__(self, cli):
        self._file = cli.work / "clock"
        self._cli = cli
        self.set(0)
        cli.env |= {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset_s):
        part = self._file.with_suffix(".part")
        part.write_text(f"{offset_s:+}", encoding="ascii")
        part.rename(self._file)


@pytest.fixture
def clock(cli):
    return Clock(cli)


def _submit_and_see(cli, env=None):
    """A job with both kinds of durations; how long they are."""
    job = int(cli("submit", "rows.txt", "--deadline", "600s", "--not-before", "300s", "--", "true", env=env).stdout)
    return job, _waits(cli, job)


def _waits(cli, job):
    times = cli.status(job)["time"]
    submitted, *until = (
        datetime.fromisoformat(times[name]) for name in ("submitted_at", "deadline_at", "not_before_at")
    )
    return [(each - submitted).total_seconds() for each in until]


class Watch:
    """When a job starts, against the time that really passed, however slow the machine is."""

    def __init__(self, cli, starts_s):
        self._cli = cli
        self._starts_s = starts_s
        self._before = time.monotonic()
        self.job, self.waits = _submit_and_see(cli)
        self._after = time.monotonic()

    def check(self):
        """It is queued, and what is left is what was given less what has passed."""
        asked = time.monotonic()
        listed = json.loads(self._cli("status", "--json").stdout)
        told = time.monotonic()
        document = next(each for each in listed["jobs"] if each["job"] == self.job)
        left = (_time(document["time"]["not_before_at"]) - _time(listed["at"])).total_seconds()
        assert self._starts_s - (told - self._before) - 2 <= left <= self._starts_s - (asked - self._after) + 2
        assert document["state"] == "queued"
        assert re.search(r"starts in \d+[ms]", self._cli("status", self.job).stdout)


def _time(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("jump", JUMPS)
def test_a_deadline_given_right_after_the_clock_was_set_is_what_was_given(cli, clock, jump):
    cli.file("rows.txt", "1\n2\n")
    cli("daemon", "start", "--slots", 2)
    before = Watch(cli, 300)
    clock.set(jump)
    after = Watch(cli, 300)
    assert after.waits == [600, 300]
    wait_until(lambda: _heartbeat_is_of(cli, jump), 60, "the engine to follow the clock")
    for watch in (before, after):
        assert _waits(cli, watch.job) == [600, 300]
        watch.check()


def _heartbeat_is_of(cli, offset_s):
    beat = cli.rows("SELECT heartbeat_at FROM daemon")[0][0] / 1e6
    return abs(beat - datetime.now(UTC).timestamp() - offset_s) < 30


def _submitted(cli, job):
    return datetime.fromisoformat(cli.status(job)["time"]["submitted_at"])


@pytest.mark.slow
@pytest.mark.parametrize("jump", [-120, 3600])
def test_a_clock_that_is_set_while_no_daemon_runs(cli, clock, jump):
    cli.file("rows.txt", "1\n2\n")
    watch = Watch(cli, 300)
    clock.set(jump)
    cli("daemon", "start", "--slots", 2)
    wait_until(lambda: _heartbeat_is_of(cli, jump), 60, "a daemon with that clock")
    assert _waits(cli, watch.job) == [600, 300]
    watch.check()


@pytest.mark.slow
def test_a_store_of_1970_whose_clock_is_put_right(cli, clock):
    """A machine without a battery: submitted and begun in 1970, then the network tells the time."""
    clock.set(-int(datetime.now(UTC).timestamp()) + 1000)
    cli.file("rows.txt", "1\n")
    cli("daemon", "start", "--slots", 2)
    job, _ = _submit_and_see(cli)
    flag = cli.work / "flag"
    retried = cli.submit("rows.txt", "--backoff", "1sx1", "--shell", f"test -e {flag} || {{ touch {flag}; exit 1; }}")
    wait_until(flag.exists, 60, "a first attempt")
    clock.set(0)
    cli("wait", retried)
    assert _waits(cli, job) == [600, 300]
    assert abs(datetime.now(UTC) - _submitted(cli, job)) < timedelta(seconds=120)


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW, ids=["the wall clock alone", "all clocks"])
@pytest.mark.parametrize("offset", ["-120", "+3600"])
def test_a_command_with_a_clock_of_its_own(cli, how, offset):
    """``faketime '-2 minutes' jobctl submit`` while a daemon with the right clock runs."""
    cli.file("rows.txt", "1\n")
    cli("daemon", "start", "--slots", 2)
    first, _ = _submit_and_see(cli)
    other = {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME": offset, **how}
    second, _ = _submit_and_see(cli, env=other)
    beat = cli.rows("SELECT heartbeat_at FROM daemon")[0][0]
    wait_until(lambda: cli.rows("SELECT heartbeat_at FROM daemon")[0][0] > beat, 60, "the engine")
    for job in (first, second):
        assert _waits(cli, job) == [600, 300]
        assert abs(datetime.now(UTC) - _submitted(cli, job)) < timedelta(seconds=90)
        assert cli.status(job)["state"] == "queued"


@pytest.mark.parametrize("jump", JUMPS)
def test_an_item_that_runs_while_the_clock_is_set(cli, clock, jump):
    cli.file("rows.txt", "1\n")
    gate = cli.work / "gate"
    cli("daemon", "start", "--slots", 1)
    job = cli.submit("rows.txt", "--shell", f"until test -e {gate}; do sleep 0.1; done")
    wait_until(lambda: cli.document(job)["running"], 60, "its item to run")
    clock.set(jump)
    assert cli.status(job)["running"][0]["elapsed_s"] < 60
    wait_until(lambda: _heartbeat_is_of(cli, jump), 60, "the engine to follow the clock")
    document = cli.status(job)
    assert document["running"][0]["elapsed_s"] < 60
    assert document["time"]["active_s"] < 60
    gate.touch()
    cli("wait", job)
    times = cli.status(job)["time"]
    assert times["submitted_at"] <= times["started_at"] <= times["finished_at"]
    assert 0 <= times["active_s"] < 60
    begun, submitted = cli.rows("SELECT a.started_at, j.submitted_at FROM attempts a, jobs j")[0]
    assert begun >= submitted, "the attempt began after the submission, in terms of any clock"
