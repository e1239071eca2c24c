"""The wall clock is set while jobs wait: durations stay what they were, and times that a person gave stay times."""

import io
import os
import select

import pytest

from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.selection import Selection
from jobctl.engine.clock import ClockAlarm, WallClock
from jobctl.process import moment
from jobctl.process.moment import Moment
from jobctl.services.control import pause, rules
from jobctl.services.control.retry import retry
from jobctl.services.status.document import job_document
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources.options import InputOptions
from jobctl.store import clock, requests
from tests.engine.bench import SECOND, START, Bench
from tests.executors.fake import Play
from tests.stages import few

HOUR = 3600 * SECOND
YEARS = 56 * 365 * 24 * HOUR
JUMPS = [-120 * SECOND, HOUR, -24 * HOUR, -YEARS]
WAIT_S = 400


def test_only_a_clock_that_was_set_has_jumped(tmp_path):
    bench = Bench(tmp_path)
    bench.start()
    known = WallClock(bench.database)
    known.follow(bench.now)
    known.note_commit(bench.now)
    bench.now += 5 * SECOND
    assert known.jump(bench.now) == 0
    bench.set_clock(900_000)
    assert known.jump(bench.now) == 0, "it was corrected, not set"
    bench.set_clock(-HOUR)
    assert known.jump(bench.now) == 900_000 - HOUR, "the correction before counts, so nothing adds up"
    known.follow(bench.now)
    known.note_commit(bench.now)
    assert known.jump(bench.now) == 0


class Waiting:
    """A job that waits for a duration that was given, 400 s."""

    def __init__(self, kind, bench):
        self.kind = kind
        self.bench = bench
        self.job = None

    def submit(self):
        bench, kind = self.bench, self.kind
        policy = {
            "retry": Policy(backoff=Backoff(base_s=WAIT_S, factor=1, cap_s=WAIT_S)),
            "deadline": Policy(deadline_s=WAIT_S),
            "not before": Policy(not_before_s=WAIT_S),
            "rate": Policy(rate=f"1/{WAIT_S}s"),
        }[kind]
        self.job = bench.submit(rows=2, policy=policy)

    def is_over(self):
        states = self.bench.states(self.job)
        if self.kind == "deadline":
            return self.bench.job(self.job).stop == "expired"
        return "s" in states if self.kind != "rate" else states == "ss"


def _script(kind):
    if kind == "deadline":
        return lambda _: Play(hold=True)
    return lambda d: Play(code=1 if kind == "retry" and d.attempt == 1 else 0)


