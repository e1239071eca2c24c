"""Attempts that the machine cannot start at the moment, without a supervisor around them."""

from __future__ import annotations

import errno
import os
import select
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from jobctl.executors.cluster.packing import spec_fields
from jobctl.supervisor import spawn
from jobctl.supervisor.attempts import Attempts
from jobctl.supervisor.job_plan import JobPlan
from jobctl.supervisor.protocol import wire
from tests.executor_contract import spec_of


def test_a_job_waits_while_its_devices_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_descriptors() -> NoReturn:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("jobctl.supervisor.attempts.FreeDevices", without_descriptors)
    events: list[tuple[int, Any]] = []
    tagger: Any = SimpleNamespace(unmark=lambda: None)
    attempts = Attempts("store", tagger, lambda *event: events.append(event), select.poll())
    attempts.define(spec_fields(spec_of(1, tmp_path, gpus=1)))
    attempts.backlog.add((1, 0, 1, (b"true",), (), 0))
    attempts.act(0.0)
    assert events == [(wire.PRESSURE, ("devices: Too many open files",))]
    assert attempts.backlog.waiting == 1 and attempts.pressure.retry_at > 0.0


def test_a_failed_start_has_a_reason_even_if_its_directory_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "directory"
    directory.mkdir()

    def fail(*_: Any) -> NoReturn:
        directory.rmdir()
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(spawn, "spawn", fail)
    plan = JobPlan(spec_fields(spec_of(1, tmp_path, cwd=str(directory).encode())), (0, 1))
    with pytest.raises(spawn.CannotStartError, match="/bin/true: not executable"):
        plan.start((1, 0, 1, (b"/bin/true",), (), 0), 1, b"cookie")
    plan.output.close()
