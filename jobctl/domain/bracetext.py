"""Reads a text with braces into literal strings and placeholders, by the rules of ``domain.braces``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.braces import Names, Piece
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.domain.doubled_braces import Pair

_NEXT_BRACE = re.compile(r"[{}]")
#: Programs that replace ``{}`` themselves, after one of these options.
_EXEC = {
    "find": ("-exec", "-execdir", "-ok", "-okdir"),
    "fd": ("-x", "-X", "--exec", "--exec-batch"),
    "fdfind": ("-x", "-X", "--exec", "--exec-batch"),
}
_REPEAT = re.compile(r"(?:[\])]|\\[dwshDWSHp])\{([0-9]+)\}")
_REVISION = re.compile(r"(?:@|\^)\{([0-9]*)\}")


class Brace(NamedTuple):
    """The text or placeholder at a brace, its end, and the spelling of a literal brace."""

    piece: Piece
    end: int
    spelled: str = ""  # "single", "double" or "kept" for a literal brace


class Braces:
    """The braces of one text, read one after the other; ``where`` names the text in messages."""

    def __init__(self, text: str, names: Names, where: str) -> None:
        self._text = text
        self._names = names
        self._where = where
        #: The pairs of doubled braces that stay: tags of another template language.
        self.pairs = _kept_pairs(text, names) if "{{" in text and names.keeps_tags else ()
        self._kept = {at for pair in self.pairs for at in (pair.begin, pair.end)}
        self._halved: list[int] = []
        self._has_single = False
        self._opened = 0  # single literal braces that nothing has closed yet

    def read(self, at: int) -> Brace:
        """The meaning of the ``{`` or ``}`` at a position. Raises UsageError for an unknown placeholder."""
        found = self._read(at)
        if found.spelled == "double":
            self._halved.append(at)
        if found.spelled == "single":
            self._has_single = True
            self._opened += {"{": 1, "}": -1}.get(str(found.piece), 0)
        return found

    def _read(self, at: int) -> Brace:
        text, brace = self._text, self._text[at]
        if text.startswith(brace * 2, at) and not self._closes_two(at):
            return Brace(brace * 2, at + 2, "kept") if at in self._kept else Brace(brace, at + 2, "double")
        if brace == "}":
            return Brace(brace, at + 1, "single")
        partner = _NEXT_BRACE.search(text, at + 1)
        if partner is None or partner[0] == "{":
            return Brace(brace, at + 1, "single")
        inner = text[at + 1 : partner.start()]
        placeholder = self._names.find(inner)
        if placeholder is not None:
            return Brace(placeholder, partner.end())
        if inner == "end" and "{range " in text:  # of kubectl's -o jsonpath
            return Brace("{end}", partner.end(), "single")
        if self._names.could_be(inner):
            raise self._names.unknown(inner, self._where)
        return Brace(text[at : partner.end()], partner.end(), "single")

    def _closes_two(self, at: int) -> bool:
        """True if ``}}`` ends two single braces, as in ``{"a": {"b": "{id}"}}``: no brace of the text is doubled."""
        return self._text[at] == "}" and self._opened > 0 and "{{" not in self._text

    def notices(self) -> list[str]:
        """Sentences about the doubled braces of the whole text, after it was read.

        Raises UsageError for a text with both single and doubled literal braces, which is ambiguous.
        """
        if self._has_single and self._halved:
            raise UsageError(
                f"{self._where} has both single and doubled literal braces: {self._text!r}",
                hint="write every literal brace twice: {{ and }}",
            )
        if not (self._halved or self.pairs):
            return []
        from jobctl.domain.doubled_braces import notices

        return list(notices(self._text, self._where, self._halved, self.pairs, self._names.is_known))


def _kept_pairs(text: str, names: Names) -> Sequence[Pair]:
    """The pairs of doubled braces that stay; the module that finds them is loaded only for texts that have any."""
    from jobctl.domain.doubled_braces import kept_pairs

    return kept_pairs(text, names.is_known)


class ReadText(NamedTuple):
    """A text that was read: literal strings and placeholders, and notices about its doubled braces."""

    pieces: list[Piece]
    notices: list[str]
    keeps_tags: bool


def read_pieces(text: str, names: Names, where: str) -> ReadText:
    """Cut a text into literal strings and placeholders. Raises UsageError for braces that break the module's rules."""
    pieces: list[Piece] = []
    braces = Braces(text, names, where)
    at = 0
    while (found := _NEXT_BRACE.search(text, at)) is not None:
        pieces.append(text[at : found.start()])
        piece, at, _ = braces.read(found.start())
        pieces.append(piece)
    pieces.append(text[at:])
    return ReadText(_merged(pieces), braces.notices(), bool(braces.pairs))


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        elif piece != "":
            merged.append(piece)
    return merged


def own_meanings(argv: Sequence[str], names: Names) -> Iterator[str]:
    """Notices about placeholders of a command that also have a meaning for its program.

    ``find -exec ls {}``, ``xargs -I{}``, ``HEAD@{1}`` and the regular expression ``[0-9]{2}`` are read in the
    documented way, as values of the row. Without a notice, users who meant the program's own braces would not learn of
    it, because the items run and may even succeed.
    """
    programs = [os.path.basename(word) for word in argv]
    for place, program in enumerate(programs):
        if program in _EXEC and _follows(argv[place:], _EXEC[program]):
            yield _replacement_notice(program, "{}", f"what {program} finds")
        if program == "xargs" and _replaces(argv[place:]):
            yield _replacement_notice(program, "{}", "the lines that xargs reads")
        if program == "git":
            yield from _in_words(argv[place + 1 :], _REVISION, names, "a revision of git")
    yield from _in_words(argv[1:], _REPEAT, names, "a repetition in a regular expression")


def _follows(argv: Sequence[str], options: Sequence[str]) -> bool:
    first = next((at for at, word in enumerate(argv) if word in options), len(argv))
    return any("{}" in word and "{{}}" not in word for word in argv[first:])


def _replaces(argv: Sequence[str]) -> bool:
    return any(word in ("-I{}", "--replace={}") or argv[at : at + 2] == ["-I", "{}"] for at, word in enumerate(argv))


def _in_words(argv: Sequence[str], pattern: re.Pattern[str], names: Names, what: str) -> Iterator[str]:
    for word in argv:
        for inner in dict.fromkeys(pattern.findall(word)):
            if names.is_known(inner):
                yield f"{word!r}: {{{inner}}} is replaced by the value of the row; for {what} write {{{{{inner}}}}}"


def _replacement_notice(program: str, written: str, instead: str) -> str:
    return f"{program}: {written} is replaced by the value of the row; for {instead} write {{{written}}}"
