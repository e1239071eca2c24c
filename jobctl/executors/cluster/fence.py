"""The fence: a plugin of the scheduler that decides which worker may begin a pack, and remembers its decision.

A worker claims a pack once, before any attempt of it starts. So an engine that lost a worker knows the packs that had
begun, and the fence refuses a pack that Dask starts a second time after a worker was retired or lost. A claimed pack is
held for its store, not for the client that sent it, so a new engine finds it again.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection
from typing import Any

from distributed import SchedulerPlugin

TOPIC = "jobctl"
#: A worker without contact to the scheduler for this long ends its items, well before the scheduler gives it up.
LEASE_S = 20.0
_DEFAULT_TTL_S = 300.0
#: States in which Dask does not start a task any more.
_OVER = ("memory", "erred", "forgotten")


def topic_of(store: str) -> str:
    """The topic to which the engine of a store listens."""
    return f"{TOPIC}-{store}"


class _StoreClaims:
    """The packs of one store that workers have claimed or must not claim."""

    def __init__(self) -> None:
        self.nonce = ""
        self.void: set[str] = set()  # no worker may claim these: the engine counts them as not begun, or they are over
        self.by_key: dict[str, tuple[str, Any, Any]] = {}  # worker, attempts that it may have begun, their slots


class Fence(SchedulerPlugin):  # type: ignore[misc]
    """The plugin; see the docstring of the module."""

    name = "jobctl-fence"
    idempotent = True

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._scheduler: Any = None
        self._stores: dict[str, _StoreClaims] = {}
        self._watched: dict[str, asyncio.Event] = {}  # by client

    async def start(self, scheduler: Any) -> None:
        """Called by Dask, on the scheduler."""
        self._scheduler = scheduler
        for handler in (self.attach, self.watch, self.follow, self.claim, self.greet, self.release, self.whose):
            scheduler.handlers[f"jobctl_{handler.__name__}"] = handler

    async def remove_worker(self, scheduler: Any, worker: str, **_: Any) -> None:
        """Called by Dask."""
        scheduler.log_event(TOPIC, {"what": "left", "worker": worker})

    def remove_client(self, scheduler: Any, client: str) -> None:  # noqa: ARG002
        """Called by Dask."""
        if client in self._watched:
            self._watched[client].set()

    # ---- called by engines ----

    async def attach(self, store: str, nonce: str) -> dict[str, Any]:
        """The engine of a store has connected; workers may claim only packs that it sends under this nonce."""
        claims = self._stores.setdefault(store, _StoreClaims())
        claims.nonce = nonce
        claims.void.clear()
        known, workers = self._scheduler.tasks, self._scheduler.workers
        return {
            "fence": self.id,
            "held": dict(claims.by_key),
            "orphans": [key for key, (at, *_) in claims.by_key.items() if at not in workers or key not in known],
            "allowed_failures": int(self._scheduler.allowed_failures),
            "lease_s": self._lease_s(),
        }

    async def watch(self, client: str) -> None:
        """Return when the client has gone: the caller learns at once that a connection has broken."""
        await self._watched.setdefault(client, asyncio.Event()).wait()
        self._watched.pop(client, None)

    async def whose(self, store: str, key: str) -> str | None:
        """The worker that claimed a pack; None if no worker has, and from then on no worker can."""
        claims = self._stores.setdefault(store, _StoreClaims())
        found = claims.by_key.get(key)
        if found is None:
            claims.void.add(key)
        return None if found is None else found[0]

    async def follow(self, client: str, keys: Collection[str]) -> None:
        """Let a client await packs that it did not send itself."""
        self._scheduler.client_desires_keys([key for key in keys if key in self._scheduler.tasks], client)

    async def release(self, store: str, keys: Collection[str]) -> None:
        """The outcomes of these packs are recorded."""
        claims = self._stores.get(store)
        if claims is None:
            return
        claims.void.difference_update(keys)
        tasks = self._scheduler.tasks
        claims.void.update(key for key in keys if key in tasks and tasks[key].state not in _OVER)
        known = [key for key in keys if claims.by_key.pop(key, None) is not None]
        if known:
            self._scheduler.client_releases_keys(known, topic_of(store))

    # ---- called by workers ----

    async def greet(self, **worker: Any) -> float:
        """A worker is ready; returns its lease in seconds."""
        self._scheduler.log_event(TOPIC, {"what": "joined", **worker})
        return self._lease_s()

    async def claim(self, store: str, nonce: str, key: str, worker: str, ids: Any, slots: Any) -> bool:
        """True if this worker may begin this pack."""
        claims = self._stores.get(store)
        if claims is None or claims.nonce != nonce or key in claims.by_key or key in claims.void:
            return False
        if key not in self._scheduler.tasks or worker not in self._scheduler.workers:
            return False
        claims.by_key[key] = (worker, ids, slots)
        self._scheduler.client_desires_keys([key], topic_of(store))
        return True

    def _lease_s(self) -> float:
        return min(LEASE_S, (self._scheduler.worker_ttl or _DEFAULT_TTL_S) / 2)
