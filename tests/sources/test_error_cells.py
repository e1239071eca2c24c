"""Error cells of xls and xlsb sheets, which calamine reads as empty cells."""

import io
import struct
import zipfile

import pytest

from jobctl.sources.cells import BadCell
from jobctl.sources.errorcells import error_cells

CODES = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}


def record(kind, content=b""):
    return struct.pack("<HH", kind, len(content)) + content


def xls(*sheets):
    """A workbook stream of these sheets, in the container of old Office programs."""
    head = record(0x809, bytes(16))
    listed = len(sheets) * len(record(0x85, bytes(10)))
    place = len(head) + listed + 4
    content = b"".join(sheets)
    begins, at = [], place
    for sheet in sheets:
        begins.append(at)
        at += len(sheet)
    names = b"".join(record(0x85, struct.pack("<IHBBH", begin, 0, 1, 0, 65)) for begin in begins)
    stream = (head + names + record(0x0A) + content).ljust(8192, b"\0")
    sectors = len(stream) // 512
    table = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 2 + sectors), 0xFFFFFFFE]
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<H", header, 30, 9)
    struct.pack_into("<I", header, 48, 1)
    struct.pack_into("<II109I", header, 68, 0xFFFFFFFE, 0, 0, *[0xFFFFFFFF] * 108)
    name = "Workbook\0".encode("utf-16-le")
    entry = (
        name.ljust(64, b"\0") + struct.pack("<H", len(name)) + bytes(50) + struct.pack("<II", 2, len(stream)) + bytes(4)
    )
    return bytes(header) + struct.pack(f"<{len(table)}I", *table).ljust(512, b"\xff") + entry.ljust(512, b"\0") + stream


def sheet(*records):
    return record(0x809, bytes(16)) + b"".join(records) + record(0x0A)


def xlsb_record(kind, content=b""):
    sizes = [kind] if kind < 128 else [kind & 0x7F | 0x80, kind >> 7]
    return bytes([*sizes, len(content)]) + content


@pytest.mark.parametrize(("code", "text"), CODES.items())
def test_error_cells_of_xls(code, text):
    error = record(0x205, struct.pack("<HHHBB", 1, 2, 0, code, 1))
    truth = record(0x205, struct.pack("<HHHBB", 1, 3, 0, code, 0))
    formula = record(0x06, struct.pack("<HHHBBBBBBHHIH", 4, 0, 0, 2, 0, code, 0, 0, 0, 0xFFFF, 0, 0, 0))
    text_formula = record(0x06, struct.pack("<HHHBBBBBBHHIH", 5, 0, 0, 0, 0, code, 0, 0, 0, 0xFFFF, 0, 0, 0))
    chart = record(0x809, bytes(16)) + error + record(0x0A)
    book = xls(sheet(truth), sheet(chart, error, truth, formula, text_formula), sheet(error))
    assert error_cells(io.BytesIO(book), "xls", 1) == {
        2: {3: BadCell("C2", text, f"is the error {text}")},
        5: {1: BadCell("A5", text, f"is the error {text}")},
    }
    assert error_cells(io.BytesIO(book), "xls", 0) == {}


def test_error_cells_of_xlsb():
    def cells(*made):
        return xlsb_record(0, struct.pack("<I", 6) + bytes(13)) + b"".join(made)

    def bundle(link):
        return xlsb_record(156, struct.pack("<III", 0, 1, len(link)) + link.encode("utf-16-le") + bytes(6))

    error = xlsb_record(3, struct.pack("<IIB", 1, 0, 0x2A))
    formula = xlsb_record(11, struct.pack("<IIB", 2, 0, 0x07) + bytes(80))
    number = xlsb_record(5, struct.pack("<IId", 3, 0, 1.5))
    links = "".join(f'<Relationship Id="r{n}" Type="http://x/worksheet" Target="worksheets/{n}.bin"/>' for n in (1, 2))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.bin", xlsb_record(131) + bundle("r2") + bundle("r1"))
        archive.writestr("xl/_rels/workbook.bin.rels", f"<Relationships>{links}</Relationships>")
        archive.writestr("xl/worksheets/1.bin", cells(number))
        archive.writestr("xl/worksheets/2.bin", cells(error, formula, number))
    found = error_cells(file, "xlsb", 0)
    assert {column: cell.text for column, cell in found[7].items()} == {2: "#N/A", 3: "#DIV/0!"}
    assert error_cells(file, "xlsb", 1) == {}
