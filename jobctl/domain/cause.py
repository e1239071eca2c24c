"""The cause of a failure in the item's own words, and the form in which like causes are counted together."""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import islice

from jobctl.domain.cause_line import LINES, Rank, bare, best, is_figures, of_logfmt
from jobctl.domain.errorbody import AttemptMessage, found_in, of_record, of_stdout
from jobctl.domain.patterns import late
from jobctl.domain.ports import Raised
from jobctl.domain.shape import generalise, hides_the_cause

__all__ = [
    "MESSAGE_LIMIT",
    "AttemptMessage",
    "clean",
    "generalise",
    "hides_the_cause",
    "message_in_output",
    "message_of_call",
]

MESSAGE_LIMIT = 300
#: The part of a text that is searched. The time of a search grows with the length of the text.
_LOOKED_AT = 8192
#: The most lines of an error body.
_MOST_BODIES = 3
#: The most places that are tried as the beginning of an error body.
_MOST_BEGUN = 40

_ESCAPES = late(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROLS = late(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: A page that a server or a proxy sent instead of an answer; its title has the reason.
_HTML_PAGE = late(r"(?is)<(?:!doctype html|html)\b.{0,2000}?<title[^>]*>\s*([^<]{1,300}?)\s*</title>.*?(?:</html>|\Z)")
_BODY_BEGINS = late(r"(?m)[{\[]\s*$")
_NAMES_ITSELF = late(r"(?P<name>[a-z][\w.+-]*)(?:\[\d+\])?: ")
_HAS_WORDS = late(r"[^\W\d_]{2}")
_LOW = frozenset(("trace", "debug", "info", "notice", "warn", "warning"))

_decode = json.JSONDecoder().raw_decode


def message_in_output(err_tail: bytes, out_tail: bytes) -> AttemptMessage:
    """Find the message of a failed attempt in its output.

    It is the error body at the end of stdout (the answer of a service, as ``{"message": ...}``), otherwise the line
    of stderr that names the cause, otherwise such a line of stdout, otherwise the last line with words.
    """
    return _message_in_output(err_tail[-_LOOKED_AT:], out_tail[-_LOOKED_AT:])


@lru_cache(maxsize=64)
def _message_in_output(err_tail: bytes, out_tail: bytes) -> AttemptMessage:
    err, out = err_tail.decode("utf-8", "replace"), out_tail.decode("utf-8", "replace")
    rank, message = _line(err)
    if (body := of_stdout(out)) is not None and body.text:
        named = _NAMES_ITSELF.match(message.text) if rank is Rank.ERROR else None
        return _cleaned(body, f"{named['name']}: " if named is not None else "")
    if out and rank <= Rank.SUMMARY:
        rank_out, message_out = _line(out)
        if rank_out > rank and (rank is Rank.NOTHING or rank_out is Rank.ERROR):
            rank, message = rank_out, message_out
    return message if rank is not Rank.NOTHING else AttemptMessage(_fallback(err) or _fallback(out))


def _cleaned(message: AttemptMessage, before: str = "") -> AttemptMessage:
    return AttemptMessage(clean(before + message.text), clean(before + message.head) if message.head else "")


def _line(text: str) -> tuple[Rank, AttemptMessage]:
    """The line that names the cause, with its rank."""
    if not text:
        return Rank.NOTHING, AttemptMessage("")
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if "<" in text and ("</title>" in text or "</TITLE>" in text):
        text = _HTML_PAGE.sub(r"\1", text)
    if "{" in text:
        text = _on_one_line(text)
    lines = _lines(text)[-8 * LINES :]
    read: dict[str, AttemptMessage] = {}
    if "{" in text or "level=" in text:
        lines = [_read(bare(line), read) for line in lines]
    found, line = best(lines)
    return found, _cleaned(read.get(line) or found_in(line) or AttemptMessage(line))


def _lines(text: str) -> list[str]:
    """The lines that are not blank."""
    return [line for line in text.replace("\r", "\n").split("\n") if line and not line.isspace()]


def _on_one_line(text: str) -> str:
    """The text with JSON that fills several lines in one line each."""
    for _ in range(_MOST_BODIES):
        for match in islice(_BODY_BEGINS.finditer(text), _MOST_BEGUN):
            try:
                value, end = _decode(text, match.start())
            except (ValueError, RecursionError):
                continue
            text = text[: match.start()] + json.dumps(value, ensure_ascii=False) + text[end:]
            break
        else:
            break
    return text


def _read(line: str, read: dict[str, AttemptMessage]) -> str:
    """A line of a structured log as an ordinary line of text; ``read`` keeps its parsed message."""
    level, message = "", None
    if line.startswith("{"):
        level, message = of_record(line)
    elif "level=" in line:
        level, text = of_logfmt(line)
        message = AttemptMessage(text) if text else None
    if message is None:
        return line
    line = f"{'INFO' if level in _LOW else 'ERROR'}: {message.text}"
    read[line] = message
    return line


def _fallback(text: str) -> str:
    """The last line with a word, if no line names a cause. A progress bar does not count."""
    lines = [clean(line) for line in _lines(text)[-LINES:]]
    return next((line for line in reversed(lines) if _HAS_WORDS.search(line) and not is_figures(line)), "")


def message_of_call(raised: Raised, *, in_setup: bool = False) -> AttemptMessage:
    """The message of a call that raised; it names the place in the code."""
    text = f"{clean(raised.name)}: {raised.message}" if raised.message else raised.name
    message = found_in(text) or AttemptMessage(text)
    message = _cleaned(message, "in the setup: " if in_setup else "")
    place = f" [{clean(raised.where)}]" if raised.where else ""
    text = message.text
    if len(text) + len(place) > MESSAGE_LIMIT:
        text = f"{text[: max(0, MESSAGE_LIMIT - len(place) - 1)]}…"
    return AttemptMessage(text + place, message.head if text.startswith(message.head) and text != message.head else "")


def clean(text: str) -> str:
    """Return one line of valid text, without control characters, of at most MESSAGE_LIMIT characters."""
    text = text[:_LOOKED_AT]
    if text.isascii() and text.isprintable():
        text = text.strip()
        return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"
    if not text.isascii():  # a lone surrogate, which JSON can spell, fits into no database and no file
        text = text.encode("utf-8", "replace").decode()
    text = _CONTROLS.sub(" ", _ESCAPES.sub("", text)).replace("\t", " ").replace("\n", " ").strip()
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"