@pytest.mark.parametrize("engine", few(["up", "up, and a command comes first", "down"], ["up", "down"]))
@pytest.mark.parametrize("when", ["before the submit", "after the submit"])
@pytest.mark.parametrize("jump", few(JUMPS, [HOUR, -YEARS]))
@pytest.mark.parametrize("kind", ["retry", "deadline", "not before", "rate"])
def test_a_duration_does_not_change(tmp_path, monkeypatch, kind, jump, when, engine):
    monkeypatch.setattr("jobctl.engine.attempts.settling.random.random", lambda: 0.99999)
    bench = Bench(tmp_path, script=_script(kind))
    waiting = Waiting(kind, bench)
    bench.start()
    other = bench.submit(rows=1, hold=True)  # the store has been in use: it has seen the clock of before
    bench.tick(2)
    if when == "before the submit":
        _set_clock(bench, jump, engine, other)
        waiting.submit()
        bench.tick(5)
    else:
        waiting.submit()
        bench.tick(5)
        _set_clock(bench, jump, engine, other)
    bench.tick(3)
    assert not waiting.is_over(), "the jump itself makes nothing due"
    bench.tick(10, step_us=(WAIT_S - 10) * SECOND // 10)
    assert not waiting.is_over()
    bench.tick(10, step_us=3 * SECOND)
    assert waiting.is_over()


def _set_clock(bench, jump, engine, other):
    if engine == "down":
        bench.engine = None
        bench.set_clock(jump)
        bench.start(fresh=False)
        return
    bench.set_clock(jump)
    if "command" in engine:
        rules.set_rules(bench.home, other, {"priority": "3"}, now=bench.now)


@pytest.mark.parametrize("jump", [-120 * SECOND, HOUR])
@pytest.mark.parametrize("is_up", [True, False])
def test_a_point_in_time_follows_the_wall_clock(tmp_path, jump, is_up):
    bench = Bench(tmp_path)
    bench.start()
    at = bench.now + 2 * HOUR
    job = bench.submit(rows=1, not_before_at=int(at))
    bench.tick(3)
    if not is_up:
        bench.engine = None
    bench.set_clock(jump)
    bench.tick(3)
    assert bench.job(job).not_before_at == at
    bench.now = at - 5 * SECOND
    bench.tick(3)
    assert bench.states(job) == "q"
    bench.now = at + 1
    bench.tick(5)
    assert bench.states(job) == "s"


@pytest.mark.parametrize("jump", JUMPS)
def test_a_deadline_that_is_given_right_after_the_jump_moves_once(tmp_path, jump):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    bench.submit(rows=1, hold=True)
    bench.tick(3)
    bench.set_clock(jump)  # the engine sleeps
    job = bench.submit(rows=1, policy=Policy(deadline_s=60))
    given = bench.job(job).deadline_at
    bench.tick(3)
    assert bench.job(job).deadline_at == given == bench.job(job).submitted_at + 60 * SECOND


def test_a_moment_that_was_read_before_the_jump_is_corrected_when_it_is_written(tmp_path):
    """A submission that reads a slow pipe knows the present of its beginning."""
    bench = Bench(tmp_path)
    bench.submit(rows=1, hold=True)
    bench.tick(3)
    read = bench.now
    bench.now += 5 * SECOND
    bench.set_clock(HOUR)
    bench.tick(1)
    request = SubmitRequest(
        input=InputOptions("-", format="lines"),
        command=("true",),
        policy=Policy(deadline_s=60),
        hold=True,
        cwd=str(tmp_path),
    )
    job = submit(bench.home, request, now=read, stdin=io.BytesIO(b"1\n")).job
    assert bench.job(job).submitted_at == read + HOUR
    bench.tick(3)
    assert bench.job(job).deadline_at == read + HOUR + 60 * SECOND


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("what", ["job", "queue"])
def test_a_pause_lasts_as_long_as_it_lasted(tmp_path, jump, what):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    job = bench.submit(rows=1)
    bench.tick(3)
    bench.now += 100 * SECOND
    if what == "job":
        pause.pause(bench.home, [job], reason="", now=bench.now)
    else:
        pause.pause_queue(bench.home, "default", reason="", now=bench.now)
    bench.now += 50 * SECOND
    bench.set_clock(jump)
    bench.tick(2)
    if what == "queue":
        paused_at = bench.database.scalar("SELECT paused_at FROM queues")
        assert abs(bench.now - paused_at - 50 * SECOND) < SECOND
        return
    pause.resume(bench.home, [job], now=bench.now)
    time = job_document(bench.database, bench.home, job, bench.now)["time"]
    assert time["paused_s"] == pytest.approx(50, abs=1)
    assert time["active_s"] == pytest.approx(100, abs=1)


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("engine", ["up", "down"])
def test_the_output_of_a_running_job_is_right_before_and_after_a_command_follows(tmp_path, jump, engine):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=1)
    job = bench.submit(rows=3, policy=Policy(deadline_s=1000))
    bench.tick(3)
    bench.tick(10, step_us=10 * SECOND)
    bench.set_clock(jump)
    for followed in (False, True):
        if followed and engine == "down":
            bench.start(fresh=False)
        elif followed:
            bench.tick(1)
        document = job_document(bench.database, bench.home, job, bench.now)
        assert document["time"]["active_s"] == pytest.approx(100, abs=2), followed
        assert document["running"][0]["elapsed_s"] == pytest.approx(100, abs=2), followed
    row = bench.job(job)
    assert row.submitted_at <= row.started_at <= bench.now


