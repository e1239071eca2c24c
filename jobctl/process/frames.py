"""Reads and writes messages over a pipe: a JSON object, and bytes that belong to it."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

_LENGTHS = struct.Struct("<II")
#: A longer message shows that the sender is broken.
_LIMIT = 128 << 20


def frame_bytes(head: dict[str, Any], body: bytes = b"") -> bytes:
    """The bytes of a message. Lone surrogates in strings of ``head`` survive."""
    packed = json.dumps(head).encode()
    return _LENGTHS.pack(len(packed), len(body)) + packed + body


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next message; None at the end of the stream, even if it comes within a message.

    Raises ValueError for bytes that are not a message.
    """
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head_size, body_size = _LENGTHS.unpack(lengths)
    if head_size + body_size > _LIMIT:
        raise ValueError("a message longer than any that is sent")
    packed, body = stream.read(head_size), stream.read(body_size)
    if len(body) < body_size:
        return None
    head = json.loads(packed)
    if not isinstance(head, dict):
        raise ValueError("a message without a head")
    return head, body
