"""Files that are not workbooks despite their names: the message names the kind of the content and the remedy."""

import io
import struct
import zipfile

import pytest

from jobctl.errors import JobctlError
from jobctl.sources import InputOptions, open_source
from jobctl.sources.problems import Damaged
from jobctl.sources.signature import book_kind
from tests.sources.books import row, write_book


def zipped(*names, **contents):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, contents.get(name.partition(".")[0], "x"))
    return file.getvalue()


def compound(*names):
    """A container of old Office programs with streams of these names, of one sector each."""
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<H", header, 30, 9)
    struct.pack_into("<I", header, 48, 1)  # the directory is sector 1
    struct.pack_into("<II", header, 68, 0xFFFFFFFE, 0)
    struct.pack_into("<109I", header, 76, 0, *[0xFFFFFFFF] * 108)
    table = struct.pack("<128I", 0xFFFFFFFD, *[0xFFFFFFFE] * 127)
    entries = b""
    for name in names:
        text = name.encode("utf-16-le") + b"\0\0"
        entries += (
            text.ljust(64, b"\0") + struct.pack("<H", len(text)) + bytes(50) + struct.pack("<II", 2, 0) + bytes(4)
        )
    return bytes(header) + table + entries.ljust(512, b"\0")


XML_2003 = (
    b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
    b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
)
OTHERS = [
    (b"", "it is empty (0 bytes)", "again"),
    (b"id,name\n1,Ann\n", "it is text with commas between its fields", "add --format csv"),
    (b"id\tname\n1\tAnn\n", "text with tabs", "add --format tsv"),
    (b"id;name\n1;Ann\n", "text with semicolons", "add --format csv --delimiter semicolon"),
    ("id;größe\n1;2\n".encode("cp1252"), "text with semicolons", "--delimiter semicolon --encoding cp1252"),
    ("id\tname\n1\tAnn\n".encode("utf-16"), "text with tabs", "add --format tsv --encoding utf-16"),
    (b"id\n1\n", "it is text", "--format lines"),
    (b'{"id": 1}\n', "JSON text", "--format jsonl"),
    (b'{"url": "https://docs.google.com/open?id=1", "doc_id": "1"}', "a link to a Google sheet", "Download"),
    (b"\xef\xbb\xbf<html><table><tr><td>id", "an HTML page", "save it as xlsx or CSV"),
    (b"<TABLE border=1>", "an HTML page", "save it as xlsx or CSV"),
    (XML_2003, "an XML Spreadsheet of Excel 2003", "save it as xlsx or CSV"),
    (b"ID;PWXL;N;E\nP;PGeneral\n", "a SYLK file", "save it as xlsx or CSV"),
    (b"\x09\x08\x10\x00\x00\x06\x05\x00", "the format of an Excel before 1997", "save it as xlsx or CSV"),
    (b"PAR1" + bytes(20), "a Parquet file", "add --format parquet"),
    (b"\x1f\x8b\x08" + bytes(20), "packed by gzip", "gunzip"),
    (b"%PDF-1.7\n", "a PDF document", "pdftotext"),
    (bytes(range(256)), "in no format that is known", "save it as xlsx or CSV"),
    (zipped("word/document.xml"), "a document of Word", "save that"),
    (zipped("ppt/presentation.xml"), "a presentation", "give a workbook"),
    (zipped("Index/Document.iwa"), "Apple Numbers", "Export To"),
    (zipped("rows.csv"), "a ZIP archive without a workbook in it (rows.csv)", "unpack it first"),
    (zipped("mimetype", "content.xml", mimetype="opendocument.text"), "not a spreadsheet (text)", "workbook"),
    (compound("Root Entry", "WordDocument"), "a document of Word", "give a workbook"),
    (compound("Root Entry", "x"), "a file of another program", "give a workbook"),
]


@pytest.mark.parametrize(("content", "what", "command"), OTHERS, ids=[what for _, what, _ in OTHERS])
def test_a_file_that_is_not_a_workbook_is_named_with_the_command_to_type(content, what, command):
    with pytest.raises(Damaged) as caught:
        book_kind(io.BytesIO(content))
    message = caught.value.problem.message
    assert message.startswith("this is not a workbook: it ")
    assert what in message
    assert command in caught.value.hint


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (compound("Root Entry", "EncryptionInfo", "EncryptedPackage"), "is encrypted with a password"),
        (compound("Root Entry", "Workbook")[:700], "is damaged or not complete"),
        (zipped("xl/workbook.xml", "x" * 1000)[:300], "ZIP archive is damaged or not complete"),
    ],
)
def test_a_workbook_that_cannot_be_read_says_why(content, said):
    with pytest.raises(Damaged, match=said):
        book_kind(io.BytesIO(content))


def test_kinds_of_workbooks_are_recognised():
    assert book_kind(io.BytesIO(zipped("xl/workbook.xml"))) == "xlsx"
    assert book_kind(io.BytesIO(zipped("xl/workbook.bin"))) == "xlsb"
    assert book_kind(io.BytesIO(zipped("mimetype", "content.xml", mimetype="opendocument.spreadsheet"))) == "ods"
    assert book_kind(io.BytesIO(compound("Root Entry", "Workbook"))) == "xls"


def refused(path):
    with pytest.raises(JobctlError) as caught, open_source(InputOptions(str(path)), io.BytesIO()) as source:
        list(source.batches())
    return caught.value


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt", "a.jsonl"])
def test_a_workbook_with_the_name_of_a_text_is_named(tmp_path, name):
    error = refused(write_book(tmp_path / name, row("id")))
    assert "this is a workbook" in error.details[0]
    assert error.hint == "add --format xlsx"


def test_a_text_with_the_name_of_a_workbook_is_named(tmp_path):
    (tmp_path / "a.xls").write_text("id\tname\n1\tAnn\n")
    error = refused(tmp_path / "a.xls")
    assert error.details == ("this is not a workbook: it is text with tabs between its fields",)
    assert error.hint == "add --format tsv"
