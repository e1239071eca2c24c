"""Recognizes a file that is not text although text is expected, and names the command that makes rows of it."""

from __future__ import annotations

import re

from jobctl.sources.problems import Damaged

_TEXT = "jobctl submit - --format csv"


def _as_parquet(load: str, table: str) -> str:
    """The command that writes a table as a Parquet file."""
    return f"python3 -c \"{load}, pyarrow.parquet as p; p.write_table({table}, 'FILE.parquet')\""


#: The first bytes of a file, the kind of the file, and the command to type.
_SIGNATURES = (
    (b"PK\x03\x04", "a ZIP archive", f"unzip -p FILE | {_TEXT}; if it is a workbook, add --format xlsx"),
    (b"\x1f\x8b", "packed by gzip", "unpack it first: gunzip FILE"),
    (b"BZh91AY&SY", "packed by bzip2", "unpack it first: bunzip2 FILE"),
    (b"\xfd7zXZ\0", "packed by xz", "unpack it first: unxz FILE"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd", "unpack it first: unzstd FILE"),
    (b"PK\x05\x06", "a ZIP archive, and there is nothing in it", "make it again"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", f"7z x -so FILE | {_TEXT}"),
    (b"Rar!\x1a\x07", "a RAR archive", f"unrar p -inul FILE | {_TEXT}"),
    (b"\x04\x22\x4d\x18", "packed by lz4", f"lz4 -dc FILE | {_TEXT}"),
    (b"\x1f\x9d", "packed by compress", f"gzip -dc FILE | {_TEXT}"),
    (b"LZIP", "packed by lzip", f"lzip -dc FILE | {_TEXT}"),
    (b"\x89LZO", "packed by lzop", f"lzop -dc FILE | {_TEXT}"),
    (b"\xff\x06\0\0sNaPpY", "packed by snappy", f"snzip -dc FILE | {_TEXT}"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document", "if it is a workbook, add --format xlsx"),
    (b"PAR1", "a Parquet file", "add --format parquet"),
    (b"SQLite format 3\0", "an SQLite database", f"sqlite3 -csv -header FILE 'select * from TABLE' | {_TEXT}"),  # noqa: S608 - advice
    (b"ARROW1", "an Arrow (Feather) file", _as_parquet("import pyarrow.feather as f", "f.read_table('FILE')")),
    (
        b"FEA1\0",
        "a Feather file of the first version",
        _as_parquet("import pyarrow.feather as f", "f.read_table('FILE')"),
    ),
    (
        b"\xff\xff\xff\xff",
        "an Arrow stream",
        _as_parquet("import pyarrow as a", "a.ipc.open_stream('FILE').read_all()"),
    ),
    (b"Obj\x01", "an Avro file", "avro cat FILE | jobctl submit - --format jsonl"),
    (b"ORC", "an ORC file", _as_parquet("import pyarrow.orc as o", "o.read_table('FILE')")),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "write it as Parquet or CSV"),
    (b"%PDF-", "a PDF document", "pdftotext -layout FILE - shows its text"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture", "a list of pictures is needed: ls *.png | jobctl submit - --format lines"),
    (b"\xff\xd8\xff", "a JPEG picture", "a list of pictures is needed: ls *.jpg | jobctl submit - --format lines"),
    (b"GIF8", "a GIF picture", "a list of pictures is needed: ls *.gif | jobctl submit - --format lines"),
    (b"\x7fELF", "a program", "the file of rows comes first: jobctl submit FILE -- PROGRAM {}"),
    (b"-----BEGIN PGP MESSAGE", "encrypted by PGP", f"gpg -d FILE | {_TEXT}"),
    (b"Salted__", "encrypted by openssl", f"openssl enc -d ... -in FILE | {_TEXT}"),
    (b"version https://git-lfs.github.com/spec/", "a pointer of Git LFS, not the file itself", "git lfs pull"),
)
#: Names in the ZIP archive of a workbook: Excel and LibreOffice.
_BOOK = re.compile(rb"xl/|\[Content_Types\]\.xml|opendocument\.spreadsheet")
_TAR = (b"ustar\x0000", b"ustar  \0")
_TAR_AT = 257
#: Control characters that text does not have; white space and the beginning of a colour are not among them.
_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_HEAD = 4096
#: First bytes that a header can have too (``ORCID,name``). In text, no control characters follow them.
_ALSO_TEXT = (b"ORC", b"PAR1", b"ARROW1", b"LZIP", b"GIF8")
#: A text with fewer odd bytes than this is a text with bad rows.
_MOST_CONTROL = 0.1
#: A web page: one pattern for inputs that may have a tag in their first field, and one for other inputs.
_PAGE = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html)\b", re.IGNORECASE | re.DOTALL)

HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta|style|div)\b",
    re.IGNORECASE | re.DOTALL,
)


def refuse_foreign(head: bytes) -> None:
    """Raise Damaged for the first bytes of an unpacked file that is not text."""
    if found := foreign_kind(head):
        raise Damaged("binary", f"this is {found[0]}", hint=found[1])


def foreign_kind(head: bytes) -> tuple[str, str] | None:
    """Name the kind of a file by its first bytes, and the command to type; None for an unknown kind."""
    if head.startswith(b"PK\x03\x04") and _BOOK.search(head):
        return "a workbook", "add --format xlsx"
    if head.startswith(_ALSO_TEXT) and not _CONTROL.search(head[:_HEAD]):
        return None
    if head.startswith(_TAR, _TAR_AT):
        name = f"{head[:100].rstrip(bytes(1)).decode('utf-8', 'replace')!a}"
        hint = f"tar -xOf FILE NAME | {_TEXT}; tar -tf FILE shows the names"
        return f"a tar archive (its first file is {name})", hint
    return next(((what, command) for signature, what, command in _SIGNATURES if head.startswith(signature)), None)


def refuse_binary(head: bytes) -> None:
    """Raise Damaged for the first bytes of an unpacked UTF-8 file that have far too many control characters."""
    begin = head[:_HEAD]
    if len(_CONTROL.findall(begin)) > max(4, _MOST_CONTROL * len(begin)):
        raise Damaged("binary", "this is binary data, not text", hint="file FILE says what it is")


def refuse_page(head: bytes) -> None:
    """Raise Damaged for a web page where rows are expected; most such pages are a login page or an error."""
    if _PAGE.match(head):
        hint = "was it fetched without a login? look at it; curl -f fails where a server answers with an error"
        raise Damaged("page", "this is an HTML page", line=1, hint=hint)
