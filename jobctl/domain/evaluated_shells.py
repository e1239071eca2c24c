"""Finds the text that a shell evaluates among its own words: after ``-c``, ``--command``, ``-Command``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jobctl.domain.evaluators import OTHER_SHELL, SHELL
from jobctl.domain.program_words import Evaluated


def posix_shell(words: Sequence[str], at: int, *, begin: int | None = None) -> Iterator[Evaluated]:
    """The script of a POSIX shell, which is the first word that is not an option, if ``-c`` is among the options.

    ``-c`` may be in one word with other options. ``begin`` is the position of the first option.
    """
    place, runs = at + 1 if begin is None else begin, False
    while place < len(words):
        word = words[place]
        place += 1
        if word in ("--", "-"):
            break
        if not word.startswith(("-", "+")) or word.startswith("{"):
            place -= 1
            break
        if word.startswith("--"):
            place += word in ("--rcfile", "--init-file", "--emulate")
            continue
        runs = runs or (word.startswith("-") and "c" in word.partition("{")[0])
        place += sum(letter in "oO" for letter in word[1:])
    if runs and place < len(words):
        yield Evaluated((place,), SHELL, words[at], "-c")


def other_shell(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """The script of ``fish -c``, ``fish --command=`` or ``csh -fc``; the words after the script are its arguments."""
    for place in range(at + 1, len(words)):
        option, equals, _ = words[place].partition("=")
        if not option.startswith("-"):
            return
        if re.fullmatch(r"-[a-zA-Z]*[cC][a-zA-Z]*|--(init-)?command", option.partition("{")[0]):
            yield Evaluated((place if equals else place + 1,), OTHER_SHELL, words[at], option)
            if not equals and "init" not in option and "C" not in option:
                return


def powershell(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """PowerShell makes one text of all words after ``-Command``."""
    for place in range(at + 1, len(words)):
        option = words[place].lower()
        if re.fullmatch(r"-(f|file)", option) or not (option.startswith("-") or words[place - 1].startswith("-")):
            return
        if re.fullmatch(r"-(c|com[a-z]*|cwa|e|ec|enc[a-z]*)", option):
            yield Evaluated(tuple(range(place + 1, len(words))), OTHER_SHELL, words[at], words[place])
            return


def capsh(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """The words of ``capsh`` after ``--`` or ``==`` are for bash."""
    begin = next((place for place in range(at + 1, len(words)) if words[place] in ("--", "==")), len(words))
    yield from posix_shell(words, at, begin=begin + 1)


def su(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """The words of ``su`` after ``--`` are for the shell: ``su nobody -- -c TEXT``."""
    for place in range(at + 1, len(words)):
        if words[place] == "--":
            yield from posix_shell(words, at, begin=place + 1)
            return
