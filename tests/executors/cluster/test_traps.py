"""The things that Dask does by itself, and the attempts of a cluster whose parts die."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from distributed import Client

from jobctl.domain.cluster_workers import AWAY, WorkersOffer
from jobctl.domain.endings import Ending
from jobctl.domain.ports import AttemptId, Capacity, Dispatch, Finished, Lost, Pressure, Returned, Started
from jobctl.executors.cluster.compose import cluster_executor
from jobctl.executors.cluster.executor import ClusterExecutor
from jobctl.executors.cluster.messages import Connected
from jobctl.executors.cluster.options import ClusterOptions
from jobctl.process.process_status import process_exists
from jobctl.store import meta
from tests.executor_contract import Listener, batch, id_of, spec_of
from tests.executors.cluster.rig import Cluster, end
from tests.factories import JobMaker
from tests.supervisor.calls.test_calls import ITEMS, call_spec
from tests.supervisor.harness import SupervisorUnderTest
from tests.supervisor.processes import alive, marker
from tests.wait import wait_until

slow = pytest.mark.slow
Connect = Callable[..., ClusterExecutor]


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler as others run it, with Dask's own settings; workers are the tests' matter."""
    cluster = Cluster(
        tmp_path_factory.mktemp("fragile"),
        DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="3",
        DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL="4s",
    )
    cluster.start_scheduler()
    yield cluster
    cluster.close()


@pytest.fixture
def workers(fragile: Cluster) -> Iterator[Cluster]:
    """The same, without workers at the beginning and at the end."""
    yield fragile
    for worker in fragile.workers:
        end(worker, signal.SIGKILL)
    fragile.workers.clear()
    if fragile.scheduler is None or fragile.scheduler.poll() is not None:
        fragile.start_scheduler()


@pytest.fixture
def connect(fragile: Cluster, supervisor: SupervisorUnderTest) -> Iterator[Connect]:
    made: list[ClusterExecutor] = []
    locals_ = []

    def connected(slots: int) -> ClusterExecutor:
        locals_.append(locals_[0] if locals_ else supervisor.start())
        executor = ClusterExecutor(locals_[0], ClusterOptions(scheduler_file=str(fragile.file)), supervisor.root.name)
        executor.adopt()
        executor.resize(8)
        until_there_are(executor, slots)
        made.append(executor)
        return executor

    yield connected
    for executor in made[-1:]:  # those before are as good as dead
        executor.close(0.0)


def until_there_are(executor: ClusterExecutor, slots: int) -> None:
    until = time.monotonic() + 60
    while executor._workers.slots != slots:
        assert time.monotonic() < until, f"{executor._workers.slots} slots"
        executor.collect(1.0)


def sleeping(mark: str) -> tuple[bytes, ...]:
    """A command that leaves its session, too."""
    return (b"sh", b"-c", b"setsid sleep %b & sleep %b" % ((mark.encode(),) * 2))


def start(executor: ClusterExecutor, root: Path, argv: tuple[bytes, ...], items: int, slots: int = 8) -> Listener:
    executor.define(spec_of(1, root, slots=slots))
    executor.start(batch(1, argv, range(items)))
    return Listener(executor)


def test_begun_attempts_of_a_killed_worker_are_lost_once_and_no_process_is_left(
    workers: Cluster, connect: Connect, tmp_path: Path
) -> None:
    first, _ = workers.start_worker(1), workers.start_worker(1)
    executor, mark = connect(2), marker()
    heard = start(executor, tmp_path, sleeping(mark), items=3)
    heard.until(lambda heard: len(heard.of(Started)) == 2)
    wait_until(lambda: len(alive(mark)) == 4, what="both items with their children")
    first.kill()
    (lost,) = heard.until(lambda heard: heard.of(Lost)).of(Lost)
    assert id_of(lost) in [id_of(started) for started in heard.of(Started)]
    wait_until(lambda: len(alive(mark)) == 2, what="the end of the items of the dead worker")
    executor.collect(1.0)
    assert len(heard.of(Started)) == 2, "Dask's own second try was refused"
    assert heard.of(Returned) == []
    assert len(executor.adopt()) == 3, "one runs, one waits, one is to be recorded"
    executor.acknowledge([lost])
    assert len(executor.adopt()) == 2


