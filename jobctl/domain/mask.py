"""Secrets that items were given by name, kept out of what is told about them: an error message often quotes one."""

from __future__ import annotations

from collections.abc import Iterable

HIDDEN = "***"
#: Shorter ones would be found in ordinary words, and hide nothing worth hiding.
SHORTEST = 6


class Mask:
    """Hides the values it was made of, but no other spelling of them (base64); false if there are none."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        lines = {line.strip() for value in values for line in value.splitlines()}
        self._values = sorted((line for line in lines if len(line) >= SHORTEST), key=len, reverse=True)

    def __bool__(self) -> bool:
        return bool(self._values)

    def __call__(self, text: str) -> str:
        """The text without them."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text


class HideAll(Mask):
    """Hides every word, for want of the values that must not be seen."""

    def __bool__(self) -> bool:
        return True

    def __call__(self, text: str) -> str:
        """Asterisks for a text."""
        return HIDDEN if text else ""
