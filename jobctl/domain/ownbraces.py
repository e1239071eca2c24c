"""Placeholders that also have a meaning for the program: jobctl replaces them, and a notice says so.

``find -exec ls {}``, ``xargs -I{}``, ``HEAD@{1}`` and the regular expression ``[0-9]{2}`` are read in the documented
way, as values of the row. Without a notice, users who meant the program's own braces would not learn of it, because
the items run and may even succeed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from jobctl.domain.braces import Names

#: Programs that replace ``{}`` themselves, after one of these options.
_EXEC = {
    "find": ("-exec", "-execdir", "-ok", "-okdir"),
    "fd": ("-x", "-X", "--exec", "--exec-batch"),
    "fdfind": ("-x", "-X", "--exec", "--exec-batch"),
}
_REPEAT = re.compile(r"(?:[\])]|\\[dwshDWSHp])\{([0-9]+)\}")
_REVISION = re.compile(r"(?:@|\^)\{([0-9]*)\}")


def notices(argv: Sequence[str], names: Names) -> Iterator[str]:
    """Notices about placeholders of a command that also have a meaning for its program."""
    programs = [os.path.basename(word) for word in argv]
    for place, program in enumerate(programs):
        if program in _EXEC and _follows(argv[place:], _EXEC[program]):
            yield _told(program, "{}", f"what {program} finds")
        if program == "xargs" and _replaces(argv[place:]):
            yield _told(program, "{}", "the lines that xargs reads")
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


def _told(program: str, written: str, instead: str) -> str:
    return f"{program}: {written} is replaced by the value of the row; for {instead} write {{{written}}}"
