"""Unpacks zstd: with Python's own module if it has one, otherwise with the package ``zstandard``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jobctl.errors import UsageError
from jobctl.sources.problems import Damaged

#: A small input at a time bounds the output, which is at worst 128 KiB for every few bytes.
_PIECE = 2048


def unzstd(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The content of one or more frames. Raises Damaged, and UsageError when nothing here can unpack it."""
    new, error_type = _decompressor()
    frame = new()
    try:
        for data in _pieces(chunks):
            rest = data
            while rest:
                if frame.eof:
                    frame = new()
                if plain := frame.decompress(rest):
                    yield plain
                rest = frame.unused_data if frame.eof else b""
    except error_type as error:
        raise Damaged("zstd", f"the zstd data is damaged: {error}") from error
    if not frame.eof:
        raise Damaged("zstd", "the zstd data is cut off")


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), _PIECE):
            yield chunk[start : start + _PIECE]


def _decompressor() -> tuple[Callable[[], Any], type[Exception]]:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]

        return zstd.ZstdDecompressor, zstd.ZstdError
    except ImportError:
        pass
    try:
        import zstandard
    except ImportError as error:
        raise UsageError(
            "the input is packed by zstd, and the package that unpacks it is not installed",
            hint="pip install 'jobctl[zstd]', or: zstd -dc FILE | jobctl submit - --format csv",
        ) from error
    return zstandard.ZstdDecompressor().decompressobj, zstandard.ZstdError
