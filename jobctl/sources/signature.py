"""Recognizes the kind of a workbook by its content. The error for another file names its kind and a remedy."""

from __future__ import annotations

from typing import BinaryIO

from jobctl.sources.contents import describe_file
from jobctl.sources.problems import Damaged

ZIP, OLE2 = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEAD = 8 << 10


def book_kind(file: BinaryIO) -> str:
    """``xlsx``, ``xlsb``, ``ods`` or ``xls``. Raises Damaged for another file; the error names its kind."""
    file.seek(0)
    head = file.read(_HEAD)
    if head.startswith(ZIP):
        return _archive_kind(file)
    if head.startswith(OLE2):
        from jobctl.sources.compound import compound_kind

        return compound_kind(file)
    raise _wrong_kind(*describe_file(head, _HEAD))


def _archive_kind(file: BinaryIO) -> str:
    from jobctl.sources.package import Package
    from jobctl.sources.xlsx import main_part

    package = Package(file)
    names = set(package.names)
    if "content.xml" in names:
        return _document_kind(package.small("mimetype")[:200].decode("ascii", "replace"))
    if any(name.startswith("index/") and name.endswith(".iwa") for name in names) or "index.zip" in names:
        raise _wrong_kind(
            "is a document of Apple Numbers, Pages or Keynote", "export it: File > Export To > Excel or CSV"
        )
    main = main_part(package).lower()
    if main.endswith(".bin") or "xl/workbook.bin" in names:
        return "xlsb"
    if main.startswith("word/") or "word/document.xml" in names:
        raise _wrong_kind("is a document of Word", "copy its table to a spreadsheet and save that")
    if main.startswith("ppt/") or "ppt/presentation.xml" in names:
        raise _wrong_kind("is a presentation of PowerPoint", "give a workbook")
    if package.size(main):
        return "xlsx"
    some = ", ".join(sorted(names)[:3])
    raise _wrong_kind(f"is a ZIP archive without a workbook in it ({some or 'it is empty'})", "unpack it first")


def _document_kind(mime: str) -> str:
    if not mime or "opendocument.spreadsheet" in mime:
        return "ods"
    raise _wrong_kind(f"is an OpenDocument file, but not a spreadsheet ({mime.rpartition('.')[2]})", "give a workbook")


def _wrong_kind(what: str, remedy: str) -> Damaged:
    return Damaged("workbook", f"this is not a workbook: it {what}", hint=remedy)