@slow
def test_attempts_that_a_killed_worker_had_not_begun_cost_nothing(
    workers: Cluster, connect: Connect, tmp_path: Path
) -> None:
    worker = workers.start_worker(1)
    executor = connect(1)
    with Client(scheduler_file=str(workers.file), set_as_default=False) as other_client:
        other = other_client.submit(time.sleep, 1000)
        wait_until(lambda: any(other_client.processing().values()), what="the task of another client")
        heard = start(executor, tmp_path, (b"true",), items=1)
        wait_until(lambda: executor.collect(0.1) == [] and sum(map(len, other_client.processing().values())) == 2)
        worker.kill()
        heard.until(lambda heard: heard.of(Returned))
        assert heard.of(Started) == heard.of(Lost) == []
        other.cancel()
    workers.start_worker(1)
    until_there_are(executor, 1)
    executor.start(batch(1, (b"true",), range(1)))
    assert len(heard.finished(1)) == 1


@slow
def test_the_guard_of_a_worker_can_die_too(workers: Cluster, connect: Connect, tmp_path: Path) -> None:
    worker = workers.start_worker(1)
    executor, mark = connect(1), marker()
    heard = start(executor, tmp_path, sleeping(mark), items=1)
    heard.until(lambda heard: heard.of(Started))
    wait_until(lambda: len(alive(mark)) == 2, what="the item")
    (guard,) = children(worker.pid)
    os.kill(guard, signal.SIGKILL)
    heard.until(lambda heard: heard.of(Lost))
    wait_until(lambda: not alive(mark), what="the end of the processes that the guard left behind")
    executor.start(batch(1, (b"true",), range(5, 6)))
    assert [outcome.item for outcome in heard.finished(1)] == [5]


@slow
def test_another_engine_finds_what_runs_and_what_ended_meanwhile(
    workers: Cluster, connect: Connect, tmp_path: Path
) -> None:
    workers.start_worker(2)
    first, gate, mark = connect(2), tmp_path / "gate", marker()
    until_open = b"while [ ! -e %b ]; do sleep 0.05; done; echo done" % os.fsencode(gate)
    heard = start(first, tmp_path, (b"sh", b"-c", until_open), items=1)
    first.start([batch(1, sleeping(mark), range(7, 8))[0]])
    heard.until(lambda heard: len(heard.of(Started)) == 2)
    first._link.close()  # as if it had been killed: nothing is said, nothing let go
    gate.touch()
    second = connect(2)
    held = second.adopt()
    assert sorted(held) == [(1, 0, 1), (1, 7, 1)]
    second.define(spec_of(1, tmp_path))
    again = Listener(second)
    (outcome,) = again.finished(1)
    assert (outcome.item, outcome.ending, outcome.code) == (0, Ending.EXITED, 0)
    again.until(lambda heard: any(event.item == 7 for event in heard.of(Started)))
    assert {event.slot for event in again.of(Started) if event.item == 7} == {2}
    second.cancel([AttemptId(1, 7, 1)], 5.0)
    again.until(lambda heard: len(heard.of(Finished)) == 2)
    assert again.of(Finished)[-1].ending == Ending.CANCELLED
    wait_until(lambda: not alive(mark), what="the end of the whole tree")


