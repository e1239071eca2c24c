"""One macro line of mdoc(7) as text: options, arguments, quotes, and the places without a space."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Macros whose words are shown as they are.
PLAIN = frozenset({"Ar", "Cm", "Ic", "Pa", "Va", "Vt", "Li", "Ev", "Dv", "Em", "Sy", "Sx", "No", "Nm"})
_AROUND = {"Ql": ("'", "'"), "Op": ("[", "]"), "Pq": ("(", ")"), "Bq": ("[", "]")}
MACROS = PLAIN | _AROUND.keys() | {"Fl", "Xr", "Fn", "Po", "Pc", "Ns"}
_CLOSING = frozenset(".,;:)]?!")
_OPENING = frozenset("([")
_ESCAPES = {"-": "-", "&": "", "e": "\\", " ": " ", "(dq": '"', "(aq": "'", "(em": "-", "(en": "-", "(bu": "*"}
_ESCAPE = re.compile(r"\\(\([a-z]{2}|f.|.|$)")


def unescaped(text: str) -> str:
    """Text without the escapes of roff."""
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], "" if found[1].startswith("f") else found[1]), text)


def inline(words: Sequence[str], page: str) -> str:
    """The text of a macro line; ``page`` is the text for ``Nm`` without arguments."""
    rest = list(words)
    tail: list[str] = []
    while rest and rest[-1] in _CLOSING and len(rest) > 1:
        tail.insert(0, rest.pop())
    return _Line(page).text(rest) + "".join(tail)


class _Line:
    def __init__(self, page: str) -> None:
        self._page = page
        self._parts: list[str] = []
        self._is_glued = True  # no space in front of the next word

    def text(self, words: Sequence[str]) -> str:
        """All of it."""
        place, macro, has_words = 0, "", True
        while place < len(words):
            word = words[place]
            place += 1
            if word not in MACROS:
                self._add(word, macro)
                has_words = True
                continue
            if not has_words:
                self._bare(macro)
            if word in _AROUND:
                before, after = _AROUND[word]
                end = _end_of(words, place) if word == "Ql" else len(words)
                self._put(before + inline(words[place:end], self._page) + after)
                place, macro, has_words = end, "", True
            elif word in ("Xr", "Fn"):
                place, macro, has_words = self._reference(word, words, place), "", True
            else:
                macro, has_words = self._begin(word)
        if not has_words:
            self._bare(macro)
        return "".join(self._parts)

    def _begin(self, word: str) -> tuple[str, bool]:
        if word == "Ns":
            self._is_glued = True
        elif word == "Po":
            self._put("(")
            self._is_glued = True
        elif word == "Pc":
            self._is_glued = True
            self._put(")")
        else:
            return word, word == "No"
        return "", True

    def _reference(self, word: str, words: Sequence[str], place: int) -> int:
        end = _end_of(words, place)
        given = [unescaped(each) for each in words[place:end]]
        used = 2 if word == "Xr" else len(given)
        arguments = [each for each in given[1:used] if each not in _CLOSING]
        self._put(f"{given[0] if given else ''}({', '.join(arguments)})")
        return place + 1 + len(arguments)

    def _bare(self, macro: str) -> None:
        self._put({"Nm": self._page, "Fl": "-", "Ar": "file ..."}.get(macro, ""))

    def _add(self, word: str, macro: str) -> None:
        if word in _CLOSING:
            self._parts.append(word)
            return
        self._put(("-" if macro == "Fl" and word not in _OPENING else "") + unescaped(word))
        self._is_glued = word in _OPENING

    def _put(self, text: str) -> None:
        if not text:
            return
        self._parts.append(text if self._is_glued else f" {text}")
        self._is_glued = False


def _end_of(words: Sequence[str], place: int) -> int:
    """Return the end of the words of a macro: the next macro, or closing punctuation before it."""
    end = place
    while end < len(words) and words[end] not in MACROS:
        end += 1
    while end < len(words) and end > place + 1 and words[end - 1] in _CLOSING:
        end -= 1
    return end
