"""Shell templates: placeholders become references to environment variables, and values never enter the text.

The scanner follows the quoting of the text for two reasons. It must know how to write a reference (``"${JOBCTL_V_1}"``
where the shell would split words, ``${JOBCTL_V_1}`` inside double quotes). It must also refuse places where a reference
would not work or would be evaluated: single quotes, back quotes, ``${...}``, arithmetic, ``[[ ]]``, quoted
here-documents. If the scanner lost track, a value could be split into words or a name could be printed, but no value
could become shell text.

A command in the text can evaluate a value once more, as in ``ssh host "cat {name}"``. ``domain.injection`` finds such
commands at submission.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from jobctl.domain.braces import Names, Placeholder, ValueSource
from jobctl.domain.bracetext import Braces
from jobctl.errors import UsageError

PREFIX = "JOBCTL_V_"
_OWN_VARIABLE = {ValueSource.ITEM: "JOBCTL_ITEM", ValueSource.SLOT: "JOBCTL_SLOT"}
_WHERE = "--shell"

_PLAIN = re.compile(r"[^\\'\"`$(){}#<\n\[A-Za-z_]+")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HERE = re.compile(r"<<(-?)[ \t]*((?:\\.|'[^'\n]*'|\"[^\"\n]*\"|[^\s;&|<>()'\"\\])+)")
#: Steps through ``${...}``; inside double quotes a single quote is a character like any other.
_IN_QUOTED_PARAMETER = re.compile(r'\\.|"(?:\\.|[^"\\])*"|[^"\\]', re.DOTALL)
_IN_PARAMETER = re.compile(r"""\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^"'\\]""", re.DOTALL)
_BEFORE_COMMENT = frozenset(" \t\n;&|()")


class ShellTemplate(NamedTuple):
    """Text for ``/bin/sh -c``, and the placeholders behind its variables ``JOBCTL_V_1``, ``JOBCTL_V_2``..."""

    text: str
    values: tuple[Placeholder, ...]
    notices: Sequence[str] = ()  # sentences about doubled braces
    keeps_tags: bool = False  # tags of another template language keep their doubled braces


class _Here(NamedTuple):
    """A here-document that begins on the next line."""

    word: str
    quoted: bool
    tabs: bool


def compile_shell(text: str, columns: Sequence[str] | Names | None) -> ShellTemplate:
    """Make a shell template for rows with these columns (None: plain lines).

    Raises UsageError for an unknown placeholder, for one in a place where it cannot be used, and for unclosed quotes.
    """
    if not text.strip():
        raise UsageError("--shell: there is no command", hint="jobctl submit FILE --shell 'text with {name}'")
    if "\0" in text:
        raise UsageError("--shell: the text contains a NUL character")
    return _Scanner(text, columns if isinstance(columns, Names) else Names(columns)).scan()


