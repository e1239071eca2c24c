"""Mistakes in the options of a command line, found before the parser sees them.

The messages of the parser help too little: it takes the next option for a missing value, and it calls a flag with a
value an unknown option.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from typer.core import TyperArgument, TyperOption

from jobctl.domain.nearest import nearest
from jobctl.errors import UsageError

#: The names that typer has for the type of an option that takes a whole number, with or without limits.
_INTEGERS = ("int", "integer")
_WHOLE = re.compile(r"[+-]?[0-9]+")
#: Options whose value may be empty.
_MAY_BE_EMPTY = {"reason"}
#: Options that choose something: with two different values, it is not clear which one is meant.
_CHOOSES = {
    *("where", "select", "resources", "retry_on", "no_retry_on", "new_by"),
    *("queue", "output", "attempt", "item_key", "recipe", "key"),
}
_NO = {"no", "false", "off", "0", "none"}
#: The end of our options.
END = "--"


class Grammar:
    """The options of one command, in the context in which it is called."""

    def __init__(self, command: Any, context: Any) -> None:
        self._program = context.command_path
        self._root = context.find_root().command
        self._options = {
            name: param
            for param in command.get_params(context)
            if not isinstance(param, TyperArgument)
            for name in (*param.opts, *param.secondary_opts)
        }
        self._given: dict[str, list[str]] = {}

    def check(self, args: Sequence[str], *, to_first_word: bool = False) -> list[str]:
        """Notes on these arguments; ``to_first_word``: a command follows, which has its own options.

        Raises UsageError for the first option that is wrong.
        """
        place = 0
        while place < len(args) and args[place] != END:
            word, following = args[place], args[place + 1 : place + 2]
            if word.startswith("-") and word != "-":
                place += (self._long if word.startswith("--") else self._short)(word, following)
            elif to_first_word:
                break
            else:
                place += 1
        return self._repeated()

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
                raise self._unknown(name, within=word)
            if is_flag(param):
                if rest.startswith("="):
                    raise self._takes_no_value(name, rest[1:])
                continue
            if rest.startswith("="):
                raise UsageError(
                    f"{word}: after a short option there is no =",
                    details=[_line(param)],
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
            spelling = f"{long_name(self._options[name])}={value}"
            raise self._needs_value(name, f", and {value} is an option (if it is the value, write {spelling})")
        return value

    def _check_value(self, name: str, param: Any, value: str) -> None:
        if not value and param.name not in _MAY_BE_EMPTY:
            raise self._needs_value(name, ", and the one given is empty")
        if param.type.name.split()[0] in _INTEGERS and not _WHOLE.fullmatch(value):
            raise UsageError(
                f"{name}: {value!r} is not a whole number", details=[_line(param)], hint=f"for example 4; {self._help}"
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
                    details=[_line(param)],
                    hint=f"leave out all but one; {self._help}",
                )
            notes.append(f"{name} is given more than once; the last one counts: {self._given[param.name][-1]}")
        return notes

    @property
    def _help(self) -> str:
        return f"{self._program} --help"

    def _needs_value(self, name: str, clause: str = "") -> UsageError:
        param = self._options[name]
        return UsageError(f"{name} needs a value{_choice(param)}{clause}", details=[_line(param)], hint=self._help)

    def _takes_no_value(self, name: str, value: str) -> UsageError:
        then = f"leave {name} out" if value.lower() in _NO else f"write {name} alone"
        return UsageError(
            f"{name} takes no value, and it was given {value!r}",
            details=[_line(self._options[name])],
            hint=f"{then}; {self._help}",
        )

    def _unknown(self, name: str, within: str = "") -> UsageError:
        alone = within in ("", name)
        known_name = likeliest(name, self._options) if alone else ""
        place = "" if alone else f" (in {within})"
        elsewhere = "" if known_name or not alone else _owners(self._root, name)
        return UsageError(
            f"no such option: {name}{place}" + (f"; did you mean {known_name}?" if known_name else ""),
            hint=f"{elsewhere}{self._help}",
        )


def is_flag(param: Any) -> bool:
    """Return whether an option takes no value."""
    return bool(getattr(param, "is_flag", False) or getattr(param, "count", False))


def long_name(param: Any) -> str:
    """The long name of an option."""
    return str(next((name for name in param.opts if name.startswith("--")), param.opts[0]))


def likeliest(typed: str, known: Mapping[str, Any]) -> str:
    """The options that begin like the typed one, else the one that means the same here, else the most similar."""
    from jobctl.cli.vocabulary import option_for

    longer = sorted(name for name in known if name.startswith(typed))
    if longer:
        return " or ".join(longer)
    bare = {name.lstrip("-"): name for name in known if name.startswith("--")}  # all of them have the dashes
    near = nearest(typed.lstrip("-"), bare, 0.7)
    return option_for(typed, known) or (bare[near] if near else "")


def argument_missing(context: Any, param: Any) -> UsageError:
    """The error for an argument that is required and missing."""
    return UsageError(f"{param.metavar or str(param.name).upper()} is missing", hint=_usage_line(context))


def argument_too_many(context: Any, words: str) -> UsageError:
    """The error for more arguments than a command takes."""
    message = f"{context.command_path} takes no more arguments: {words!r} is left over"
    return UsageError(message, hint=_usage_line(context))


def _usage_line(context: Any) -> str:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    return f"{context.command_path} {pieces}; {context.command_path} --help"


def _line(param: Any) -> str:
    """An option on one line, as on its help page."""
    names = ", ".join(sorted((*param.opts, *param.secondary_opts), key=len))
    takes = "" if is_flag(param) else f" {param.metavar or str(param.name).upper()}"
    return f"{names}{takes}  {param.help or ''}".rstrip()


def _choice(param: Any) -> str:
    """The words that an option accepts, if they are few."""
    from jobctl.cli.completion.tree import option_of
    from jobctl.cli.completion.values import of_option

    words = of_option(option_of(param)).words if isinstance(param, TyperOption) else ()
    return f", one of {', '.join(words)}" if words else ""


def _owners(root: Any, name: str) -> str:
    """A hint that names the commands that have an option."""
    from jobctl.cli.completion.tree import node_of

    nodes = node_of(root, ()).walk()
    owners = [node.name for node in nodes if any(name in option.names for option in node.own_options)]
    return f"{name} is an option of jobctl {', jobctl '.join(owners[:3])}; " if owners else ""
