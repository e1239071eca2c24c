"""The format of an upload, by its content type, the name of its file, or its first bytes."""

from __future__ import annotations

from typing import NamedTuple

from python_multipart.multipart import parse_options_header

from jobctl.http.problems import Refused
from jobctl.sources.options import format_of_name, unpacked_name

JSON = "json"
#: The format of each content type. A form, and what tells nothing, are not among them.
_FORMATS = {
    "text/csv": "csv",
    "application/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/jsonl": "jsonl",
    "application/jsonlines": "jsonl",
    "application/json-lines": "jsonl",
    "application/x-jsonlines": "jsonl",
    "application/ndjson": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/json": JSON,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.ms-excel.sheet.macroenabled.12": "xlsx",
    "application/vnd.ms-excel.sheet.binary.macroenabled.12": "xlsx",
    "application/vnd.oasis.opendocument.spreadsheet": "xlsx",
    "application/vnd.apache.parquet": "parquet",
    "application/x-parquet": "parquet",
    "application/parquet": "parquet",
}
#: Types that browsers and programs give to files of many kinds, and the format if neither name nor content tells more.
_VAGUE = {
    "": "",
    "application/octet-stream": "",
    "binary/octet-stream": "",
    "application/gzip": "",
    "application/x-gzip": "",
    "application/zstd": "",
    "application/x-bzip2": "",
    "application/x-xz": "",
    "text/plain": "lines",
    "application/vnd.ms-excel": "csv",  # Windows gives it to CSV files as well
}
FORM = "multipart/form-data"
_MAGIC = ((b"PK\x03\x04", "xlsx"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xlsx"), (b"PAR1", "parquet"))
_PACKED = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd", "bzip2": b"BZh", "xz": b"\xfd7zXZ"}
_TYPES = (
    "text/csv, text/tab-separated-values, application/x-ndjson, application/json, text/plain (lines),"
    " multipart/form-data, and those of xlsx, ods and Parquet files"
)
ENCODINGS = tuple(name for name in _PACKED if not name.startswith("x-"))


class BodyType(NamedTuple):
    """What a content type says; ``format`` is empty if it tells nothing."""

    type: str
    format: str = ""
    header: bool = True  # of a table
    charset: str | None = None

    @property
    def is_vague(self) -> bool:
        """Whether the name of the file and its content tell more."""
        return self.type in _VAGUE


def body_type(content_type: str) -> BodyType:
    """Read a ``Content-Type``. Raises Refused (415) for a type that is not rows."""
    kind, parameters = parse_options_header(content_type)
    name = kind.decode("latin-1").strip().lower()
    charset = parameters.get(b"charset", b"").decode("latin-1").lower()
    if name not in _FORMATS and name not in _VAGUE:
        raise _unsupported(name)
    return BodyType(
        name,
        _FORMATS.get(name, ""),
        header=parameters.get(b"header", b"").lower() != b"absent",
        charset=charset if charset not in ("", "utf-8", "utf8", "us-ascii") else None,
    )


def format_of(found: BodyType, name: str, head: bytes) -> str:
    """The format of a file with this name and these first bytes. Raises Refused (415) if nothing tells it."""
    if not found.is_vague:
        return found.format
    magic = next((kind for mark, kind in _MAGIC if head.startswith(mark)), "")
    known = magic or format_of_name(name) or _VAGUE[found.type]
    if not known:
        raise _unsupported(found.type)
    return known


def check_encoding(coding: str, head: bytes, kind: str) -> None:
    """Raise Refused for a ``Content-Encoding`` that is unknown, or is not that of the bytes."""
    name = coding.strip().lower()
    if name in ("", "identity"):
        return
    if name not in _PACKED:
        raise Refused(
            415,
            f"Content-Encoding {coding[:100]!r} is not known",
            hint=f"one of {', '.join(ENCODINGS)}",
            headers={"Accept-Encoding": ", ".join(ENCODINGS)},
        )
    if kind in ("xlsx", "parquet", JSON):
        raise Refused(415, f"a body of {kind} is not unpacked", hint="send it without Content-Encoding")
    if not head.startswith(_PACKED[name]):
        raise Refused(400, f"the body is not {name}, although Content-Encoding says so", code="invalid_encoding")


def _unsupported(name: str) -> Refused:
    hint = f"Content-Type is one of {_TYPES}"
    if name == "application/x-www-form-urlencoded":
        hint = f"curl --data-binary needs the type: -H 'Content-Type: text/csv'; {hint}"
    elif name in _VAGUE:
        hint = f"name the file with ?filename=orders.csv, or its format with ?format=csv; {hint}"
    what = f"the content type {name[:100]!r} does not tell" if name else "without a Content-Type, nothing tells"
    return Refused(415, f"{what} which rows the body has", hint=hint, headers={"Accept": "text/csv, application/json"})


def harmless_name(given: str, default: str) -> str:
    """The last part of a path that a client sends, as a name that can be shown and is not a path."""
    last = given.replace("\\", "/").rpartition("/")[2]
    kept = "".join(char for char in last if char.isprintable()).strip()
    if kept.strip(".-") == "" or not unpacked_name(kept):
        return default
    return kept if len(kept) <= _LONGEST_NAME else kept[: _LONGEST_NAME // 2] + kept[-_LONGEST_NAME // 2 :]


_LONGEST_NAME = 120
