"""The deprecated parts of the routes: one table, which answers, the OpenAPI document and the tests use.

Everything under ``/v1`` only grows. A route, a parameter or a field that will go is a row of ``DEPRECATED`` first; then
answers that have to do with it carry ``Deprecation`` (RFC 9745), ``Sunset`` (RFC 8594) and links. Removing it needs
a ``/v2``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import parse_qsl, quote

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Kind = Literal["route", "parameter", "field"]


@dataclass(frozen=True, slots=True)
class Deprecated:
    """A route, a query parameter of it, or a field of its answers, that a later version will not have."""

    method: str  # GET, POST ...
    path: str  # as the OpenAPI document has it: /v1/jobs/{job}
    since: datetime  # with a time zone
    instead: str  # a sentence: what to use, and since which version of jobctl
    kind: Kind = "route"
    name: str | None = None  # of the parameter; of the field, with dots: counts.total
    sunset: datetime | None = None  # when it goes at the earliest; None = that is not decided
    successor: str | None = None  # the path that replaces the route
    page: str = "/openapi.json"  # where the deprecation is described

    def __post_init__(self) -> None:
        if (self.name is None) != (self.kind == "route"):
            raise ValueError(f"{self.method} {self.path}: a {self.kind} and the name {self.name}")
        if self.sunset is not None and self.sunset < self.since:
            raise ValueError(f"{self.method} {self.path}: it goes before it is deprecated")

    def links(self, words: Mapping[str, Any]) -> list[str]:
        """The values of ``Link`` that describe the deprecation and name what replaces it.

        ``words`` are the values of the placeholders in the path of the request.
        """
        found = [f'<{self.page}>; rel="deprecation"; type="{_media_type(self.page)}"']
        if self.successor is not None:
            found.append(f'<{_filled(self.successor, words)}>; rel="successor-version"')
        if self.sunset is not None:
            found.append(f'<{self.page}>; rel="sunset"; type="{_media_type(self.page)}"')
        return found

    def concerns(self, query: bytes) -> bool:
        """Return whether a request with this query string has to do with the deprecated part."""
        if self.kind != "parameter":
            return True
        given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        return any(name == self.name for name, _ in given)


#: What is deprecated today: nothing.
DEPRECATED: tuple[Deprecated, ...] = ()


def install(app: FastAPI, table: Sequence[Deprecated] = DEPRECATED) -> None:
    """Add the headers of the table to the answers of an application. Without rows, requests cost the same."""
    if table:
        app.add_middleware(_Headers, table=table)


class _Headers:
    """Adds the headers to answers; it keeps no body, so that streams stay streams."""

    def __init__(self, app: ASGIApp, table: Sequence[Deprecated]) -> None:
        self._app = app
        self._rows: dict[tuple[str, str], list[Deprecated]] = {}
        for row in table:
            self._rows.setdefault((row.method, row.path), []).append(row)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            # The router writes the route that it finds into the scope before it calls it.
            if message["type"] == "http.response.start" and (rows := self._of(scope)):
                message["headers"] = [*message.get("headers", ()), *_headers(rows, scope.get("path_params", {}))]
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)

    def _of(self, scope: Scope) -> list[Deprecated]:
        path = getattr(scope.get("route"), "path", None)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        return [row for row in self._rows.get((method, str(path)), ()) if row.concerns(scope["query_string"])]


def _headers(rows: Iterable[Deprecated], words: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    """One ``Deprecation`` and one ``Sunset``, of the part that goes first, and the links of all."""
    rows = list(rows)
    yield b"deprecation", f"@{int(min(row.since for row in rows).timestamp())}".encode()
    sunsets = [row.sunset for row in rows if row.sunset is not None]
    if sunsets:
        yield b"sunset", format_datetime(min(sunsets).astimezone(UTC), usegmt=True).encode()
    for link in dict.fromkeys(link for row in rows for link in row.links(words)):
        yield b"link", link.encode()


def marked(document: dict[str, Any], table: Sequence[Deprecated] = DEPRECATED) -> dict[str, Any]:
    """Mark the rows of the table in an OpenAPI document, which is changed and returned.

    Raises LookupError for a row about something that the document does not have.
    """
    for row in table:
        operation = document["paths"].get(row.path, {}).get(row.method.lower())
        if operation is None:
            raise LookupError(f"{row.method} {row.path} is not a route")
        for part in _parts(document, operation, row):
            part["deprecated"] = True
            part["description"] = f"{part.get('description', '')}\n\nDeprecated. {row.instead}".strip()
    return document


def _parts(document: dict[str, Any], operation: dict[str, Any], row: Deprecated) -> list[dict[str, Any]]:
    if row.kind == "route":
        return [operation]
    if row.kind == "parameter":
        found = [each for each in operation.get("parameters", ()) if (each["in"], each["name"]) == ("query", row.name)]
    else:
        found = [part for schema in _answers(operation) for part in _fields(document, schema, str(row.name))]
    if not found:
        raise LookupError(f"{row.method} {row.path} has no {row.kind} {row.name}")
    return found


def _answers(operation: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for status, response in operation.get("responses", {}).items():
        if str(status).startswith("2"):
            for content in response.get("content", {}).values():
                yield content.get("schema", {})


def _fields(document: dict[str, Any], schema: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The schemas of a field that is named with dots."""
    first, _, rest = name.partition(".")
    found = [
        each["properties"][first] for each in _alternatives(document, schema) if first in each.get("properties", ())
    ]
    return [part for each in found for part in _fields(document, each, rest)] if rest else found


def _alternatives(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema without its references, and the schemas of which it is made."""
    while "$ref" in schema:
        target: Any = document
        for word in schema["$ref"].removeprefix("#/").split("/"):
            target = target[word.replace("~1", "/").replace("~0", "~")]
        schema = target
    yield schema
    for word in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(word, ()):
            yield from _alternatives(document, each)
    if "items" in schema:
        yield from _alternatives(document, schema["items"])


def _filled(path: str, words: Mapping[str, Any]) -> str:
    for name, value in words.items():
        path = path.replace("{" + name + "}", quote(str(value), safe=""))
    return path


def _media_type(page: str) -> str:
    return "application/json" if page.endswith(".json") else "text/html"
