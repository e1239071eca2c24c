"""Reduces error bodies, the answers of services in JSON, XML or SMTP, to a code and a message.

A body is structured, so a single line of it says nothing. Services spell it in many ways; the fields below are those of
OAuth, problem details (RFC 9457, ACME), GraphQL, JSON-RPC, Kubernetes, AWS, Azure, Google, OpenAI, Stripe,
Elasticsearch and of structured logs. The code tells one cause from another, and so it comes first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from jobctl.domain.patterns import late

#: At most this number of places in a text are tried as the beginning of a body.
_MOST_TRIED = 12
#: At most this number of levels of an answer are opened.
_DEEPEST = 5
_LONGEST_CODE = 100

_MESSAGES = (
    *("message", "Message", "@message", "errorMessage", "error_message", "error_description", "msg", "detail"),
    *("description", "faultstring", "reason", "details", "summary", "text", "title"),
)
_CODES = ("code", "Code", "errorCode", "error_code", "errcode", "sqlstate", "status", "error", "__type", "err")
_INNER = ("error", "Error", "errors", "err", "fault", "Fault", "exception", "response", "body", "data", "errorMessages")
_KINDS = ("type", "reason", "exception")
#: Fields that have other data as often; in them, only words like PERMISSION_DENIED are codes.
_LOUD_ONLY = frozenset({"status"})
_LOUD = late(r"[A-Z][A-Z_]+\Z")

#: Words in the place of a code that do not tell one cause from another.
_EMPTY_CODES = frozenset(
    ("error", "err", "fail", "failed", "failure", "fatal", "unknown", "unknown_error", "none", "null", "status", "ok")
)
_NAME = late(r"[A-Za-z_][\w.:/#-]*\Z")
_URN = late(r"urn:[\w.:-]+:error:\w+")
_NODE_ERROR = 50
_HTTP_STATUS = range(400, 600)

_decode = json.JSONDecoder().raw_decode
_CLOSING = late(r"[\s\]})>,;'\".]*\Z")
_START = late(r"(?m)^[ \t]*(?:\[\s*)?\{")
_INLINE = late(r"[\[{]")
_PAIR = late(
    r"""['"]?(?<![\w$])(message|Message|code|Code|type|detail|title|msg|error|status|reason|description"""
    r"""|error_description|errorCode|error_code|errorMessage|__type)['"]?\s*[:=]\s*"""
    r"""(?:b?'((?:[^'\\]|\\.)*)'|b?"((?:[^"\\]|\\.)*)"|(-?\d{1,9})\b)"""
)
_ELEMENT = late(
    r"<(?:\w+:)?(code|message|faultstring|faultcode|errorcode|description)\b[^>]*>\s*([^<]{1,2000}?)\s*</",
    re.IGNORECASE,
)
_SMTP = late(
    r"\(?\b(?P<status>[45]\d\d),?[ -]\s*(?:b?['\"])?#?(?P<enhanced>[45]\.\d{1,3}\.\d{1,3})\b[\s:]*(?P<text>.*)",
    re.DOTALL,
)
#: The way Python prints a reply that has no enhanced code.
_SMTP_REPLY = late(r"\((?P<status>[45]\d\d), b['\"](?P<enhanced>)(?P<text>.*)", re.DOTALL)
#: A program or an exception before a body; its name is kept.
_SPEAKER = late(r"\s*(?P<name>[A-Za-z_][\w./-]*(?:\[\d+\])?):(?=\s|\Z)")
_FAILED = late("fail|error|fatal|exception", re.IGNORECASE)
_LEVELS = frozenset(("error", "fatal", "critical", "warning", "e", "fail", "failed", "err", "body", "response"))


class Body(NamedTuple):
    """An error that a service reported."""

    code: str  # "" = it has none
    message: str
    identifies: bool  # the code alone distinguishes this cause from others


class AttemptMessage(NamedTuple):
    """The message of a failed attempt, as its output or its exception has it."""

    text: str
    head: str = ""  # the beginning of the text, if that alone tells the cause from others


