"""The cluster executor, over a real scheduler and real workers, keeps the contract."""

from __future__ import annotations

import pytest

from tests.engine.test_local_executor import WORK
from tests.executor_contract import ExecutorContract, Work

#: Sockets of Dask, closed when it pleases the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class TestClusterExecutor(ExecutorContract):
    @pytest.fixture
    def work(self) -> Work:
        return WORK
