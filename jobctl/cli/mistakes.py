"""What people mean by words that a command line does not have, and the messages that say so.

Only a command line with a mistake loads this module.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from typer.core import TyperArgument

from jobctl.cli.parameters import LONG_DASHES, argument_line, is_flag, option_line, placeholder
from jobctl.cli.session import ARGUMENTS
from jobctl.domain.nearest import nearest
from jobctl.errors import NotFound, UsageError

#: Words before a JOB that nobody needs, in ``jobctl status job 42``.
KINDS = ("job", "jobs", "item", "items")
#: An option within a message.
_OPTION = re.compile(r"(?<![\w-])--?[a-z][\w-]*")
#: The options with which commands show only the end of their output.
_TAIL = ("--tail", "--lines")


class Call(NamedTuple):
    """A command line with a mistake."""

    command: Any
    context: Any
    args: Sequence[str]  # after the name of the command
    options: Mapping[str, Any]  # that it has, by name

    @property
    def program(self) -> str:
        """The words up to the name of the command: ``jobctl daemon start``."""
        return str(self.context.command_path)

    @property
    def is_group(self) -> bool:
        """Whether the command has commands below it."""
        return hasattr(self.command, "commands")

    @property
    def words(self) -> list[str]:
        """The arguments that are not options. Values of options may be among them."""
        return [word for word in self.args if not word.startswith("-")]


def likeliest(typed: str, known: Mapping[str, Any]) -> str:
    """The options that begin like the typed one, else the one that means the same here, else the most similar."""
    from jobctl.cli.vocabulary import option_for

    if typed.startswith("--no-") and f"--{typed[5:]}" in known:
        return ""
    longer = sorted(name for name in known if name.startswith(typed))
    if longer:
        return " or ".join(longer)
    bare = {name.lstrip("-"): name for name in known if name.startswith("--")}  # all of them have the dashes
    near = nearest(typed.lstrip("-"), bare, 0.7)
    return option_for(typed, known) or (bare[near] if near else "")


def instead_of_option(call: Call, name: str) -> str:
    """What to type instead of an option that the command does not have; empty if nobody can tell."""
    return (
        _instead_of_number(call, name)
        or _instead_of_setting(call, name)
        or _instead_of_negation(call, name)
        or _instead_of_command(call, name)
        or _owners(call, name)
    )


def _instead_of_number(call: Call, name: str) -> str:
    """``-5``: the last five lines, or a job."""
    if not name[1:].isdigit():
        return ""
    for tail in _TAIL:
        if tail in call.options:
            return f"the last {name[1:]}: {' '.join((call.program, *call.words))} {tail} {name[1:]}"
    if call.is_group:
        return f"a JOB has no dash: jobctl status {name[1:]}; the newest job: jobctl status last"
    if any(placeholder(param).startswith("JOB") for param in call.command.params if isinstance(param, TyperArgument)):
        return f"a JOB has no dash: {call.program} {name[1:]}; the newest job: {call.program} last"
    return ""


def _instead_of_setting(call: Call, name: str) -> str:
    """``set 42 --timeout 5m``: the command takes NAME=VALUE."""
    from jobctl.cli.completion.values import settings_of

    setting = f"{name[2:]}="
    if setting not in settings_of(" ".join(call.program.split()[1:])):
        return ""
    value = next((value for option, value in _given_values(call.args) if option == name), "")
    return f"without dashes, and with =: {call.program} {(call.words or ['JOB'])[0]} {setting}{value or 'VALUE'}"


def _instead_of_negation(call: Call, name: str) -> str:
    """``--no-watch``: a switch that is not given is off."""
    positive = f"--{name[5:]}"
    if not name.startswith("--no-") or not is_flag(call.options.get(positive)):
        return ""
    return f"leave {positive} out"


def _instead_of_command(call: Call, name: str) -> str:
    """``status 42 --items``: the name of a command."""
    word, root = name[2:], call.context.find_root().command
    known = root.list_commands(call.context)
    if word not in known or len(call.words) > 1:  # a second word may be the value of the option
        return ""
    return f"{word} is a command: {' '.join(('jobctl', word, *call.words))}"


def _owners(call: Call, name: str) -> str:
    """Name the commands that have an option; before a command, say where it belongs."""
    from jobctl.cli.completion.tree import node_of

    if not name.startswith("--") and not call.is_group:
        return ""  # the same letter means something else elsewhere
    nodes = node_of(call.context.find_root().command, ()).walk()
    owners = {f"jobctl {node.name}": node.own_options for node in nodes if node.path}
    owners = {owner: options for owner, options in owners.items() if any(name in each.names for each in options)}
    if not owners:
        return ""
    if not call.is_group:
        return f"{name} is an option of {', '.join(list(owners)[:3])}"
    meant = [owner for owner in owners if owner.startswith(call.program)] or list(owners)
    named = [owner for owner in meant if owner.rpartition(" ")[2] in call.words]
    owner = (named or meant)[0]
    option = next(each for each in owners[owner] if name in each.names)
    value = f" {option.metavar}" if option.metavar else ""
    return f"{name} is an option of {', '.join((named or meant)[:3])}, after the command: {owner} {name}{value}"


def refuse_long_dash(word: str, options: Mapping[str, Any], help_line: str) -> None:
    """Raises UsageError for an option whose dash is a long one, such as pages and word processors make."""
    bare = word.lstrip("-" + "".join(LONG_DASHES))
    name = next((f"{dashes}{bare}" for dashes in ("--", "-") if f"{dashes}{bare.partition('=')[0]}" in options), "")
    if name:
        raise UsageError(f"{word!r} begins with {word[0]!r}, which is not a -", hint=f"write {name}; {help_line}")


def argument_missing(context: Any, param: Any) -> UsageError:
    """The error for an argument that is required and missing."""
    name = param.metavar or str(param.name).upper()
    return UsageError(f"{name} is missing", details=[argument_line(param)], hint=_usage_line(context))


def argument_too_many(context: Any, words: str) -> UsageError:
    """The error for more arguments than a command takes."""
    message = f"{context.command_path} takes no more arguments: {words!r} is left over"
    options = {name for param in context.command.params for name in param.opts}
    meant = f"the option is --{words}; " if f"--{words}" in options else ""
    return UsageError(message, hint=f"{meant}{_usage_line(context)}")


def complete(error: UsageError | NotFound, command: Any, context: Any) -> None:
    """Add to an error of a command what its user needs: the option that it names, and the help of the command."""
    program, args = str(context.command_path), context.meta[ARGUMENTS]
    options = {name: param for param in command.params for name in (*param.opts, *param.secondary_opts)}
    if isinstance(error, NotFound):
        _explain_name(error, [word for word in args if not word.startswith("-")], options, program)
        return
    named = [name for name in _OPTION.findall(error.message) if name in options]
    named += [name for name, value in _given_values(args) if name in options and value and repr(value) in error.message]
    line = option_line(options[named[0]]) if named else _setting_line(error, program)
    if line is not None and f"{program} --help" not in (error.hint or ""):
        error.details = error.details or tuple(filter(None, (line,)))
        error.hint = "; ".join(filter(None, (error.hint, f"{program} --help")))


def _setting_line(error: UsageError, program: str) -> str | None:
    """The line of the setting with which a message begins; empty for an unknown one, None for another command."""
    from jobctl.cli.completion.values import settings_of
    from jobctl.domain.job_options import BY_NAME

    known = settings_of(" ".join(program.split()[1:]))
    if not known:
        return None
    option = BY_NAME.get(error.message.partition("=")[0])
    return f"{option.setting}  {option.help}" if option is not None and f"{option.name}=" in known else ""


def _given_values(args: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(option, value) of the arguments that look like this."""
    for word, following in itertools.zip_longest(args, args[1:], fillvalue=""):
        if word.startswith("-"):
            name, given, value = word.partition("=")
            yield (name, value) if given else (word, following)


def _explain_name(error: NotFound, words: Sequence[str], options: Mapping[str, Any], program: str) -> None:
    """``status job 42`` and ``status 42 watch``: a word was taken for the name of a job."""
    unknown = [word for word in words if f"'{word}'" in error.message]
    for word in unknown:
        rest = " ".join((program, *(each for each in words if each != word)))
        if word in KINDS:
            error.details = (*error.details, f"{word} was taken for the name of a job; without it: {rest}")
        elif f"--{word}" in options:
            error.details = (*error.details, f"{word} was taken for the name of a job; the option: {rest} --{word}")


def _usage_line(context: Any) -> str:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    return f"{context.command_path} {pieces}; {context.command_path} --help"
