"""Change one key of a TOML text, and keep its comments, its order and its blank lines.

A change is made in the lines of the text. Then the new text is parsed: it must have the same content as before, apart
from that key. So a text with unusual syntax is never damaged; for such a text there may be no answer.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

#: The most lines of one value: a list or a text of several lines.
_LONGEST = 100


def literal(value: Any) -> str:
    """Return a text, a number, a switch or texts as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # the only other forbidden character
    return f"[{', '.join(map(literal, value))}]"


def with_value(text: str, section: str, name: str, value: Any) -> str | None:
    """Return the text in which a key has a value; None if no change of single lines gives that."""
    expected = _content(text)
    if not isinstance(expected.setdefault(section, {}), dict):
        return None
    expected[section][name] = list(value) if isinstance(value, tuple) else value
    lines, new = text.splitlines(keepends=True), literal(value)
    return _first([*_replaced(lines, section, name, new), *_inserted(lines, section, name, new)], expected)


def without(text: str, section: str, name: str) -> str | None:
    """Return the text without a key; None if no change of single lines gives that. Raises KeyError if it has none."""
    expected = _content(text)
    del expected[section][name]
    return _first(_replaced(text.splitlines(keepends=True), section, name, None), expected)


def _first(candidates: Any, expected: dict[str, Any]) -> str | None:
    return next((text for text in candidates if _has_content(text, expected)), None)


def _content(text: str) -> dict[str, Any]:
    import tomllib

    return copy.deepcopy(tomllib.loads(text))


def _has_content(text: str, expected: dict[str, Any]) -> bool:
    try:
        found = _content(text)
    except ValueError:
        return False
    return _filled(found) == _filled(expected)


def _filled(content: dict[str, Any]) -> dict[str, Any]:
    """Content without empty sections: the last key of a section may take it away or leave its heading."""
    return {name: table for name, table in content.items() if table != {}}


def _replaced(lines: list[str], section: str, name: str, new: str | None) -> Iterator[str]:
    """Texts in which the lines of a key have the new value, or are removed."""
    for start, found in _assignments(lines, section, name):
        for end in range(start + 1, min(start + _LONGEST, len(lines)) + 1):
            line = [] if new is None else [f"{found[0]}{new}{_comment(lines[start])}{_ending(lines)}"]
            yield "".join([*lines[:start], *line, *lines[end:]])


def _inserted(lines: list[str], section: str, name: str, new: str) -> Iterator[str]:
    """Texts with a new line: in the section, below its dotted keys at the top, or in a new section at the end."""
    ending = _ending(lines)
    whole = [*lines[:-1], f"{lines[-1].rstrip()}{ending}"] if lines else []
    for start, end in _regions(whole, section):
        while not whole[end - 1].strip() or whole[end - 1].lstrip().startswith("#"):
            end -= 1
        indent = "" if end - 1 == start else re.match(r"[ \t]*", whole[end - 1])[0]  # type: ignore[index]
        yield "".join([*whole[:end], f"{indent}{name} = {new}{ending}", *whole[end:]])
    dotted = re.compile(rf"[ \t]*{_word(section)}[ \t]*\.")
    for place in [place for place, line in enumerate(whole, 1) if dotted.match(line)][-1:]:
        yield "".join([*whole[:place], f"{section}.{name} = {new}{ending}", *whole[place:]])
    gap = [ending] if "".join(whole).strip() else []
    yield "".join([*whole, *gap, f"[{section}]{ending}", f"{name} = {new}{ending}"])


def _assignments(lines: list[str], section: str, name: str) -> Iterator[tuple[int, re.Match[str]]]:
    """The lines that look as if they give a key its value."""
    within = re.compile(rf"[ \t]*{_word(name)}[ \t]*=[ \t]*")
    dotted = re.compile(rf"[ \t]*{_word(section)}[ \t]*\.[ \t]*{_word(name)}[ \t]*=[ \t]*")
    places = {place for start, end in _regions(lines, section) for place in range(start + 1, end)}
    for place, line in enumerate(lines):
        found = within.match(line) if place in places else dotted.match(line)
        if found:
            yield place, found


def _regions(lines: list[str], section: str) -> Iterator[tuple[int, int]]:
    """The place of each heading of a section, and the end of the lines below it."""
    heading = re.compile(rf"[ \t]*\[[ \t]*{_word(section)}[ \t]*\][ \t]*(#.*)?$")
    for start, line in enumerate(lines):
        if heading.match(line.rstrip("\r\n")):
            ends = (place for place in range(start + 1, len(lines)) if lines[place].lstrip().startswith("["))
            yield start, next(ends, len(lines))


def _comment(line: str) -> str:
    """The comment at the end of a line with a whole value, with the blanks before it."""
    import tomllib

    line = line.rstrip("\r\n")
    for place in [found.start() for found in re.finditer(r"[ \t]*#", line)]:
        try:
            tomllib.loads(line[:place])
        except ValueError:
            continue
        return line[place:]
    return ""


def _ending(lines: list[str]) -> str:
    return "\r\n" if lines and lines[0].endswith("\r\n") else "\n"


def _word(name: str) -> str:
    bare = re.escape(name)
    return f"(?:{bare}|\"{bare}\"|'{bare}')"
