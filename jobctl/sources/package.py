"""Reads the parts of an xlsx file, XML in a ZIP archive, in pieces and within bounds."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from jobctl.sources.ordinary import Feeder
from jobctl.sources.problems import Damaged

_PIECE = 64 << 10
#: The most bytes of one tag or name in XML: more than any spreadsheet program writes.
_LONGEST_TOKEN = 4 << 20
#: The most nested elements.
DEEPEST = 256
#: A part that unpacks to more than this, and to more than this multiple of its size, is not a sheet.
_MOST_UNPACKED, _MOST_RATIO = 1 << 30, 400
#: The largest part that is kept in memory whole.
SMALL_PART = 32 << 20


class Package:
    """The archive and its parts; as the standard demands, names are compared without case."""

    def __init__(self, file: BinaryIO) -> None:
        """Raises Damaged."""
        try:
            self._archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError, EOFError) as error:
            raise Damaged(
                "workbook", f"its ZIP archive is damaged or not complete ({error}): fetch or save the file again"
            ) from error
        self._parts = {_normalized(info.filename): info for info in self._archive.infolist()}

    @property
    def names(self) -> list[str]:
        """The names of the parts in lower case."""
        return list(self._parts)

    def size(self, name: str) -> int:
        """The unpacked size of a part in bytes; 0 if the part does not exist."""
        info = self._parts.get(_normalized(name))
        return 0 if info is None else info.file_size

    def small(self, name: str) -> bytes:
        """The whole content of a small part; empty if the part does not exist. Raises Damaged."""
        return b"".join(self.pieces(name, most=SMALL_PART))

    def pieces(self, name: str, most: int | None = None) -> Iterator[bytes]:
        """The content of a part, unpacked. Raises Damaged."""
        info = self._parts.get(_normalized(name))
        if info is None:
            return
        ratio = info.file_size / max(info.compress_size, 1)
        if (most is not None and info.file_size > most) or (info.file_size > _MOST_UNPACKED and ratio > _MOST_RATIO):
            raise Damaged("workbook", f"its part {name} is too large: {info.file_size:,} bytes when it is unpacked")
        if info.flag_bits & 1:
            raise Damaged("workbook", "its ZIP archive has a password: save the workbook without one")
        try:
            with self._archive.open(info) as part:
                while piece := part.read(_PIECE):
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
            raise Damaged("workbook", f"its part {name} is damaged: {error}") from error

    def parse(self, name: str, handlers: Handlers) -> Iterator[int]:
        """Call the handlers for the elements of a part, by their names without prefix.

        Yields the number of bytes read after every piece, and at the end. Raises Damaged for content that is not XML,
        and for XML that only an attacker writes.
        """
        parser = _Parser(name, handlers)
        feeder = Feeder(handlers, parser.feed)
        feed = feeder.feed if handlers.ending else parser.feed
        read = 0
        for piece in self.pieces(name):
            read += len(piece)
            feed(piece)
            yield read
        feeder.close()
        parser.feed(b"", last=True)
        yield read


class Handlers:
    """Handlers of elements. ``depth`` counts the open ones; a subclass that does not call these methods must count."""

    depth = 0
    #: The end of the elements that ``read_ordinary`` may read; empty if there are none.
    ending = b""

    def read_ordinary(self, _text: str) -> bool:
        """Read an element with the usual spelling, given without its ending; False leaves it to the parser."""
        return False

    def start(self, _name: str, _attributes: dict[str, str]) -> None:
        """An element begins. Raises Damaged when too many are open."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise Damaged("workbook", "its XML is nested too deeply")

    def end(self, _name: str) -> None:
        """An element ends."""
        self.depth -= 1

    def text(self, _text: str) -> None:
        """Text between tags, in parts of any length."""


class _Parser:
    """Feeds a part to expat and refuses XML that is damaged, or that only an attacker writes."""

    def __init__(self, name: str, handlers: Handlers) -> None:
        self._name = name
        self._fed = 0
        self._handlers = handlers
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.buffer_size = _PIECE
        parser.StartElementHandler = self._start_first
        parser.EndElementHandler = handlers.end
        parser.CharacterDataHandler = handlers.text
        parser.StartDoctypeDeclHandler = self._refuse

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            raise Damaged("workbook", f"its part {self._name} is damaged: {error}") from error
        self._fed += len(piece)
        if self._fed - self._parser.CurrentByteIndex > _LONGEST_TOKEN:
            raise Damaged("workbook", f"its part {self._name} has a tag that is too long")

    def _start_first(self, name: str, attributes: dict[str, str]) -> None:
        """Find out at the first element whether names have a prefix: removing it costs time, and few files need it."""
        start, end = self._handlers.start, self._handlers.end
        if ":" in name:
            self._parser.StartElementHandler = lambda name, found: start(name.rpartition(":")[2], found)
            self._parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
        else:
            self._parser.StartElementHandler = start
        start(name.rpartition(":")[2], attributes)

    def _refuse(self, *_declaration: object) -> None:
        raise Damaged("workbook", f"its part {self._name} declares a document type, which no workbook does")


def _normalized(name: str) -> str:
    return posixpath.normpath("/" + name.replace("\\", "/")).lower()[1:]
