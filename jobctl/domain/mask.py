"""Masking secrets that items got by name: an error message often quotes a secret."""

from __future__ import annotations

from collections.abc import Iterable

HIDDEN = "***"
#: A shorter value would occur in ordinary words, and is not worth hiding.
SHORTEST = 6


class Mask:
    """Hides these values, but not other spellings of them (base64); false without values."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        lines = {line.strip() for value in values for line in value.splitlines()}
        self._values = sorted((line for line in lines if len(line) >= SHORTEST), key=len, reverse=True)

    def __bool__(self) -> bool:
        return bool(self._values)

    def __call__(self, text: str) -> str:
        """The text without the values."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text


class HideAll(Mask):
    """Hides every word, because the secret values are not known."""

    def __bool__(self) -> bool:
        return True

    def __call__(self, text: str) -> str:
        """Asterisks instead of a text."""
        return HIDDEN if text else ""
