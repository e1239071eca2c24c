"""Unpacks bzip2 and xz in bounded pieces."""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable, Iterator
from typing import Any

from jobctl.sources.problems import Damaged

#: The most bytes that one step returns, and the most memory for the tables of the format.
_PIECE = 256 << 10
_MEMORY = 256 << 20


def unbzip2(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The content of one or more streams. Raises Damaged."""
    return _unpacked(chunks, "bzip2", bz2.BZ2Decompressor)


def unxz(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The content of one or more streams. Raises Damaged."""
    return _unpacked(chunks, "xz", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY))


def _unpacked(chunks: Iterator[bytes], name: str, new: Callable[[], Any]) -> Iterator[bytes]:
    stream = new()
    try:
        for chunk in chunks:
            data = chunk
            while data or not (stream.eof or stream.needs_input):
                if stream.eof:
                    data = data.lstrip(b"\0")  # padding between streams is allowed
                    if not data:
                        break
                    stream = new()
                if plain := stream.decompress(data, _PIECE):
                    yield plain
                data = stream.unused_data if stream.eof else b""
    except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
        raise Damaged(name, f"the {name} data is damaged: {error}") from error
    if not stream.eof:
        raise Damaged(name, f"the {name} data is cut off")
