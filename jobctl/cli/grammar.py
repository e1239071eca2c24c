"""Mistakes in the options of a command line, found before the parser sees them.

The messages of the parser help too little: it takes the next option for a missing value, and it calls a flag with a
value an unknown option.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from typer.core import TyperArgument

from jobctl.cli.parameters import (
    LONG_DASHES,
    argument_line,
    choice_clause,
    is_flag,
    long_name,
    option_line,
    placeholder,
)
from jobctl.errors import UsageError

#: The names that typer has for the type of an option that takes a whole number, with or without limits.
_INTEGERS = ("int", "integer")
_WHOLE = re.compile(r"[+-]?[0-9]+")
#: Options whose value may be empty.
_MAY_BE_EMPTY = {"reason"}
#: Options that choose something: with two different values, it is not clear which one is meant.
_CHOOSES = {
    *("where", "select", "items", "resources", "retry_on", "no_retry_on", "new_by"),
    *("queue", "output", "attempt", "item_key", "recipe", "key"),
}
#: Options that show changes as they happen, for which people of ``watch -n 2`` give an interval.
_LIVE = {"watch", "follow"}
_NO = {"no", "false", "off", "0", "none"}
#: The end of our options.
END = "--"


class Grammar:
    """The options of one command, in the context in which it is called."""

    def __init__(self, command: Any, context: Any) -> None:
        params = command.get_params(context)
        self._command = command
        self._context = context
        self._program = context.command_path
        self._arguments = [param for param in params if isinstance(param, TyperArgument)]
        self._options = {
            name: param
            for param in params
            if not isinstance(param, TyperArgument)
            for name in (*param.opts, *param.secondary_opts)
        }
        self._given: dict[str, list[str]] = {}
        self._args: Sequence[str] = ()

    def check(self, args: Sequence[str], *, to_first_word: bool = False) -> list[str]:
        """Notes on these arguments; ``to_first_word``: a command follows, which has its own options.

        Raises UsageError for the first option that is wrong.
        """
        place, self._args = 0, args
        while place < len(args) and args[place] != END:
            word, following = args[place], args[place + 1 : place + 2]
            if word.startswith("-") and word != "-":
                place += (self._long if word.startswith("--") else self._short)(word, following)
            elif to_first_word:
                break
            else:
                self._check_word(word)
                place += 1
        return self._repeated()

    def _check_word(self, word: str) -> None:
        """Raises UsageError for an argument that is an option in disguise, or standard input where it is not read."""
        if word[:1] in LONG_DASHES:
            from jobctl.cli.mistakes import refuse_long_dash

            refuse_long_dash(word, self._options, self._help)
        metavars = [placeholder(param) for param in self._arguments]
        if word == "-" and metavars and "FILE" not in metavars:
            raise UsageError(
                f"- means standard input, and {self._program} does not read it",
                details=[argument_line(param) for param in self._arguments],
                hint=self._help,
            )
        name, given, value = word.partition("=")
        if given and f"--{name}" in self._options and metavars and metavars[-1].startswith("JOB"):
            raise UsageError(
                f"{word!r} is not a {metavars[-1]}, and {name} is an option",
                hint=f"write --{name} {value}; {self._help}",
            )

    def _long(self, word: str, following: Sequence[str]) -> int:
        """Check ``--name``, ``--name=value`` or ``--name value``; returns how many arguments that is."""
        name, given, value = word.partition("=")
        param = self._options.get(name)
        if param is None:
            raise self._unknown(name)
        if is_flag(param):
            if given:
                raise self._takes_no_value(name, value)
            return 1
        if given:
            self._check_value(name, param, value)
            return 1
        self._check_value(name, param, self._following(name, following))
        return 2

    def _short(self, word: str, following: Sequence[str]) -> int:
        """Check a word such as ``-q``, ``-qj4`` or ``-j 4``; returns how many arguments it takes up."""
        long = f"-{word.partition('=')[0]}"
        if len(word) > 2 and long in self._options:
            raise UsageError(f"{word}: a long option has two dashes", hint=f"{long}; {self._help}")
        for place, letter in enumerate(word[1:], 2):
            name, rest = f"-{letter}", word[place:]
            param = self._options.get(name)
            if param is None:
                if place > 2 and letter.isdigit():  # as in -w2
                    raise self._takes_no_value(f"-{word[place - 2]}", word[place - 1 :])
                raise self._unknown(name, within=word)
            if is_flag(param):
                if rest.startswith("="):
                    raise self._takes_no_value(name, rest[1:])
                continue
            if rest.startswith("="):
                raise UsageError(
                    f"{word}: after a short option there is no =",
                    details=[option_line(param)],
                    hint=f"{name}{rest[1:]}, {name} {rest[1:]} or {long_name(param)}{rest}; {self._help}",
                )
            self._check_value(name, param, rest or self._following(name, following))
            return 1 if rest else 2
        return 1

    def _following(self, name: str, following: Sequence[str]) -> str:
        """The argument after an option that needs a value. Raises UsageError where that is something else."""
        if not following or following[0] == END:
            raise self._needs_value(name)
        value = following[0]
        if value in self._options or re.match(r"--[A-Za-z]", value):
            spelling = f"{name if name.startswith('--') else long_name(self._options[name])}={value}"
            raise self._needs_value(name, f", and {value} is an option (if it is the value, write {spelling})")
        return value

    def _check_value(self, name: str, param: Any, value: str) -> None:
        if not value and param.name not in _MAY_BE_EMPTY:
            raise self._needs_value(name, ", and the one given is empty")
        if param.type.name.split()[0] in _INTEGERS and not _WHOLE.fullmatch(value):
            raise UsageError(
                f"{name}: {value!r} is not a whole number",
                details=[option_line(param)],
                hint=f"for example 4; {self._help}",
            )
        self._given.setdefault(str(param.name), []).append(value)

    def _repeated(self) -> list[str]:
        """Notes on options that are given more than once. Raises UsageError if it is not clear which value counts."""
        notes = []
        for param in dict.fromkeys(self._options.values()):
            found = list(dict.fromkeys(self._given.get(str(param.name), ())))
            if param.multiple or len(found) < 2:
                continue
            name = long_name(param)
            if param.name in _CHOOSES:
                raise UsageError(
                    f"{name} is given more than once, and only one counts: {' and '.join(map(repr, found))}",
                    details=[option_line(param)],
                    hint=f"leave out all but one; {self._help}",
                )
            notes.append(f"{name} is given more than once; the last one counts: {self._given[param.name][-1]}")
        return notes

    @property
    def _help(self) -> str:
        return f"{self._program} --help"

    def _needs_value(self, name: str, clause: str = "") -> UsageError:
        param = self._options[name]
        return UsageError(
            f"{name} needs a value{choice_clause(param)}{clause}", details=[option_line(param)], hint=self._help
        )

    def _takes_no_value(self, name: str, value: str) -> UsageError:
        param = self._options[name]
        then = f"leave {name} out" if value.lower() in _NO else f"write {name} alone"
        if param.name in _LIVE and value.lower().rstrip("s").replace(".", "").isdigit():
            then += ": the view changes as soon as the work does, so there is no interval"
        return UsageError(
            f"{name} takes no value, and it was given {value!r}",
            details=[option_line(param)],
            hint=f"{then}; {self._help}",
        )

    def _unknown(self, name: str, within: str = "") -> UsageError:
        from jobctl.cli.mistakes import Call, instead_of_option, likeliest

        if within[1:].isdigit():
            name, within = within, ""
        alone = within in ("", name)
        call = Call(self._command, self._context, self._args, self._options)
        known_name = likeliest(name, self._options) if alone else ""
        place = "" if alone else f" (in {within})"
        return UsageError(
            f"no such option: {name}{place}" + (f"; did you mean {known_name}?" if known_name else ""),
            hint="; ".join(filter(None, ("" if known_name else instead_of_option(call, name), self._help))),
        )
