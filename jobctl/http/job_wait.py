"""The wait for a change of a job, for any number of requests at the same time."""

from __future__ import annotations

import time

from jobctl.http.kept import Kept
from jobctl.http.server import Server
from jobctl.store.opening.glance import Seen


async def await_change(server: Server, kept: Kept, known: int | None, wait_s: float) -> None:
    """Wait until a job is done, or has another revision than the known one, at most ``wait_s`` seconds.

    Raises NotFound if the job or the store is removed meanwhile, Busy, StoreError.
    """
    until = time.monotonic() + wait_s
    async with server.changes.watched() as changes:
        while (left_s := until - time.monotonic()) > 0 and not changes.is_closed:
            number = changes.number
            seen = server.kept.seen(kept.job) or await _seen_in_answer(server, kept.job)
            if seen.is_done or (known is not None and seen.revision != known):
                return
            await changes.after(number, left_s)


async def _seen_in_answer(server: Server, job: int) -> Seen:
    """The version of a job where one look could not tell it: a busy moment of the database must not end the wait."""
    kept = await server.kept.job(job)
    return Seen(kept.revision, kept.is_done)
