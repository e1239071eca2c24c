"""Splits the text of a command into words by the quoting rules of a shell. No shell runs it, and nothing is expanded.

The module shlex of Python keeps the backslash in ``"\\$1"``, which a shell removes. People write it for a script in
double quotes, and such a script would silently do something else.
"""

from __future__ import annotations

import re

_SPACE = " \t\r\n"
#: A quoted text or an escaped character, or characters without a meaning of their own.
_PART = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^ \t\r\n'"\\]+)""", re.DOTALL)
_ESCAPED = re.compile(r'\\([$`"\\\n])')


def split(text: str) -> list[str]:
    """The words of a text. Raises ValueError for a quote or a backslash with nothing after it."""
    words: list[list[str]] = []  # the parts of each word: a word of a million escapes must not take hours
    is_open = False  # a word may be empty, so its text does not say whether it has begun
    place = 0
    while place < len(text):
        if text[place] in _SPACE:
            is_open, place = False, place + 1
            continue
        found = _PART.match(text, place)
        if found is None:
            raise ValueError("No escaped character" if text[place] == "\\" else "No closing quotation")
        place = found.end()
        part = _unquoted(found)
        if part is not None:
            if not is_open:
                words.append([])
            words[-1].append(part)
            is_open = True
    return ["".join(parts) for parts in words]


def _unquoted(found: re.Match[str]) -> str | None:
    """The text of a part; None for a line that continues, which is not a word."""
    single, double, escaped, plain = found.groups()
    if double is not None:
        return _ESCAPED.sub(lambda each: "" if each[1] == "\n" else each[1], double)
    if escaped == "\n":
        return None
    return next(text for text in (single, escaped, plain) if text is not None)
