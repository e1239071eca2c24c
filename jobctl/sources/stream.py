"""From the bytes of a file to blocks of whole lines in UTF-8: hashed, unpacked, transcoded, in bounded memory."""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NoReturn

from jobctl.sources.problems import Damaged

CHUNK = 256 << 10
#: The longest record or line in bytes.
RECORD_LIMIT = 16 << 20
TOO_LONG = f"longer than {RECORD_LIMIT >> 20} MiB, the limit of one record"
LONE_CR = "a carriage return without a line feed; lines end in LF or CR LF"
NOT_UTF8 = "is not valid UTF-8; if it has another encoding, add --encoding"
_GZIP = b"\x1f\x8b"
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")  # a frame, or one to skip
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
_XZ = b"\xfd7zXZ\0"
#: First bytes of files that are not text although they begin with ASCII.
_ASCII_SIGNATURES = (
    b"PK",
    b"PAR1",
    b"ARROW1",
    b"LZIP",
    b'\x04"M\x18',
    b"%PDF-",
    b"GIF8",
    b"Obj",
    b"ORC",
    b"-----",
    b"Salted",
    b"version h",
)
#: The number of bytes that are examined for UTF-16, and the least share of zeros in text in UTF-16.
_EXAMINED_BYTES = 4096
_FEWEST_ZEROS = 0.02
_UTF8_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


class OverlongLine(Exception):
    """A line is longer than the limit. It has been skipped; ``head`` is its beginning."""

    def __init__(self, head: bytes) -> None:
        super().__init__("overlong line")
        self.head = head


class RawInput:
    """The unchanged file: ``bytes`` and ``hash`` cover the part that was read so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()
        self.bytes = 0

    def chunks(self) -> Iterator[bytes]:
        """The content; the first chunk is long enough to recognize its kind."""
        while chunk := self._file.read(CHUNK):
            while not self.bytes and len(chunk) < 4 and (more := self._file.read(CHUNK)):
                chunk += more
            self.hash.update(chunk)
            self.bytes += len(chunk)
            yield chunk


def utf8_chunks(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The content as UTF-8 without BOM, also of files that are packed (gzip, bzip2, xz, zstd) or encoded otherwise.

    Raises Damaged for broken packed data, for a file that is not text, for UTF-16 without ``--encoding``, and for bytes
    that are invalid in the given encoding.
    """
    chunks = _checked_kind(_unpacked(chunks))
    if encoding != "utf-8":
        chunks = _transcode(chunks, encoding)
    return _checked_encoding(chunks)


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(chunks, b"")
    chunks = _prepended(first, chunks)
    if first.startswith(_GZIP):
        return _gunzip(chunks)
    if _ZSTD.match(first):
        from jobctl.sources.zstd import unzstd

        return unzstd(chunks)
    if _BZIP2.match(first) or first.startswith(_XZ):
        from jobctl.sources.packed import unbzip2, unxz

        return (unxz if first.startswith(_XZ) else unbzip2)(chunks)
    return chunks


def _checked_kind(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same content. Raises Damaged for an unpacked file that is not text."""
    first = next(chunks, b"")
    if not first.isascii() or b"\0" in first or first.startswith(_ASCII_SIGNATURES):
        from jobctl.sources.foreign import refuse_foreign

        refuse_foreign(first)
    return _prepended(first, chunks)


def _checked_encoding(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The content without a BOM. Raises Damaged for UTF-16, UTF-32 and binary data."""
    first = next(chunks, b"")
    while len(first) < 4 and (more := next(chunks, b"")):
        first += more
    for bom, name in _OTHER_BOMS:
        if first.startswith(bom):
            raise Damaged("encoding", f"this is {name} text: add --encoding {name}", line=1)
    if name := _wide_encoding(first[:_EXAMINED_BYTES]):
        raise Damaged("encoding", f"this looks like {name} text: add --encoding {name}", line=1)
    if b"\0" in first:
        from jobctl.sources.foreign import refuse_binary

        refuse_binary(first)
    return _prepended(first.removeprefix(_UTF8_BOM), chunks)


def _wide_encoding(head: bytes) -> str:
    """Recognize UTF-16 without a byte order mark: the zero bytes of line ends, commas and ASCII are on one side."""
    for zeros, others, name in ((1, 0, "utf-16-le"), (0, 1, "utf-16-be")):
        count = head[zeros::2].count(0)
        if len(head) >= 4 and count >= max(2, _FEWEST_ZEROS * len(head)) and all(head[others::2]):
            with contextlib.suppress(UnicodeDecodeError):
                text = head[: len(head) & ~1].decode(name)
                if not any(character < " " and character not in "\t\r\n" for character in text):
                    return name
    return ""


def _prepended(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            data = chunk
            while data:
                if member.eof:
                    data = data.lstrip(b"\0")  # padding between members is allowed
                    if not data:
                        break
                    member = zlib.decompressobj(wbits=31)
                if plain := member.decompress(data, CHUNK):
                    yield plain
                data = member.unused_data if member.eof else member.unconsumed_tail
        yield member.flush()
    except zlib.error as error:
        raise Damaged("gzip", f"the gzip data is damaged: {error}") from error
    if not member.eof:
        raise Damaged("gzip", "the gzip data is cut off")


def _transcode(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 0
    try:
        for chunk in chunks:
            data = decoder.decode(chunk).encode()
            lines += data.count(b"\n")
            yield data
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        line = lines + 1 + _lines_before(error, encoding)
        raise Damaged("encoding", f"this is not {encoding} text: {getattr(error, 'reason', error)}", line) from error


def _lines_before(error: UnicodeError, encoding: str) -> int:
    if isinstance(error, UnicodeDecodeError):
        return error.object[: error.start].decode(encoding, "ignore").count("\n")
    return error.object[: error.start].count("\n") if isinstance(error, UnicodeEncodeError) else 0


class Blocks:
    """Cuts content after line ends, so that a block has whole lines, mostly about ``CHUNK`` bytes."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._unread = b""  # the bytes after an overlong line
        self._partial_line: list[bytes] = []  # the beginning of a line
        self._partial_size = 0

    def read(self) -> bytes:
        """The next lines; b'' at the end. Raises OverlongLine for a line that had to be skipped."""
        while chunk := self._next_chunk():
            first_end = chunk.find(b"\n")
            if self._partial_size + (len(chunk) if first_end < 0 else first_end) > RECORD_LIMIT:
                self._skip_line(chunk)
            if first_end < 0:
                self._partial_line.append(chunk)
                self._partial_size += len(chunk)
                continue
            cut = chunk.rfind(b"\n") + 1
            return self._make_block(chunk[:cut], chunk[cut:])
        return self._make_block(b"", b"")

    def _next_chunk(self) -> bytes:
        chunk, self._unread = self._unread, b""
        while not chunk:
            following = next(self._chunks, None)
            if following is None:
                return b""
            chunk = following
        return chunk

    def _make_block(self, last: bytes, rest: bytes) -> bytes:
        block = b"".join([*self._partial_line, last])
        self._partial_line = [rest] if rest else []
        self._partial_size = len(rest)
        return block

    def _skip_line(self, chunk: bytes) -> NoReturn:
        head = self._make_block(chunk, b"")[:CHUNK]
        while chunk and (end := chunk.find(b"\n")) < 0:
            chunk = self._next_chunk()
        self._unread = chunk[end + 1 :]
        raise OverlongLine(head)


def is_utf8(data: bytes) -> bool:
    """True if bytes are valid UTF-8."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
