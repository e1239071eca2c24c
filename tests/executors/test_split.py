"""Several supervisors as one executor: it keeps the same promises, and no two attempts share a slot or a file."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jobctl.domain.ports import AttemptId, Finished, Returned, Started
from jobctl.executors.local import LocalExecutor
from jobctl.executors.split import SpawnerGone, SplitExecutor, split
from jobctl.supervisor.guest import GuestSupervisor, start_guest
from tests.executor_contract import ExecutorContract, Listener, Work, batch, spec_of
from tests.executors.test_local_executor import WORK
from tests.supervisor.harness import SupervisorUnderTest
from tests.supervisor.processes import alive, marker
from tests.wait import wait_until


@pytest.fixture
def guest() -> Iterator[GuestSupervisor]:
    guest = start_guest(f"guests of {uuid.uuid4()}", (1, 2))
    yield guest
    guest.end.close()
    guest.process.wait(60)


@pytest.fixture
def executor(supervisor: SupervisorUnderTest, guest: GuestSupervisor) -> SplitExecutor:
    supervisor.options = replace(supervisor.options, spawners=2)
    executor = SplitExecutor([supervisor.start(), LocalExecutor(guest.end, fresh=True)], [guest])
    executor.adopt()
    executor.resize(8)
    return executor


class TestSplitExecutor(ExecutorContract):
    @pytest.fixture
    def work(self) -> Work:
        return WORK


def test_each_has_slots_and_files_of_its_own(executor: SplitExecutor, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path, slots=5))
    executor.start(batch(1, (b"sh", b"-c", b"echo $JOBCTL_SLOT; sleep 0.2"), range(10)))
    outcomes = Listener(executor).finished(10)
    assert {outcome.slot for outcome in outcomes} == {1, 2, 3, 4, 5}
    for outcome in outcomes:
        assert outcome.log % 2 == (outcome.slot + 1) % 2, "files and slots of one part have the same remainder"
        with open(tmp_path / "logs" / "1" / f"{outcome.log}.out", "rb") as file:
            file.seek(outcome.out_off)
            assert int(file.read(outcome.out_len)) == outcome.slot


@pytest.mark.parametrize("limit", [{"slots": 1}, {"slots": 8, "queue_slots": 1}])
def test_a_job_with_one_slot_runs_in_one_place(executor: SplitExecutor, tmp_path: Path, limit: dict[str, int]) -> None:
    executor.define(spec_of(1, tmp_path, **limit))
    executor.start(batch(1, (b"sleep", b"0.05"), range(4)))
    outcomes = sorted(Listener(executor).finished(4), key=lambda outcome: outcome.started_at)
    ends = [outcome.started_at + outcome.duration_us for outcome in outcomes]
    assert all(end <= later.started_at + 1000 for end, later in zip(ends, outcomes[1:], strict=False))


def test_a_job_whose_slots_are_cut_continues_in_one_slot(executor: SplitExecutor, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path, slots=2))
    executor.start(batch(1, (b"sleep", b"0.3"), range(6)))
    heard = Listener(executor).until(lambda heard: len(heard.of(Started)) == 2)
    executor.define(spec_of(1, tmp_path, slots=1))
    assert {outcome.item for outcome in heard.finished(6)} == set(range(6)), "none is stuck"
    assert not heard.of(Returned)


def test_a_guest_that_dies_is_an_error_of_the_engine(
    executor: SplitExecutor, guest: GuestSupervisor, tmp_path: Path
) -> None:
    guest.process.kill()
    with pytest.raises(SpawnerGone):
        Listener(executor).until(lambda _: False)


def test_items_of_guests_end_with_them_before_another_engine_begins(
    supervisor: SupervisorUnderTest, tmp_path: Path
) -> None:
    mark = marker()
    supervisor.options = replace(supervisor.options, spawners=2)
    os.environ["JOBCTL_STARTS"] = "a name"
    executor = split(supervisor.start(), 2, f"guests of {uuid.uuid4()}")
    assert os.environ["JOBCTL_STARTS"] == ""
    executor.adopt()
    executor.resize(2)
    executor.define(spec_of(1, tmp_path))
    executor.start(batch(1, (b"sleep", mark.encode()), range(2)))
    heard = Listener(executor).until(lambda heard: len(heard.of(Started)) == 2)
    held_by_guest = next(event.pid for event in heard.of(Started) if event.slot == 2)
    executor._parts[1]._channel.close()
    wait_until(lambda: held_by_guest not in alive(mark), what="the end of the guest's item")
    executor.cancel([AttemptId(1, n, 1) for n in range(2)], 0.0)
    with pytest.raises(SpawnerGone):
        Listener(executor).until(lambda heard: heard.of(Finished) and False)
    assert executor.guests[0].process.wait(60) == 0
    os.kill(supervisor.pid, signal.SIGTERM)


@pytest.fixture
def one_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")


@pytest.mark.usefixtures("one_device")
def test_no_two_of_them_lend_the_same_device(executor: SplitExecutor, tmp_path: Path) -> None:
    executor.define(spec_of(1, tmp_path, slots=4, gpus=1))
    script = b"mkdir held || exit 9; sleep 0.2; rmdir held"
    executor.start(batch(1, (b"sh", b"-c", script), range(4)))
    assert [outcome.code for outcome in Listener(executor).finished(4)] == [0, 0, 0, 0]
