"""Turns a JSON body into JSON lines while it arrives: a list of rows, or an object with the rows and the options.

A row is copied as it is written, so numbers keep their spelling. Only the row that arrives is in memory.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from jobctl.domain.nearest import did_you_mean
from jobctl.http.problems import Refused
from jobctl.sources.stream import RECORD_LIMIT

#: A whole string, a bracket, or the quote of a string that does not end here. The quantifiers are possessive: an
#: attacker must not make the search try the same text in many ways.
_TOKEN = re.compile(rb'"(?:[^"\\\x00-\x1f]++|\\[^\x00-\x1f])*+"|[{}\[\]"]')
_PART_OF_STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]++|\\[^\x00-\x1f])*+\\?')
_FLAT = rb'(\{(?:[^"{}\[\]]++|"(?:[^"\\\x00-\x1f]++|\\[^\x00-\x1f])*+")*+\})'
_FIRST, _NEXT = re.compile(rb"[ \t\r\n]*+" + _FLAT), re.compile(rb"[ \t\r\n]*+,[ \t\r\n]*+" + _FLAT)
_FORM = 'send [{"id": 1}, ...], or {"rows": [...], "options": {...}}, or JSON lines as application/x-ndjson'
_ROWS, _OPTIONS = "rows", "options"
#: The most bytes of the options.
_OPTIONS_LIMIT = 64 << 10


class JsonRows:
    """Reads the body piece by piece; ``options`` is complete after ``finish``."""

    def __init__(self) -> None:
        self.options: dict[str, Any] = {}
        self._buffer = bytearray()
        self._scanned = 0  # in the buffer: what comes before was looked at
        self._wanted = 0  # with fewer bytes, the end of the string that was found cannot be there
        self._text_from = 0  # in the buffer: the beginning of a row, of the options, or of what is between them
        self._depth = 0
        self._outside = 0  # the depth around the rows, if they have begun and not ended
        self._in_rows = False
        self._is_object = False
        self._is_done = False
        self._expects_comma = False
        self._member = ""  # the member of the object whose value comes or is read
        self._seen: set[str] = set()
        self._count = 0

    def feed(self, data: bytes) -> bytes:
        """Return the rows that are complete now, each on a line. Raises Refused for what is not JSON of this form."""
        self._buffer += data
        if len(self._buffer) < self._wanted:
            return b""
        return self._read()

    def finish(self) -> bytes:
        """Return the last rows. Raises Refused for a body that ends too early."""
        lines = self._read() if self._wanted else b""
        rest = bytes(self._buffer[self._text_from :]).strip()
        if not self._is_done and (self._depth or not rest):
            raise _invalid("the JSON ends too early" if self._depth else "the body is empty")
        if not self._is_done:
            raise _invalid("the body is not JSON rows")
        if rest:
            raise _invalid("there is more after the end of the JSON")
        if self._is_object and _ROWS not in self._seen:
            raise _invalid('the object has no "rows"')
        return lines

    def _read(self) -> bytes:
        lines: list[bytes] = []
        self._wanted = 0
        while True:
            if self._in_rows and self._depth - self._outside == 1:
                self._take_flat_rows(lines)
            token = _TOKEN.search(self._buffer, self._scanned)
            if token is None:
                self._scanned = len(self._buffer)
                break
            if token[0] == b'"':
                self._open_string(token.start())
                break
            self._take(token[0], token.start(), token.end(), lines)
            self._scanned = token.end()
        self._forget()
        return b"".join(lines)

    def _take_flat_rows(self, lines: list[bytes]) -> None:
        """Take the next rows that have no list or object in them, as most rows are, and that are here completely."""
        while (row := (_NEXT if self._expects_comma else _FIRST).match(self._buffer, self._text_from)) is not None:
            lines += (row[1].translate(_BLANKS), b"\n")
            self._count += 1
            self._expects_comma = True
            self._scanned = self._text_from = row.end()

    def _open_string(self, start: int) -> None:
        """A string that ends in what follows. It is not searched before twice as much is there, or time is wasted."""
        found = _PART_OF_STRING.match(self._buffer, start)
        if found is None or found.end() != len(self._buffer):
            raise _invalid(f"a string of {self._place()} has a control character")
        self._scanned = start
        self._wanted = len(self._buffer) + (len(self._buffer) - start)

    def _forget(self) -> None:
        """Drop what was read completely."""
        del self._buffer[: self._text_from]
        self._scanned -= self._text_from
        self._wanted = max(0, self._wanted - self._text_from)
        self._text_from = 0
        if self._in_rows and self._depth - self._outside == 1:
            self._shorten_gap()
        if self._member == _OPTIONS and len(self._buffer) > _OPTIONS_LIMIT:
            raise _invalid(f'"options" has more than {_OPTIONS_LIMIT >> 10} KiB')
        if len(self._buffer) > RECORD_LIMIT:
            raise _invalid(f"{self._place()} has more than {RECORD_LIMIT >> 20} MiB")

    def _shorten_gap(self) -> None:
        """Between two rows there is a comma at most, whatever number of blanks is around it."""
        gap = self._gap(len(self._buffer))
        if gap in (b"", b","):
            self._buffer[:] = gap
            self._scanned = len(gap)

    def _take(self, token: bytes, start: int, end: int, lines: list[bytes]) -> None:
        if self._in_rows:
            self._take_in_rows(token, start, end, lines)
        elif self._depth == 0:
            self._begin(token, start, end)
        elif self._depth == 1:
            self._take_in_object(token, start, end)
        elif token in b"{[":
            self._depth += 1
        elif token in b"}]":
            self._depth -= 1
            if self._depth == 1:
                self._take_options(end)

    def _begin(self, token: bytes, start: int, end: int) -> None:
        gap = self._gap(start).removeprefix(b"\xef\xbb\xbf")
        if self._is_done or gap or token not in (b"[", b"{"):
            raise _invalid("there is more after the end of the JSON" if self._is_done else "the body is not JSON rows")
        self._is_object = token == b"{"
        self._in_rows = not self._is_object
        self._depth, self._outside, self._text_from = 1, 0, end

    def _take_in_rows(self, token: bytes, start: int, end: int, lines: list[bytes]) -> None:
        inside = self._depth - self._outside
        if inside > 1:  # within a row
            if token in b"{[":
                self._depth += 1
            elif token in b"}]":
                self._depth -= 1
                if inside == 2:
                    lines.append(bytes(self._buffer[self._text_from : end].translate(_BLANKS)) + b"\n")
                    self._text_from, self._expects_comma = end, True
            return
        comma = b"," if self._expects_comma else b""
        gap = self._gap(start)
        if token == b"]" and not gap:
            self._in_rows, self._depth, self._text_from = False, self._outside, end
            self._is_done, self._expects_comma, self._member = not self._is_object, self._is_object, ""
        elif token == b"{" and gap == comma:
            self._count += 1
            self._depth, self._text_from = self._depth + 1, start
        else:
            raise _invalid(f"row {self._count + 1} of the list is not a JSON object, or a comma is wrong before it")

    def _take_in_object(self, token: bytes, start: int, end: int) -> None:
        """Within the outer object: the name of a member, the beginning of its value, or the end."""
        gap = self._gap(start)
        comma = b"," if self._expects_comma else b""
        if self._member:
            if gap != b":" or token != (b"[" if self._member == _ROWS else b"{"):
                kind = "a list" if self._member == _ROWS else "an object"
                raise _invalid(f'"{self._member}" is not {kind}')
            self._depth, self._text_from = 2, end
            if self._member == _ROWS:
                self._in_rows, self._outside, self._expects_comma = True, 1, False
            else:
                self._text_from = start
        elif token == b"}" and not gap:
            self._depth, self._is_done, self._text_from = 0, True, end
        elif token.startswith(b'"') and gap == comma:
            self._member = _member(token)
            if self._member in self._seen:
                raise _invalid(f'"{self._member}" is there twice')
            self._seen.add(self._member)
            self._text_from = end
        else:
            raise _invalid("the object is not valid JSON")

    def _take_options(self, end: int) -> None:
        try:
            self.options = orjson.loads(bytes(self._buffer[self._text_from : end]))
        except orjson.JSONDecodeError as error:
            raise _invalid(f'"options" is not valid JSON: {error.msg}') from None
        self._member, self._text_from, self._expects_comma = "", end, True

    def _gap(self, start: int) -> bytes:
        """What is between the last part and here, without blanks."""
        return bytes(self._buffer[self._text_from : start]).strip(b" \t\r\n")

    def _place(self) -> str:
        return f"row {self._count}" if self._count else "the JSON"


#: Line ends between the tokens of a row are blanks as well, and a row is one line.
_BLANKS = bytes.maketrans(b"\r\n", b"  ")


def _member(token: bytes) -> str:
    try:
        name = str(orjson.loads(token))
    except orjson.JSONDecodeError:
        name = ""
    if name not in (_ROWS, _OPTIONS):
        raise Refused(
            422,
            f"the body is an object with {name[:100]!r}, and only rows and options are known",
            code="usage",
            hint=did_you_mean(name, (_ROWS, _OPTIONS), _FORM),
        )
    return name


def _invalid(problem: str) -> Refused:
    return Refused(400, problem, code="invalid_json", hint=_FORM)
