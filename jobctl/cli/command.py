"""The shape of every command: options that all of them take, help with the example first, arguments after ``--``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from typer import Context
from typer.core import TyperArgument, TyperCommand, TyperOption

from jobctl.cli.grammar import END, Grammar, is_flag
from jobctl.cli.session import Session
from jobctl.errors import UsageError

GLOBAL_PANEL = "Global options"
#: From this level of optimisation on, Python drops docstrings.
_NO_DOCSTRINGS = 2
#: Where a command's words are kept between parsing and the body.
COMMAND_WORDS = "jobctl.command_words"
_BEFORE = "jobctl.before_command"


def session(ctx: Context) -> Session:
    """The session of a command."""
    found = ctx.find_root().obj
    assert isinstance(found, Session)
    return found


def _store(name: str) -> Any:
    def callback(ctx: Any, _param: Any, value: Any) -> Any:
        if value or value == "":
            setattr(session(ctx), name, value)
        return value

    return callback


def global_options() -> list[TyperOption]:
    """Options that stand before or after the command."""
    flags = (
        ("json", ["--json"], "Print one JSON document; with --follow or --watch, one on each line."),
        ("plain", ["--plain"], "Tables as tab-separated values, nothing cut, drawn or coloured."),
        ("no_color", ["--no-color"], "No colours; so does NO_COLOR=1."),
        ("quiet", ["-q", "--quiet"], "No messages, only what was asked for."),
        ("verbose", ["-v", "--verbose"], "Say more; show where an internal error happened."),
    )
    home = TyperOption(
        param_decls=["--home"],
        type=str,
        metavar="DIR",
        help="State directory of the store; also JOBCTL_HOME.",
        callback=_store("home_option"),
        expose_value=False,
        is_eager=True,
        rich_help_panel=GLOBAL_PANEL,
    )
    return [home] + [
        TyperOption(
            param_decls=decls,
            is_flag=True,
            default=False,
            help=text,
            callback=_store(name),
            expose_value=False,
            is_eager=True,
            rich_help_panel=GLOBAL_PANEL,
        )
        for name, decls, text in flags
    ]


def asks_for_help(args: Sequence[str]) -> bool:
    """Whether help is asked for, which counts more than what is wrong with the rest."""
    own = args[: args.index(END)] if END in args else args
    return "--help" in own or "-h" in own


def restore_help(command: Any) -> None:
    """Give a command its help back where Python has dropped the docstrings."""
    if sys.flags.optimize >= _NO_DOCSTRINGS and not command.help:
        from jobctl.cli.docstrings import docstring

        command.help = docstring(command.callback)


class Command(TyperCommand):
    """A command of jobctl."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rich_markup_mode = None
        restore_help(self)
        self.params = [*self.params, *global_options()]
        self.context_settings = {"help_option_names": ["-h", "--help"], **(self.context_settings or {})}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Say what is wrong with options before the parser does, which knows less about it."""
        if asks_for_help(args):
            return super().parse_args(ctx, ["--help"])
        said = Grammar(self.get_params(ctx), ctx.command_path).check(args)
        rest = super().parse_args(ctx, args)
        for text in said:
            session(ctx).note(text)
        return rest

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Options, then the arguments as the help page calls them."""
        arguments = [param for param in self.params if isinstance(param, TyperArgument)]
        return ["[OPTIONS]", *(param.metavar or str(param.name).upper() for param in arguments)]

    def get_help(self, ctx: Any) -> str:
        """The help page, or what it says as JSON."""
        from jobctl.cli.help import help_text

        return help_text(self, ctx, super().get_help(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """What it is, an example, usage, then the rest."""
        from jobctl.cli.help import write_help

        write_help(self, ctx, formatter)


class CommandWithWords(Command):
    """A command that is followed by the words of another: ``jobctl submit FILE [options] -- curl -o x {url}``.

    The ``--`` may be left out: then the words begin at the second one that is not an option, and everything from
    there on is left alone, so an option of the other command is never taken for one of ours.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the words off before the options are parsed."""
        own, words = split_words(args, self._takes_value(), ctx.command_path)
        ctx.meta[COMMAND_WORDS] = words
        ctx.meta[_BEFORE] = tuple(own), len(own) + len(words) < len(args)  # the parser empties the list
        return super().parse_args(ctx, own)

    def _takes_value(self) -> set[str]:
        return {
            name
            for param in self.params
            if isinstance(param, TyperOption) and not is_flag(param)
            for name in param.opts
        }

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Say where the words go."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND ARG...]"]


def command_words(ctx: Context) -> list[str]:
    """The words of the other command, untouched."""
    return list(ctx.meta[COMMAND_WORDS])


def before_command(ctx: Context) -> tuple[list[str], bool]:
    """The arguments before the words of the other command, and whether ``--`` stood between them."""
    own, separated = ctx.meta[_BEFORE]
    return list(own), bool(separated)


def split_words(
    args: Sequence[str], takes_value: set[str], program: str = "jobctl submit"
) -> tuple[list[str], list[str]]:
    """(arguments of ours, words of the other command).

    Raises UsageError when ``--`` comes before the file, which would make a file of the other command's name.
    """
    seen_file = False
    position = 0
    while position < len(args):
        word = args[position]
        if word == END:
            if not seen_file:
                raise UsageError(
                    "no FILE before --", hint=f"{program} FILE -- COMMAND ARG... (FILE may be - for stdin)"
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
    """How many arguments an option takes up, itself included."""
    if word.startswith("--"):
        return 2 if "=" not in word and word in takes_value else 1
    for place, letter in enumerate(word[1:], 2):
        if f"-{letter}" in takes_value:
            return 1 if word[place:] else 2
    return 1
