"""A part of a file as an answer: its bytes as they are, with Range (RFC 9110, 14), ETag and If-Range."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from jobctl.http.answers import CACHE_CONTROL, is_known
from jobctl.http.methods import is_head
from jobctl.http.problems import problem

CHUNK = 1 << 18
_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})")


class FilePart(NamedTuple):
    """A part of an open file. Who answers with it closes the file."""

    descriptor: int
    offset: int
    length: int
    etag: str


class Span(NamedTuple):
    """A range of bytes of a part."""

    first: int
    length: int


def open_part(path: str | os.PathLike[str], offset: int = 0) -> tuple[int, int]:
    """Open a file; returns its descriptor and the number of bytes after ``offset``.

    Raises FileNotFoundError, and OSError for a link or for what is not a plain file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    return descriptor, max(0, os.fstat(descriptor).st_size - offset)


def answer_file(request: Request, part: FilePart, headers: Mapping[str, str], media_type: str) -> Response:
    """Return the bytes of a part, or those that Range asks for: 200, 206, 304 or 416. The file is closed then."""
    found = {"ETag": part.etag, "Accept-Ranges": "bytes", "Cache-Control": CACHE_CONTROL, **headers}
    if is_known(request, part.etag):
        os.close(part.descriptor)
        return Response(None, 304, found)
    wanted = _wanted(request, part)
    if wanted is None:
        os.close(part.descriptor)
        size = f"bytes */{part.length}"
        return problem(416, "range", f"the output has {part.length} bytes", headers={"Content-Range": size})
    span, is_partial = wanted
    if is_partial:
        last = span.first + span.length - 1
        found["Content-Range"] = f"bytes {span.first}-{last}/{part.length}"
    return _FileAnswer(part, span, 206 if is_partial else 200, found, media_type)


def _wanted(request: Request, part: FilePart) -> tuple[Span, bool] | None:
    """The bytes to send, and whether they are a part of all; None for a range that the file does not have.

    A range in another form, or several ranges, are ignored, as the standard allows; so is one with HEAD, as it demands.
    """
    whole = Span(0, part.length), False
    match = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if match is None or is_head(request.scope) or request.headers.get("if-range", part.etag) != part.etag:
        return whole
    first, last = match["first"], match["last"]
    if not first and not last:
        return whole
    if not first:  # the last bytes
        length = min(int(last), part.length)
        return (Span(part.length - length, length), True) if length else None
    if last and int(last) < int(first):
        return whole
    if int(first) >= part.length:
        return None
    end = min(int(last), part.length - 1) if last else part.length - 1
    return Span(int(first), end - int(first) + 1), True


class _FileAnswer(Response):
    """Sends a range of bytes in chunks, each read in a thread, and closes the file in every case."""

    def __init__(self, part: FilePart, span: Span, status: int, headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(None, status, {**headers, "Content-Length": str(span.length)}, media_type)
        self._part, self._span = part, span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the interface
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            at, left = self._part.offset + self._span.first, 0 if is_head(scope) else self._span.length
            while left > 0:
                data = await anyio.to_thread.run_sync(os.pread, self._part.descriptor, min(CHUNK, left), at)
                if not data:  # the file became shorter: the client must see that bytes are missing
                    raise OSError(f"a file ended {left} bytes early")
                at, left = at + len(data), left - len(data)
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            os.close(self._part.descriptor)
