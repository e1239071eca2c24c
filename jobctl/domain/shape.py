"""The shape of a message: its fixed text, and the places in which messages of one cause differ.

A place of a known kind is masked at once: UUIDs, addresses, paths, hexadecimal numbers, times, amounts. Other numbers
and quoted texts are values that a job learns about (``likeness``): they stay while few are seen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from enum import IntEnum
from typing import NamedTuple

#: No more of a text is looked at: patterns take time by the length of what they search.
_LOOKED_AT = 8192

#: Replaced in this order, after words that are nothing else.
#: A short number in brackets is an error code ("curl: (22)", "[Errno 2]"), and so are the
#: five characters of an SQLSTATE; the place in a file at the end belongs to the cause. These stay.
_VARIABLE = re.compile(
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
#: A message without any of these has no values.
_MAY_VARY = re.compile("[0-9/@\"'`‘“«»<~]")
#: Before a number that tells causes apart.
_BEFORE_CODE = re.compile(
    r"(?:error|errno|err|code|status|http(?:/\d(?:\.\d)?)?|exit|exited|signal|sqlstate|rc|ret|returned|returncode|errcode|errorlevel"
    r"|status_code|fault|reason|response|retcode|sig|replied|answered|got)(?:\s(?:code|with|status|number|no\.?|was|is|of))*"
    r"[\s:=#'\"(\[-]{0,3}\Z",
    re.IGNORECASE,
)
#: Before a number that only says where or how much.
_BEFORE_AMOUNT = re.compile(
    r"(?:line|lines|row|rows|record|column|col|char|character|position|pos|offset|byte|bytes|pid|process|page|attempt|after|took"
    r"|index|chunk|block|lineno|size|length|thread|id|item|took|elapsed|for|in|within|every|last|than|of|try|retry)[\s:=#(\[]{0,3}\Z",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\s?(?:[mun]s|s|secs?|seconds?|mins?|minutes?|m|h|hours?|days?|d|[kKMGTP]?i?[Bb](?:/s)?|bytes?|%|px|rows?|lines?|items?|times?|tries"
    r"|attempts?|retries|more|chars?|characters|records?|files?|of\ \d)(?![\w-])"
)
_CODE_WORD = re.compile(r"(?<![A-Za-z])[A-Z]{1,10}[-_]?\Z")
_ENHANCED = re.compile(r"[245]\.\d{1,2}\.\d{1,3}\Z")
_STATUS = re.compile(r"[1-5]\d\d\Z")
_WORDY = re.compile(r"[ :-]+[A-Z<]|\Z")
_WORD_BEFORE = re.compile(r"[\w.@-]*\Z")
_WORD_AFTER = re.compile(r"[\w@-]*")
_MOST_BEFORE = 40
_LONG_NUMBER = 5
_LONG_TEXT = 80
_PATH = re.compile(r"\S*/\S+\Z")
_QUOTES = "\"'`‘’“”«»"


class Kind(IntEnum):
    """What a value may be."""

    MASKED = 0  # its place holds something else each time
    NUMBER = 1
    TEXT = 2
    WORD = 3  # the figures of a word like E0502 or INV-2041: a code, or the name of a row
    CODE = 4  # a status, a number of an error: tells causes apart


class Value(NamedTuple):
    """What stands in one place of a message."""

    text: str
    kind: Kind
    mask: str


class Shape(NamedTuple):
    """A message as text between values: ``texts`` has one more than ``values``."""

    texts: tuple[str, ...]
    values: tuple[Value, ...]
    held: tuple[str, ...]  # the values as they stand in the message
    form: str  # the message with all values masked: the same for all messages of one shape

    def spelled(self, values: Collection[str]) -> str:
        """The message with other values."""
        return _spelled(self.texts, values)

    def spellings(self, place: int) -> tuple[str, str]:
        """What a cell of the row would hold if a value came from there: the value, or the word that it is a part of."""
        text = self.held[place]
        word = _WORD_BEFORE.search(self.texts[place])[0] + text + _WORD_AFTER.match(self.texts[place + 1])[0]  # type: ignore[index]
        return text.strip(_QUOTES).lstrip("+-"), word


def _spelled(texts: Sequence[str], values: Collection[str]) -> str:
    return texts[0] + "".join([a + b for a, b in zip(values, texts[1:], strict=True)])


_PLAIN = Shape(("",), (), (), "")


def shape_of(message: str) -> Shape:
    """Take a message apart; the same for a message in which some values are masked already."""
    message = message[:_LOOKED_AT]
    if not _MAY_VARY.search(message):
        return _PLAIN._replace(texts=(message,), form=message)
    texts, values, place = [], [], 0
    for match in _VARIABLE.finditer(message):
        kind = match.lastgroup
        if kind == "plain" or kind == "kept":
            continue
        start, end = match.span()
        texts.append(message[place:start])
        place = end
        if kind == "text":
            values.append(_text(match[0]))
        elif kind == "n":
            values.append(_number(message, start, end))
        else:
            mask = match[0] if kind == "masked" else f"<{kind}>"
            values.append(Value(mask, Kind.MASKED, mask))
    texts.append(message[place:])
    form = _spelled(texts, [value.mask for value in values])
    return Shape(tuple(texts), tuple(values), tuple([value.text for value in values]), form)


def generalise(message: str) -> str:
    """The message with everything masked but numbers that tell causes apart."""
    shape = shape_of(message)
    return shape.spelled([v.text if v.kind is Kind.CODE else v.mask for v in shape.values])


_MASKED_TEXT = Value("<text>", Kind.MASKED, "<text>")
_MASKED_NUMBER = Value("<n>", Kind.MASKED, "<n>")


def _text(quoted: str) -> Value:
    inner = quoted.strip(_QUOTES)
    if len(inner) > _LONG_TEXT or ("/" in inner and _PATH.match(inner)) or inner[:1] == "~":
        return _MASKED_TEXT
    return Value(quoted, Kind.TEXT, "<text>")


def _number(message: str, start: int, end: int) -> Value:
    text = message[start:end]
    kind = _kind(text, message[max(0, start - _MOST_BEFORE) : start], message, end)
    return _MASKED_NUMBER if kind is Kind.MASKED else Value(text, kind, "<n>")


def _kind(text: str, before: str, message: str, end: int) -> Kind:
    if _CODE_WORD.search(before):
        return Kind.WORD
    plain = text.lstrip("+-").isdecimal()
    if plain and len(text) <= _LONG_NUMBER and _BEFORE_CODE.search(before):
        return Kind.CODE
    if _ENHANCED.match(text) or (
        _STATUS.match(text) and (not before or before[-1] in " ([<:=") and _WORDY.match(message, end)
    ):
        return Kind.CODE
    if not plain or len(text) >= _LONG_NUMBER or _UNIT.match(message, end) or _BEFORE_AMOUNT.search(before):
        return Kind.MASKED
    return Kind.NUMBER


def hides_the_cause(general: str) -> bool:
    """Whether so much of a message is masked that it says nothing: ``KeyError: <text>``."""
    if "<" not in general:
        return False
    left = re.sub(r"<(?:n|text|path|url|hex|uuid|email|time)>|\[[^\s\[\]]+:\d+\]\Z", " ", general)
    said = re.sub(r"^(?:in the setup: )?(?:[\w./-]+(?:\[\d+\])?: ?)+", "", left.strip())
    return len(re.findall(r"[^\W\d_]{2,}", said)) < 2 and left != general