def found_in(text: str) -> AttemptMessage | None:
    """The error body in a text, if there is one, after the name of the program or exception that shows it."""
    if "{" in text:
        found = _json(text) or _pairs(text)
        if found is not None:
            return joined(*found)
    if "</" in text and (element := _xml(text)) is not None:
        return joined(*element)
    if "urn:" in text and (match := _URN.search(text)):
        message = text[match.end() :].strip(" :-")
        return joined(text[: match.start()], Body(match[0], message, identifies=True))
    match = _SMTP.search(text) if "5." in text or "4." in text else None
    if match := match or (_SMTP_REPLY.search(text) if ", b" in text else None):
        message = match["text"].strip().rstrip("')\"}]")
        code = " ".join(filter(None, (match["status"], match["enhanced"])))
        return joined(text[: match.start()], Body(code, message, identifies=bool(match["enhanced"])))
    return None


def of_stdout(text: str) -> AttemptMessage | None:
    """The error body at the end of stdout. Stdout may be data, so only an answer that is certainly an error counts."""
    text = text.rstrip()
    if not text.endswith(("}", "]", ">")):
        return None
    for value, _ in _values(text):
        if (body := of_value(value)) is not None and _is_error(value):
            return joined("", body)
        if text.endswith(("}", "]")):
            return None
    if text.endswith(">") and re.search(r"<(?:\w+:)?(?:Error|Fault)\b", text) and (found := _xml(text)) is not None:
        return joined("", found[1])
    return None


def of_record(line: str) -> tuple[str, AttemptMessage | None]:
    """(level, message) of a log line in JSON; (``""``, None) for any other line."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return "", None
    if not isinstance(value, Mapping):
        return "", None
    level = next((value[name] for name in ("level", "severity", "@level", "lvl", "levelname") if name in value), "")
    if type(level) is int:  # 50 is an error in the logs of Node programs
        level = "info" if level < _NODE_ERROR else "error"
    body = of_value(value)
    if body is None and isinstance(message := _message(value), str) and message:
        body = Body("", message, identifies=False)
    return str(level).lower(), None if body is None else joined("", body)


def of_value(value: Any, depth: int = 0) -> Body | None:
    """The error that a parsed answer reports; None if it reports none."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str) and depth and value.strip():
        return Body("", value, identifies=False)
    if not isinstance(value, Mapping) or depth > _DEEPEST:
        return None
    code, identifies = _code(value)
    message = _message(value)
    for name in _INNER if not value.keys().isdisjoint(_INNER) else ():
        inner = of_value(value.get(name), depth + 1) if value.get(name) is not None else None
        if inner is None or (inner.message == code and not inner.code):
            continue
        if inner.code or not message:
            return Body(inner.code or code, inner.message or message, inner.identifies if inner.code else identifies)
    is_error = depth > 0 or _is_error(value)
    return (
        Body(code, message, identifies)
        if (message and (code or is_error)) or (code and identifies and is_error)
        else None
    )


def joined(before: str, body: Body) -> AttemptMessage:
    """The text of a body: the program that shows it, its code, its message."""
    code, message = body.code, " ".join(body.message.split())
    speaker = _speaker(before)
    if not code:
        return AttemptMessage(f"{_trimmed(before)}: {message}" if _trimmed(before) else message)
    head = f"{speaker}: {code}" if speaker else code
    if message in ("", code):
        return AttemptMessage(head, head if body.identifies else "")
    if message.startswith(f"{code}: "):
        message = message[len(code) + 2 :]
    return AttemptMessage(f"{head}: {message}", head if body.identifies else "")


def _speaker(before: str) -> str:
    """The first name of a program or an exception in the text before a body."""
    place = 0
    while match := _SPEAKER.match(before, place):
        if match["name"].lower() not in _LEVELS:
            return match["name"]
        place = match.end()
    return ""


def _trimmed(before: str) -> str:
    before = re.sub(
        r"(?:\b(?:body|response|content|data|error|json)\b)?[\s:=>({\[-]*\Z", "", before, flags=re.IGNORECASE
    )
    return before.strip()


