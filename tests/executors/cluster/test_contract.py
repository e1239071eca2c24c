"""The cluster executor, over a real scheduler and real workers, keeps the contract."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.ports import Executor
from tests.executor_contract import ExecutorContract, Listener, Work, batch, spec_of
from tests.executors.test_local_executor import WORK


class TestClusterExecutor(ExecutorContract):
    @pytest.fixture
    def work(self) -> Work:
        return WORK

    def test_launchers_start_items_on_the_workers(self, executor: Executor, tmp_path: Path) -> None:
        executor.define(spec_of(1, tmp_path, launchers=((b"nice", b"-n", b"3"), (b"nice", b"-n", b"2"))))
        executor.start(batch(1, (b"sh", b"-c", b"nice >> said"), range(1)))
        assert [outcome.code for outcome in Listener(executor).finished(1)] == [0]
        assert int((tmp_path / "said").read_text()) == os.getpriority(os.PRIO_PROCESS, 0) + 5

    def test_each_attempt_has_its_own_limit_if_the_job_has_several(self, executor: Executor, tmp_path: Path) -> None:
        executor.define(spec_of(1, tmp_path, timeout_s=1000.0, timeouts_s=(0.2, 1000.0)))
        items = batch(1, (b"sleep", b"0.6"), range(2))
        executor.start([dispatch._replace(limit=dispatch.item) for dispatch in items])
        outcomes = {outcome.item: outcome.ending for outcome in Listener(executor).finished(2)}
        assert outcomes == {0: Ending.TIMED_OUT, 1: Ending.EXITED}
