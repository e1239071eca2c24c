"""The shape of a message: its fixed text, and the places in which messages of one cause differ.

A place of a known kind is masked at once: UUIDs, addresses, paths, hexadecimal numbers, times, amounts. Other numbers
and quoted texts are values that a job learns about (``likeness``): they stay while few are seen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from jobctl.domain.patterns import late

#: The part of a text that is examined: the time of a search grows with the length of the text.
_LOOKED_AT = 8192

#: The patterns are replaced in this order, after words that can only be one thing.
#: A short number in brackets is an error code ("curl: (22)", "[Errno 2]"), and so are the
#: five characters of an SQLSTATE; the place in a file at the end belongs to the cause. These stay.
_VARIABLE = late(
    r"""(?P<plain>(?:[A-Za-z]+(?::(?!/)|[,;)!?])?(?:\s+|\Z))+)
      |(?P<kept>\(\d{1,3}\)|\[Errno\ -?\d+\]|\(os\ error\ \d+\)|\((?=[0-9A-Z]*\d)[0-9A-Z]{5}\)|SQLSTATE\[\w+\]
          |\[[^\s\[\]]{1,200}:\d+\]\Z|\bHTTP/\d(?:\.\d)?)
      |(?P<masked><(?:n|text|uuid|url|path|hex|email|time)>)
      |(?P<uuid>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b)
      |(?P<url>\b[a-z][a-z0-9+.-]*://[^\s'"<>]+)
      |(?P<email>\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b)
      |(?P<text>"[^"]*"|(?<!\w)'[^']*'(?!\w)|`[^`']*[`']|‘[^’]*’|“[^”]*”|«[^»]*»|»[^«]*«)
      |(?P<path>(?<![\w<])(?:~|\.{1,2})?(?:/[^\s:;,'"()<>]+)+/?)
      |(?P<hex>\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{8,}\b)
      |(?P<time>\b\d{4}-\d\d-\d\d(?:[T\ ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|\ ?[+-]\d\d:?\d\d|\ UTC)?)?(?![\w-]))
      |(?P<n>(?:(?<!\w)[-+])?(?<![A-Za-z\d])\d+(?:[.,:]\d+)*|(?<=[A-Za-z])\d+(?:[.,:]\d+)*(?![A-Za-z\d]))
    """,
    re.VERBOSE,
)
#: A message without any of these characters has no values.
_MAY_VARY = late("[0-9/@\"'`‘“«»<~]")
#: Words before a number that distinguishes causes.
_BEFORE_CODE = late(
    r"(?:error|errno|err|code|status|http(?:/\d(?:\.\d)?)?|exit|exited|signal|sqlstate|rc|ret|returned|returncode|errcode|errorlevel"
    r"|status_code|fault|reason|response|retcode|sig|replied|answered|got)(?:\s(?:code|with|status|number|no\.?|was|is|of))*"
    r"[\s:=#'\"(\[-]{0,3}\Z",
    re.IGNORECASE,
)
#: Words before a number that is only a place or an amount.
_BEFORE_AMOUNT = late(
    r"(?:line|lines|row|rows|record|column|col|char|character|position|pos|offset|byte|bytes|pid|process|page|attempt|after|took"
    r"|index|chunk|block|lineno|size|length|thread|id|item|took|elapsed|for|in|within|every|last|than|of|try|retry)[\s:=#(\[]{0,3}\Z",
    re.IGNORECASE,
)
_UNIT = late(
    r"\s?(?:[mun]s|s|secs?|seconds?|mins?|minutes?|m|h|hours?|days?|d|[kKMGTP]?i?[Bb](?:/s)?|bytes?|%|px|rows?|lines?|items?|times?|tries"
    r"|attempts?|retries|more|chars?|characters|records?|files?|of\ \d)(?![\w-])"
)
_CODE_WORD = late(r"(?<![A-Za-z])[A-Z]{1,10}[-_]?\Z")
_ENHANCED = late(r"\d\.\d{1,2}\.\d{1,3}\Z")
_STATUS = late(r"\d\d\d\Z")
_WORDY = late(r"[ :-]+[A-Z<]|\Z")
_WORD_BEFORE = late(r"[\w.@-]*\Z")
_WORD_AFTER = late(r"[\w@-]*")
_MOST_BEFORE = 40
_LONG_NUMBER = 5
_LONG_TEXT = 80
#: The digit that replaces all digits; not 0, because that would turn "1x" into a hexadecimal number.
_FIGURES = str.maketrans("023456789", "1" * 9)
_PATH = late(r"\S*/\S+\Z")
_QUOTES = "\"'`‘’“”«»"


class ValueKind(IntEnum):
    """The kind of a value."""

    MASKED = 0  # its place has another value each time
    NUMBER = 1
    TEXT = 2
    WORD = 3  # the figures of a word like E0502 or INV-2041: a code, or the name of a row
    CODE = 4  # a status, a number of an error: tells causes apart


class Value(NamedTuple):
    """The value in one place of a message."""

    text: str
    kind: ValueKind
    mask: str


class Shape(NamedTuple):
    """A message as text between values: ``texts`` has one more than ``values``."""

    texts: tuple[str, ...]
    values: tuple[Value, ...]
    held: tuple[str, ...]  # the values as the message spells them
    form: str  # the message with all values masked: the same for all messages of one shape

    def spelled(self, values: Collection[str]) -> str:
        """The message with other values."""
        return _spelled(self.texts, values)

    def spellings(self, place: int) -> tuple[str, str]:
        """The content of a cell from which a value would come: the value, or the word that contains it."""
        text = self.held[place]
        word = _WORD_BEFORE.search(self.texts[place])[0] + text + _WORD_AFTER.match(self.texts[place + 1])[0]  # type: ignore[index]
        return text.strip(_QUOTES).lstrip("+-"), word


def _spelled(texts: Sequence[str], values: Collection[str]) -> str:
    return texts[0] + "".join([a + b for a, b in zip(values, texts[1:], strict=True)])


_PLAIN = Shape(("",), (), (), "")


class _FoundValue(NamedTuple):
    """The position of a value in a message, and its kind."""

    start: int
    end: int
    kind: ValueKind
    mask: str
    leading: str = ""  # it is a code if its first figure is one of these


def shape_of(message: str) -> Shape:
    """The shape of a message; it is the same if some values are masked already."""
    message = message[:_LOOKED_AT]
    if not _MAY_VARY.search(message):
        return _PLAIN._replace(texts=(message,), form=message)
    # The places of the values do not depend on figures, so messages that differ only in figures share the search.
    # "0x" is the one word for which a figure counts.
    known = message if "0x" in message else message.translate(_FIGURES)
    texts, values, held, form, end = [], [], [], "", 0
    for place in _places(known):
        text = message[end : place.start]
        end = place.end
        kind, mask = place.kind, place.mask
        value = mask if kind is ValueKind.MASKED else message[place.start : end]
        if place.leading and (first := message[place.start : end])[0] in place.leading:
            kind, value = ValueKind.CODE, first
        texts.append(text)
        values.append(Value(value, kind, mask))
        held.append(value)
        form += text + mask
    texts.append(message[end:])
    return Shape(tuple(texts), tuple(values), tuple(held), form + texts[-1])


@lru_cache(maxsize=512)
def _places(message: str) -> tuple[_FoundValue, ...]:
    """The values of a message, the same for all messages that differ only in figures."""
    places = []
    for match in _VARIABLE.finditer(message):
        kind = match.lastgroup
        start, end = match.span()
        if kind == "text":
            places.append(
                _FoundValue(start, end, ValueKind.MASKED if _is_masked(match[0]) else ValueKind.TEXT, "<text>")
            )
        elif kind == "n":
            found, leading = _kind(message, start, end)
            places.append(_FoundValue(start, end, found, "<n>", leading))
        elif kind not in ("plain", "kept"):
            places.append(_FoundValue(start, end, ValueKind.MASKED, match[0] if kind == "masked" else f"<{kind}>"))
    return tuple(places)


def generalise(message: str) -> str:
    """The message with all values masked except numbers that distinguish causes."""
    shape = shape_of(message)
    return shape.spelled([v.text if v.kind is ValueKind.CODE else v.mask for v in shape.values])


def _is_masked(quoted: str) -> bool:
    """True if a quoted text is long or a path, so that it differs each time."""
    inner = quoted.strip(_QUOTES)
    return len(inner) > _LONG_TEXT or ("/" in inner and bool(_PATH.match(inner))) or inner[:1] == "~"


def _kind(message: str, start: int, end: int) -> tuple[ValueKind, str]:
    """The kind of a number, and the first figures with which it is a code instead."""
    text, before = message[start:end], message[max(0, start - _MOST_BEFORE) : start]
    if _CODE_WORD.search(before):
        return ValueKind.WORD, ""
    plain = text.lstrip("+-").isdecimal()
    if plain and len(text) <= _LONG_NUMBER and _BEFORE_CODE.search(before):
        return ValueKind.CODE, ""
    leading = ""
    if _ENHANCED.match(text):
        leading = "245"
    elif _STATUS.match(text) and (not before or before[-1] in " ([<:=") and _WORDY.match(message, end):
        leading = "12345"
    if not plain or len(text) >= _LONG_NUMBER or _UNIT.match(message, end) or _BEFORE_AMOUNT.search(before):
        return ValueKind.MASKED, leading
    return ValueKind.NUMBER, leading


def hides_the_cause(general: str) -> bool:
    """True if the part of a message that is not masked says nothing: ``KeyError: <text>``."""
    if "<" not in general:
        return False
    left = re.sub(r"<(?:n|text|path|url|hex|uuid|email|time)>|\[[^\s\[\]]+:\d+\]\Z", " ", general)
    words = re.sub(r"^(?:in the setup: )?(?:[\w./-]+(?:\[\d+\])?: ?)+", "", left.strip())
    return len(re.findall(r"[^\W\d_]{2,}", words)) < 2 and left != general
