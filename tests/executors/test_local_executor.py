"""The local executor, with a real supervisor and real processes, keeps the contract."""

from __future__ import annotations

import pytest

from tests.executor_contract import ExecutorContract, Work

WORK = Work(
    succeed=(b"true",),
    exit=lambda code: (b"sh", b"-c", b"exit %d" % code),
    stay=(b"sleep", b"1000"),
    stubborn=(b"sh", b"-c", b"trap '' TERM; while :; do sleep 1000; done"),
    missing=(b"no-such-command",),
)


class TestLocalExecutor(ExecutorContract):
    @pytest.fixture
    def work(self) -> Work:
        return WORK
