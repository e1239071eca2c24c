"""Make foreign text (values of rows, lines of logs, names) harmless, so that it cannot control a terminal."""

from __future__ import annotations

import re

from jobctl.domain.texts import shown

#: C0 and C1 controls, DEL, characters that end a line, and characters that turn the direction of text.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_LOG_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u202a-\u202e\u2066-\u2069]")


def inert(text: str) -> str:
    """Return one line in which every control character is visible: ``^[`` for escape, ``^J`` for a line feed."""
    return CONTROL.sub(_visible, shown(text))


def inert_log(text: str) -> str:
    """Return text for a terminal in which lines and tabs stay, and other control characters are visible."""
    return _LOG_CONTROL.sub(_visible, shown(text).replace("\r\n", "\n"))


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return "^" + chr(code + 0x40)
    return "^?" if code == 0x7F else f"<{code:02X}>"
