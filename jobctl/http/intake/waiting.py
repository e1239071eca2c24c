"""The wait for the end of a job that ``Prefer: wait`` asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from jobctl.http.server import Server
from jobctl.services.daemon.wait import wait_for
from jobctl.services.submit.documents import job_of

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


async def until_done(server: Server, document: StatusDocument, timeout_s: float) -> StatusDocument:
    """Return the status of a job when it is done, or after ``timeout_s`` seconds."""
    job, replayed = document["job"], document["idempotency"]["replayed"]

    def wait() -> StatusDocument:
        wait_for(server.home, [job], timeout_s, lambda *_: None)
        found = job_of(server.home, job, server.now(), server.program)
        found["idempotency"]["replayed"] = replayed
        return found

    return await anyio.to_thread.run_sync(wait)