@slow
def test_a_worker_that_comes_back_at_its_address_does_not_take_up_what_it_ran(
    workers: Cluster, connect: Connect, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = ("--worker-port", str(probe.getsockname()[1]))
    worker, begun = workers.start_worker(1, *place), tmp_path / "begun"
    executor = connect(1)
    heard = start(executor, tmp_path, (b"sh", b"-c", b"echo x >> %b; sleep 1000" % os.fsencode(begun)), items=1)
    heard.until(lambda heard: heard.of(Started))
    worker.kill()
    heard.until(lambda heard: heard.of(Lost))
    executor.acknowledge([id_of(lost) for lost in heard.of(Lost)])
    worker.wait()
    workers.start_worker(1, *place)
    until_there_are(executor, 1)
    executor.start(batch(1, (b"true",), range(5, 6)))
    assert [outcome.item for outcome in heard.finished(1)] == [5]
    assert begun.read_text() == "x\n"


@slow
def test_running_attempts_continue_while_the_connection_breaks(
    workers: Cluster, connect: Connect, tmp_path: Path
) -> None:
    workers.start_worker(2)
    executor, gate = connect(2), tmp_path / "gate"
    script = b"until [ -e %b ]; do sleep 0.05; done" % os.fsencode(gate)
    heard = start(executor, tmp_path, (b"sh", b"-c", script), items=2, slots=2)
    heard.until(lambda heard: len(heard.of(Started)) == 2)
    client = executor._link._client
    executor._link._loop.call_soon_threadsafe(client.scheduler_comm.comm.abort)
    heard.until(lambda heard: any(event.reason for event in heard.of(Pressure)))
    until_there_are(executor, 2)
    gate.touch()
    assert {(outcome.ending, outcome.code) for outcome in heard.finished(2)} == {(Ending.EXITED, 0)}
    assert heard.of(Lost) == []


def test_a_pack_that_is_sent_between_two_connections_runs_once(
    workers: Cluster, connect: Connect, tmp_path: Path
) -> None:
    workers.start_worker(2)
    executor, begun = connect(2), tmp_path / "begun"
    executor.define(spec_of(1, tmp_path, slots=2))
    client = executor._link._client
    executor._link._loop.call_soon_threadsafe(client.scheduler_comm.comm.abort)
    wait_until(
        lambda: any(isinstance(message, Connected) for message in executor._messages), 60, "the link to be up again"
    )
    script = b"echo x >> %b; sleep 1000" % os.fsencode(begun)
    executor.start(batch(1, (b"sh", b"-c", script), range(1)))  # it does not know yet that there was a break
    with Client(scheduler_file=str(workers.file), set_as_default=False) as observer:
        wait_until(
            lambda: begun.exists() or not any(observer.processing().values()), 60, "the task to run or to be refused"
        )
    heard = Listener(executor).until(lambda heard: heard.of(Started) or heard.of(Returned))
    for returned in heard.of(Returned):
        executor.start([batch(1, (b"sh", b"-c", script), range(1))[returned.item]])
    heard.until(lambda heard: heard.of(Started))
    heard.events += executor.collect(1.0)
    assert begun.read_text() == "x\n"


@slow
def test_a_slot_that_was_used_again_before_an_outcome_was_recorded_belongs_to_the_running_item(
    workers: Cluster, connect: Connect, tmp_path: Path
) -> None:
    workers.start_worker(2)
    first = connect(2)
    heard = start(first, tmp_path, (b"true",), items=2, slots=1)
    heard.until(lambda heard: len(heard.of(Finished)) == 2)
    first.start(batch(1, (b"sleep", b"1000"), range(7, 8)))
    heard.until(lambda heard: any(event.item == 7 for event in heard.of(Started)))
    first._link.close()  # as if it had been killed
    second = connect(2)
    assert sorted(id_.item for id_ in second.adopt()) == [0, 1, 7]
    second.define(spec_of(1, tmp_path, slots=2))
    again = Listener(second)
    assert sorted(outcome.item for outcome in again.finished(2)) == [0, 1]
    second.start(batch(1, (b"sleep", b"1000"), range(8, 9)))
    again.until(lambda heard: {event.item for event in heard.of(Started)} == {7, 8})
    assert {event.item: event.slot for event in again.of(Started)} == {7: 1, 8: 2}


@slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_attempts_are_lost_if_their_worker_left_while_there_was_no_engine(
    workers: Cluster, connect: Connect, tmp_path: Path, number: int
) -> None:
    worker = workers.start_worker(1)
    first = connect(1)
    start(first, tmp_path, (b"sleep", b"1000"), items=1).until(lambda heard: heard.of(Started))
    first._link.close()  # as if it had been killed
    end(worker, number)
    with Client(scheduler_file=str(workers.file), set_as_default=False) as observer:
        wait_until(lambda: not observer.scheduler_info()["workers"], 60, "the scheduler to notice")
    second = connect(0)
    assert second.adopt() == [(1, 0, 1)]
    heard = Listener(second).until(lambda heard: heard.of(Lost))
    assert [id_of(lost) for lost in heard.of(Lost)] == [(1, 0, 1)]


@slow
def test_processes_that_are_warm_for_a_job_leave_with_it(workers: Cluster, connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "items.py").write_text(ITEMS)
    workers.start_worker(1)
    executor = connect(1)
    executor.define(spec_of(1, tmp_path, call=call_spec()))
    executor.start(batch(1, (b"pid",), range(1)))
    (outcome,) = Listener(executor).finished(1)
    assert outcome.value is not None and process_exists(int(outcome.value))
    executor.forget(1)
    wait_until(
        lambda: not process_exists(int(outcome.value)), 60, "the end of the process, which waits for calls for 30 s"
    )


@slow
def test_an_unrecorded_loss_is_a_loss_for_the_next_engine_too(
    workers: Cluster, connect: Connect, tmp_path: Path
) -> None:
    worker = workers.start_worker(1)
    first = connect(1)
    heard = start(first, tmp_path, (b"sleep", b"1000"), items=1)
    heard.until(lambda heard: heard.of(Started))
    worker.kill()
    heard.until(lambda heard: heard.of(Lost))
    first._link.close()  # as if it had been killed before it could write that down
    second = connect(0)
    assert second.adopt() == [(1, 0, 1)]
    Listener(second).until(lambda heard: heard.of(Lost))
    second.acknowledge([AttemptId(1, 0, 1)])
    assert second.adopt() == []


@slow
def test_items_run_on_workers_with_the_resources_that_they_need(
    workers: Cluster, connect: Connect, tmp_path: Path
) -> None:
    workers.start_worker(2)
    workers.start_worker(2, "--resources", "gpu=1")
    executor = connect(4)
    executor.define(spec_of(1, tmp_path, slots=8, resources=(("gpu", 1.0),)))
    executor.define(spec_of(2, tmp_path, slots=8))
    executor.start(batch(1, (b"sleep", b"1000"), range(2)) + batch(2, (b"true",), range(20)))
    heard = Listener(executor)
    assert {outcome.job for outcome in heard.finished(20)} == {2}
    heard.until(lambda heard: any(event.job == 1 for event in heard.of(Started)))
    (first,) = [event for event in heard.of(Started) if event.job == 1]
    executor.cancel([id_of(first)], 0.0)
    heard.until(lambda heard: sum(event.job == 1 for event in heard.of(Started)) == 2)


@slow
def test_items_that_wait_for_a_lost_resource_are_given_back_and_reported(
    workers: Cluster, connect: Connect, tmp_path: Path
) -> None:
    workers.start_worker(1)
    rare = workers.start_worker(1, "--resources", "gpu=1")
    executor = connect(2)
    executor.define(spec_of(1, tmp_path, slots=8, resources=(("gpu", 1.0),)))
    executor.start(batch(1, (b"sleep", b"1000"), range(3)))
    heard = Listener(executor).until(lambda heard: heard.of(Started))
    rare.kill()
    heard.until(lambda heard: heard.of(Lost) and len(heard.of(Returned)) == 2)
    until_there_are(executor, 1)
    assert executor.adopt() == [(1, 0, 1)], "to be recorded"
    cluster = [event.cluster for event in heard.of(Capacity)][-1]
    assert (cluster.offers, cluster.left) == ((WorkersOffer(1, 1, ()),), 1)
    assert cluster.last_host == os.uname().nodename


@slow
def test_items_on_one_worker_see_devices_of_their_own(
    workers: Cluster, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    workers.start_worker(3, "--resources", "gpu=2")
    executor, seen = connect(3), tmp_path / "seen"
    executor.define(spec_of(1, tmp_path, slots=8, gpus=1))
    script = b"echo $CUDA_VISIBLE_DEVICES >> seen; until [ -e gate ]; do sleep 0.02; done"
    executor.start(batch(1, (b"sh", b"-c", script), range(3)))
    heard = Listener(executor).until(lambda heard: len(heard.of(Started)) == 2)
    wait_until(lambda: seen.exists() and len(seen.read_text().splitlines()) == 2, 60, "what the first two see")
    assert sorted(seen.read_text().split()) == ["4", "5"]
    (tmp_path / "gate").touch()
    heard.finished(3)


@slow
def test_a_retired_worker_keeps_its_running_items(workers: Cluster, connect: Connect, tmp_path: Path) -> None:
    workers.start_worker(1)
    executor, starts = connect(1), tmp_path / "begun"
    heard = start(executor, tmp_path, (b"sh", b"-c", b"echo x >> %b; sleep 1000" % os.fsencode(starts)), items=1)
    heard.until(lambda heard: heard.of(Started))
    workers.start_worker(1)
    until_there_are(executor, 2)
    with Client(scheduler_file=str(workers.file), set_as_default=False) as boss:
        (busy,) = [address for address, keys in boss.processing().items() if keys]
        boss.retire_workers([busy])
    heard.until(lambda heard: heard.of(Lost) or heard.of(Finished))
    executor.collect(2.0)
    assert starts.read_text() == "x\n"


@slow
def test_a_frozen_worker_is_given_up_and_its_items_with_it(workers: Cluster, connect: Connect, tmp_path: Path) -> None:
    worker = workers.start_worker(1)
    executor, mark = connect(1), marker()
    heard = start(executor, tmp_path, sleeping(mark), items=1)
    heard.until(lambda heard: heard.of(Started))
    wait_until(lambda: len(alive(mark)) == 2, what="the item")
    worker.send_signal(signal.SIGSTOP)
    wait_until(lambda: not alive(mark) or heard.events.extend(executor.collect(0.1)) or heard.of(Lost))
    assert not alive(mark), "the lease ends before the scheduler gives the worker up"
    heard.until(lambda heard: heard.of(Lost))


@slow
def test_a_scheduler_that_dies_is_found_again_elsewhere(workers: Cluster, connect: Connect, tmp_path: Path) -> None:
    workers.start_worker(1)
    executor, mark = connect(1), marker()
    heard = start(executor, tmp_path, sleeping(mark), items=2, slots=1)
    heard.until(lambda heard: heard.of(Started))
    assert workers.scheduler is not None
    end(workers.scheduler, signal.SIGKILL)
    wait_until(lambda: not alive(mark), 60, what="the end of the running items")
    workers.start_scheduler()
    workers.start_worker(1)
    heard.until(lambda heard: heard.of(Lost))
    assert [id_of(event) for event in heard.of(Lost)] == [(1, 0, 1)]
    heard.until(lambda heard: len(heard.of(Started)) == 2)
    assert [event.item for event in heard.of(Started)] == [0, 1]


@slow
def test_nothing_starts_on_another_scheduler_while_items_of_the_earlier_one_may_run(
    supervisor: SupervisorUnderTest, tmp_path: Path
) -> None:
    (tmp_path / "cluster").mkdir()
    cluster = Cluster(tmp_path / "cluster", DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL="24s")  # the lease is half of it
    try:
        cluster.start(workers=1, threads=1)
        executor = ClusterExecutor(supervisor.start(), ClusterOptions(scheduler_file=str(cluster.file)), "store")
        executor.adopt()
        executor.resize(8)
        until_there_are(executor, 1)
        mark = marker()
        heard = start(executor, tmp_path, sleeping(mark), items=1)
        heard.until(lambda heard: heard.of(Started))
        wait_until(lambda: len(alive(mark)) == 2, what="the item")
        cluster.workers[0].send_signal(signal.SIGSTOP)  # it does not notice that its scheduler dies
        assert cluster.scheduler is not None
        end(cluster.scheduler, signal.SIGKILL)
        cluster.start_scheduler()
        cluster.start_worker(1)
        heard.until(lambda heard: heard.of(Lost))
        assert alive(mark), "the item of the earlier scheduler has ended too early for this test"
        executor.start([Dispatch(1, 0, 2, (b"true",), ())])
        until_there_are(executor, 1)
        heard.until(lambda heard: len(heard.of(Started)) == 2 or heard.of(Finished))
        assert not alive(mark)
        assert any("items of the earlier one may still run" in pressure.reason for pressure in heard.of(Pressure))
        assert heard.of(Pressure)[-1] == Pressure("")
        heard.finished(1)
        executor.close(0.0)
    finally:
        end(cluster.workers[0], signal.SIGKILL)
        cluster.close()


@pytest.mark.parametrize(("state", "waits"), [("r", True), ("s", False)])
def test_an_engine_waits_for_the_items_of_a_scheduler_that_was_replaced_while_it_was_down(
    workers: Cluster, supervisor: SupervisorUnderTest, store: JobMaker, tmp_path: Path, state: str, waits: bool
) -> None:
    """The first engine of a daemon, with attempts in the store that an earlier one has sent to another scheduler."""
    job = store.job(state, state="running")
    store.attempt(job, 1)
    with store.database.transaction():
        meta.remember_executor(store.database, "the fence of another scheduler", "")
    workers.start_worker(1)
    executor = cluster_executor((f"cluster.scheduler_file={workers.file}",), supervisor.start(), store.database)
    executor.adopt()
    executor.resize(8)
    heard = Listener(executor).until(lambda _: executor._workers.slots == 1)
    executor.define(spec_of(1, tmp_path))
    executor.start(batch(1, (b"true",), range(1)))
    heard.finished(1)
    reasons = [pressure.reason for pressure in heard.of(Pressure) if pressure.reason]
    assert [f"{AWAY}the scheduler is another one" in reason for reason in reasons] == [True] * waits
    executor.close(0.0)


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_claim_is_given_once_and_only_to_packs_of_the_present_engine() -> None:
    from jobctl.executors.cluster.fence import Fence

    class Scheduler:
        def __init__(self) -> None:
            self.allowed_failures, self.worker_ttl = 0, 60.0
            self.tasks, self.workers = {"a": SimpleNamespace(state="processing"), "b": None}, {"w": 1}
            self.handlers: dict[str, object] = {}
            self.desired: list[str] = []

        def client_desires_keys(self, keys: list[str], client: str) -> None:
            self.desired += keys

        def client_releases_keys(self, keys: list[str], client: str) -> None:
            self.desired = [key for key in self.desired if key not in keys]

    async def story() -> None:
        fence, scheduler = Fence(), Scheduler()
        await fence.start(scheduler)
        ask = {"store": "s", "worker": "w", "ids": [[1, 2, 3]], "slots": [[1, 1]]}
        assert not await fence.claim(nonce="n", key="a", **ask), "no engine is attached"
        await fence.attach("s", "n")
        assert not await fence.claim(nonce="n", key="a", **{**ask, "worker": "gone"}), "of a worker that has left"
        assert await fence.claim(nonce="n", key="a", **ask)
        assert not await fence.claim(nonce="n", key="a", **ask), "a second start"
        assert not await fence.claim(nonce="n", key="z", **ask), "forgotten by the scheduler"
        attached = await fence.attach("s", "m")
        assert list(attached["held"]) == ["a"]
        assert not await fence.claim(nonce="n", key="b", **ask), "of an engine before"
        assert await fence.whose("s", "a") == "w"
        scheduler.tasks["c"] = None
        assert await fence.whose("s", "c") is None
        assert not await fence.claim(nonce="m", key="c", **ask), "the fence has said that no worker has it"
        assert (await fence.attach("s", "m"))["orphans"] == []
        scheduler.workers.clear()
        assert (await fence.attach("s", "m"))["orphans"] == ["a"]
        scheduler.workers["w"] = 1
        await fence.release("s", ["a"])
        assert not await fence.claim(nonce="m", key="a", **ask), "it is over, and waits for its worker"
        assert await fence.whose("s", "a") is None
        assert scheduler.desired == []

    asyncio.run(story())
