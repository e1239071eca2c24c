"""``jobctl worker``: a Dask worker that is ready for jobctl and connects again when its scheduler returns."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import distributed

from jobctl.errors import Exit
from jobctl.executors.cluster.options import ClusterOptions, is_loopback
from jobctl.executors.cluster.security import security
from jobctl.executors.cluster.worker_plugin import RunnerPlugin
from jobctl.supervisor.service_manager import ServiceManager

#: The reasons for which a worker closes when its scheduler is gone. For any other reason, it was told to close.
_CUT_OFF = frozenset(
    {"worker-handle-scheduler-connection-broken", "worker-heartbeat-missing", "worker-heartbeat-error"}
    | {"scheduler-close", "worker-death-timeout"}
)
_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 15.0


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """The capacity of a worker, and the address of its cluster."""

    cluster: ClusterOptions
    slots: int
    resources: Mapping[str, float] = field(default_factory=dict)
    spool: str | None = None
    patience_s: float = 600.0  # without a scheduler, it leaves after this time


class _JobctlWorker(distributed.Worker):  # type: ignore[misc]
    """A Dask worker that remembers why it closed, and where to spool output."""

    close_reason = ""
    spool: str | None = None

    async def close(self, *args: Any, reason: str = "worker-close", **more: Any) -> Any:
        self.close_reason = self.close_reason or reason
        return await super().close(*args, reason=reason, **more)


def serve(options: WorkerOptions, tell: Callable[[str], None]) -> int:
    """Work until a signal or the scheduler stops the worker; returns the exit code. Raises ClusterError."""
    logging.getLogger("distributed").setLevel(logging.WARNING)
    return asyncio.run(_serve(options, tell))


async def _serve(options: WorkerOptions, tell: Callable[[str], None]) -> int:
    stop, manager = asyncio.Event(), ServiceManager(os.environ)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    last_seen, pause_s, last_problem = time.monotonic(), _PAUSE_S, ""
    while not stop.is_set():
        try:
            if await _work_once(options, stop, tell, manager):
                return Exit.OK
            tell("the scheduler is gone; looking for it")
            last_seen, pause_s, last_problem = time.monotonic(), _PAUSE_S, ""
        except (OSError, ValueError, KeyError, TimeoutError) as problem:
            if time.monotonic() - last_seen > options.patience_s:
                tell(f"no scheduler was found in {options.patience_s:g} s; giving up")
                return Exit.BUSY
            if last_problem != (last_problem := f"waiting for the scheduler: {problem or type(problem).__name__}"):
                tell(last_problem)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
    return Exit.OK


async def _work_once(
    options: WorkerOptions, stop: asyncio.Event, tell: Callable[[str], None], manager: ServiceManager
) -> bool:
    """Run one worker until it closes; True if it was told to close, False if its scheduler is gone."""
    address = options.cluster.address()
    options.cluster.require_safe(address)
    worker = _new_worker(options, address)
    stopping = asyncio.create_task(stop.wait())
    try:
        await worker
        manager.tell("READY=1")
        tell(f"ready on {socket.gethostname()}: {options.slots} slots for {address}")
        finished = asyncio.create_task(worker.finished())
        await asyncio.wait({stopping, finished}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            tell("ending the items that run")
    finally:
        stopping.cancel()
        await worker.close(reason="told to stop")
    return worker.close_reason not in _CUT_OFF


def _new_worker(options: WorkerOptions, address: str) -> _JobctlWorker:
    """A worker; awaiting it connects it to the scheduler at this address."""
    worker = _JobctlWorker(
        address,
        nthreads=options.slots,
        memory_limit=0,  # items take the memory, and Dask does not know them
        resources=dict(options.resources),
        plugins=(RunnerPlugin(),),
        security=security(options.cluster) or {},
        host="127.0.0.1" if is_loopback(address) else None,
        dashboard=False,
        death_timeout=30,
    )
    worker.spool = options.spool
    return worker
