"""The promises of every executor. A subclass has the fixtures ``executor`` and ``work`` and inherits the tests."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.ports import (
    SLOT_MARK,
    AttemptId,
    Dispatch,
    Event,
    Executor,
    Finished,
    JobSpec,
    Returned,
    Started,
)

DEADLINE_S = 60.0


@dataclass(frozen=True)
class Work:
    """The commands of the executor under test: argv by purpose."""

    succeed: tuple[bytes, ...]
    exit: Callable[[int], tuple[bytes, ...]]
    stay: tuple[bytes, ...]  # runs until it is ended
    stubborn: tuple[bytes, ...]  # the same, but TERM does not end it
    missing: tuple[bytes, ...]  # cannot be started


class Listener:
    """Collects events until a condition holds, within a deadline."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.events: list[Event] = []

    def until(self, condition: Callable[[Listener], Any]) -> Listener:
        until = time.monotonic() + DEADLINE_S
        while not condition(self):
            left = until - time.monotonic()
            assert left > 0, f"only these events came: {self.events}"
            self.events += self.executor.collect(min(left, 5.0))
        return self

    def finished(self, count: int) -> list[Finished]:
        """The first ``count`` outcomes, waited for and acknowledged."""
        self.until(lambda heard: len(heard.of(Finished)) >= count)
        outcomes = self.of(Finished)[:count]
        self.executor.acknowledge([id_of(outcome) for outcome in outcomes])
        return outcomes

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def id_of(event: Any) -> AttemptId:
    return AttemptId(event.job, event.item, event.attempt)


def spec_of(job: int, root: Path, **changes: Any) -> JobSpec:
    spec = JobSpec(
        job=job,
        env=(b"PATH=/usr/bin:/bin",),
        cwd=str(root).encode(),
        umask=0o022,
        slots=2,
        queue="default",
        queue_slots=None,
        timeout_s=None,
        grace_s=5.0,
        log_dir=str(root / "logs" / str(job)).encode(),
        output_cap=0,
    )
    return replace(spec, **changes)


def batch(job: int, argv: tuple[bytes, ...], items: range, env: tuple[bytes, ...] = ()) -> list[Dispatch]:
    return [Dispatch(job, item, 1, argv, env) for item in items]


