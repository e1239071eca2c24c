"""The local executor, with a real supervisor and real processes, keeps the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobctl.engine.local import LocalExecutor
from tests.engine.harness import SupervisorUnderTest
from tests.executor_contract import ExecutorContract, Work

WORK = Work(
    succeed=(b"true",),
    exit=lambda code: (b"sh", b"-c", b"exit %d" % code),
    stay=(b"sleep", b"1000"),
    stubborn=(b"sh", b"-c", b"trap '' TERM; while :; do sleep 1000; done"),
    missing=(b"no-such-command",),
)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[SupervisorUnderTest]:
    under_test = SupervisorUnderTest(tmp_path)
    yield under_test
    under_test.close()


@pytest.fixture
def executor(supervisor: SupervisorUnderTest) -> LocalExecutor:
    executor = supervisor.start()
    executor.resize(8)
    return executor


class TestLocalExecutor(ExecutorContract):
    @pytest.fixture
    def work(self) -> Work:
        return WORK
