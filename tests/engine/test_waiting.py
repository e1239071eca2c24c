"""When the engine waits and what for: disk without room, retries that cannot start, no spinning."""

import pytest

from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.ports import AttemptId
from jobctl.engine import loop
from jobctl.engine.attempts import settling
from jobctl.process import space
from jobctl.services.control import pause
from jobctl.services.control.targets import Target
from jobctl.services.status.document import job_document
from jobctl.services.why.explain import explain
from tests.engine.bench import SECOND, Bench
from tests.executors.fake import Play
from tests.locks import held_lock


@pytest.fixture
def full_disk(monkeypatch):
    """The disk counts as nearly full until the returned function is called."""
    monkeypatch.setattr(space, "FLOOR_BYTES", 1 << 62)
    monkeypatch.setattr(space, "FLOOR_SHARE", 2.0)

    def make_room():
        monkeypatch.setattr(space, "FLOOR_SHARE", 0.0)

    return make_room


def test_nothing_starts_without_room_on_the_disk_and_everything_continues_by_itself(tmp_path, full_disk):
    bench = Bench(tmp_path)
    job = bench.submit(rows=4)
    bench.tick(5, step_us=SECOND)
    assert bench.states(job) == "qqqq"
    assert bench.database.scalar("SELECT pressure FROM daemon").startswith("paused: disk: ")
    full_disk()
    bench.tick(5, step_us=SECOND)
    assert bench.states(job) == "ssss"
    assert bench.database.scalar("SELECT pressure FROM daemon") == ""


def test_running_items_finish_although_the_disk_is_full(tmp_path, monkeypatch):
    bench = Bench(tmp_path, slots=1, script=lambda _: Play(hold=True))
    job = bench.submit(rows=3)
    bench.tick(2)
    monkeypatch.setattr(space, "FLOOR_BYTES", 1 << 62)
    monkeypatch.setattr(space, "FLOOR_SHARE", 2.0)
    bench.tick(2, step_us=SECOND)
    bench.executor.finish(AttemptId(job, 1, 1), Play())
    bench.tick(5, step_us=SECOND)
    assert bench.states(job) == "sqq"


def test_status_and_explain_name_a_full_disk(tmp_path, full_disk):
    bench = Bench(tmp_path)
    job = bench.submit(rows=1)
    bench.tick(2)
    with held_lock(bench.home) as pid:
        bench.database.execute("UPDATE daemon SET pid = ?", (pid,))
        attention = {a["code"]: a for a in job_document(bench.database, bench.home, job, bench.now)["attention"]}
        (hold,) = explain(bench.database, bench.home, Target(job), bench.now)["holds"]
    assert "spawn_pressure" not in attention
    assert attention["disk_low"]["message"].startswith("the disk is nearly full: ")
    assert str(bench.home.root) in attention["disk_low"]["message"]
    assert attention["disk_low"]["action"] == "jobctl prune --dry-run"
    assert hold["code"] == "disk_low"
    assert "free" in hold["message"]


def test_the_real_disk_of_a_machine_that_works_has_room(tmp_path):
    assert space.shortage(tmp_path) == ""
    assert space.shortage(tmp_path / "nowhere") == ""


def waits(bench):
    """The time that the engine would sleep now."""
    return bench.engine._timeout_s(bench.now)


def test_a_due_retry_that_finds_no_slot_waits_for_one_without_spinning(tmp_path):
    bench = Bench(tmp_path, slots=1, script=lambda d: Play(code=1, duration_us=SECOND, hold=d.job > 1))
    job = bench.submit(rows=1, policy=Policy(attempts=9, backoff=Backoff(base_s=5, factor=1, cap_s=5)))
    bench.tick(3)
    assert bench.states(job) == "t"
    other = bench.submit(rows=1, priority=1)
    bench.tick(10, step_us=SECOND)
    assert (bench.states(job), bench.states(other)) == ("t", "r")
    assert waits(bench) > 1


def test_a_due_retry_in_a_paused_queue_lets_the_engine_sleep(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(code=1))
    job = bench.submit(rows=2, policy=Policy(attempts=9, backoff=Backoff(base_s=5, factor=1, cap_s=5)), queue="q")
    bench.tick(3)
    assert bench.states(job) == "tt"
    pause.pause_queue(bench.home, "q", reason="", now=bench.now)
    bench.tick(10, step_us=SECOND)
    assert bench.states(job) == "tt"
    assert waits(bench) > 1
    pause.resume_queue(bench.home, "q", now=bench.now)
    bench.tick(1)
    assert bench.states(job) == "rr"


def test_the_engine_wakes_up_for_the_next_retry(tmp_path, monkeypatch):
    monkeypatch.setattr("jobctl.engine.attempts.settling.random.random", lambda: 0.5)
    bench = Bench(tmp_path, script=lambda _: Play(code=1))
    job = bench.submit(rows=1, policy=Policy(backoff=Backoff(base_s=2, factor=1, cap_s=2)))
    bench.tick(3)
    due = bench.database.scalar("SELECT due_at FROM items WHERE job = ?", (job,))
    assert waits(bench) == pytest.approx(max(0, due - bench.now) / 1e6)


def test_the_engine_does_not_sleep_over_work_that_is_due_right_after_a_round(tmp_path, monkeypatch):
    """Time passes between the end of a round and the decision how long to sleep."""
    bench = Bench(tmp_path, slots=6, drain=True, script=lambda d: Play(code=int(d.attempt == 1)))
    naps = []

    class Selector:
        def register(self, *_):
            pass

        def select(self, timeout_s):
            if "r" not in bench.states(1):  # else an outcome would end it
                naps.append(timeout_s)
            bench.now += int(timeout_s * SECOND)

    def clock():
        bench.now += 15_000
        return bench.now

    monkeypatch.setattr(loop.selectors, "DefaultSelector", Selector)
    monkeypatch.setattr(loop.moment, "now", clock)
    monkeypatch.setattr(settling.random, "random", lambda: 0.99)
    bench.submit(rows=6, policy=Policy(attempts=2, backoff=Backoff(base_s=0.01)))
    bench.start()
    bench.engine.run()
    assert bench.states(1) == "ssssss"
    assert max(naps) < 1.0