class ExecutorContract:
    """The promises of domain.ports.Executor."""

    def test_every_attempt_started_is_finished_once(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.define(spec_of(1, tmp_path))
        executor.resize(3)
        executor.start(batch(1, work.succeed, range(20)))
        outcomes = Listener(executor).finished(20)
        assert sorted(outcome.item for outcome in outcomes) == list(range(20))
        assert {(outcome.ending, outcome.code) for outcome in outcomes} == {(Ending.EXITED, 0)}
        assert executor.adopt() == []

    def test_an_exit_status_is_reported(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.define(spec_of(1, tmp_path))
        executor.start([Dispatch(1, code, 1, work.exit(code), ()) for code in (0, 3, 65, 75)])
        outcomes = Listener(executor).finished(4)
        assert {outcome.item: outcome.code for outcome in outcomes} == {0: 0, 3: 3, 65: 65, 75: 75}

    def test_a_call_that_cannot_start_has_an_outcome(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.define(spec_of(1, tmp_path))
        executor.start(batch(1, work.missing, range(1)))
        (outcome,) = Listener(executor).finished(1)
        assert outcome.ending == Ending.NOT_STARTED
        assert outcome.code != 0
        assert outcome.err_tail

    def test_started_is_told_while_it_runs(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        before = time.time_ns() // 1000
        executor.define(spec_of(1, tmp_path))
        executor.start(batch(1, work.stay, range(1)))
        (started,) = Listener(executor).until(lambda heard: heard.of(Started)).of(Started)
        assert id_of(started) == (1, 0, 1)
        assert started.slot == 1
        assert before <= started.started_at <= time.time_ns() // 1000

    def test_attempts_of_a_job_start_in_order(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.define(spec_of(1, tmp_path, slots=1))
        executor.start(batch(1, work.succeed, range(10)))
        assert [outcome.item for outcome in Listener(executor).finished(10)] == list(range(10))

    @pytest.mark.parametrize(
        ("capacity", "slots", "queue_slots", "expected"), [(3, 9, None, 3), (9, 2, None, 2), (9, 9, 1, 1)]
    )
    def test_no_more_run_than_every_limit_allows(
        self,
        executor: Executor,
        work: Work,
        tmp_path: Path,
        capacity: int,
        slots: int,
        queue_slots: int | None,
        expected: int,
    ) -> None:
        executor.resize(capacity)
        executor.define(spec_of(1, tmp_path, slots=slots, queue="q", queue_slots=queue_slots))
        executor.start(batch(1, work.stay, range(5)))
        heard = Listener(executor).until(lambda heard: len(heard.of(Started)) == expected)
        by_slot = {started.slot: id_of(started) for started in heard.of(Started)}
        assert sorted(by_slot) == list(range(1, expected + 1))
        first = by_slot[1]
        executor.cancel([first], 0.0)
        heard.until(lambda heard: len(heard.of(Started)) == expected + 1)
        assert heard.of(Started)[-1].slot == 1, "the lowest free slot is taken"
        assert len(heard.of(Finished)) == 1

    def test_jobs_take_turns(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.resize(1)
        executor.define(spec_of(1, tmp_path))
        executor.define(spec_of(2, tmp_path))
        executor.start(batch(1, work.succeed, range(6)) + batch(2, work.succeed, range(6)))
        jobs = [outcome.job for outcome in Listener(executor).finished(12)]
        assert all(abs(jobs[:n].count(1) - jobs[:n].count(2)) <= 1 for n in range(1, 13))

    def test_a_full_queue_does_not_hold_up_another(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.resize(4)
        executor.define(spec_of(1, tmp_path, queue="narrow", queue_slots=1))
        executor.define(spec_of(2, tmp_path, queue="wide"))
        executor.start(batch(1, work.stay, range(3)) + batch(2, work.succeed, range(5)))
        assert {outcome.job for outcome in Listener(executor).finished(5)} == {2}

    def test_more_capacity_is_used_at_once(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.resize(1)
        executor.define(spec_of(1, tmp_path))
        executor.start(batch(1, work.stay, range(2)))
        heard = Listener(executor).until(lambda heard: heard.of(Started))
        executor.resize(2)
        heard.until(lambda heard: len(heard.of(Started)) == 2)

    def test_a_cancelled_attempt_ends_and_says_so(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.define(spec_of(1, tmp_path))
        executor.start(batch(1, work.stay, range(1)))
        heard = Listener(executor).until(lambda heard: heard.of(Started))
        executor.cancel([AttemptId(1, 0, 1)], 5.0)
        (outcome,) = heard.finished(1)
        assert outcome.ending == Ending.CANCELLED
        executor.cancel([AttemptId(1, 0, 1), AttemptId(7, 7, 7)], 5.0)  # over, and unknown: ignored
        assert executor.adopt() == []

    def test_one_that_ignores_term_is_killed_after_the_grace(
        self, executor: Executor, work: Work, tmp_path: Path
    ) -> None:
        executor.define(spec_of(1, tmp_path))
        executor.start(batch(1, work.stubborn, range(1)))
        heard = Listener(executor).until(lambda heard: heard.of(Started))
        executor.cancel([AttemptId(1, 0, 1)], 0.2, Ending.INTERRUPTED)
        (outcome,) = heard.finished(1)
        assert outcome.ending == Ending.INTERRUPTED

    def test_a_cancelled_attempt_that_waits_is_returned(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.resize(1)
        executor.define(spec_of(1, tmp_path))
        executor.start(batch(1, work.stay, range(3)))
        heard = Listener(executor).until(lambda heard: heard.of(Started))
        executor.cancel([AttemptId(1, 1, 1)], 5.0)
        heard.until(lambda heard: heard.of(Returned))
        assert [id_of(event) for event in heard.of(Returned)] == [(1, 1, 1)]
        assert sorted(executor.adopt()) == [(1, 0, 1), (1, 2, 1)]

    def test_recall_gives_back_what_waits_of_one_job(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.resize(1)
        executor.define(spec_of(1, tmp_path))
        executor.define(spec_of(2, tmp_path))
        executor.start(batch(1, work.stay, range(3)) + batch(2, work.succeed, range(2)))
        heard = Listener(executor).until(lambda heard: heard.of(Started))
        executor.recall(1)
        heard.until(lambda heard: len(heard.of(Returned)) == 2)
        assert sorted(id_of(event) for event in heard.of(Returned)) == [(1, 1, 1), (1, 2, 1)]
        executor.recall()
        heard.until(lambda heard: len(heard.of(Returned)) == 4)

    def test_outcomes_are_kept_until_acknowledged(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.define(spec_of(1, tmp_path))
        executor.start(batch(1, work.succeed, range(2)))
        first = Listener(executor).until(lambda heard: len(heard.of(Finished)) == 2).of(Finished)
        assert sorted(executor.adopt()) == [(1, 0, 1), (1, 1, 1)]
        again = Listener(executor).until(lambda heard: len(heard.of(Finished)) == 2).of(Finished)
        assert sorted(again) == sorted(first)
        executor.acknowledge([AttemptId(1, 0, 1)])
        assert executor.adopt() == [(1, 1, 1)]

    def test_what_runs_is_adopted_and_told_again(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.resize(1)
        executor.define(spec_of(1, tmp_path))
        executor.start(batch(1, work.stay, range(2)))
        first = Listener(executor).until(lambda heard: heard.of(Started)).of(Started)
        assert sorted(executor.adopt()) == [(1, 0, 1), (1, 1, 1)]
        assert Listener(executor).until(lambda heard: heard.of(Started)).of(Started) == first

    def test_it_is_readable_when_there_is_something_to_collect(
        self, executor: Executor, work: Work, tmp_path: Path
    ) -> None:
        executor.define(spec_of(1, tmp_path))
        Listener(executor).executor.collect(0)
        executor.start(batch(1, work.succeed, range(1)))
        outcomes: list[Event] = []
        while not outcomes:
            readable, _, _ = select.select([executor.fileno()], [], [], DEADLINE_S)
            assert readable
            outcomes += [event for event in executor.collect(0) if isinstance(event, Finished)]

    def test_collect_returns_at_its_timeout(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.collect(0)
        executor.collect(0.2)
        began = time.monotonic()
        assert executor.collect(0.2) == []
        assert 0.15 < time.monotonic() - began < DEADLINE_S

    def test_a_new_definition_changes_the_limits(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.resize(4)
        executor.define(spec_of(1, tmp_path, slots=1))
        executor.start(batch(1, work.stay, range(3)))
        heard = Listener(executor).until(lambda heard: heard.of(Started))
        executor.define(spec_of(1, tmp_path, slots=3))
        heard.until(lambda heard: len(heard.of(Started)) == 3)

    def test_a_forgotten_job_can_come_back(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        for attempt in (1, 2):
            executor.define(spec_of(1, tmp_path))
            executor.start([Dispatch(1, 0, attempt, work.exit(3), ())])
            (outcome,) = Listener(executor).finished(1)
            assert outcome.attempt == attempt
            executor.forget(1)

    def test_close_ends_everything(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.resize(2)
        executor.define(spec_of(1, tmp_path))
        executor.start(batch(1, work.stay, range(3)))
        heard = Listener(executor).until(lambda heard: len(heard.of(Started)) == 2)
        executor.close(5.0)
        heard.events += executor.collect(0)
        assert sorted(id_of(event) for event in heard.of(Finished)) == [(1, 0, 1), (1, 1, 1)]
        assert {outcome.ending for outcome in heard.of(Finished)} == {Ending.INTERRUPTED}
        assert [id_of(event) for event in heard.of(Returned)] == [(1, 2, 1)]
        began = time.monotonic()
        executor.close(DEADLINE_S)
        assert time.monotonic() - began < DEADLINE_S, "what is closed is not waited for"

    def test_no_stop_was_requested(self, executor: Executor) -> None:
        assert executor.stop_requested() == 0

    def test_the_slot_is_where_it_was_asked_for(self, executor: Executor, work: Work, tmp_path: Path) -> None:
        executor.define(spec_of(1, tmp_path, slotted=True))
        executor.start([Dispatch(1, 0, 1, (*work.succeed, b"slot " + SLOT_MARK), ())])
        (outcome,) = Listener(executor).finished(1)
        assert (outcome.ending, outcome.code) == (Ending.EXITED, 0)
