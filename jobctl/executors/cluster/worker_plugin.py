"""The code that Dask calls on a worker: the plugin that keeps its runner, and the functions for packs and requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any

from distributed import WorkerPlugin, get_worker
from distributed.utils import sync

from jobctl.domain.ports import AttemptId
from jobctl.executors.cluster.fence import topic_of
from jobctl.executors.cluster.packing import Report, pack_report, unpack_pack
from jobctl.executors.cluster.runner import PackRunner
from jobctl.executors.cluster.silence import silence_s
from jobctl.executors.cluster.versions import versions

NAME = "jobctl-runner"
_BEATS_PER_LEASE = 5
_CLOSE_GRACE_S = 3.0


class RunnerPlugin(WorkerPlugin):  # type: ignore[misc]
    """Starts the runner with its guard when the worker starts, or when the first engine connects."""

    name = NAME
    idempotent = True

    def __init__(self) -> None:
        self._beating: asyncio.Task[None] | None = None

    async def setup(self, worker: Any) -> None:
        """Called by Dask."""
        self._worker = worker
        self.runner = PackRunner(worker.state.nthreads, self._tell, getattr(worker, "spool", None))
        self._beating = asyncio.get_running_loop().create_task(self._beat())

    async def teardown(self, worker: Any) -> None:  # noqa: ARG002
        """Called by Dask: the worker closes. The scheduler learns of it only when nothing runs here any more."""
        if self._beating is not None:
            self._beating.cancel()
        await asyncio.get_running_loop().run_in_executor(None, self.runner.close, _CLOSE_GRACE_S)

    def _tell(self, store: str, message: dict[str, Any]) -> None:
        self._worker.loop.add_callback(self._worker.log_event, topic_of(store), message)

    async def _beat(self) -> None:
        """Tell the guard when the scheduler last answered, and greet the fence as soon as there is one."""
        lease_s = 0.0
        await self._worker  # then it has its address
        while True:
            with contextlib.suppress(OSError, AttributeError, ValueError):  # no fence yet, or no scheduler
                lease_s = lease_s or await self._worker.scheduler.jobctl_greet(**introduction(self._worker))
            if lease_s and not self._worker.batched_stream.closed():
                self.runner.beat(lease_s - self._silence_s())
                # The scheduler's machine acknowledges this before the next beat.
                self._worker.batched_send({"op": "keep-alive"})
            await asyncio.sleep((lease_s or _BEATS_PER_LEASE) / _BEATS_PER_LEASE)

    def _silence_s(self) -> float:
        stream = getattr(self._worker.batched_stream.comm, "stream", None)  # None within one process
        connection = getattr(stream, "socket", None)  # None when it was closed at this moment
        return 0.0 if connection is None else silence_s(connection)


def introduction(worker: Any) -> dict[str, Any]:
    """The facts about a worker that an engine needs."""
    return {
        "worker": worker.contact_address,
        "host": worker.plugins[NAME].runner.host,
        "slots": worker.state.nthreads,
        "resources": dict(worker.state.total_resources),
        "versions": versions(),
    }


def introduce(dask_worker: Any) -> dict[str, Any]:
    """The introduction of a worker; an engine requests it from every worker when it connects."""
    return introduction(dask_worker)


def run_pack(data: bytes) -> bytes:
    """The only task that jobctl submits to Dask: claim a pack and run it."""
    pack = unpack_pack(data)
    worker = get_worker()
    ids = [list(id_) for id_ in pack.ids()]
    claim = worker.scheduler.jobctl_claim
    fields = {"store": pack.store, "nonce": pack.nonce, "key": pack.key, "ids": ids, "slots": pack.slots}
    runner = worker.plugins[NAME].runner
    if not sync(worker.loop, claim, worker=worker.contact_address, **fields):
        return pack_report(Report(runner.host, [], [], [], [], {}, refused=True))
    return pack_report(runner.run(pack))


def cancel(requests: list[tuple[str, list[tuple[int, int, int]], float, int]], dask_worker: Any) -> None:
    """End attempts: (key of the pack, attempts, grace in seconds, ending)."""
    for key, ids, grace_s, ending in requests:
        dask_worker.plugins[NAME].runner.cancel(key, [AttemptId(*id_) for id_ in ids], grace_s, ending)


def recall(keys: Iterable[str], dask_worker: Any) -> None:
    """Give back the attempts of packs that have not started."""
    dask_worker.plugins[NAME].runner.recall(keys)


def forget(store: str, job: int, dask_worker: Any) -> None:
    """A job is over."""
    dask_worker.plugins[NAME].runner.forget(store, job)


def look(keys: Iterable[str], dask_worker: Any) -> dict[str, bytes]:
    """The progress of packs, as packed reports."""
    return {key: pack_report(report) for key, report in dask_worker.plugins[NAME].runner.look(keys).items()}


def read(key: str, id_: tuple[int, int, int], skip: tuple[int, int], dask_worker: Any) -> tuple[bytes, bytes] | None:
    """The output of a running attempt after the first ``skip`` bytes."""
    output: tuple[bytes, bytes] | None = dask_worker.plugins[NAME].runner.read(key, AttemptId(*id_), skip)
    return output
