"""Recognizes a file by its content where a workbook or Parquet file is expected, and the options that text needs."""

from __future__ import annotations

import re

from jobctl.sources.foreign import HTML, foreign_kind
from jobctl.sources.header import delimiter_name

SAVE_ADVICE = "open it in a spreadsheet program and save it as xlsx or CSV"
_BINARY_SHEET = re.compile(rb"\x09[\x00\x02\x04\x08][\x04-\x10]\x00")  # Excel 2 to 5 without a container
_SHORTCUT = re.compile(rb'\s*\{[^}]*"(?:url|doc_id)"\s*:', re.DOTALL)
#: Of two delimiters that occur equally often, the first one counts.
_DELIMITERS = "\t;|,"


def describe_file(head: bytes, limit: int) -> tuple[str, str]:
    """The kind of a file as the end of a sentence, and the remedy, by at most ``limit`` first bytes of the file."""
    if not head:
        return "is empty (0 bytes)", "save or fetch it again"
    if (found := foreign_kind(head)) is not None:
        return f"is {found[0]}", found[1]
    if _BINARY_SHEET.match(head):
        return "is in the format of an Excel before 1997", SAVE_ADVICE
    if head.startswith(b"ID;P"):
        return "is a SYLK file", SAVE_ADVICE
    if _is_xml(head) and b"urn:schemas-microsoft-com:office:spreadsheet" in head:
        return "is an XML Spreadsheet of Excel 2003", SAVE_ADVICE
    if _is_xml(head) and b"opendocument" in head:
        return "is a flat OpenDocument file (fods)", SAVE_ADVICE
    if HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "is an HTML page", SAVE_ADVICE
    if _SHORTCUT.match(head) and b"docs.google.com" in head:
        return "is only a link to a Google sheet", "in the sheet: File > Download > Microsoft Excel (.xlsx) or CSV"
    return _describe_text(head, limit)


def _describe_text(head: bytes, limit: int) -> tuple[str, str]:
    encoding, text = _decode(head, limit)
    if text is None or any(ord(char) < 32 and char not in "\t\r\n\f" for char in text):
        return f"is in no format that is known (it begins with {head[:16]!r})", SAVE_ADVICE
    option_for_encoding = "" if encoding == "utf-8" else f" --encoding {encoding}"
    if text.lstrip()[:1] in ("{", "["):
        return "is JSON text", f"add --format jsonl{option_for_encoding}"
    if text.lstrip().startswith("<"):
        return "is XML text", SAVE_ADVICE
    line = next((each for each in text.splitlines() if each.strip()), "")
    delimiter = max(_DELIMITERS, key=line.count)
    if not line.count(delimiter):
        return "is text", f"add --format csv{option_for_encoding}, or --format lines{option_for_encoding}"
    name = delimiter_name(delimiter)
    option = {"comma": "--format csv", "tab": "--format tsv"}.get(name, f"--format csv --delimiter {name}")
    return f"is text with {name}s between its fields", f"add {option}{option_for_encoding}"


def _decode(head: bytes, limit: int) -> tuple[str, str | None]:
    """The encoding that a text is in and its beginning; None for bytes that are not text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", head[: len(head) & ~1].decode("utf-16", "replace")
    if b"\0" in head:
        if len(head) >= 4 and not any(head[1:64:2]):
            return "utf-16-le", head[: len(head) & ~1].decode("utf-16-le", "replace")
        return "", None
    try:
        return "utf-8", head.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        if error.start > len(head) - 4 and len(head) == limit:  # a character is cut in two
            return "utf-8", head[: error.start].decode()
        return "cp1252", head.decode("cp1252", "replace")


def _is_xml(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
