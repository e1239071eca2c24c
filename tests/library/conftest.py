"""A store for programs, and a job in it that has run: one row succeeded, one failed."""

from __future__ import annotations

from pathlib import Path

import pytest

import jobctl
from jobctl.handlers.environment import WELL_KNOWN

ROWS = [{"id": 1}, {"id": 2}]
COMMAND = ["test", "{id}", "=", "1"]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> jobctl.Store:
    """A store that does not exist yet; the current folder is empty."""
    for name in WELL_KNOWN:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return jobctl.Store(tmp_path / "state")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> jobctl.Job:
    """A job that is done, for tests that change nothing."""
    store = jobctl.Store(tmp_path_factory.mktemp("ran") / "state")
    return store.run(rows=ROWS, command=COMMAND, attempts=1, name="two")
