"""The options that ``submit`` and ``run`` share: made from the table of options, filled in from recipe and settings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from typer import Context
from typer.core import TyperOption

from jobctl.cli.command import Command
from jobctl.cli.grammar import END
from jobctl.cli.kept_options import KeptOption, declared
from jobctl.cli.parameters import is_flag
from jobctl.cli.session import GLOBAL_PANEL
from jobctl.domain.job_options import NO_LIMIT, OPTIONS, JobOption, by_panel
from jobctl.errors import UsageError

_VALUES = "jobctl.job_options"
#: The key of the ``CommandLine`` between parsing and the body of a command.
_LINE = "jobctl.command_line"
#: The panel of the options of a new job with rows of another one.
AS_NEW = "A new job (--as-new)"
#: The part of a help text that says what counts without the option.
_DEFAULT = re.compile(r"; default: [^;]*(?=\.$)| \(default\)")


class CommandWithWords(Command):
    """A command that is followed by the words of another: ``jobctl submit FILE [options] -- curl -o x {url}``.

    The ``--`` may be left out: then the words begin at the second argument that is not an option. Everything from there
    on belongs to the other command, so its options are never taken for ours.
    """

    takes_words = True
    #: The argument before the words, and an option that takes its place.
    first = "FILE"
    instead = ""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the words off before the options are parsed."""
        options = [param for param in self.params if isinstance(param, TyperOption) and not is_flag(param)]
        own, words = split_words(
            args, {name for option in options for name in option.opts}, ctx.command_path, self.first, self.instead
        )
        # The parser empties the list of our arguments.
        ctx.meta[_LINE] = CommandLine(words, tuple(own), len(own) + len(words) < len(args))
        return super().parse_args(ctx, own)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Say where the words go."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND ARG...]"]


class CommandLine(NamedTuple):
    """The parts of a command line around its options."""

    words: list[str]  # of the other command, untouched
    own: tuple[str, ...]  # the arguments before those words
    separated: bool  # whether ``--`` was between them


def command_line(ctx: Context) -> CommandLine:
    """The words of the other command, and the arguments before them."""
    found: CommandLine = ctx.meta[_LINE]
    return found


def split_words(
    args: Sequence[str], takes_value: set[str], program: str = "jobctl submit", first: str = "FILE", instead: str = ""
) -> tuple[list[str], list[str]]:
    """Our arguments, and the words of the other command.

    Raises UsageError if ``--`` comes before the ``first`` argument, for which the other command would be taken then. An
    option ``instead`` of that argument is as good.
    """
    seen_file = False
    position = 0
    while position < len(args):
        word = args[position]
        if word == END:
            if not seen_file and instead not in args[:position]:
                stdin = " (FILE may be - for stdin)" if first == "FILE" else ""
                raise UsageError(
                    f"no {first} before --", hint=f"{program} {first} -- COMMAND ARG...{stdin}; {program} --help"
                )
            return list(args[:position]), list(args[position + 1 :])
        if word.startswith("-") and word != "-":
            width = _option_width(word, takes_value)
            position += 1 if list(args[position + 1 : position + 2]) == [END] else width  # its value is missing
            continue
        if seen_file:
            return list(args[:position]), list(args[position:])
        seen_file = True
        position += 1
    return list(args), []


def _option_width(word: str, takes_value: set[str]) -> int:
    """Return the number of arguments that an option takes, itself included."""
    if word.startswith("--"):
        return 2 if "=" not in word and word in takes_value else 1
    for place, letter in enumerate(word[1:], 2):
        if f"-{letter}" in takes_value:
            return 1 if word[place:] else 2
    return 1


class IntakeCommand(CommandWithWords):
    """A command that accepts work."""

    instead = "--resume"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        options = [_declared(option) for option in by_panel(OPTIONS)]
        super().__init__(*args, **kwargs)
        self.params = [*self.params[:1], *options, *self.params[1:]]


class RoundCommand(Command):
    """A command that begins another round: it takes the rules of a job that the new round may change."""

    panel = "Rules of the new round"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = next(n for n, param in enumerate(self.params) if getattr(param, "rich_help_panel", "") == GLOBAL_PANEL)
        self.params[place:place] = [_of_a_round(option, self.panel) for option in OPTIONS if option.of_retry]


class RetryOptions(RoundCommand):
    """A command that begins another round, or with ``--as-new`` makes a new job, with the options of submit.

    The words of another command come only after ``--``, because any number of jobs come before it.
    """

    needs_dashes = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = next(n for n, param in enumerate(self.params) if getattr(param, "rich_help_panel", "") == GLOBAL_PANEL)
        self.params[place:place] = [_of_a_copy(option) for option in by_panel(OPTIONS) if option.of_copies]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the words after ``--`` off before the options are parsed."""
        end = args.index(END) if END in args else len(args)
        ctx.meta[_LINE] = CommandLine(args[end + 1 :], tuple(args[:end]), end < len(args))
        return super().parse_args(ctx, args[:end])

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Say where the words go."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND ARG...]"]


def _of_a_copy(option: JobOption) -> TyperOption:
    return _declared(option._replace(panel=AS_NEW, help=_DEFAULT.sub("", option.help)))


class UndoCommand(CommandWithWords, RoundCommand):
    """A command that makes an undo job: it takes the rules that the undo may change, and the words of a command."""

    first = "JOB"
    panel = "Rules of the undo job"


def _of_a_round(option: JobOption, panel: str) -> TyperOption:
    """An option whose value may be none, and which without a value leaves the rule of the job as it is."""
    metavar = f"{option.metavar}|{NO_LIMIT}" if option.can_be_none else option.metavar
    return _declared(option._replace(number=False, panel=panel, metavar=metavar, help=_DEFAULT.sub("", option.help)))


def _declared(option: JobOption) -> TyperOption:
    names = (f"--{option.name}", *([option.short] if option.short else []))
    kept = KeptOption(names, option.metavar, option.help, option.multiple, option.number, option.is_main)
    return declared(kept, _VALUES, option.panel)


def values(ctx: Context) -> Mapping[str, Any]:
    """The options as they were given, by ``JobOption.key``."""
    found: Mapping[str, Any] = ctx.meta[_VALUES]
    return found
