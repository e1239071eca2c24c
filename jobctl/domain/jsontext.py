"""Reading JSON from outside (a row, the result of a call) without any risk for the reader.

The parser and the writer of the standard library give up on documents that nest deeper than the stack allows, and on
numbers of thousands of digits. Such a document is passed on as text.
"""

from __future__ import annotations

import json
import re
from typing import Any

from jobctl.domain.payload import MAX_DEPTH

#: A document that nests deeper than this stays text. The stack of any reader allows far more.
DEEPEST = MAX_DEPTH
_NO_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^"\[\]{}]+', re.DOTALL)
_PAIRS = re.compile(r"\[\]|\{\}")


def plain_value(text: str | bytes) -> Any:
    """The value of a JSON document; its text if it is too deep, too long a number or not JSON at all.

    The result can be written as JSON again, and contains no lone surrogates.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if is_deep(text):
        return _valid(text)
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _valid(text)
    if "\\u" in text or not text.isascii():
        return value if _is_valid(value) else _valid(text)
    return value


def is_deep(text: str) -> bool:
    """True if a JSON document nests deeper than ``DEEPEST`` levels. Takes linear time for other documents."""
    if len(text) <= 2 * DEEPEST or text.count("[") + text.count("{") <= DEEPEST:
        return False
    brackets = _NO_BRACKETS.sub("", text)
    for _ in range(DEEPEST):
        brackets, found = _PAIRS.subn("", brackets)
        if not found:
            break
    return bool(brackets)


def _is_valid(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _valid(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
