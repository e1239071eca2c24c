"""The fake keeps the contract, and does what its script says."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.ports import AttemptId, Dispatch, Lost, Pressure
from tests.executor_contract import ExecutorContract, Listener, Work, batch, spec_of
from tests.executors.fake import FakeExecutor, Play

WORK = Work(
    succeed=(b"succeed",),
    exit=lambda code: (b"exit", b"%d" % code),
    stay=(b"stay",),
    stubborn=(b"stay",),
    missing=(b"missing",),
)


def act(dispatch: Dispatch) -> Play:
    """The script of the contract's work."""
    match dispatch.argv:
        case (b"exit", code):
            return Play(code=int(code))
        case (b"stay",):
            return Play(hold=True)
        case (b"missing",):
            return Play(code=2, ending=Ending.NOT_STARTED, err=b"no such command")
        case _:
            return Play()


class TestFakeExecutor(ExecutorContract):
    @pytest.fixture
    def work(self) -> Work:
        return WORK

    @pytest.fixture
    def executor(self) -> FakeExecutor:
        executor = FakeExecutor(act)
        executor.resize(8)
        return executor

    def test_a_script_can_lose_an_attempt(self, executor: FakeExecutor, tmp_path: Path) -> None:
        executor.define(spec_of(1, tmp_path))
        executor.start(batch(1, (b"stay",), range(1)))
        heard = Listener(executor).until(lambda _: executor.running)
        executor.finish(AttemptId(1, 0, 1), Play(lost=True))
        assert heard.until(lambda heard: heard.of(Lost)).of(Lost) == [Lost(1, 0, 1)]
        assert executor.adopt() == [(1, 0, 1)]
        executor.acknowledge([AttemptId(1, 0, 1)])
        assert executor.adopt() == []

    def test_pressure_stop_and_death_reach_the_engine(self, executor: FakeExecutor) -> None:
        executor.press("no room")
        executor.stop(2)
        assert executor.collect(0) == [Pressure("no room")]
        assert executor.stop_requested() == 2
        executor.die()
        with pytest.raises(EOFError):
            executor.collect(0)
