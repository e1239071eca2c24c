"""The stored form of a row, its payload, and the functions that read its values back as bytes.

``csv`` and ``tsv``: the UTF-8 bytes of the fields, joined by NUL, which no field contains. ``lines``: the bytes of
the line. ``jsonl``: the JSON text from the file, unchanged, so that numbers keep their spelling.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple, Protocol

from jobctl.errors import UsageError

FORMATS = ("csv", "tsv", "jsonl", "lines")
SEPARATOR = b"\0"
#: Columns and keys that jobctl adds to a result file; they are left out when the file is submitted.
RESULT_PREFIX = "jobctl_"
RESULT_MEMBER = "_jobctl"
#: Deeper JSON is refused at submit, so that no reader of the payload can run out of stack.
MAX_DEPTH = 200

_SPACE = " \t\n\r"
_STRING_OR_SPACE = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\n\r]+')
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_BRACKET = re.compile(rb"[\[\]{}]")


class Fault(NamedTuple):
    """The reason why a row cannot be an item."""

    column: str | None
    code: str
    message: str


class KeyRules(Protocol):
    """The rules for the key of every row; ``number`` is the number of the row's record, which identifies the row."""

    def all_good(self, payloads: Sequence[bytes], numbers: Sequence[int]) -> bool:
        """True if it is certain that none of these rows has a fault; they pass all other rules."""
        ...

    def fault(self, payload: bytes, number: int) -> Fault | None:
        """Return the fault in the key of a row that passes all other rules, or None."""
        ...

    def close(self) -> None:
        """Drop the notes about the rows."""
        ...


@dataclass(frozen=True, slots=True)
class RowRules:
    """The rules of a handler for well-formed rows. A call with a payload returns the fault of the row, or None."""

    check: Callable[[bytes], Fault | None]
    #: Payloads of at most this number of bytes need no check; negative: all need one.
    safe_length: int = -1
    #: Keys that every JSON row must have; looked up while the row is parsed anyway.
    required: frozenset[str] = frozenset()
    #: The rules for the keys of rows; None for inputs without keys.
    keys: KeyRules | None = None

    def __call__(self, payload: bytes) -> Fault | None:
        return self.check(payload)


class JsonNumber(str):
    """A number of a JSON row, spelled as in the file."""

    __slots__ = ()


_decoder = json.JSONDecoder(parse_float=JsonNumber, parse_int=JsonNumber)


def join_fields(fields: Sequence[bytes]) -> bytes:
    """Make the payload of a csv or tsv row."""
    return SEPARATOR.join(fields)


def fields_of(input_format: str, payload: bytes) -> list[bytes]:
    """The values of a row in the order of its columns. A plain line is one value, and so is the text of a JSON row."""
    if input_format in ("csv", "tsv"):
        return payload.split(SEPARATOR)
    return [payload]


def json_object(payload: bytes) -> dict[str, Any]:
    """The row as a dictionary; numbers are strings as spelled. Raises ValueError if it is not a JSON object."""
    row = _decoder.decode(payload.decode())
    if type(row) is not dict:
        raise ValueError("not a JSON object")
    return row


def json_values(payload: bytes, keys: Sequence[str]) -> list[bytes]:
    """The values of some keys as bytes: strings as they are, null empty, nested values as compact JSON text.

    Raises KeyError with the first key that the row does not have.
    """
    row = json_object(payload)
    return [_json_value(row[key], key, payload) for key in keys]


def texts_of(input_format: str, payload: bytes, columns: Sequence[str]) -> tuple[str, ...]:
    """The values of a row as texts in the order of ``columns``, for screens; a key that a JSON row lacks is empty."""
    if input_format != "jsonl":
        return tuple(value.decode() for value in fields_of(input_format, payload))
    row = json_object(payload)
    return tuple(json_values(payload, (key,))[0].decode() if key in row else "" for key in columns)


def _json_value(value: Any, key: str, payload: bytes) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if value is None:
        return b""
    if value is True:
        return b"true"
    if value is False:
        return b"false"
    for member in reversed(json_members(payload.decode())):
        if member.key == key:
            return compact_json(member.value).encode()
    raise KeyError(key)


class Member(NamedTuple):
    """A key of a JSON object, the text of its value, and the text of both with the white space around."""

    key: str
    value: str
    text: str


def json_members(text: str) -> list[Member]:
    """The members of a valid JSON object in order, each with its text untouched."""
    members: list[Member] = []
    begin = _skip_space(text, 0) + 1
    at = _skip_space(text, begin)
    while text[at] == '"':
        key, at = scanstring(text, at + 1)
        start = _skip_space(text, _skip_space(text, at) + 1)
        end = _decoder.raw_decode(text, start)[1]
        stop = _skip_space(text, end)
        members.append(Member(key, text[start:end], text[begin:stop]))
        if text[stop] == "}":
            break
        begin = stop + 1
        at = _skip_space(text, begin)
    return members


def _skip_space(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at


def compact_json(text: str) -> str:
    """JSON text without white space between its tokens; nothing else changes."""
    return _STRING_OR_SPACE.sub(lambda match: match[1] or "", text)


def is_result_key(name: str) -> bool:
    """True if jobctl added a column or key to those of the input."""
    return name.startswith(RESULT_PREFIX) or name == RESULT_MEMBER


def without_result_keys(payload: bytes) -> bytes:
    """A JSON row as it was before jobctl added its keys."""
    members = json_members(payload.decode())
    kept = [member.text for member in members if not is_result_key(member.key)]
    if len(kept) == len(members):
        return payload
    return ("{" + ",".join(kept) + "}").encode()


def json_depth(payload: bytes) -> int:
    """The depth to which objects and lists are nested in valid JSON text."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", payload)):
        depth += 1 if bracket in b"{[" else -1
        deepest = max(deepest, depth)
    return deepest


def key_reader(input_format: str, columns: Sequence[str], name: str) -> Callable[[bytes], bytes]:
    """Return a function that takes the value of one column out of a payload.

    Raises UsageError with the list of columns for an unknown one; the reader raises KeyError for a JSON row that
    lacks it.
    """
    if input_format == "jsonl":
        return lambda payload: json_values(payload, (name,))[0]
    if name not in columns:
        from jobctl.domain.lookalike import column_hint

        there = f"columns: {', '.join(columns)}" if columns else "plain lines have no columns"
        raise UsageError(f"--item-key {name!r}: there is no such column", hint=column_hint(name, columns, there))
    position = list(columns).index(name)
    return lambda payload: payload.split(SEPARATOR, position + 1)[position]
