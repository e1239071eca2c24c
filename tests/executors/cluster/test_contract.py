"""The cluster executor, over a real scheduler and real workers, keeps the contract."""

from __future__ import annotations

import pytest

from tests.executor_contract import ExecutorContract, Work
from tests.executors.test_local_executor import WORK


class TestClusterExecutor(ExecutorContract):
    @pytest.fixture
    def work(self) -> Work:
        return WORK
