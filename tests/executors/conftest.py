"""The supervisor and the executor that tests of executors start."""

from tests.supervisor.conftest import executor, supervisor

__all__ = ["executor", "supervisor"]
