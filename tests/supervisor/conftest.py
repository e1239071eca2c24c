"""A real supervisor for the tests of the engine's processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobctl.executors.local import LocalExecutor
from tests.supervisor.harness import SupervisorUnderTest


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
