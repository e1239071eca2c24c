"""The connections of the server: uvicorn's own protocol, which also cuts off slow clients and checks their user.

uvicorn limits the size of headers and the time of idle connections. It waits for ever for the rest of a header, and for
a client that does not read its answer.
"""

from __future__ import annotations

import asyncio
import os
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from jobctl.http.problems import MEDIA_TYPE, problem
from jobctl.process.listening import peer_of

#: The largest header of a request, in bytes.
MAX_HEADER = 32 << 10
#: Connections above the limit that still get an answer; further ones are closed at once.
_ANSWERED = 100
_TEXTS = {
    400: ("bad_request", "this is not a request of HTTP/1.1"),
    408: ("too_slow", "the request comes too slowly"),
    431: ("header_too_large", f"the header of the request is larger than {MAX_HEADER:,} bytes"),
    503: ("busy", "too many connections"),
}


class _Parser(h11.Connection):
    """Remembers the status that its last error suggests."""

    status = 400

    def next_event(self) -> Any:
        try:
            return super().next_event()
        except h11.RemoteProtocolError as error:
            self.status = error.error_status_hint if error.error_status_hint in _TEXTS else 400
            raise


class Protocol(H11Protocol):
    """One connection. ``timeout_s`` and ``most`` are those of the server, see ``protocol_of``."""

    timeout_s = 30.0
    most = 2_000

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn = _Parser(h11.SERVER, MAX_HEADER)
        self._waiting: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; a Unix socket must be opened by the user of this process."""
        super().connection_made(transport)
        if not _is_of_user(transport) or len(self.connections) > self.most + _ANSWERED:
            transport.abort()
        elif len(self.connections) > self.most:
            self._end(503)
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop_waiting()
        self._stop_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; the header of a request must be complete in time."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._wait()
        else:
            self._stop_waiting()

    def pause_writing(self) -> None:
        """The client does not read; it has some time to do so."""
        super().pause_writing()
        if self._writing is None:
            self._writing = self.loop.call_later(self.timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read."""
        self._stop_writing()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - a text of uvicorn
        """Answer a request that cannot be read."""
        self._end(self.conn.status if isinstance(self.conn, _Parser) else 400)

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(self.timeout_s, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _stop_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def _too_slow(self) -> None:
        self._waiting = None
        if not self.transport.is_closing():
            self._end(408)

    def _end(self, status: int) -> None:
        """Answer with a problem document and close the connection."""
        code, detail = _TEXTS[status]
        title, body = HTTPStatus(status).phrase, bytes(problem(status, code, detail).body)
        headers = [("content-type", MEDIA_TYPE), ("content-length", str(len(body))), ("connection", "close")]
        if status == 503:
            headers.append(("retry-after", "5"))
        try:
            response = h11.Response(status_code=status, headers=headers, reason=title.encode())
            output = [self.conn.send(event) for event in (response, h11.Data(data=body), h11.EndOfMessage())]
            self.transport.write(b"".join(part for part in output if part))
        except h11.LocalProtocolError:  # an answer has begun already
            self.transport.abort()
            return
        self.transport.close()


def protocol_of(timeout_s: float, most: int) -> type[Protocol]:
    """The protocol with the limits of a server: seconds for a slow client, and connections at the same time."""
    return type("LimitedProtocol", (Protocol,), {"timeout_s": timeout_s, "most": most})


def _is_of_user(transport: asyncio.Transport) -> bool:
    """Return whether the program at the other end is one of this user, or cannot be asked: then it came by TCP."""
    connection = transport.get_extra_info("socket")
    if connection is None or not isinstance(transport.get_extra_info("sockname"), str):
        return True
    try:
        peer = peer_of(connection)
    except OSError:
        return False
    return peer is None or peer.uid == os.geteuid()
