"""The words of one program: its options with their values, its operands, and which of them it evaluates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from jobctl.domain.evaluators import COMMAND, EACH, FIRST, JOINED, SOMEWHERE, EvaluatorProgram


class Evaluated(NamedTuple):
    """Words that are evaluated as one text, by their positions."""

    words: tuple[int, ...]
    kind: str
    program: str  # as it is written
    option: str = ""  # that the text follows


#: Reads the command that begins at a position of the words.
Walk = Callable[[Sequence[str], int], Iterator[Evaluated]]


class ProgramReader:
    """Reads the words of one program: its options, their values, and its operands."""

    def __init__(self, words: Sequence[str], at: int, program: EvaluatorProgram, walk: Walk) -> None:
        """``at`` is the position of the program; ``walk`` reads a command among its operands."""
        self._words = words
        self._name = words[at]
        self._program = program
        self._walk = walk
        self._at = at + 1
        self._found: list[Evaluated] = []
        self._given: set[str] = set()
        self._operands: list[int] = []

    def read(self) -> Iterator[Evaluated]:
        """The words that the program evaluates, or the program that it starts."""
        self._read_words()
        yield from self._found
        if not self._given & self._program.off:
            yield from self._rest()

    def _read_words(self) -> None:
        program = self._program
        while self._at < len(self._words):
            word = self._words[self._at]
            if word == "--":
                self._operands += range(self._at + 1, len(self._words))
                return
            if word == "-" or not word.startswith("-"):
                self._operands.append(self._at)
                if not program.mixed and len(self._operands) > program.skip:
                    self._operands += range(self._at + 1, len(self._words))
                    return
                self._at += 1
            elif self._option(word):
                self._operands = []
                return

    def _option(self, word: str) -> bool:
        """Read an option with its value; True if all words after it belong to the script."""
        at = self._at
        self._at += 1
        name, equals, _ = word.partition("=")
        if word.startswith("--") or name in self._program.texts or name in self._program.takes:
            self._long(at, name, bool(equals))
            return False
        return any(self._short(at, word, place) for place in self._letters(word))

    def _long(self, at: int, name: str, has_value: bool) -> None:
        program = self._program
        found = self._meant(name, program.texts)
        if name in program.pairs:
            self._at += 2
        elif found:
            self._text(at if has_value else self._value(), found)
        elif self._meant(name, program.takes) and not has_value:
            self._value()
        self._given.add(found or name)

    def _meant(self, name: str, options: Mapping[str, str] | frozenset[str]) -> str:
        """The option with this name, or with a name that begins so, as GNU programs allow."""
        if name in options:
            return name
        return next((option for option in options if len(name) > 2 and option.startswith(name)), "")

    def _letters(self, word: str) -> Iterator[int]:
        """Positions of the option letters in one word, up to the first letter that takes the rest of the word."""
        for place, letter in enumerate(word[1:], 1):
            if letter == "{":
                return
            yield place
            if letter in self._program.texts or letter in self._program.takes or letter in self._program.clings:
                return

    def _short(self, at: int, word: str, place: int) -> bool:
        letter = word[place]
        self._given.add(letter)
        attached = place + 1 < len(word)
        if letter in self._program.texts:
            self._text(at if attached else self._value(), letter)
        elif letter in self._program.takes and not attached:
            self._value()
        return letter in self._program.last

    def _value(self) -> int:
        self._at += 1
        return self._at - 1

    def _text(self, at: int, option: str) -> None:
        if at < len(self._words):
            dashes = "" if option.startswith("-") else "-"
            self._found.append(Evaluated((at,), self._program.texts[option], self._name, dashes + option))

    def _rest(self) -> Iterator[Evaluated]:
        program, operands = self._program, self._operands[self._program.skip :]
        if not operands:
            return
        if program.rest == COMMAND:
            yield from self._walk(self._words, operands[0])
        elif program.rest == SOMEWHERE:
            for at in operands:
                yield from self._walk(self._words, at)
        elif program.rest == JOINED:
            # Without a command before them, the arguments of parallel are commands.
            end = next((at for at in operands[1:] if self._words[at].startswith(":::")), len(self._words))
            yield Evaluated(tuple(at for at in operands if at < end), program.kind, self._name)
        elif program.rest == FIRST:
            for at in operands:
                yield Evaluated((at,), program.kind, self._name)
                if self._words[at]:  # on other systems, sed -i takes an empty word as its suffix
                    return
        elif program.rest == EACH:
            for at in operands:
                yield Evaluated((at,), program.kind, self._name)
