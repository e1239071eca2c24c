"""The fence: a plugin of the scheduler that says who may begin a pack, and remembers who did.

A pack is claimed by its worker before anything of it starts, once. So whoever lost a worker knows what had begun, and
what Dask starts a second time, after a worker was retired or lost, is refused. A claimed pack is held for its store,
not for the client that sent it: a new engine finds it again.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection
from typing import Any

from distributed import SchedulerPlugin

TOPIC = "jobctl"
#: A worker that has not been heard of for longer ends what it runs; well before the scheduler gives it up.
LEASE_S = 20.0
_DEFAULT_TTL_S = 300.0
#: States in which Dask does not start a task any more.
_OVER = ("memory", "erred", "forgotten")


def topic_of(store: str) -> str:
    """Where the engine of a store listens."""
    return f"{TOPIC}-{store}"


class _StoreClaims:
    """Of one store."""

    def __init__(self) -> None:
        self.nonce = ""
        self.void: set[str] = set()  # nobody may claim these: it was said that nobody had, or they are over
        self.by_key: dict[str, tuple[str, Any, Any]] = {}  # worker, attempts it may have begun, their slots


class Fence(SchedulerPlugin):  # type: ignore[misc]
    """See the module."""

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

    # What engines call.

    async def attach(self, store: str, nonce: str) -> dict[str, Any]:
        """The engine of a store is here, and only what it sends from now on may be claimed."""
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
        """Does not return while the client is there: whoever waits for it learns at once when a connection breaks."""
        await self._watched.setdefault(client, asyncio.Event()).wait()
        self._watched.pop(client, None)

    async def whose(self, store: str, key: str) -> str | None:
        """Which worker claimed a pack; None if nobody has, and then nobody will."""
        claims = self._stores.setdefault(store, _StoreClaims())
        found = claims.by_key.get(key)
        if found is None:
            claims.void.add(key)
        return None if found is None else found[0]

    async def follow(self, client: str, keys: Collection[str]) -> None:
        """A client wants to be told what becomes of packs that it did not send itself."""
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

    # What workers call.

    async def greet(self, **worker: Any) -> float:
        """A worker is ready; returns its lease in seconds."""
        self._scheduler.log_event(TOPIC, {"what": "joined", **worker})
        return self._lease_s()

    async def claim(self, store: str, nonce: str, key: str, worker: str, ids: Any, slots: Any) -> bool:
        """Whether this worker may begin this pack."""
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
