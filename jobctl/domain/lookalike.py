"""Finds names that look equal but differ in spaces, invisible characters, accents or capital letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple


class Lookalike(NamedTuple):
    """An existing name, its position, and the difference in words."""

    place: int
    name: str
    difference: str

    @property
    def for_shell(self) -> str:
        """The name as bash, zsh and ksh accept it, with invisible and untypable characters as escapes."""
        text = "".join(character if _is_plain(character) else _escaped(character) for character in self.name)
        return f"$'{text}'"


def lookalike(word: str, names: Sequence[str]) -> Lookalike | None:
    """The first of the names that looks like a word but is written differently; None without one."""
    wanted = _folded(word)
    if not wanted:
        return None
    for place, name in enumerate(names):
        if name != word and _folded(name) == wanted:
            return Lookalike(place, name, _difference(word, name))
    return None


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace()).split())


def _difference(word: str, name: str) -> str:
    odd = [c for c in name if not _is_plain(c) and not c.isprintable() and c not in word]
    if odd:
        return f"it has a {_called(odd[0])}"
    if name.strip() != name and word.strip() == word:
        return f"it has a blank at its {'end' if name.rstrip() != name else 'beginning'}"
    if name == word.strip():
        return "it has no blanks around it"
    if unicodedata.normalize("NFC", word) == unicodedata.normalize("NFC", name):
        composed = unicodedata.is_normalized("NFC", name)
        return f"its accents are {'part of the letters' if composed else 'characters of their own'}"
    if word.casefold() == name.casefold():
        return "capital and small letters count"
    return "it has other characters that look the same"


def _called(character: str) -> str:
    name = unicodedata.name(character, "control character").lower()
    return f"{name} (U+{ord(character):04X})"


def _is_plain(character: str) -> bool:
    return character.isprintable() and character not in "'\\" and not unicodedata.combining(character)


def _escaped(character: str) -> str:
    if character in "'\\":
        return f"\\{character}"
    code = ord(character)
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"


def column_hint(word: str, columns: Sequence[str], otherwise: str) -> str:
    """A hint for an unknown column: the column that looks equal, otherwise the most similar one.

    ``otherwise`` lists the columns.
    """
    from jobctl.domain.nearest import did_you_mean

    found = lookalike(word, columns)
    if found is None:
        return did_you_mean(word, columns, otherwise)
    typed = repr(found.name) if re.fullmatch(r"[\x21-\x7e]+", found.name) else found.for_shell
    return f"did you mean {typed}? {found.difference}"
