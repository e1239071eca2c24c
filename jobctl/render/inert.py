"""Makes text of strangers (values of rows, lines of logs, names) harmless: a terminal shows it and does nothing."""

from __future__ import annotations

import re

from jobctl.domain.texts import shown

#: C0 and C1 controls, DEL, characters that end a line, and characters that turn the direction of text.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_LOG_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u202a-\u202e\u2066-\u2069]")


def inert(text: str) -> str:
    """One line in which every control character is visible: ``^[`` for escape, ``^J`` for a line feed."""
    return CONTROL.sub(_visible, shown(text))


def inert_log(text: str) -> str:
    """Log text for a terminal: lines and tabs stay, other controls become visible."""
    return _LOG_CONTROL.sub(_visible, shown(text).replace("\r\n", "\n"))


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return "^" + chr(code + 0x40)
    return "^?" if code == 0x7F else f"<{code:02X}>"
