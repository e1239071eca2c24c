"""Items with GPUs of their own, through a real supervisor."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.ports import Finished, Started
from jobctl.executors.local import LocalExecutor
from tests.executor_contract import Listener, batch, spec_of
from tests.wait import wait_until


@pytest.fixture
def executor(supervisor, monkeypatch) -> LocalExecutor:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6")
    executor = supervisor.start()
    executor.resize(8)
    return executor


def test_items_that_run_together_see_different_devices(executor: LocalExecutor, tmp_path: Path) -> None:
    script = b"echo $CUDA_VISIBLE_DEVICES >> seen; until [ -e gate ]; do sleep 0.02; done"
    executor.define(spec_of(1, tmp_path, slots=8, gpus=1))
    executor.start(batch(1, (b"sh", b"-c", script), range(5)))
    heard = Listener(executor).until(lambda heard: len(heard.of(Started)) == 3)
    assert [event.item for event in heard.of(Started)] == [0, 1, 2], "there is no fourth device"
    seen = tmp_path / "seen"
    wait_until(lambda: seen.exists() and len(seen.read_text().splitlines()) == 3, 60, "what the first three see")
    assert sorted(seen.read_text().split()) == ["4", "5", "6"]
    (tmp_path / "gate").touch()
    heard.until(lambda heard: len(heard.of(Finished)) == 5)


def test_jobs_share_them_and_get_several(executor: LocalExecutor, tmp_path: Path) -> None:
    for job in (1, 2):
        executor.define(spec_of(job, tmp_path, gpus=2))
    argv = (b"sh", b"-c", b"echo $CUDA_VISIBLE_DEVICES >> seen")
    executor.start(batch(1, argv, range(3)) + batch(2, argv, range(3)))
    assert len(Listener(executor).finished(6)) == 6
    assert all(len(line.split(",")) == 2 for line in (tmp_path / "seen").read_text().split())


def test_an_item_that_needs_too_many_devices_fails_with_a_reason(executor: LocalExecutor, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path, gpus=4))
    executor.start(batch(1, (b"true",), range(1)))
    (outcome,) = Listener(executor).finished(1)
    assert outcome.ending == Ending.NOT_STARTED
    assert b"needs 4 GPUs, and there are 3 here" in outcome.err_tail


def test_an_item_without_devices_sees_its_usual_environment(executor: LocalExecutor, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path))
    executor.start(batch(1, (b"sh", b"-c", b'test -z "${CUDA_VISIBLE_DEVICES+set}"'), range(1)))
    assert [outcome.code for outcome in Listener(executor).finished(1)] == [0]
