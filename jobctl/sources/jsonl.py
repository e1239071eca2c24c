"""Reads JSON lines: one object per line. The text of the line is stored, so that numbers keep their spelling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from jobctl.domain.payload import (
    MAX_DEPTH,
    RESULT_MEMBER,
    RESULT_PREFIX,
    Fault,
    is_result_key,
    json_depth,
    without_result_keys,
)
from jobctl.sources.problems import EMPTY, PROBLEMS_SHOWN, Damaged, InspectedRecord
from jobctl.sources.text import TextSource

_RESULT_MARKS = (f'"{RESULT_PREFIX}'.encode(), f'"{RESULT_MEMBER}"'.encode())
#: A string that begins with a blank.
_BLANK_MARKS = (b'" ', b'"\\t')
_ESCAPED_NUL = b"\\u0000"


class JsonLinesSource(TextSource):
    """Rows with keys; the columns are the keys of the first row."""

    def _open(self) -> None:
        self._pending = block = next(self._read_line_blocks(), b"")
        self._detect_terminator(block)
        self._refuse_page(block)
        texts = list(filter(None, map(bytes.strip, block.split(b"\n"))))
        if texts and texts[0].startswith(b"[") and (len(texts) == 1 or not _is_json(texts[0])):
            raise Damaged("json", "this is a JSON list, not one object per line: jq -c '.[]' makes lines of it", 1)
        if texts and texts[0] == b"{":
            raise Damaged("json", "this is JSON over several lines, not one object per line: jq -c . makes that", 1)
        # The first good row among the first lines gives the columns; bad rows are reported in their order later.
        for text in texts:
            row, fault = _parse(text)
            if row is not None and fault is None:
                self._take_keys(row)
                return
        if texts:
            self._accept(self._slow(block))
            raise Damaged("json", "none of the first lines is a good row")

    def _take_keys(self, row: dict[str, Any]) -> None:
        self.columns = tuple(key for key in row if not is_result_key(key))
        facts = row.get(RESULT_MEMBER)
        job = facts.get("job") if isinstance(facts, dict) else row.get(RESULT_PREFIX + "job")
        self.resubmit_of = str(job) if job else None

    def _read_blocks(self) -> Iterator[bytes]:
        block, self._pending = self._pending, b""
        if block:
            yield block
        yield from self._read_line_blocks()

    def _quick(self, block: bytes) -> list[bytes] | None:
        if _ESCAPED_NUL in block or any(mark in block for mark in _RESULT_MARKS):
            return None
        payloads = list(filter(None, map(bytes.strip, block.split(b"\n"))))
        try:
            rows = list(map(orjson.loads, payloads))
        except orjson.JSONDecodeError:
            return None
        if set(map(type, rows)) - {dict}:
            return None
        required = self._rules.required
        if required and not all(required <= row.keys() for row in rows):
            return None
        if any(_may_be_deep(payload) for payload in payloads):
            return None
        if not all(any(row.values()) for row in rows) or any(mark in block for mark in _BLANK_MARKS):
            return None if any(map(_is_empty, rows)) else payloads
        return payloads

    def _slow(self, block: bytes) -> Iterator[InspectedRecord]:
        for line, text in enumerate(block.split(b"\n"), self._line):
            payload = text.strip()
            if not payload:
                continue
            row, fault = _parse(payload)
            if row is None or fault is not None:
                yield InspectedRecord.broken(line, payload, fault or Fault(None, "json", "is not a JSON object"))
                continue
            stored = without_result_keys(payload)
            fault = self._missing(row) or (EMPTY if _is_empty(row) else None)
            yield InspectedRecord(line, payload, (stored.decode(),), stored, fault)

    def _similar(self, key: str, row: dict[str, Any]) -> str:
        """A key of the row that looks the same, for the first row that lacks a key."""
        if len(self.problems.first) >= PROBLEMS_SHOWN:
            return ""
        from jobctl.domain.lookalike import lookalike

        found = lookalike(key, list(row))
        return "" if found is None else f"; did you mean {found.name!a}? {found.difference}"

    def _missing(self, row: dict[str, Any]) -> Fault | None:
        for key in sorted(self._rules.required - row.keys()):
            return Fault(key, "missing", f"the row has no such key, and every row needs it{self._similar(key, row)}")
        return None


def _is_empty(row: dict[str, Any]) -> bool:
    """True if a row is empty: each value is null or a string of blanks. Keys that jobctl added do not count."""
    return not any(
        value.strip(" \t") if isinstance(value, str) else value is not None
        for key, value in row.items()
        if not is_result_key(key)
    )


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _parse(payload: bytes) -> tuple[dict[str, Any] | None, Fault | None]:
    try:
        row = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        for mark in (b"//", b"#"):
            if payload.startswith(mark):
                advice = f"leave such lines out with --comment '{mark.decode()}'"
                return None, Fault(None, "json", f"is a comment, and JSON has none; {advice}")
        return None, Fault(None, "json", f"is not valid JSON at character {error.pos + 1}: {error.msg}")
    if type(row) is not dict:
        return None, Fault(None, "json", 'is not a JSON object; each line must be like {"key": "value"}')
    if _may_be_deep(payload) and json_depth(payload) > MAX_DEPTH:
        return None, Fault(None, "json", f"is nested more than {MAX_DEPTH} levels deep")
    return row, _nul_fault(row) if _ESCAPED_NUL in payload else None


def _may_be_deep(data: bytes) -> bool:
    # This cheap test excludes nearly all rows.
    return len(data) > 2 * MAX_DEPTH and data.count(b"[") + data.count(b"{") > MAX_DEPTH


def _nul_fault(row: dict[str, Any]) -> Fault | None:
    for key, value in row.items():
        if _has_nul(key) or _has_nul(value):
            return Fault(key, "nul", "contains a NUL character (\\u0000)")
    return None


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(member) for key, member in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))
