"""A thread with a client of Dask, and the messages between it and the engine's thread.

With ``connection`` it uses these parts of Dask: Client (submit, gather, run, register_plugin, subscribe_topic), Future
by key, and calls of the fence's handlers. It restores a broken connection for ever, with a growing pause, and reads the
scheduler's file again each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from typing import Any

from jobctl.executors.cluster import worker_plugin
from jobctl.executors.cluster.batch import class_of, start_cluster
from jobctl.executors.cluster.connection import introduce, new_client, wait_for_break
from jobctl.executors.cluster.messages import (
    ClusterEvent,
    Connected,
    Disconnected,
    Message,
    PackDone,
    PackFailed,
    PackOrder,
    WorkerAnswer,
)
from jobctl.executors.cluster.options import ClusterError, ClusterOptions
from jobctl.executors.cluster.security import security

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 10.0
_CLOSE_S = 5.0


class Link:
    """The connection to the scheduler. It calls ``on_message`` with every message, in its own thread."""

    def __init__(self, options: ClusterOptions, store: str, nonce: str, on_message: Callable[[Message], None]) -> None:
        self._options = options
        self._store = store
        self._nonce = nonce
        self._on_message = on_message
        self._loop = asyncio.new_event_loop()
        self._client: Any = None
        self._batch: Any = None  # the cluster of dask-jobqueue, if this thread started one
        self._awaited: dict[str, asyncio.Task[None]] = {}  # by key; each task holds a future until it is released
        self._tasks: set[asyncio.Task[Any]] = set()
        self._released: list[str] = []
        self._early: list[ClusterEvent] | None = None  # events that arrived before ``Connected`` was sent
        self._connections = 0
        self._broken = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="jobctl-dask", daemon=True)

    # ---- called in the engine's thread ----

    def open(self) -> None:
        """Start to connect. Raises ClusterError."""
        if self._options.cluster:
            class_of(self._options.cluster)
        self._thread.start()

    def send(self, orders: Sequence[PackOrder]) -> None:
        """Send packs to the scheduler."""
        self._post(self._submit, orders)

    def follow(self, keys: Sequence[str]) -> None:
        """Await packs that an earlier engine sent."""
        self._post(self._await_found, keys)

    def give_up(self, keys: Sequence[str]) -> None:
        """The worker of these packs has left: send ``PackFailed``, whatever Dask does with them."""
        for key in keys:
            self._post(self._spawn, self._report_failure, key, "its worker has left")

    def release(self, keys: Sequence[str]) -> None:
        """The outcomes of these packs are recorded, so the scheduler may forget them."""
        self._post(self._release, keys)

    def ask(
        self, worker: str, function: Callable[..., Any], *arguments: Any, tag: Any = None, after_s: float = 0.0
    ) -> None:
        """Call a function of ``worker_plugin`` on a worker; with a ``tag``, a ``WorkerAnswer`` follows."""
        question = functools.partial(self._ask, worker, function, arguments, tag, after_s)
        self._post(self._spawn, question)

    def tell_after(self, wait_s: float, message: Message) -> None:
        """Send a message to the executor after this time, whether or not there is a connection then."""
        self._post(self._loop.call_later, wait_s, self._on_message, message)

    def forget(self, workers: Sequence[str], job: int) -> None:
        """A job is over: these workers need not stay ready for it."""
        for worker in workers:
            self.ask(worker, worker_plugin.forget, self._store, job)

    def close(self) -> None:
        """Disconnect; attempts on the cluster continue to run."""
        if self._thread.is_alive():
            self._post(self._stop)
            self._thread.join(_CLOSE_S)

    def _post(self, function: Callable[..., Any], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(function, *arguments)

    # ---- called in the link's thread ----

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        # A broken connection is reported as Disconnected. The exceptions that Dask logs about it are of no use.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        self._main = self._loop.create_task(self._keep_connected())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._main)
        if self._batch is not None:
            self._loop.run_until_complete(self._batch.close(timeout=_CLOSE_S))
        self._loop.run_until_complete(_cancel_tasks())
        self._loop.close()

    def _stop(self) -> None:
        self._main.cancel()

    async def _keep_connected(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with self._connected() as up:
                    pause_s = _FIRST_PAUSE_S
                    self._begin(up)
                    await wait_for_break(self._client, self._broken)
                self._on_message(Disconnected("the connection to the scheduler broke"))
            except ClusterError as error:
                self._on_message(Disconnected(f"{error.message}; {error.hint}", is_final=True))
                pause_s = _LONGEST_PAUSE_S
            except (OSError, ValueError, KeyError, TimeoutError) as error:
                self._on_message(Disconnected(f"the scheduler cannot be reached: {error or type(error).__name__}"))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    @contextlib.asynccontextmanager
    async def _connected(self) -> Any:
        if self._options.cluster and self._batch is None:
            self._batch = await start_cluster(self._options, security(self._options))
        client = new_client(self._options, self._batch, self._store)
        try:
            await client
            self._early = []
            self._broken.clear()
            self._connections += 1
            nonce = f"{self._nonce}.{self._connections}"
            up = await introduce(client, self._store, nonce, self._note_event)
            self._client = client
            yield up
        finally:
            self._client = None
            for task in self._tasks:
                task.cancel()
            self._awaited.clear()
            with contextlib.suppress(Exception):
                await client.close(timeout=1)

    def _begin(self, up: Connected) -> None:
        """Send ``Connected``, then the events that arrived during the introduction: they happened after its answers."""
        self._on_message(up)
        early, self._early = self._early, None
        for message in early or ():
            self._on_message(message)

    def _note_event(self, event: tuple[float, dict[str, Any]]) -> None:
        message = ClusterEvent(event[1])
        if self._early is None:
            self._on_message(message)
        else:
            self._early.append(message)

    def _spawn(self, function: Callable[..., Any], *arguments: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self._loop.create_task(function(*arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _submit(self, orders: Sequence[PackOrder]) -> None:
        for order in orders:
            if self._client is None:
                return  # Disconnected was sent, so the executor counts its packs as lost or not begun
            future = self._client.submit(
                worker_plugin.run_pack,
                order.data,
                key=order.key,
                workers=[order.worker],
                resources=order.resources or None,
                retries=0,
                pure=False,
            )
            self._awaited[order.key] = self._spawn(self._await, order.key, future)

    def _await_found(self, keys: Sequence[str]) -> None:
        from distributed import Future

        if self._client is None:
            return
        for key in keys:
            self._stop_awaiting([key])
            self._awaited[key] = self._spawn(self._await, key, Future(key, self._client))
        self._spawn(self._request_results, self._client, keys)

    @staticmethod
    async def _request_results(client: Any, keys: Sequence[str]) -> None:
        with contextlib.suppress(OSError):
            await client.scheduler.jobctl_follow(client=client.id, keys=list(keys))

    async def _await(self, key: str, future: Any) -> None:
        try:
            (data,) = await self._client.gather([future])
        except asyncio.CancelledError:
            if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                raise
            self._broken.set()
        except CancelledError:  # Dask's client cancels all futures when it loses the scheduler, but the packs still run
            self._broken.set()
        except Exception as problem:
            await self._report_failure(key, f"{type(problem).__name__}: {problem}")
        else:
            self._on_message(PackDone(key, data))

    async def _report_failure(self, key: str, reason: str) -> None:
        if self._client is not None and key in self._awaited:
            with contextlib.suppress(OSError):  # Disconnected follows
                worker = await self._client.scheduler.jobctl_whose(store=self._store, key=key)
                self._on_message(PackFailed(key, worker is not None, reason))

    def _stop_awaiting(self, keys: Sequence[str]) -> None:
        """Cancel packs that are not wanted any more: one that still waits for its worker could begin otherwise."""
        for key in keys:
            task = self._awaited.pop(key, None)
            if task is not None:
                task.cancel()

    def _release(self, keys: Sequence[str]) -> None:
        self._stop_awaiting(keys)
        self._released += keys
        if len(self._released) == len(keys):
            self._spawn(self._send_released)

    async def _send_released(self) -> None:
        await asyncio.sleep(0)
        keys, self._released = self._released, []
        with contextlib.suppress(OSError):
            if self._client is not None:
                await self._client.scheduler.jobctl_release(store=self._store, keys=keys)

    async def _ask(
        self, worker: str, function: Callable[..., Any], arguments: tuple[Any, ...], tag: Any, after_s: float
    ) -> None:
        await asyncio.sleep(after_s)
        value = None
        with contextlib.suppress(OSError, ValueError, KeyError):  # the worker has left
            if self._client is not None:
                answers = await self._client.run(function, *arguments, workers=[worker], on_error="ignore")
                value = answers.get(worker)
        if tag is not None:
            self._on_message(WorkerAnswer(tag, value))


async def _cancel_tasks() -> None:
    """Cancel and await the tasks that Dask has started in this loop, so that nothing is left open."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    await asyncio.sleep(0)
