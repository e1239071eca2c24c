"""What a file is by its content, for files whose name says something else."""

from __future__ import annotations

import re
from typing import BinaryIO

from jobctl.sources.foreign import foreign_kind
from jobctl.sources.problems import Damaged

ZIP, OLE2, _GZIP = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x1f\x8b"
_SAVE = "open it in a spreadsheet program and save it as xlsx or CSV"
_HEAD = 8 << 10
_BINARY_SHEET = re.compile(rb"\x09[\x00\x02\x04\x08][\x04-\x10]\x00")  # Excel 2 to 5 without a container
_SHORTCUT = re.compile(rb'\s*\{[^}]*"(?:url|doc_id)"\s*:', re.DOTALL)
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta|style|div)\b",
    re.IGNORECASE | re.DOTALL,
)
_DELIMITERS = {"\t": "tab", ";": "semicolon", "|": "pipe", ",": "comma"}


def book_kind(file: BinaryIO) -> str:
    """``xlsx``, ``xlsb``, ``ods`` or ``xls``. Raises Damaged for another file, saying what it is and what to do."""
    file.seek(0)
    head = file.read(_HEAD)
    if head.startswith(ZIP):
        return _archive_kind(file)
    if head.startswith(OLE2):
        from jobctl.sources.compound import compound_kind

        return compound_kind(file)
    raise _not(*_what(head))


def _archive_kind(file: BinaryIO) -> str:
    from jobctl.sources.package import Package
    from jobctl.sources.xlsx import main_part

    package = Package(file)
    names = set(package.names)
    if "content.xml" in names:
        return _document_kind(package.small("mimetype")[:200].decode("ascii", "replace"))
    if any(name.startswith("index/") and name.endswith(".iwa") for name in names) or "index.zip" in names:
        raise _not("is a document of Apple Numbers, Pages or Keynote", "export it: File > Export To > Excel or CSV")
    main = main_part(package).lower()
    if main.endswith(".bin") or "xl/workbook.bin" in names:
        return "xlsb"
    if main.startswith("word/") or "word/document.xml" in names:
        raise _not("is a document of Word", "copy its table to a spreadsheet and save that")
    if main.startswith("ppt/") or "ppt/presentation.xml" in names:
        raise _not("is a presentation of PowerPoint", "give a workbook")
    if package.size(main):
        return "xlsx"
    some = ", ".join(sorted(names)[:3])
    raise _not(f"is a ZIP archive without a workbook in it ({some or 'it is empty'})", "unpack it first")


def _document_kind(mime: str) -> str:
    if not mime or "opendocument.spreadsheet" in mime:
        return "ods"
    raise _not(f"is an OpenDocument file that is no spreadsheet ({mime.rpartition('.')[2]})", "give a workbook")


def _what(head: bytes) -> tuple[str, str]:
    if not head:
        return "is empty (0 bytes)", "save or fetch it again"
    if head.startswith(_GZIP):
        return "is packed by gzip", "unpack it first: gunzip FILE"
    if (found := foreign_kind(head)) is not None:
        return f"is {found[0]}", found[1]
    if _BINARY_SHEET.match(head):
        return "is in the format of an Excel before 1997", _SAVE
    if head.startswith(b"ID;P"):
        return "is a SYLK file", _SAVE
    if _is_xml(head) and b"urn:schemas-microsoft-com:office:spreadsheet" in head:
        return "is an XML Spreadsheet of Excel 2003", _SAVE
    if _is_xml(head) and b"opendocument" in head:
        return "is a flat OpenDocument file (fods)", _SAVE
    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "is an HTML page, as web sites like to name xls", _SAVE
    if _SHORTCUT.match(head) and b"docs.google.com" in head:
        return "is only a link to a Google sheet", "in the sheet: File > Download > Microsoft Excel (.xlsx) or CSV"
    return _what_text(head)


def _what_text(head: bytes) -> tuple[str, str]:
    encoding, text = _decoded(head)
    if text is None or any(ord(char) < 32 and char not in "\t\r\n\f" for char in text):
        return f"is in no format that is known (it begins with {head[:16]!r})", _SAVE
    said = "" if encoding == "utf-8" else f" --encoding {encoding}"
    if text.lstrip()[:1] in ("{", "["):
        return "is JSON text", f"add --format jsonl{said}"
    if text.lstrip().startswith("<"):
        return "is XML text", _SAVE
    line = next((each for each in text.splitlines() if each.strip()), "")
    delimiter = max(_DELIMITERS, key=line.count)
    if not line.count(delimiter):
        return "is text", f"add --format csv{said}, or --format lines{said}"
    name = _DELIMITERS[delimiter]
    option = {"comma": "--format csv", "tab": "--format tsv"}.get(name, f"--format csv --delimiter {name}")
    return f"is text with {name}s between its fields", f"add {option}{said}"


def _decoded(head: bytes) -> tuple[str, str | None]:
    """The encoding that a text is in and its beginning; None if it is no text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", head[: len(head) & ~1].decode("utf-16", "replace")
    if b"\0" in head:
        if len(head) >= 4 and not any(head[1:64:2]):
            return "utf-16-le", head[: len(head) & ~1].decode("utf-16-le", "replace")
        return "", None
    try:
        return "utf-8", head.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        if error.start > len(head) - 4 and len(head) == _HEAD:  # a character is cut in two
            return "utf-8", head[: error.start].decode()
        return "cp1252", head.decode("cp1252", "replace")


def _is_xml(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def _not(what: str, way_out: str) -> Damaged:
    return Damaged("workbook", f"this is no workbook: it {what}", hint=way_out)