@pytest.mark.parametrize("wrong", [-YEARS, 12 * 365 * 24 * HOUR], ids=["1970", "2038"])
@pytest.mark.parametrize("kind", ["retry", "deadline", "not before"])
@pytest.mark.parametrize("put_right", ["while the engine is up", "before the engine starts"])
def test_a_boot_with_a_wrong_clock_that_is_put_right(tmp_path, monkeypatch, wrong, kind, put_right):
    monkeypatch.setattr("jobctl.engine.attempts.settling.random.random", lambda: 0.99999)
    bench = Bench(tmp_path, script=_script(kind))
    waiting = Waiting(kind, bench)
    waiting.submit()
    bench.tick(5)
    bench.engine = None
    bench.reboot(down=10 * SECOND, wrong=wrong)
    if put_right == "while the engine is up":
        bench.start(fresh=False)
        bench.tick(5)
    else:
        other = bench.submit(rows=1, hold=True)  # a command meets the wrong clock first
        rules.set_rules(bench.home, other, {"priority": "3"}, now=bench.now)
    bench.set_clock(-wrong)
    bench.tick(3)
    assert not waiting.is_over()
    bench.tick(10, step_us=(WAIT_S + 20) * SECOND // 10)
    bench.tick(3)
    assert waiting.is_over()
    assert abs(bench.job(waiting.job).submitted_at - START) < 60 * SECOND


def test_time_that_the_machine_was_off_counts_when_it_is_plausible(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    job = bench.submit(rows=1, policy=Policy(deadline_s=2 * 3600))
    bench.tick(3)
    bench.engine = None
    bench.reboot(down=3 * HOUR)
    bench.start()
    bench.tick(3)
    assert bench.job(job).stop == "expired"


@pytest.mark.parametrize(
    "column, policy", [("deadline_at", Policy(deadline_s=60)), ("not_before_at", Policy(not_before_s=60))]
)
def test_a_moment_further_away_than_its_duration_is_brought_back(tmp_path, column, policy):
    """A reading as an earlier version left it, or a command whose clocks were both wrong."""
    bench = Bench(tmp_path)
    job = bench.submit(rows=1, policy=policy)
    bench.database.execute(f"UPDATE jobs SET {column} = {column} + {YEARS}, submitted_at = submitted_at + {YEARS}")
    bench.start()
    assert getattr(bench.job(job), column) <= bench.now + 60 * SECOND
    assert bench.job(job).submitted_at <= bench.now


def test_a_retry_further_away_than_its_backoff_is_brought_back(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(code=1 if d.attempt == 1 else 0))
    job = bench.submit(rows=1, policy=Policy(backoff=Backoff(30, 1, 30)))
    bench.tick(5)
    bench.engine = None
    bench.database.execute(f"UPDATE items SET due_at = due_at + {YEARS}")
    bench.start(fresh=False)
    bench.tick(2, step_us=40 * SECOND)
    bench.tick(3)
    assert bench.states(job) == "s"


def test_another_round_after_the_clock_went_back(tmp_path):
    """Times of jobs that are done do not move."""
    bench = Bench(tmp_path)
    job = bench.submit(rows=1, policy=Policy(not_before_s=30))
    bench.tick(2)
    with bench.database.transaction():
        requests.add(bench.database, requests.Request(job, None, "cancel", False, "test", ""), bench.now)
    bench.tick(5)
    assert bench.job(job).finished_at is not None
    bench.set_clock(-YEARS)
    bench.tick(2)
    retry(bench.home, job, Selection(), now=bench.now)
    row = bench.job(job)
    assert row.submitted_at <= bench.now
    assert row.not_before_at <= bench.now + 30 * SECOND
    bench.tick(5, step_us=10 * SECOND)
    assert bench.states(job) == "s"


def test_a_clock_that_is_set_and_put_back_while_nothing_can_be_written(tmp_path):
    bench = Bench(tmp_path)
    job = bench.submit(rows=1, hold=True)
    bench.tick(2)
    bench.engine._parts.database.connection.execute("PRAGMA query_only = ON")
    bench.set_clock(YEARS)
    bench.tick(3)
    bench.set_clock(-YEARS)
    bench.engine._parts.database.connection.execute("PRAGMA query_only = OFF")
    pause.resume(bench.home, [job], now=bench.now)
    bench.tick(5, step_us=SECOND)
    assert bench.states(job) == "s"


def test_many_processes_that_notice_the_same_jump_move_everything_once(tmp_path):
    bench = Bench(tmp_path)
    job = bench.submit(rows=1, hold=True, policy=Policy(deadline_s=60))
    bench.tick(2)
    before = bench.job(job).deadline_at
    bench.set_clock(HOUR)
    for _ in range(3):
        with bench.database.transaction():
            clock.follow(bench.database, bench.now)
    bench.tick(3)
    bench.start(fresh=False)
    assert bench.job(job).deadline_at == before + HOUR


def test_a_command_with_another_clock_than_the_engine_does_no_harm(tmp_path):
    """``faketime '-2 minutes' jobctl submit``, a container with another clock."""
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    first = bench.submit(rows=1, policy=Policy(deadline_s=60))
    bench.tick(3)
    before = bench.job(first).deadline_at
    bench.set_clock(-120 * SECOND)
    second = bench.submit(rows=1, policy=Policy(deadline_s=60))
    bench.set_clock(120 * SECOND)
    bench.tick(3)
    assert bench.job(first).deadline_at == before
    assert bench.job(second).submitted_at + 60 * SECOND == bench.job(second).deadline_at > before
    assert [bench.job(job).stop for job in (first, second)] == [None, None]


def test_time_namespaces_and_missing_boot_ids(monkeypatch, tmp_path):
    offsets = tmp_path / "offsets"
    offsets.write_text("monotonic           7         0\nboottime         100 500000000\n", encoding="ascii")
    monkeypatch.setattr(moment, "_OFFSETS", str(offsets))
    moment._boot.cache_clear()
    boot, steady = moment.on_the_machine(Moment(0, 200 * SECOND))
    assert (len(boot), steady) == (36, 99_500_000)
    monkeypatch.setattr(moment, "_BOOT_ID", str(tmp_path / "missing"))
    moment._boot.cache_clear()
    assert moment.on_the_machine(Moment(0, 1))[0].startswith(f"process-{os.getpid()}-")
    moment._boot.cache_clear()


def test_a_reading_that_makes_no_sense_is_replaced(tmp_path):
    bench = Bench(tmp_path)
    bench.submit(rows=1)
    for text in ("", "x", "a b c", "1 2 3 4"):
        bench.database.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('clock', ?)", (text,))
        with bench.database.transaction():
            clock.follow(bench.database, bench.now)
        assert clock.text(bench.database) == f"boot-1 {START} {START}"


def test_the_alarm_rings_when_the_clock_is_set():
    """By a microsecond and back, which no other code notices."""
    alarm = ClockAlarm()
    if alarm.fileno() is None:
        pytest.skip("no timerfd here")
    try:
        assert not select.select([alarm.fileno()], [], [], 0)[0]
        for us in (1, -1):
            _adjust(us)
            assert select.select([alarm.fileno()], [], [], 60)[0]
            alarm.drain()
            assert not select.select([alarm.fileno()], [], [], 0)[0]
    finally:
        alarm.close()


def _adjust(us):
    import ctypes
    import struct

    request = ctypes.create_string_buffer(512)  # struct timex, with room
    struct.pack_into("I", request, 0, 0x0100)  # ADJ_SETOFFSET
    struct.pack_into("qq", request, 72, *divmod(us, SECOND))
    if ctypes.CDLL(None, use_errno=True).adjtimex(request) < 0:
        pytest.skip("only root may set the clock")
