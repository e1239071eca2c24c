"""Thousands of jobs may be live: only those that a command has changed, or that are due, are looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobctl.domain.policy import Policy
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.store import queues
from tests.engine.bench import SECOND, Bench
from tests.executors.fake import Play


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Fills with the numbers of the jobs that are looked at."""
    seen: list[int] = []
    original = LiveJob.has_ready

    def has_ready(live: LiveJob, now: int) -> bool:
        seen.append(live.id)
        return original(live, now)

    monkeypatch.setattr(LiveJob, "has_ready", has_ready)
    return seen


def test_a_round_looks_at_the_jobs_it_works_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = {bench.submit(rows=1, priority=-1) for _ in range(30)}
    busy = bench.submit(rows=60)
    bench.tick(5)
    seen = looked_at(monkeypatch)
    bench.tick(5)
    assert busy in seen and not waiting & set(seen)
    bench.work_off()
    assert waiting <= set(seen)


def test_a_command_about_one_job_lets_the_others_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = {bench.submit(rows=1, priority=-1) for _ in range(30)}
    bench.submit(rows=500)
    bench.tick(5)
    seen = looked_at(monkeypatch)
    newcomer = bench.submit(rows=1, priority=1)
    bench.tick(2)
    assert newcomer in seen and not waiting & set(seen)


def test_a_job_is_looked_at_when_its_moment_has_come(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    later = bench.submit(rows=1, not_before_at=bench.now + 10 * SECOND)
    doomed = bench.submit(rows=1, not_before_at=bench.now + 60 * SECOND, policy=Policy(deadline_s=20.0))
    bench.tick()
    seen = looked_at(monkeypatch)
    bench.tick(5, step_us=SECOND)
    assert not {later, doomed} & set(seen)
    bench.tick(7, step_us=SECOND)
    assert bench.states(later) == "s" and doomed not in seen
    bench.tick(12, step_us=SECOND)
    assert bench.states(doomed) == "u"
    assert bench.job(doomed).state == "expired"


def test_a_full_queue_holds_up_its_own_jobs_alone(tmp_path: Path) -> None:
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    narrow = [bench.submit(rows=3, queue="narrow", priority=5) for _ in range(3)]
    with bench.database.transaction():
        assert queues.change(bench.database, "narrow", slots=1)
    wide = bench.submit(rows=3)
    bench.tick(2)
    assert {attempt.job for attempt in bench.executor.running} == {narrow[0], wide}
    bench.executor.finish(next(attempt for attempt in bench.executor.running if attempt.job != wide), Play())
    bench.tick(2)
    assert {attempt.job for attempt in bench.executor.running} == {narrow[1], wide}
