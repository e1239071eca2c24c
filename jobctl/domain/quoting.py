"""Quotes values for a text that a program evaluates, as ``{name:q}``, ``{name:json}`` and ``{name:url}`` ask for."""

from __future__ import annotations

import re
from collections.abc import Callable

#: The mark for a value in a text that is examined; no argument can contain it.
MARK = "\0"
_NOT_IN_QUOTES = re.compile(rb"['\\]")
_NOT_IN_ADDRESSES = re.compile(rb"[^A-Za-z0-9._-]")


def for_shell(value: bytes) -> bytes:
    """One word of a POSIX shell, always with quotes of its own.

    A backslash is placed outside of the quotes. Inside them, sh reads it literally, but fish, which may be the login
    shell of ssh, reads it as the beginning of an escape.
    """
    return b"'" + _NOT_IN_QUOTES.sub(rb"'\\\g<0>'", value) + b"'"


def for_json(value: bytes) -> bytes:
    """A JSON string with its quotes, equal for Python and JavaScript. Bytes that are not text stay unchanged."""
    import json

    text = json.dumps(value.decode("utf-8", "surrogateescape"), ensure_ascii=False)
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")  # ends of a line in older JavaScript
    return text.replace("\x7f", "\\u007f").encode("utf-8", "surrogateescape")


def for_address(value: bytes) -> bytes:
    """Percent-encoded, also ``/`` and ``~``: letters, digits, ``-``, ``.`` and ``_`` stay."""
    return _NOT_IN_ADDRESSES.sub(lambda match: b"%%%02X" % match[0][0], value)


#: By the name after the colon: the function, the most bytes that a byte of a value can become, the bytes added once.
QUOTES: dict[str, Callable[[bytes], bytes]] = {"q": for_shell, "json": for_json, "url": for_address}
GROWTH = {"": (1, 0), "q": (4, 2), "json": (6, 2), "url": (3, 0)}


def listed() -> str:
    """The forms as a message names them."""
    return ":q (a word of a shell), :json (a JSON string), :url (percent-encoded)"
