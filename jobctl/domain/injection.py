"""Refuses a value inside of a text that a program evaluates, unless it is quoted for it at a place where quotes hold.

``domain.evaluators`` knows which words of a command are such a text. The accepted forms depend on the program:

- ``{name:url}`` everywhere: its few characters have no special meaning in any language.
- ``{name:q}`` in a script of a POSIX shell, outside of all quotes, because it has quotes of its own.
- ``{name:json}`` in Python, JavaScript and jq, outside of strings and comments, because it is a string.
- numbers of items and slots everywhere.

``domain.quoting_contexts`` decides if the quotes of a value hold at its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jobctl.domain.braces import Piece, Placeholder, ValueSource
from jobctl.domain.evaluated_words import evaluated, name_of
from jobctl.domain.evaluators import JAVASCRIPT, JQ, OTHER_SHELL, POSIX_SHELLS, PYTHON, SHELL
from jobctl.domain.program_words import Evaluated
from jobctl.domain.quoting import MARK
from jobctl.domain.shell import PREFIX
from jobctl.errors import UsageError


class _Language(NamedTuple):
    """The name of a language in messages, the form that it reads, and another way to pass a value."""

    name: str
    quote: str
    instead: str


_MARKED = re.compile(re.escape(MARK))
#: The text that ``domain.shell`` writes for a value.
_VARIABLE = re.compile(rf"\$\{{{PREFIX}([0-9]+)\}}")
_PASS = "pass it as an argument"  # noqa: S105  no password
_LANGUAGES = {
    SHELL: _Language("shell text", "q", "{program} -c 'echo \"$1\"' _ {value}"),
    OTHER_SHELL: _Language("shell text", "", "./script {value}"),
    PYTHON: _Language("Python", "json", "{program} -c 'import sys; print(sys.argv[1])' {value}"),
    JAVASCRIPT: _Language("JavaScript", "json", "{program} -e 'console.log(process.argv[1])' {value}"),
    JQ: _Language("a jq program", "json", "jq --arg v {value} '... $v ...'"),
}
_OTHER = _Language("a program", "", "./script {value}")
#: The way to pass a value to each of the programs that people use most.
_INSTEAD = {
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), "{program} -v v={value} '... v ...'"),
    "perl": "perl -e '... $ARGV[0] ...' {value}",
    "ruby": "ruby -e '... ARGV[0] ...' {value}",
    "php": "php -r '... $argv[1] ...' {value}",
    "psql": "psql -v v={value} -f FILE, where :'v' is the value",
    "parallel": "jobctl runs items at once itself, so leave parallel out",
    "env": "without -S each word is an argument",
    "sed": "awk -v v={value} '... v ...'",
    "Rscript": "Rscript FILE {value}",
}


def check_scripts(argv: Sequence[str], arguments: Sequence[Sequence[Piece]]) -> None:
    """Raise UsageError for a value that a program would evaluate.

    ``argv`` is the command as it was given. ``arguments`` has the pieces of each word, and perhaps of one more that was
    added at the end.
    """
    if not any(_fields(pieces) for pieces in arguments):
        return
    words = [*argv, *(["{}"] * (len(arguments) - len(argv)))]
    for found in evaluated(words):
        pieces = _joined([arguments[at] for at in found.words if at < len(arguments)])
        for placeholder, why in _refused(pieces, found):
            raise _refusal(words, found, placeholder, why)


def _fields(pieces: Sequence[Piece]) -> list[Placeholder]:
    return [piece for piece in pieces if isinstance(piece, Placeholder) and piece.source is ValueSource.FIELD]


def _joined(arguments: Sequence[Sequence[Piece]]) -> list[Piece]:
    """Words joined as ssh and others join them, with a blank between two."""
    joined: list[Piece] = []
    for pieces in arguments:
        joined += [" ", *pieces] if joined else pieces
    return joined


def _refused(pieces: Sequence[Piece], found: Evaluated) -> Iterator[tuple[Placeholder, str]]:
    language = _LANGUAGES.get(found.kind, _OTHER)
    judged = [piece for piece in _fields(pieces) if piece.quote != "url"]
    if not judged:
        return
    for placeholder in judged:
        if not language.quote or placeholder.quote != language.quote:
            yield placeholder, ""
            return
    text = "".join(_shown(piece) for piece in pieces)
    yield from ((placeholder, why) for placeholder, why in zip(judged, _contexts(found.kind, text), strict=True) if why)


def _contexts(kind: str, text: str) -> list[str]:
    """For each value, the reason why its quotes do not hold at its place; empty if they hold."""
    from jobctl.domain.quoting_contexts import in_javascript, in_jq, in_python, in_shell

    if kind != SHELL:
        return {PYTHON: in_python, JAVASCRIPT: in_javascript, JQ: in_jq}[kind](text)
    again = _evaluated_again(text)
    return [why or again for why in in_shell(text)]


def _evaluated_again(text: str) -> str:
    """The reason to refuse a value that a command in shell text would evaluate after the shell; empty without one."""
    from jobctl.domain.nested_commands import evaluated_inside

    for words, found in evaluated_inside(text, _MARKED):
        if any(MARK in words[at] for at in found.words if at < len(words)):
            return f"where {found.program} evaluates it once more"
    return ""


def check_shell(text: str, values: Sequence[Placeholder], columns: Sequence[str] | None) -> None:
    """Raise UsageError for a value that a command in the text of ``--shell`` would evaluate.

    ``text`` is what the shell gets, with a variable for each of the values. The shell itself evaluates none of them,
    but ``ssh host "cat {name}"`` hands the value to another shell as text.
    """
    from jobctl.domain.nested_commands import evaluated_inside

    if not values:
        return
    for words, found in evaluated_inside(text, _VARIABLE):
        pieces = _joined([_with_values(words[at], values) for at in found.words if at < len(words)])
        for placeholder, why in _refused(pieces, found):
            written = "{}" if columns is None else f"{{{columns[placeholder.field]}}}"
            shown = found._replace(words=(0,), option=f"{found.option} inside of --shell".strip())
            raise _refusal([written], shown, placeholder, why)


def _with_values(word: str, values: Sequence[Placeholder]) -> list[Piece]:
    """A word as pieces, with placeholders in the place of its variables."""
    return [values[int(part) - 1] if at % 2 else part for at, part in enumerate(_VARIABLE.split(word))]


def _shown(piece: Piece) -> str:
    if isinstance(piece, str):
        return piece
    return MARK if piece.source is ValueSource.FIELD and piece.quote != "url" else "1"


def _refusal(words: Sequence[str], found: Evaluated, placeholder: Placeholder, why: str) -> UsageError:
    language = _LANGUAGES.get(found.kind, _OTHER)
    where = f"{found.program} {found.option}".strip()
    value = next((f"{{{inner}}}" for inner in _names(words, found)), "{}")
    if why:
        return UsageError(
            f"a placeholder with :{placeholder.quote} cannot stand {why} (in the text of {where})",
            hint=f"its quotes hold only outside of all others: write it as a word of its own, or {_PASS}",
        )
    ways = [f"write {value[:-1]}:{language.quote}}}"] if language.quote else []
    name = name_of(found.program)
    instead = _INSTEAD.get(name) or (language.instead if found.kind != SHELL or name in POSIX_SHELLS.split() else "")
    if instead:
        ways.append(f"{_PASS}: {instead.format(program=found.program, value=value)}")
    if found.kind == SHELL and found.option == "-c":
        ways.append("use --shell")
    if found.kind != SHELL and (value == "{}" or value[1:-1].isdigit()):
        ways.append(f"for literal braces write {{{value}}}")
    return UsageError(
        f"a placeholder in the text of {where} would run values as {language.name}", hint=", or ".join(ways)
    )


def _names(words: Sequence[str], found: Evaluated) -> Iterator[str]:
    """The names of the placeholders in a text, as far as syntax tells them from other braces."""
    for at in found.words:
        if at < len(words):
            yield from (inner.rpartition(":")[0] or inner for inner in re.findall(r"\{([\w ./:-]*)\}", words[at]))
