"""Receives the body of an upload: it goes to a file piece by piece, within bounds, and never whole into memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import anyio
import anyio.to_thread
from starlette.requests import Request

from jobctl.http.intake.body_types import (
    FORM,
    JSON,
    BodyType,
    body_type,
    check_encoding,
    format_of,
    harmless_name,
)
from jobctl.http.intake.form import FormReader
from jobctl.http.intake.json_rows import JsonRows
from jobctl.http.intake.spool import AT_ONCE, Spool

#: Bytes at the beginning that tell a format.
_HEAD = 16


class Bounds(NamedTuple):
    """The bounds of uploads, in addition to those that every request has."""

    rows: int = 10_000_000
    uploads: int = 16  # at the same time
    uploads_of_one: int = 4  # at the same time, of one token


class Body(NamedTuple):
    """A body that was received completely."""

    name: str  # of the file, harmless
    format: str  # as --format
    type: BodyType
    texts: list[tuple[str, str]]  # options in fields of a form
    values: dict[str, Any]  # options in JSON

    @property
    def is_json(self) -> bool:
        """Whether its rows were a JSON list, whose rows have no lines."""
        return self.format == JSON


class Described(NamedTuple):
    """What the head of a request says about its body."""

    content_type: str
    encoding: str
    length: int | None
    file_name: str  # given apart from the body
    format: str  # given as an option
    default_name: str


def described(request: Request, file_name: str, default_name: str) -> Described:
    """Read the head of a request."""
    headers = request.headers
    length = headers.get("content-length", "")
    return Described(
        headers.get("content-type", ""),
        headers.get("content-encoding", ""),
        int(length) if length.isascii() and length.isdigit() else None,
        file_name,
        request.query_params.get("format", ""),
        default_name,
    )


async def receive(request: Request, head: Described, spool: Spool) -> Body:
    """Write the body of a request to a file. The gate of the server bounds its size and its time.

    Raises Refused for a body that is broken (400) or not rows (415), NoRoom, and ClientDisconnect when the client is
    gone.
    """
    reader = _Reader(head)
    pending = bytearray()
    async for piece in request.stream():
        pending += reader.feed(piece)
        if len(pending) >= AT_ONCE:
            await anyio.to_thread.run_sync(spool.write, bytes(pending))
            pending.clear()
    pending += reader.finish()
    if pending:
        await anyio.to_thread.run_sync(spool.write, bytes(pending))
    return reader.body(spool)


class _Reader:
    """Finds the file in a body: it is the body, or a part of a form, or the rows of JSON."""

    def __init__(self, head: Described) -> None:
        self._head = head
        is_form = head.content_type.partition(";")[0].strip().lower() == FORM
        self._form = FormReader(head.content_type) if is_form else None
        self._type = BodyType("") if is_form else body_type(head.content_type)
        self._name = head.file_name
        self._json: JsonRows | None = None
        self._has_begun = False

    def feed(self, piece: bytes) -> bytes:
        """Return the next bytes for the file. Raises Refused."""
        content = piece if self._form is None else self._form.feed(piece)
        if not content:
            return b""
        if not self._has_begun:
            self._begin(content)
        return content if self._json is None else self._json.feed(content)

    def _begin(self, content: bytes) -> None:
        self._has_begun = True
        self._look_at_part()
        is_list = self._name.lower().endswith(".json") and content.lstrip()[:1] == b"["
        if self._type.format == JSON or (self._type.is_vague and is_list):
            if self._head.encoding.strip().lower() not in ("", "identity"):
                check_encoding(self._head.encoding, content, JSON)
            self._type = self._type._replace(format=JSON)
            self._json = JsonRows()

    def _look_at_part(self) -> None:
        part = None if self._form is None else self._form.file
        if part is not None:
            self._type = body_type(part.content_type)
            self._name = self._name or part.name

    def finish(self) -> bytes:
        """Return the last bytes for the file. Raises Refused for a body that ends too early."""
        if self._form is not None:
            self._form.finish()
        if not self._has_begun:
            self._begin(b"")
        return b"" if self._json is None else self._json.finish()

    def body(self, spool: Spool) -> Body:
        """What was received. Raises Refused for a format that nothing tells."""
        start, given = spool.head(_HEAD), self._head.format
        kind = JSON if self._json is not None else given or format_of(self._type, self._name, start)
        if self._form is None:
            check_encoding(self._head.encoding, start, kind)
        return Body(
            harmless_name(self._name, self._head.default_name),
            kind,
            self._type,
            [] if self._form is None else self._form.fields,
            {} if self._json is None else self._json.options,
        )
