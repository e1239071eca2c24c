"""Decides if the quotes of a value hold at its place in a text that a program evaluates.

A text has ``MARK`` for each value. The scanners follow the quoting of a text as long as they are certain. From the
first uncertain place on, they accept no value, which must then be passed as an argument.
"""

from __future__ import annotations

import re

from jobctl.domain.quoting import MARK

_SHELL_PLAIN = re.compile(r"[^\\'\"`$(){}#<\[\0]+")
_BEFORE_COMMENT = frozenset(" \t\n;&|()")
_SUBSCRIPT = re.compile(r"[A-Za-z_]\w*\[[^\]\s]*$")
_QUOTING = frozenset("\\'\"`$")


def in_shell(text: str) -> list[str]:
    """For each value, the reason why the quotes of a POSIX shell do not hold at its place; empty if they hold."""
    return _ShellContexts(text).scan()


class _ShellContexts:
    """One pass over shell text. ``_open`` has the open ``"``, ``(`` and ``$(``, the innermost last."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: list[str] = []
        self._reasons: list[str] = []
        self._lost = "with a here-document" if re.search(r"(?<!<)<<(?!<)", text) else ""

    def scan(self) -> list[str]:
        while self._at < len(self._text):
            self._step()
        return self._reasons

    def _step(self) -> None:
        character = self._text[self._at]
        if plain := _SHELL_PLAIN.match(self._text, self._at):
            if re.search(r"(^|[\s;&|(])case\s", plain[0]) and self._open:
                self._lost = "after a case in parentheses"
            self._at = plain.end()
        elif character == MARK:
            self._reasons.append(self._lost or self._why_not())
            self._at += 1
        elif character == "\\":
            self._backslash()
        elif self._open and self._open[-1] == '"':
            self._quoted_step(character)
        else:
            self._bare_step(character)

    def _why_not(self) -> str:
        before = self._text[: self._at]
        if self._open and self._open[-1] == '"':
            return "inside double quotes"
        if before.endswith("$"):
            return "after a $"
        return "in a subscript" if _SUBSCRIPT.search(before) else ""

    def _backslash(self) -> None:
        if self._text[self._at + 1 : self._at + 2] == MARK:
            self._reasons.append("after a backslash")
        self._at += 2

    def _quoted_step(self, character: str) -> None:
        if character == '"':
            self._open.pop()
        if character in "$`":
            self._expansion()
        else:
            self._at += 1

    def _bare_step(self, character: str) -> None:
        if character == "'":
            self._region("'", "'", "inside single quotes")
        elif character == '"':
            self._open.append('"')
            self._at += 1
        elif character in "$`":
            self._expansion()
        elif self._text.startswith("((", self._at):
            self._region("((", "))", "in arithmetic", doubtful=True)
        elif character == "(":
            self._open.append("(")
            self._at += 1
        elif character == ")":
            if self._open:
                self._open.pop()
            self._at += 1
        elif re.compile(r"\[\[\s").match(self._text, self._at):
            self._region("[[", "]]", "inside [[ ]]", doubtful=True)
        elif character == "#" and (not self._at or self._text[self._at - 1] in _BEFORE_COMMENT):
            self._region("#", "\n", "in a comment")
        else:
            self._at += 1

    def _expansion(self) -> None:
        """Read an expansion, which begins with ``$`` or a back quote."""
        for begin, end, where in (
            ("`", "`", "inside back quotes"),
            ("$((", "))", "in arithmetic"),
            ("$[", "]", "in arithmetic"),
            ("${", "}", "inside ${ }"),
        ):
            if self._text.startswith(begin, self._at):
                self._region(begin, end, where, doubtful=True)
                return
        if self._text.startswith("$(", self._at):
            self._open.append("$(")
            self._at += 2
        elif self._text.startswith("$'", self._at) and not (self._open and self._open[-1] == '"'):
            self._ansi_quoted()
        else:
            self._at += 1

    def _ansi_quoted(self) -> None:
        region = re.compile(r"\$'((?:\\.|[^'\\])*)'?", re.DOTALL).match(self._text, self._at)
        assert region is not None
        self._reasons += ["inside single quotes"] * region[0].count(MARK)
        self._at = region.end()

    def _region(self, begin: str, end: str, where: str, *, doubtful: bool = False) -> None:
        """Read a part in which no value is safe. The end of a part that may have quotes of its own is uncertain."""
        stop = self._text.find(end, self._at + len(begin))
        stop = len(self._text) if stop < 0 else stop + len(end)
        inside = self._text[self._at + len(begin) : stop]
        self._reasons += [self._lost or where] * inside.count(MARK)
        # Arithmetic or a test of bash is plain text for dash, where a comment may begin in it.
        strange = _QUOTING if begin == "${" else _QUOTING | {"#", "\n", "<", "(", ")"}
        if doubtful and strange.intersection(self._plainer(inside.removesuffix(end), begin)):
            self._lost = f"{where}, or after it,"
        self._at = stop

    def _plainer(self, inside: str, begin: str) -> str:
        """The text without variables and complete strings of a test, which do not affect where it ends."""
        inside = re.sub(r"\$[A-Za-z_]\w*", "", inside)
        return re.sub(r"\"[\w ./:,=*?-]*\"", "", inside) if begin == "[[" else inside


def _outside(text: str, skipped: re.Pattern[str], lost: str = "") -> list[str]:
    """For each value, the reason why it is unsafe: inside a match of ``skipped``, or after a character of ``lost``."""
    reasons: list[str] = []
    at, doubt = 0, ""
    while at < len(text):
        region = skipped.match(text, at)
        if region is not None:
            reasons += [doubt or "inside a string or comment"] * region[0].count(MARK)
            at = region.end()
            continue
        if text[at] == MARK:
            reasons.append(doubt or _touched(text, at))
        elif text[at] in lost:
            doubt = f"after {text[at]}"
        at += 1
    return reasons


def _touched(text: str, at: int) -> str:
    """A letter before a string changes its meaning, above all Python's f; three quotes begin another kind of string."""
    before, after = text[max(at - 1, 0) : at], text[at + 1 : at + 2]
    touched = re.match(r"[\w'\"\\\0]", before) or re.match(r"[\w'\"\0]", after)
    return "next to a letter or quote" if touched else ""


_STRING = r"\"(?:\\.|[^\"\\\n])*(?:\"|$|(?=\n))|'(?:\\.|[^'\\\n])*(?:'|$|(?=\n))"
_PYTHON_REGION = re.compile(
    rf"\"\"\"(?:\\.|[^\\])*?(?:\"\"\"|\\?\Z)|'''(?:\\.|[^\\])*?(?:'''|\\?\Z)|{_STRING}|#[^\n]*", re.DOTALL
)
_JAVASCRIPT_REGION = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_JQ_REGION = re.compile(r"\"(?:\\[^(]|[^\"\\])*\"|#[^\n]*", re.DOTALL)


def in_python(text: str) -> list[str]:
    """The same as ``in_shell`` for JSON strings in Python. After an unclear string begins, no value is accepted."""
    return _outside(text, _PYTHON_REGION, "'\"")


def in_javascript(text: str) -> list[str]:
    """The same as ``in_shell`` for JSON strings in JavaScript.
    A slash may begin a regular expression, a back quote a string with code, so no value after them is accepted.
    """
    return _outside(text, _JAVASCRIPT_REGION, "/`'\"")


def in_jq(text: str) -> list[str]:
    """The same as ``in_shell`` for JSON strings in jq. After a string with an expression, no value is accepted."""
    return _outside(text, _JQ_REGION, '"')
