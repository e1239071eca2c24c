"""Connects a client of Dask to the scheduler, introduces it to the fence, and notices when the connection breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from jobctl.executors.cluster import worker_plugin
from jobctl.executors.cluster.fence import TOPIC, Fence, topic_of
from jobctl.executors.cluster.messages import Connected
from jobctl.executors.cluster.options import ClusterOptions
from jobctl.executors.cluster.security import security
from jobctl.executors.cluster.versions import check_versions

_CONNECT_S = 10.0


def new_client(options: ClusterOptions, batch: Any, store: str) -> Any:
    """A client; awaiting it connects it. ``batch`` is the cluster that this process started, if there is one.

    Raises ClusterError if the scheduler is not safe to use, and OSError, ValueError or KeyError without its address.
    """
    from distributed import Client

    address = options.address() if batch is None else batch.scheduler_address
    options.require_safe(address)
    return Client(
        address,
        asynchronous=True,
        security=security(options) if batch is None else batch.security,
        timeout=_CONNECT_S,
        name=topic_of(store),
        set_as_default=False,
    )


async def introduce(
    client: Any, store: str, nonce: str, on_event: Callable[[tuple[float, dict[str, Any]]], None]
) -> Connected:
    """Make the scheduler ready for a store: subscribe to its events, install the plugins, attach to the fence.

    Raises ClusterError for other versions, and OSError if the connection breaks.
    """
    await check_versions(client)
    client.subscribe_topic(TOPIC, on_event)
    client.subscribe_topic(topic_of(store), on_event)
    await client.register_plugin(Fence())
    await client.register_plugin(worker_plugin.RunnerPlugin())
    attached = await client.scheduler.jobctl_attach(store=store, nonce=nonce)
    workers = await client.run(worker_plugin.introduce, on_error="ignore")
    held = {key: tuple(claim) for key, claim in attached["held"].items()}
    warnings = _warnings(attached["allowed_failures"])
    return Connected(
        attached["fence"],
        nonce,
        held,
        attached["orphans"],
        list(workers.values()),
        warnings,
        attached["lease_s"],
    )


def _warnings(allowed_failures: int) -> list[str]:
    if not allowed_failures:
        return []
    return [
        f"the scheduler starts the tasks of a lost worker up to {allowed_failures} more times by itself; jobctl "
        "refuses each, but set DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=0 where the scheduler starts"
    ]


async def wait_for_break(client: Any, broken: asyncio.Event) -> None:
    """Return when the connection breaks, or when ``broken`` is set.

    Dask's client would connect again by itself but would have forgotten the packs that it had sent. So a new client
    replaces it.
    """
    watch = asyncio.ensure_future(client.scheduler.jobctl_watch(client=client.id))
    noticed = asyncio.ensure_future(broken.wait())
    try:
        await asyncio.wait({watch, noticed}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        watch.cancel()
        noticed.cancel()
        await asyncio.gather(watch, noticed, return_exceptions=True)
