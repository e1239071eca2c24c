"""Finds the commands in a shell text, and those of their words that a program evaluates after the shell has read them.

The text is read only as far as it takes to find the programs in it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from jobctl.domain.evaluated_words import evaluated
from jobctl.domain.evaluators import CODE, SHELL
from jobctl.domain.program_words import Evaluated

#: Words before a command that are not part of it.
_BEFORE = frozenset(
    ["if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "coproc", "exec", "command", "builtin"]
)
_NOT_YET = re.compile(r"[A-Za-z_]\w*\+?=|[0-9]*[<>]|[0-9]+$|-")
_REDIRECTION = re.compile(r"[0-9]*(<|<<<|>|>>|<>)")
_BEFORE_COMMENT = frozenset(" \t\n;&|()")
_ANSI_QUOTED = re.compile(r"\$'(?:\\.|[^'\\])*'?", re.DOTALL)
#: Builtins that run all of their words, that compute all of them, and that compute the name of a variable:
#: in ``a[$(id)]`` bash runs ``id``.
_RUN, _COMPUTE = frozenset({"eval", "trap", "alias"}), frozenset({"let"})
_NAMES = frozenset(
    ["read", "unset", "declare", "typeset", "local", "readonly", "export", "mapfile", "readarray", "getopts"]
)
_NAME_OPTIONS = {
    **dict.fromkeys(("test", "["), frozenset({"-v", "-R"})),
    "printf": frozenset({"-v"}),
    "wait": frozenset({"-p"}),
    "mapfile": frozenset({"-C"}),
    "readarray": frozenset({"-C"}),
    "complete": frozenset({"-C", "-W", "-F"}),
    "compgen": frozenset({"-C", "-W", "-F"}),
}


def evaluated_inside(text: str, values: re.Pattern[str]) -> Iterator[tuple[list[str], Evaluated]]:
    """The evaluated words of the commands in a shell text; the pattern ``values`` finds the places that get a value."""
    for apart in (False, True):
        for command in _commands(_simpler(text, apart)):
            words = _begun(command)
            if any(values.search(word) for word in words):
                for found in (*_builtin(words, values), *evaluated(words)):
                    yield words, found


def _builtin(words: Sequence[str], values: re.Pattern[str]) -> Iterator[Evaluated]:
    name = words[0]
    if name in _RUN:
        yield Evaluated(tuple(range(1, len(words))), SHELL, name)
    computes = name in _COMPUTE or (name in _NAMES and any(re.match(r"[-+]\w*i", word) for word in words))
    for at in range(1, len(words)):
        is_name = name in _NAMES and values.match(words[at]) and not _REDIRECTION.fullmatch(words[at - 1])
        if computes or is_name or words[at - 1] in _NAME_OPTIONS.get(name, ()):
            yield Evaluated((at,), CODE, name)


def _begun(command: list[str]) -> list[str]:
    """The command without the words before it: assignments, redirections, words such as ``if`` and ``exec``."""
    at = 0
    while at < len(command) - 1 and (command[at] in _BEFORE or _NOT_YET.match(command[at])):
        at += 2 if _REDIRECTION.fullmatch(command[at]) and at < len(command) - 2 else 1
    return command[at:]


def _commands(text: str) -> Iterator[list[str]]:
    try:
        lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|()")
        lexer.whitespace_split, lexer.commenters = True, ""
        words = list(lexer)
    except ValueError:
        words = re.sub(r"([;&|()`])", r" \1 ", text).split()
    command: list[str] = []
    for word in [*words, ";"]:
        if word and not word.strip(";&|()`"):
            if command:
                yield command
            command = []
        else:
            command.append(word)


def _simpler(text: str, apart: bool) -> str:
    """The text without comments and line ends; ``apart``: the command of ``"$(...)"`` is put outside of the quotes."""
    out: list[str] = []
    opened: list[str] = []
    at = 0
    while at < len(text):
        quoted = bool(opened) and opened[-1] == '"'
        end = _step_end(text, at, quoted)
        part = text[at:end]
        if part == '"':
            opened.pop() if quoted else opened.append('"')
        elif part == "$(" or (part == "(" and not quoted):
            opened.append("(")
            part = '" ( ' if quoted and apart else part
        elif part == ")" and opened and not quoted:
            opened.pop()
            part = ' ) "' if opened and opened[-1] == '"' and apart else part
        elif part == "\n" or (part[0] == "#" and len(part) > 1 and not quoted):
            part = "\n" if quoted else " ; "
        out.append(part)
        at = end
    return "".join(out)


def _step_end(text: str, at: int, quoted: bool) -> int:
    """The end of the syntax that begins here: a string in single quotes, a comment, ``$(``, an escape, a character."""
    if text[at] == "\\" or text.startswith("$(", at):
        return at + 2
    if not quoted and (ansi := _ANSI_QUOTED.match(text, at)):
        return ansi.end()
    if not quoted and text[at] == "'":
        end = text.find("'", at + 1)
        return len(text) if end < 0 else end + 1
    if not quoted and text[at] == "#" and (at == 0 or text[at - 1] in _BEFORE_COMMENT):
        end = text.find("\n", at)
        return len(text) if end < 0 else end
    return at + 1