class _Scanner:
    """One pass over the text. ``_open`` has the open ``"``, ``(`` and ``$(``, the innermost last."""

    def __init__(self, text: str, names: Names) -> None:
        self._text = text
        self._names = names
        self._at = 0
        self._out: list[str] = []
        self._values: dict[Placeholder, str] = {}
        self._open: list[str] = []
        self._heres: list[_Here] = []
        self._braces = Braces(text, names, _WHERE)
        self._lost = ""  # the reason why the quoting can no longer be followed
        self._steps: dict[str, Callable[[], None]] = {
            "\\": self._backslash,
            '"': self._double_quote,
            "`": lambda: self._opaque("`", "`", "back quotes; use $(...)", escapes=True),
            "$": self._dollar,
            "{": self._brace,
            "}": self._brace,
        }
        self._bare_steps: dict[str, Callable[[], None]] = {
            "'": lambda: self._opaque("'", "'", "single quotes, where the shell replaces nothing"),
            "(": self._parenthesis,
            ")": self._close,
            "#": self._comment,
            "<": self._here,
            "\n": self._newline,
            "[": self._bracket,
        }

    def scan(self) -> ShellTemplate:
        while self._at < len(self._text):
            self._step()
        if self._open:
            raise UsageError(f"--shell: {self._open[-1]} is never closed", hint="check the quotes of the text")
        notices = self._braces.notices()
        return ShellTemplate("".join(self._out), tuple(self._values), notices, bool(self._braces.pairs))

    @property
    def _is_quoted(self) -> bool:
        return bool(self._open) and self._open[-1] == '"'

    def _step(self) -> None:
        if plain := _PLAIN.match(self._text, self._at):
            self._copy(plain.end())
            return
        character = self._text[self._at]
        step = self._steps.get(character) or (None if self._is_quoted else self._bare_steps.get(character))
        if step is not None:
            step()
        elif word := _WORD.match(self._text, self._at):
            self._word(word)
        else:
            self._copy(self._at + 1)

    def _copy(self, end: int) -> None:
        self._out.append(self._text[self._at : end])
        self._at = end

    def _starts(self, *prefixes: str) -> bool:
        return self._text.startswith(prefixes, self._at)

    def _word(self, word: re.Match[str]) -> None:
        if word[0] == "case" and "$(" in self._open and not self._is_quoted:
            self._lost = "after a case inside $(...)"
        self._copy(word.end())

    def _backslash(self) -> None:
        if self._text[self._at + 1 : self._at + 2] in ("{", "}"):
            self._copy(self._at + 1)
            self._brace("after a backslash")
        else:
            self._copy(min(self._at + 2, len(self._text)))

    def _double_quote(self) -> None:
        if self._is_quoted:
            self._open.pop()
        else:
            self._open.append('"')
        self._copy(self._at + 1)

    def _parenthesis(self) -> None:
        if self._starts("(("):
            self._opaque("((", "))", "arithmetic, which would evaluate the value")
        else:
            self._open.append("(")
            self._copy(self._at + 1)

    def _close(self) -> None:
        if self._open:
            self._open.pop()
        self._copy(self._at + 1)

    def _bracket(self) -> None:
        if self._starts("[[ ", "[[\t", "[[\n"):
            self._opaque("[[", "]]", "[[ ]], which may evaluate the value; use [ ]")
        else:
            self._copy(self._at + 1)

    def _dollar(self) -> None:
        if self._starts("$(("):
            self._opaque("$((", "))", "arithmetic, which would evaluate the value")
        elif self._starts("$["):
            self._opaque("$[", "]", "arithmetic, which would evaluate the value")
        elif self._starts("$("):
            self._open.append("$(")
            self._copy(self._at + 2)
        elif self._starts("${"):
            self._parameter()
        elif self._starts("$'") and not self._is_quoted:
            self._opaque("$'", "'", "single quotes, where the shell replaces nothing", escapes=True)
        elif self._starts("$$", "$#"):
            self._copy(self._at + 2)
        else:
            self._copy(self._at + 1)

    def _parameter(self) -> None:
        """Copy ``${...}``, which belongs to the shell; a placeholder inside it is refused."""
        pattern = _IN_QUOTED_PARAMETER if self._is_quoted else _IN_PARAMETER
        end, depth = self._at + 2, 1
        while depth:
            part = pattern.match(self._text, end)
            if part is None:
                raise UsageError("--shell: ${ is never closed", hint="check the quotes and braces of the text")
            depth += {"{": 1, "}": -1}.get(part[0], 0)
            end = part.end()
        for inner in re.findall(r"\{([^{}]*)\}", self._text[self._at : end]):
            # ${#} and ${%} belong to the shell, also if a column has such a name.
            if self._names.find(inner) is not None and inner not in ("#", "%"):
                raise UsageError(
                    f"--shell: placeholder {{{inner}}} inside or after ${{",
                    hint=f"for the column write {{{inner}}} without $; for a shell variable choose another name",
                )
        self._copy(end)

    def _comment(self) -> None:
        if self._at and self._text[self._at - 1] not in _BEFORE_COMMENT:
            self._copy(self._at + 1)
        else:
            end = self._text.find("\n", self._at)
            self._copy(len(self._text) if end < 0 else end)

    def _opaque(self, begin: str, end: str, where: str, *, escapes: bool = False) -> None:
        """Copy a region in which a placeholder is refused."""
        self._copy(self._at + len(begin))
        while not self._starts(end):
            if self._at >= len(self._text):
                raise UsageError(f"--shell: {begin} is never closed", hint="check the quotes of the text")
            if self._text[self._at] in "{}":
                self._brace(f"inside {where}")
            else:
                self._copy(min(self._at + (2 if escapes and self._starts("\\") else 1), len(self._text)))
        self._copy(self._at + len(end))

    def _brace(self, refused: str = "") -> None:
        piece, end, spelled = self._braces.read(self._at)
        if isinstance(piece, str):
            if spelled == "single":
                end = self._at + 1  # what follows the brace may have quotes of its own
            self._out.append(piece if spelled == "kept" else piece[0])
        else:
            self._refer(piece, self._text[self._at : end], refused or self._lost)
        self._at = end

    def _refer(self, placeholder: Placeholder, written: str, refused: str) -> None:
        if refused:
            raise UsageError(
                f"--shell: placeholder {written} {refused}",
                hint=f"assign it first, v={written}, and use $v; for literal braces write {{{written}}}",
            )
        reference = "${" + self._variable(placeholder) + "}"
        self._out.append(reference if self._is_quoted else f'"{reference}"')

    def _variable(self, placeholder: Placeholder) -> str:
        own = _OWN_VARIABLE.get(placeholder.source)
        return own or self._values.setdefault(placeholder, f"{PREFIX}{len(self._values) + 1}")

    def _here(self) -> None:
        found = None if self._starts("<<<") else _HERE.match(self._text, self._at)
        if found is None:
            self._copy(self._at + (3 if self._starts("<<<") else 1))
            return
        word = re.sub(r"\\(.)|['\"]", r"\1", found[2])
        self._heres.append(_Here(word, word != found[2], bool(found[1])))
        self._copy(found.end())

    def _newline(self) -> None:
        self._copy(self._at + 1)
        heres, self._heres = self._heres, []
        for here in heres:
            self._here_document(here)

    def _here_document(self, here: _Here) -> None:
        tabs = r"\t*" if here.tabs else ""
        last = re.compile(rf"^{tabs}{re.escape(here.word)}$", re.MULTILINE).search(self._text, self._at)
        end = len(self._text) if last is None else last.start()
        body = self._text[self._at : end]
        refused = "inside a quoted here-document" if here.quoted else ""
        if "$(" in body or "`" in body:
            refused = "inside a here-document that runs commands"
        self._open.append('"')  # the shell reads the body as if in double quotes
        while self._at < end:
            self._here_step(refused)
        self._open.pop()
        self._copy(end if last is None else last.end())

    def _here_step(self, refused: str) -> None:
        if self._starts("${") and not refused:
            self._parameter()
        elif self._starts("\\{", "\\}") and not refused:
            self._backslash()
        elif self._text[self._at] in "{}":
            self._brace(refused)
        else:
            self._copy(min(self._at + (2 if self._starts("\\") else 1), len(self._text)))
