"""Masks the secrets that items get by name, because an error message often quotes one."""

from __future__ import annotations

from collections.abc import Iterable

HIDDEN = "***"
#: A shorter value would occur in ordinary words, and is not worth hiding.
SHORTEST = 6


class Mask:
    """Hides these values, but not other encodings of them such as base64. A mask without values is false."""

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
    """Hides every word. It is used where the secret values are not known."""

    def __bool__(self) -> bool:
        return True

    def __call__(self, text: str) -> str:
        """Asterisks instead of a text."""
        return HIDDEN if text else ""
