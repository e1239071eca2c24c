"""One cluster for all tests that leave it as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from jobctl.executors.cluster.executor import ClusterExecutor
from jobctl.executors.cluster.options import ClusterOptions
from tests.executors.cluster.rig import Cluster
from tests.supervisor.harness import SupervisorUnderTest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sockets of Dask are closed when it pleases the garbage collector."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Let it happen here, where it does no harm, and not in a later test of something else."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster")).start()
    yield cluster
    cluster.close()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[SupervisorUnderTest]:
    under_test = SupervisorUnderTest(tmp_path)
    yield under_test
    under_test.close()


@pytest.fixture
def executor(cluster: Cluster, supervisor: SupervisorUnderTest) -> Iterator[ClusterExecutor]:
    executor = ClusterExecutor(
        supervisor.start(), ClusterOptions(scheduler_file=str(cluster.file)), supervisor.root.name
    )
    executor.adopt()
    while executor._workers.slots < 8:
        executor.collect(1.0)
    executor.collect(0)
    executor.resize(8)
    yield executor
    executor.close(0.0)
