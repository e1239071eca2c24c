"""Messages over a stream socket: in batches, of any size, without blocking either side."""

from __future__ import annotations

import marshal
from collections.abc import Callable
from socket import socket

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

    #: (kind, payload). Plain values only: marshal carries nothing else.
    Message = tuple[int, Any]
    #: Queues a message for the other side: (kind, payload).
    Tell = Callable[[int, Any], None]


_HEADER = 4
_CHUNK = 1 << 18
_READ_AT_ONCE = 16
_MARSHAL_VERSION = 2  # later versions track references, which costs time and saves nothing here


class MessageChannel:
    """One end. ``post`` queues, ``flush`` sends what the socket takes, ``receive`` returns what has arrived."""

    def __init__(self, end: socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._posted: list[Message] = []
        self._out = bytearray()
        self._in = bytearray()
        self.closed = False

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    def post(self, kind: int, payload: Any) -> None:
        """Queue a message for the next ``flush``."""
        self._posted.append((kind, payload))

    @property
    def waiting(self) -> bool:
        """True if any message is queued and not sent."""
        return bool(self._posted or self._out)

    def flush(self) -> bool:
        """Send what the socket takes; True when nothing is left to send."""
        self._pack()
        while self._out:
            try:
                sent = self._socket.send(self._out)
            except BlockingIOError:
                return False
            except OSError:  # the other side is gone; receive() finds the end of the stream
                self._out.clear()
                return True
            del self._out[:sent]
        return True

    def _pack(self) -> None:
        if not self._posted:
            return
        frame = marshal.dumps(self._posted, _MARSHAL_VERSION)
        self._out += len(frame).to_bytes(_HEADER, "little")
        self._out += frame
        self._posted.clear()

    def receive(self) -> list[Message]:
        """Whole messages that have arrived; sets ``closed`` at the end of the stream."""
        self._drain()
        return self._unpack()

    def receive_all(self) -> list[Message]:
        """Whole messages up to the end of the stream; call it when the other side is known to be dead."""
        before = -1
        while not self.closed and before != len(self._in):
            before = len(self._in)
            self._drain()
        return self._unpack()

    def _unpack(self) -> list[Message]:
        messages: list[Message] = []
        while len(self._in) >= _HEADER:
            end = _HEADER + int.from_bytes(self._in[:_HEADER], "little")
            if len(self._in) < end:
                break
            with memoryview(self._in) as view:
                messages += marshal.loads(view[_HEADER:end])  # noqa: S302 - from our own process, never from a file
            del self._in[:end]
        return messages

    def _drain(self) -> None:
        receive: Callable[[int], bytes] = self._socket.recv
        for _ in range(_READ_AT_ONCE):
            try:
                chunk = receive(_CHUNK)
            except BlockingIOError:
                return
            except OSError:
                chunk = b""
            if not chunk:
                self.closed = True
                return
            self._in += chunk
            if len(chunk) < _CHUNK:
                return

    def close(self) -> None:
        """Close the socket; queued messages are dropped."""
        self._socket.close()
        self.closed = True
