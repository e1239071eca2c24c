"""Answers that are streams of server-sent events: what all of them do with slow clients, HEAD and errors."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import suppress

from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from jobctl.errors import JobctlError
from jobctl.http.methods import is_head

MEDIA_TYPE = "text/event-stream"
#: Milliseconds after which a client that has lost its stream should try again.
RETRY_MS = 2_000
#: Seconds between comments that keep a silent stream open in proxies.
PING_S = 15
#: Seconds for which a client may leave the stream unread, before the stream ends. It can resume it.
SEND_S = 30.0
_NOT_WANTED = re.compile(r"q=0(\.0*)?")
#: What a stream sends at once: an event, or the bytes of several.
Sent = bytes | ServerSentEvent
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Stream(EventSourceResponse):
    """A stream that ends quietly when its client does not read it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        with suppress(SendTimeoutError):
            await super().__call__(scope, receive, send)


def wants_stream(request: Request) -> bool:
    """Return whether a client names the media type of streams in ``Accept``, as every EventSource does."""
    for part in request.headers.get("accept", "").split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        if name == MEDIA_TYPE and not any(_NOT_WANTED.fullmatch(each) for each in parameters):
            return True
    return False


def stream(request: Request, events: AsyncIterator[Sent]) -> Response:
    """Answer with a stream of these bytes. A HEAD request gets the headers alone."""
    if is_head(request.scope):
        return Response(None, 200, _HEADERS, MEDIA_TYPE)
    return Stream(_guarded(events), headers=_HEADERS, media_type=MEDIA_TYPE, ping=PING_S, send_timeout=SEND_S)


async def _guarded(events: AsyncIterator[Sent]) -> AsyncIterator[Sent]:
    """The stream after the line that says when to try again. An error of the store ends it: a new request tells it."""
    yield ServerSentEvent(retry=RETRY_MS, sep="\n").encode()
    with suppress(JobctlError):
        async for each in events:
            yield each
