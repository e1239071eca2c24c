"""The cause of a failure in the item's own words, and the form in which like causes are counted together."""

from __future__ import annotations

import json
import re

from jobctl.domain.ports import Raised

MESSAGE_LIMIT = 300
#: No more of a text is looked at: patterns take time by the length of what they search.
_LOOKED_AT = 8192

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NOISE = re.compile(r"^[\s\-=_*~^.|]*$")

#: Replaced in this order; a short number in brackets is an error code ("curl: (22)", "[Errno 2]") and stays.
_VARIABLE = re.compile(
    r"""(?P<kept>\(\d{1,3}\)|\[Errno\ -?\d+\]|\(os\ error\ \d+\))
      |(?P<uuid>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b)
      |(?P<url>\b[a-z][a-z0-9+.-]*://[^\s'"<>]+)
      |(?P<text>"[^"]*"|'[^']*'|`[^`']*[`']|‘[^’]*’|“[^”]*”)
      |(?P<path>(?<![\w<])(?:~|\.{1,2})?(?:/[^\s:;,'"()<>]+)+/?)
      |(?P<hex>\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{8,}\b)
      |(?P<n>(?:(?<!\w)[-+])?(?<![A-Za-z\d])\d+(?:[.,:]\d+)*|(?<=[A-Za-z])\d+(?:[.,:]\d+)*(?![A-Za-z\d]))
    """,
    re.VERBOSE,
)


def last_words(err_tail: bytes, out_tail: bytes) -> str:
    """What a failed attempt said about itself.

    The ``message`` of a JSON object on the last line of stdout, else the last line of stderr that has words, else the
    last such line of stdout, else nothing.
    """
    err_tail, out_tail = err_tail[-_LOOKED_AT:], out_tail[-_LOOKED_AT:]
    structured = _structured_message(out_tail)
    if structured:
        return structured
    return _last_line(err_tail) or _last_line(out_tail)


def of_exception(raised: Raised, *, in_setup: bool = False) -> tuple[str, str]:
    """The message of a call that raised, and its general form; the place in the code is part of both."""
    said = f"{clean(raised.name)}: {raised.message}" if raised.message else raised.name
    if in_setup:
        said = f"in the setup: {said}"
    place = f" [{clean(raised.where)}]" if raised.where else ""
    message = clean(said)
    if len(message) + len(place) > MESSAGE_LIMIT:
        message = f"{message[: max(0, MESSAGE_LIMIT - len(place) - 1)]}…"
    return message + place, generalise(message) + place


def _structured_message(tail: bytes) -> str:
    line = tail.rstrip().rpartition(b"\n")[2].strip()
    if not (line.startswith(b"{") and line.endswith(b"}")):
        return ""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):  # an item may print brackets a thousand levels deep
        return ""
    message = value.get("message") if isinstance(value, dict) else None
    return clean(message) if isinstance(message, str) else ""


def _last_line(tail: bytes) -> str:
    for line in reversed(tail.decode("utf-8", "replace").splitlines()):
        text = clean(line)
        if not _NOISE.match(text):
            return text
    return ""


def clean(text: str) -> str:
    """One line of valid text, no terminal escapes, no control characters, at most MESSAGE_LIMIT characters."""
    text = text[:_LOOKED_AT]
    if not text.isascii():  # a lone surrogate, which JSON can spell, fits into no database and no file
        text = text.encode("utf-8", "replace").decode()
    text = _CONTROLS.sub(" ", _ESCAPES.sub("", text)).replace("\t", " ").replace("\n", " ").strip()
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"


def generalise(message: str) -> str:
    """The message with what varies from item to item replaced: numbers, hex, UUIDs, URLs, paths, quoted values."""
    return _VARIABLE.sub(_placeholder, message[:_LOOKED_AT])


def _placeholder(match: re.Match[str]) -> str:
    return match[0] if match.lastgroup == "kept" else f"<{match.lastgroup}>"
