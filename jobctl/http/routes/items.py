"""``/v1/jobs/42/items``: the items of a job, page by page, and each of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from jobctl.domain.documents.items import ItemsDocument
from jobctl.domain.selection import Selection
from jobctl.errors import NotFound
from jobctl.http.access import Caller, Reader, job_of, selection_of
from jobctl.http.answers import answer
from jobctl.http.parameters import (
    NOTHING,
    After,
    Causes,
    Failed,
    ItemLimit,
    ItemPath,
    Items,
    ItemStates,
    JobPath,
    Where,
    next_link,
)
from jobctl.http.server import Server, server_of
from jobctl.services.output.items import Listing

router = APIRouter(prefix="/v1/jobs/{job}/items")
#: The bytes of the rows of one page, at least one row: rows may have cells of many megabytes.
MOST_BYTES = 8 << 20


@router.get("")
async def list_items(
    request: Request,
    job: JobPath,
    found: Reader,
    state: ItemStates = NOTHING,
    cause: Causes = NOTHING,
    where: Where = None,
    items: Items = None,
    failed: Failed = False,
    after: After = 0,
    limit: ItemLimit = 100,
) -> Response:
    """List the items of a job in their order: what each is doing, or how it ended."""
    given: dict[str, Any] = {"state": state, "cause": cause, "where": where, "items": items, "failed": failed}
    server = server_of(request)
    document = await server.call(_list, server, found, job, selection_of(found, given), after, limit)
    more = document["next"]
    link = {} if more is None else {"Link": f'<{next_link(request, more)}>; rel="next"'}
    return answer(request, document, headers=link)


def _list(server: Server, found: Caller, text: str, selection: Selection, after: int, limit: int) -> ItemsDocument:
    with server.database() as database:
        job = job_of(database, found, text)
        listing = Listing(server.home, str(job), selection, after, limit, now=server.now())
    try:
        return listing.part(MOST_BYTES)
    finally:
        listing.close()


@router.get("/{item}")
async def show_item(request: Request, job: JobPath, item: ItemPath, found: Reader) -> Response:
    """One item of a job, as a list with one entry."""
    server = server_of(request)
    document = await server.call(_list, server, found, job, Selection.of_items([item]), 0, 1)
    if not document["items"]:
        raise NotFound(f"job {document['job']} has no item {item}", hint=f"jobctl items {document['job']}")
    return answer(request, document)
