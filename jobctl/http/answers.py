"""Turns documents into responses: bytes of JSON, a strong ETag, and 304 for a client that has these bytes already."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from jobctl.render.machine import dumps

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument

MEDIA_TYPE = "application/json"
#: Answers are about one moment, and some callers see more than others: a cache may keep them and must ask each time.
CACHE_CONTROL = "private, no-cache"


def encoded(document: Any) -> bytes:
    """Return a document as JSON. Bytes that are not UTF-8 are written as ``\\xff``, as commands write them."""
    try:
        return orjson.dumps(document)
    except TypeError:  # half a surrogate pair, or a number of more than 64 bits
        return dumps(document).encode("utf-8", "replace")


def digest(body: bytes) -> str:
    """Return a short text that only these bytes have, for ETags."""
    return hashlib.blake2b(body, digest_size=12).hexdigest()


def job_etag(document: StatusDocument, body: bytes) -> str:
    """Return the ETag of a status: the revision of the job, and a digest, because durations change without it."""
    return f'"{document["revision"]}-{digest(body)}"'


def revision_in(etag: str) -> int | None:
    """Return the revision in an ETag of a job, for ``If-Match``; None for ``*``, which means any.

    A text that is not the ETag of a job has a revision that no job has.
    """
    found = re.fullmatch(r'"([0-9]{1,18})-[0-9a-f]+"', etag.strip())
    if found is not None:
        return int(found[1])
    return None if etag.strip() == "*" else 0


def is_known(request: Request, etag: str) -> bool:
    """Return whether the client says in ``If-None-Match`` that it has the bytes of this ETag (RFC 9110, 13.1.2)."""
    given = request.headers.get("if-none-match")
    return given is not None and knows(given, etag)


def knows(if_none_match: str, etag: str) -> bool:
    """Return whether a value of ``If-None-Match`` names an ETag. The comparison is the weak one."""
    given = if_none_match.strip()
    return given in ("*", etag) or etag in [each.strip().removeprefix("W/") for each in given.split(",")]


def answer(
    request: Request,
    document: Any,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a document as a response; 304 without a body if a client that reads has the same bytes."""
    body = encoded(document)
    return of_bytes(request, body, f'"{digest(body)}"', status=status, headers=headers)


def of_bytes(
    request: Request, body: bytes, etag: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """``answer`` for bytes that were made before."""
    found = {"Cache-Control": CACHE_CONTROL, **(headers or {})}
    if request.method in ("GET", "HEAD"):
        found["ETag"] = etag
        if status == 200 and is_known(request, etag):
            return Response(None, 304, found)
    return Response(body, status, found, MEDIA_TYPE)
