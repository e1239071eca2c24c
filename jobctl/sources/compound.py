"""Reads the streams of files in the container of old Office programs (OLE2, a file system in a file)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from jobctl.sources.problems import Damaged, encrypted_workbook

_END = 0xFFFFFFFA  # this value and those above it are not numbers of sectors
#: The most sectors in a chain; a longer chain is a loop, or a file that is too large to read here.
_LONGEST = 1 << 22
_SMALL = 4096
_FILEPASS, _EOF = 0x2F, 0x0A


class CompoundFile:
    """The streams of a file by name. Raises Damaged for an incomplete or damaged file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        header = self._at(0, 512)
        self._sector = 1 << _number(header, 30, "<H")
        if self._sector not in (512, 4096):
            raise _damaged()
        self._table = self._sectors_of_table(header)
        self._small_table = _number(header, 60)
        self._entries = list(self._read_entries(_number(header, 48)))

    @property
    def names(self) -> list[str]:
        """The names of streams and folders."""
        return [name for name, _, _ in self._entries]

    def stream(self, name: str) -> Iterator[bytes]:
        """The content of a stream, in pieces."""
        for found, start, size in self._entries:
            if found.lower() == name.lower():
                if size < _SMALL:
                    yield self._small_stream(start, size)
                    return
                for sector in islice(self._chain(start), -(-size // self._sector)):
                    yield self._at((sector + 1) * self._sector, self._sector)
                return

    def _small_stream(self, place: int, size: int) -> bytes:
        """A small stream, which is a part of the root's stream; a table of its own chains its sectors."""
        chain = b"".join(
            self._at((sector + 1) * self._sector, self._sector) for sector in self._chain(self._small_table)
        )
        _, start, length = self._entries[0]
        sectors = list(islice(self._chain(start), -(-length // self._sector)))
        content = b""
        while len(content) < size and place < _END:
            number, rest = divmod(place * 64, self._sector)
            if number >= len(sectors) or 4 * place + 4 > len(chain):
                raise _damaged()
            content += self._at((sectors[number] + 1) * self._sector + rest, 64)
            place = _number(chain, 4 * place)
        return content[:size]

    def _sectors_of_table(self, header: bytes) -> list[int]:
        """The sectors of the allocation table: the header names the first 109, a chain names the others."""
        found = list(struct.unpack("<109I", header[76:512]))
        more, count = _number(header, 68), 0
        while more < _END and count < 1_000:
            numbers = struct.unpack(f"<{self._sector // 4}I", self._at((more + 1) * self._sector, self._sector))
            found += numbers[:-1]
            more, count = numbers[-1], count + 1
        return [number for number in found if number < _END]

    def _chain(self, sector: int) -> Iterator[int]:
        per_sector = self._sector // 4
        for _ in range(_LONGEST):
            if sector >= _END:
                return
            yield sector
            place, rest = divmod(sector, per_sector)
            if place >= len(self._table):
                raise _damaged()
            sector = _number(self._at((self._table[place] + 1) * self._sector + 4 * rest, 4), 0)
        raise _damaged()

    def _read_entries(self, start: int) -> Iterator[tuple[str, int, int]]:
        for number, sector in enumerate(self._chain(start)):
            if number > 10_000:
                raise _damaged()
            content = self._at((sector + 1) * self._sector, self._sector)
            for place in range(0, self._sector, 128):
                entry = content[place : place + 128]
                length = _number(entry, 64, "<H")
                if 2 <= length <= 64:
                    name = entry[: length - 2].decode("utf-16-le", "replace")
                    yield name, _number(entry, 116), _number(entry, 120)

    def _at(self, place: int, size: int) -> bytes:
        self._file.seek(place)
        content = self._file.read(size)
        if len(content) < size and size <= 512:
            raise _damaged()
        return content.ljust(size, b"\0")


def compound_kind(file: BinaryIO) -> str:
    """``xls`` for a workbook. Raises Damaged for other files in such a container: encrypted workbooks, documents."""
    found = CompoundFile(file)
    names = {name.lower() for name in found.names}
    if "encryptedpackage" in names:
        raise encrypted_workbook()
    if names & {"workbook", "book"}:
        if _has_password(found.stream("workbook" if "workbook" in names else "book")):
            raise encrypted_workbook()
        return "xls"
    for name, what in (("worddocument", "a document of Word"), ("powerpoint document", "a presentation of PowerPoint")):
        if name in names:
            raise Damaged("workbook", f"this is not a workbook: it is {what}", hint="give a workbook")
    raise Damaged("workbook", "this is not a workbook: it is a file of another program (OLE2)", hint="give a workbook")


def _has_password(content: Iterator[bytes]) -> bool:
    """True if one of the first records of a workbook marks the others as encrypted."""
    head = b"".join(islice(content, 16))
    place = 0
    while place + 4 <= len(head):
        kind, length = struct.unpack_from("<HH", head, place)
        if kind in (_FILEPASS, _EOF):
            return bool(kind == _FILEPASS)
        place += 4 + length
    return False


def _number(content: bytes, place: int, form: str = "<I") -> int:
    found: int = struct.unpack_from(form, content, place)[0]
    return found


def _damaged() -> Damaged:
    return Damaged("workbook", "the workbook (OLE2) is damaged or not complete", hint="fetch or save the file again")
