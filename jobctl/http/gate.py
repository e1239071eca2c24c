"""The gate through which every request comes, before any route: who sends it, from where, how often, and how large.

It is the outermost middleware, written for ASGI itself, so that it also sees answers of any length chunk by chunk.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobctl.errors import JobctlError
from jobctl.http import identity, origins
from jobctl.http.access import CALLER, Caller, is_at_socket
from jobctl.http.access_log import AccessLog
from jobctl.http.caller_streams import Streams
from jobctl.http.doors import Doors
from jobctl.http.limited_body import LimitedBody
from jobctl.http.limits import InProgress
from jobctl.http.problems import RETRY_S, Refused, of_error
from jobctl.http.server import Server
from jobctl.process.this_process import acting_as
from jobctl.services import tokens
from jobctl.store import sqlite

#: What every answer has. The page needs nothing but files of the server itself.
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}
_SECURITY = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
#: The share of requests without a token or session; they have one limit together.
_NOBODY = ""
_SOMEBODY = "somebody without a token"


class Gate:
    """The middleware of one application."""

    def __init__(self, app: ASGIApp, server: Server, log: AccessLog | None = None) -> None:
        self._app = app
        self._server = server
        self._doors = server.doors
        self._log = log
        self._streams = Streams(server.doors, server.changes)
        self._in_progress = InProgress(server.doors.limits.max_connections)
        self._noting: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, self._doors, self._streams)
        try:
            await self._serve(scope, receive, answer)
        finally:
            if self._log is not None:
                self._log.note(scope, answer.caller, answer.status, answer.bytes, time.monotonic() - answer.begun)

    async def _serve(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        headers = Headers(scope=scope)
        most = self._doors.limits.max_body
        try:
            caller = self._admit(scope, headers, answer)
            LimitedBody.check(headers, most)
        except JobctlError as refused:
            await of_error(refused)(scope, receive, answer.send)
            return
        body = LimitedBody(receive, headers, most, self._doors.limits.client_timeout_s)
        answer.body, answer.scope = body, scope
        if caller is not None and caller.token is not None and self._doors.is_news(caller.token):
            self._note_use(caller.token)
        scope[CALLER] = answer.caller = caller
        try:
            with self._in_progress.one_more(None if caller is None else caller.token):
                await self._pass_on(scope, body, answer)
        except Refused as refused:
            if answer.status:
                raise
            await of_error(body.refused or refused)(scope, receive, answer.send)
        await answer.finish()

    async def _pass_on(self, scope: Scope, body: LimitedBody, answer: _Answer) -> None:
        """Let the application answer in the name of the caller."""
        actor = _SOMEBODY if answer.caller is None else answer.caller.actor
        with self._streams.ending(answer.cut_off), acting_as(actor):
            await self._app(scope, body.receive, answer.send)

    def _note_use(self, token: str) -> None:
        """Write down that a token is in use, next to the request."""

        async def note() -> None:
            with contextlib.suppress(JobctlError, sqlite.Error):  # it is of no importance for the request
                await self._server.call(tokens.note_use, self._server.home, token, self._server.now())

        task = asyncio.create_task(note())
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    def _admit(self, scope: Scope, headers: Headers, answer: _Answer) -> Caller | None:
        """Return the caller. Raises Refused: a wrong Host or Origin, an unknown token, one request too many."""
        local = is_at_socket(scope)
        if not local:
            server = scope.get("server")
            origins.check_host(headers, self._doors.hosts, server[0] if server else None)
        try:
            caller = identity.caller_of(scope, headers, self._doors)
        except (JobctlError, sqlite.Error) as error:
            answer.fields = self._doors.rates.take(_NOBODY)
            raise (error if isinstance(error, Refused) else _no_store()) from error
        by_cookie = caller is not None and caller.door == "browser"
        origins.check_origin(headers, scope["method"], by_cookie=by_cookie)
        if not local:
            key, rate = (_NOBODY, None) if caller is None else (f"{caller.door} {caller.token}", caller.rate)
            answer.fields = self._doors.rates.take(key, rate)
        return caller


def _no_store() -> Refused:
    """The answer while tokens cannot be read. Who asks is not known, so it names neither a path nor the error."""
    return Refused(
        503,
        "the store of this server cannot be read",
        code="store",
        hint="jobctl doctor there says why",
        headers={"Retry-After": str(RETRY_S)},
    )


class _Answer:
    """The answer to one request, on its way out."""

    def __init__(self, send: Send, doors: Doors, streams: Streams) -> None:
        self.begun = time.monotonic()
        self.status = 0
        self.bytes = 0
        self.caller: Caller | None = None
        self.fields: Mapping[str, str] = {}
        self.body: LimitedBody | None = None
        self.scope: Scope = {}
        self._send = send
        self._doors = doors
        self._streams = streams
        self._task = asyncio.current_task()  # a stream may be sent by another one
        self._is_replaced = False
        self._is_cut_off = False

    async def send(self, message: Message) -> None:
        """Send a message with the headers that every answer has.

        A stream ends when its caller may not read it any more. An answer to a body that was refused becomes the problem
        document about that, whatever the route made of it.
        """
        if self._is_replaced:
            return
        if message["type"] == "http.response.start":
            refused = self.body.refused if self.body is not None else None
            if refused is not None and message["status"] != refused.status:
                self._is_replaced = True
                await of_error(refused)(self.scope, _nothing, self._send_first)
                return
            self._complete(message)
        elif message["type"] == "http.response.body":
            self.bytes += len(message.get("body", b""))
        await self._send(message)

    async def _send_first(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._complete(message)
        await self._send(message)

    def _complete(self, message: Message) -> None:
        self.status = message["status"]
        headers = message["headers"] = list(message.get("headers", ()))
        given = dict(headers)
        headers += [field for field in _SECURITY if field[0] not in given]
        headers += [(name.lower().encode(), value.encode()) for name, value in self.fields.items()]
        if self.caller is not None and given.get(b"content-type", b"").startswith(b"text/event-stream"):
            self._streams.add(self._task, self.caller)

    def cut_off(self) -> None:
        """Note that the stream ends here, in an orderly way."""
        self._is_cut_off = True

    async def finish(self) -> None:
        """End a stream that was cut off, so that the client knows that it has all of it."""
        if self._is_cut_off and self.status:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


async def _nothing() -> Message:
    await asyncio.sleep(0)
    return {"type": "http.disconnect"}