def _code(value: Mapping[str, Any]) -> tuple[str, bool]:
    """The code, and True if it tells one cause from another; a name is preferred to a number."""
    extensions = value.get("extensions")
    found = [("code", extensions.get("code"))] if isinstance(extensions, Mapping) else []
    found += [(name, value[name]) for name in _CODES if name in value]
    for name, each in found:
        if isinstance(each, str) and _is_name(each) and (name not in _LOUD_ONLY or _LOUD.match(each)):
            return each.rpartition("#")[2], True
    kind = value.get("type")
    if isinstance(kind, str) and _URN.match(kind):
        return kind, True
    if isinstance(value.get("title"), str) and isinstance(value.get("detail"), str):
        return value["title"].rstrip("."), True
    kinds = [each for name in _KINDS if isinstance(each := value.get(name), str) and _is_name(each)]
    if kinds:
        return kinds[0].rpartition("/")[2], False
    for _, each in found:
        number = int(each) if isinstance(each, str) and each.isdecimal() and len(each) < 7 else each
        if type(number) is int and (number in _HTTP_STATUS or number < -1):
            return str(number), False
    return "", False


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST_CODE and bool(_NAME.match(text)) and text.lower() not in _EMPTY_CODES


def _message(value: Mapping[str, Any]) -> str:
    for name in _MESSAGES:
        found = value.get(name)
        if not found:
            continue
        if isinstance(found, list):
            found = found[0].get("msg") if isinstance(found[0], Mapping) else found[0]
        if isinstance(found, str) and found.strip():
            return found
    return ""


def _is_error(value: Any) -> bool:
    """True if an answer on standard output reports an error; otherwise it may be the data that the item fetched."""
    if isinstance(value, list):
        return len(value) == 1 and _is_error(value[0])
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("message"), str) or any(value.get(name) for name in ("error", "errors", "Error", "fault")):
        return True
    status = value.get("status", value.get("statusCode"))
    if (type(status) is int and status in _HTTP_STATUS) or value.get("ok") is False:
        return True
    return (isinstance(value.get("detail"), str) and len(value) == 1) or "errorCode" in value or "error_code" in value


def _json(text: str) -> tuple[str, Body] | None:
    for value, start in _values(text):
        body = of_value(value)
        if body is None and isinstance(value, Mapping) and _FAILED.search(text, 0, start):
            body = Body("", _message(value), identifies=False)
        if body is not None and (body.code or body.message):
            return text[:start], body
    return None


def _values(text: str) -> Iterator[tuple[Any, int]]:
    """JSON values that end a text, with their places: those that begin a line, last first, then those within lines."""
    starts = [match.end() - len(match[0].lstrip()) for match in _START.finditer(text)]
    outer = [place for place in starts if place == 0 or text[place - 1] == "\n"]
    inline = [match.start() for match in _INLINE.finditer(text)]
    for place in [*reversed(outer[-_MOST_TRIED:]), *inline[:_MOST_TRIED]]:
        try:
            value, end = _decode(text, place)
        except (ValueError, RecursionError):  # an item may print brackets a thousand levels deep
            continue
        if isinstance(value, dict | list) and value and _CLOSING.match(text, end):
            yield value, place


def _pairs(text: str) -> tuple[str, Body] | None:
    """A body that is not valid JSON: printed by Python or Node, or cut off."""
    start = text.index("{")
    fields: dict[str, Any] = {}
    for name, single, double, number in _PAIR.findall(text[start:]):
        fields.setdefault(name, int(number) if number else single or double)
    body = of_value(fields) if fields else None
    return None if body is None else (text[:start], body)


def _xml(text: str) -> tuple[str, Body] | None:
    found = {name.lower(): value for name, value in reversed(_ELEMENT.findall(text))}
    code = found.get("code") or found.get("errorcode") or found.get("faultcode") or ""
    message = found.get("message") or found.get("faultstring") or found.get("description") or ""
    if not (code or message):
        return None
    return text[: text.index("<")], Body(code if _is_name(code) else "", message, identifies=True)
