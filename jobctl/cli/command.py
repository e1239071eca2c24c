"""The shape of every command: options that all of them take, help with the example first, arguments after ``--``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from jobctl.cli.grammar import END, Grammar
from jobctl.cli.session import ARGUMENTS, GLOBAL_PANEL, session
from jobctl.errors import Exit, NotFound, UsageError

if TYPE_CHECKING:
    from jobctl.cli.page import Page

#: From this level of optimisation on, Python drops docstrings.
_NO_DOCSTRINGS = 2
#: The commands that print lists and texts of any length. ``man`` has readers of its own.
_PAGED = frozenset({"causes", "events", "explain", "items", "logs"})
#: Global options that the session keeps under another name.
_ATTRIBUTES = {"home": "home_option"}


def _keep(ctx: Any, param: Any, value: Any) -> Any:
    """Note a global option with the session, wherever it was given."""
    if value or value == "":
        setattr(session(ctx), _ATTRIBUTES.get(param.name, param.name), value)
    return value


def global_options() -> list[TyperOption]:
    """Options that may be given before or after the command."""
    flags = (
        (["--json"], "Print JSON: one document, or with --follow or --watch, one on each line."),
        (["--plain"], "Print tables as tab-separated values, in full, without lines or colours."),
        (["--no-color"], "Print without colours, as with NO_COLOR=1."),
        (["--no-pager"], "Print long output on a terminal without a pager; see PAGER."),
        (["-q", "--quiet"], "Print only the requested output, without messages."),
        (["-v", "--verbose"], "Print more details, and the traceback of an internal error."),
    )
    home = "The state directory of the store; default: JOBCTL_HOME."
    return [
        _global_option(["--home"], home, type=str, metavar="DIR"),
        *(_global_option(names, text, is_flag=True, default=False) for names, text in flags),
    ]


def _global_option(names: list[str], text: str, **kind: Any) -> TyperOption:
    return TyperOption(
        param_decls=names,
        help=text,
        callback=_keep,
        expose_value=False,
        is_eager=True,
        rich_help_panel=GLOBAL_PANEL,
        **kind,
    )


def restore_help(command: Any) -> None:
    """Give a command its help text again if Python has dropped the docstrings."""
    if sys.flags.optimize >= _NO_DOCSTRINGS and not command.help:
        from jobctl.cli.docstrings import docstring

        command.help = docstring(command.callback)


class Command(TyperCommand):
    """A command of jobctl."""

    #: The options that ``-h`` shows, where a command has more of its own than there is room for.
    on_first_screen: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rich_markup_mode = None
        restore_help(self)
        self.params = [*self.params, *global_options()]
        self.context_settings = {"help_option_names": ["-h", "--help"], **(self.context_settings or {})}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Report mistakes in options before the parser does, which knows less about them."""
        own = args[: args.index(END)] if END in args else args
        if "--help" in own or "-h" in own:  # then mistakes in the other arguments do not matter
            with session(ctx).paging():
                return super().parse_args(ctx, ["--help"])
        ctx.meta[ARGUMENTS] = tuple(args)
        notes = Grammar(self, ctx).check(args)
        rest = super().parse_args(ctx, args)
        for text in notes:
            session(ctx).note(text)
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Its errors name the option, its values and the help of this command."""
        try:
            with session(ctx).paging() if self.is_paged(ctx) else nullcontext():
                return super().invoke(ctx)
            return Exit.OK  # the reader has left the pager
        except (UsageError, NotFound) as error:
            from jobctl.cli.mistakes import complete

            complete(error, self, ctx)
            raise

    def is_paged(self, ctx: Any) -> bool:
        """Return whether the pager shows the output. What is followed has no end, so a pager would not end either."""
        return self.name in _PAGED and not ctx.params.get("follow")

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Options, then the arguments as the help page calls them."""
        arguments = [param for param in self.params if isinstance(param, TyperArgument)]
        return ["[OPTIONS]", *(param.metavar or str(param.name).upper() for param in arguments)]

    def get_help(self, ctx: Any) -> str:
        """The help page, or its content as JSON."""
        from jobctl.cli.help import help_text

        return help_text(self, ctx)


class Group(TyperGroup):
    """A command that has commands below it."""

    default = ""  # the command that runs when none is named

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rich_markup_mode = None
        restore_help(self)
        self.params = [*self.params, *global_options()]
        self.context_settings = {"help_option_names": ["-h", "--help"]}

    def get_help(self, ctx: Any) -> str:
        """The help page, or its content as JSON."""
        from jobctl.cli.help import help_text

        return help_text(self, ctx)

    def brief_headings(self, page: Page, ctx: Any) -> None:
        """Its commands, each on one line, for the page of ``-h``."""
        for heading, rows in self.headings(ctx):
            page.heading(heading)
            page.short_rows(rows)

    def headings(self, ctx: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Its commands under one heading."""
        yield "Commands", self.summaries(ctx, self.list_commands(ctx))

    def summaries(self, ctx: Any, names: Sequence[str]) -> list[tuple[str, str]]:
        """(command, summary) for the help page."""
        commands: list[Any] = [self.get_command(ctx, name) for name in names]
        summaries = [str(command.help or "").partition("\n\n")[0].replace("\n", " ") for command in commands]
        return list(zip(names, summaries, strict=True))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Accept ``help submit`` for ``submit --help``, as other tools do."""
        args = [*args[1:], "--help"] if args[:1] == ["help"] else args
        Grammar(self, ctx).check(args, to_first_word=True)
        with session(ctx).paging() if "--help" in args or "-h" in args else nullcontext():
            rest = super().parse_args(ctx, args)
        if self.default and not ctx._protected_args and not ctx.resilient_parsing:
            ctx._protected_args = [self.default]
        return rest

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names. Raises UsageError for an unknown name, with all names."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            from jobctl.cli.unknown_commands import unknown_subcommand

            raise unknown_subcommand(str(ctx.info_name), args[0], args[1:], list(self.commands))
        return super().resolve_command(ctx, args)


def subcommands(summary: str) -> typer.Typer:
    """A group of commands under one name."""
    return typer.Typer(cls=Group, help=summary, no_args_is_help=False, rich_markup_mode=None, add_completion=False)
