"""Finds the cells of an xls or xlsb sheet that show an error, because calamine reads them as empty cells."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from jobctl.sources.cells import BadCell, place_name
from jobctl.sources.compound import CompoundFile
from jobctl.sources.package import Package
from jobctl.sources.problems import Damaged
from jobctl.sources.xlsx import links, main_part

_TEXTS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
_MOST_ERRORS = 200_000
#: Instead of a code: a formula that calamine skips.
_UNREAD = -1
_OLD = "is a formula in an old form: open the file in a spreadsheet program and save it as xlsx"
#: Records of xls and of xlsb.
_BOF, _EOF, _SHEET, _FORMULA, _ERROR = 0x809, 0x0A, 0x85, 0x06, 0x205
_OLD_FORMULAS = (0x206, 0x406)
_ROW_B, _ERROR_B, _FORMULA_ERROR_B, _SHEET_B = 0, 3, 11, 156

ErrorCells = dict[int, dict[int, BadCell]]
_Found = Iterator[tuple[int, int, int]]  # row, column, code


def error_cells(file: BinaryIO, kind: str, index: int) -> ErrorCells:
    """Error cells of the sheet with this index, by row and column. Raises Damaged."""
    found: ErrorCells = {}
    cells = _xlsb_errors(Package(file), index) if kind == "xlsb" else _xls_errors(CompoundFile(file), index)
    for count, (row, column, code) in enumerate(cells, 1):
        if count > _MOST_ERRORS:
            raise Damaged("workbook", f"more than {_MOST_ERRORS:,} cells show an error", row)
        text = _TEXTS.get(code, f"error {code}")
        cell = BadCell(place_name(row, column), "", _OLD) if code == _UNREAD else BadCell.error(row, column, text)
        found.setdefault(row, {})[column] = cell
    return found


def _xls_errors(container: CompoundFile, index: int) -> _Found:
    name = "Workbook" if "workbook" in {each.lower() for each in container.names} else "Book"
    begins: list[int] = []
    depth, is_ours = 0, False
    for place, kind, content in _records(container.stream(name)):
        if kind == _BOF:
            depth += 1
            is_ours = is_ours or (depth == 1 and index < len(begins) and begins[index] == place)
        elif kind == _EOF:
            depth -= 1
            if is_ours and not depth:
                return
        elif kind == _SHEET and len(content) >= 4:
            begins.append(struct.unpack_from("<I", content)[0])
        elif is_ours and depth == 1 and len(content) >= 8:
            yield from _error_of(kind, content)


def _error_of(kind: int, content: bytes) -> _Found:
    row, column = struct.unpack_from("<HH", content)
    if kind == _ERROR and content[7]:
        yield row + 1, column + 1, content[6]
    elif kind == _FORMULA and len(content) >= 14 and content[12:14] == b"\xff\xff" and content[6] == 2:
        yield row + 1, column + 1, content[8]
    elif kind in _OLD_FORMULAS:
        yield row + 1, column + 1, _UNREAD


def _records(sectors: Iterator[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Records of an xls file, each with its position."""
    rest, begin = b"", 0
    for sector in sectors:
        rest += sector
        place = 0
        while place + 4 <= len(rest):
            kind, length = struct.unpack_from("<HH", rest, place)
            if place + 4 + length > len(rest):
                break
            yield begin + place, kind, rest[place + 4 : place + 4 + length]
            place += 4 + length
        rest, begin = rest[place:], begin + place


def _xlsb_errors(package: Package, index: int) -> _Found:
    main = main_part(package)
    main = main if package.size(main) else "xl/workbook.bin"
    parts = links(package, main)
    sheets = [content for kind, content in _binary_records(package.pieces(main)) if kind == _SHEET_B]
    if index >= len(sheets):
        return
    (length,) = struct.unpack_from("<I", sheets[index], 8)
    link = sheets[index][12 : 12 + 2 * length].decode("utf-16-le", "replace")
    row = 0
    for kind, content in _binary_records(package.pieces(parts.get(link, ("", ""))[1])):
        if kind == _ROW_B and len(content) >= 4:
            row = struct.unpack_from("<I", content)[0] + 1
        elif kind in (_ERROR_B, _FORMULA_ERROR_B) and len(content) >= 9:
            yield row, struct.unpack_from("<I", content)[0] + 1, content[8]


def _binary_records(pieces: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Records of a part of an xlsb file; kind and length take a byte for every seven bits."""
    rest = b""
    for piece in pieces:
        rest += piece
        place = 0
        while (head := _head(rest, place)) is not None and head[2] + head[1] <= len(rest):
            kind, length, start = head
            yield kind, rest[start : start + length]
            place = start + length
        rest = rest[place:]


def _head(content: bytes, place: int) -> tuple[int, int, int] | None:
    """Kind, length and position of a record; None if the data ends before."""
    if place + 2 > len(content):
        return None
    kind, place = content[place], place + 1
    if kind & 0x80:
        kind, place = kind & 0x7F | (content[place] & 0x7F) << 7, place + 1
    length = 0
    for shift in (0, 7, 14, 21):
        if place >= len(content):
            return None
        byte, place = content[place], place + 1
        length |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
    return kind, length, place
