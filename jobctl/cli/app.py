"""The root of the command tree. A command's module is imported when the command is named, not before."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup, TyperOption

from jobctl.cli.command import Command, global_options, restore_help, session
from jobctl.cli.grammar import Grammar
from jobctl.domain.nearest import meant, nearest
from jobctl.errors import UsageError


class Entry(NamedTuple):
    """Where a command is and under which heading it is listed."""

    module: str
    heading: str


_WORK, _LOOK, _RUN, _SELF = "Give work", "Look", "The daemon", "jobctl itself"
COMMANDS = {
    "submit": Entry("submit", _WORK),
    "run": Entry("run", _WORK),
    "cancel": Entry("cancel", _WORK),
    "retry": Entry("retry", _WORK),
    "pause": Entry("pause", _WORK),
    "resume": Entry("resume", _WORK),
    "set": Entry("set", _WORK),
    "status": Entry("status", _LOOK),
    "top": Entry("top", _LOOK),
    "explain": Entry("explain", _LOOK),
    "items": Entry("items", _LOOK),
    "logs": Entry("logs", _LOOK),
    "wait": Entry("wait", _LOOK),
    "results": Entry("results", _LOOK),
    "verify": Entry("verify", _LOOK),
    "report": Entry("report", _LOOK),
    "export": Entry("export", _LOOK),
    "notify": Entry("notify", _LOOK),
    "daemon": Entry("daemon", _RUN),
    "worker": Entry("worker", _RUN),
    "queue": Entry("queue", _RUN),
    "metrics": Entry("metrics", _RUN),
    "prune": Entry("prune", _RUN),
    "doctor": Entry("doctor", _RUN),
    "recipe": Entry("recipe", _SELF),
    "config": Entry("config", _SELF),
    "completion": Entry("completion", _SELF),
    "man": Entry("man", _SELF),
}


def _version_option() -> TyperOption:
    return TyperOption(
        param_decls=["--version", "-V"],
        is_flag=True,
        default=False,
        help="Print the version and exit.",
        callback=_print_version,
        expose_value=False,
        is_eager=True,
    )


def _print_version(ctx: Any, _param: Any, value: bool) -> None:
    if value:
        from jobctl import __version__

        if session(ctx).wants_json:
            session(ctx).emit({"schema": "jobctl.version/1", "version": __version__})
        else:
            sys.stdout.write(f"jobctl {__version__}\n")
        raise typer.Exit


class Root(TyperGroup):
    """``jobctl``: loads commands by name; alone it shows the status."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rich_markup_mode = None
        restore_help(self)
        self.params = [*self.params, _version_option(), *global_options()]
        self.context_settings = {"help_option_names": ["-h", "--help"]}

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Every command, in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """A command by its name; None if there is none."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = typer.main.get_command(import_module(f"jobctl.cli.commands.{entry.module}").app)
        command.name = cmd_name
        return command

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """``jobctl`` alone is ``jobctl status``."""
        args = help_asked(args)
        Grammar(self.get_params(ctx), ctx.command_path).check(args, to_first_word=True)
        rest = super().parse_args(ctx, args)
        if not ctx._protected_args and not ctx.resilient_parsing:
            ctx._protected_args = ["status"]
        return rest

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command named first. Raises UsageError with the nearest one for a name that is none."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            raise UsageError(f"there is no command {name!r}", hint=_suggest(name))
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: Any) -> str:
        """The page of ``jobctl --help``, or what it says as JSON."""
        from jobctl.cli.help import help_text

        return help_text(self, ctx, super().get_help(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        from jobctl.cli.help import write_help

        write_help(self, ctx, formatter)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Options, then a command."""
        return ["[OPTIONS]", "[COMMAND] ..."]

    def headings(self, ctx: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """(heading, [(command, what it does)]) for the help page."""
        for heading in dict.fromkeys(entry.heading for entry in COMMANDS.values()):
            names = [name for name, entry in COMMANDS.items() if entry.heading == heading]
            yield heading, [(name, _summary(self.get_command(ctx, name))) for name in names]


def _summary(command: Any) -> str:
    return str(command.help or "").partition("\n\n")[0].replace("\n", " ")


def help_asked(args: list[str]) -> list[str]:
    """``help submit`` is ``submit --help``, as in other tools."""
    return [*args[1:], "--help"] if args[:1] == ["help"] else args


def _suggest(name: str) -> str:
    from jobctl.cli.vocabulary import command_for

    ours = command_for(name)
    if ours is not None:
        return f"try: {ours}"
    near = nearest(name, COMMANDS)
    return f"did you mean: jobctl {near}" if near else "jobctl --help lists the commands"


app = typer.Typer(cls=Root, add_completion=False, rich_markup_mode=None, invoke_without_command=True)


@app.callback()
def root() -> None:
    """Run a command for each row of a file in the background, and say how it is going.

    Examples:
      jobctl submit urls.csv -- curl -fsSO {url}    accept the rows as a job
      jobctl daemon start                           run the jobs from now on
      jobctl status                                 how far the jobs are
      jobctl run urls.csv -- curl -fsSO {url}       all of it here and now

    JOB is a number, the name of a job, or last; lists are written 1,3,5-8, an item 42.17.
    """


def subcommands(summary: str) -> typer.Typer:
    """A group of commands under one name."""
    return typer.Typer(cls=Group, help=summary, no_args_is_help=False, rich_markup_mode=None, add_completion=False)


class Group(TyperGroup):
    """A command with commands of its own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rich_markup_mode = None
        self.params = [*self.params, *global_options()]
        self.context_settings = {"help_option_names": ["-h", "--help"]}

    def get_help(self, ctx: Any) -> str:
        """The page of the group, or what it says as JSON."""
        from jobctl.cli.help import help_text

        return help_text(self, ctx, super().get_help(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        from jobctl.cli.help import write_help

        write_help(self, ctx, formatter)

    def headings(self, ctx: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Its commands under one heading."""
        yield "Commands", [(name, _summary(self.get_command(ctx, name))) for name in self.list_commands(ctx)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """``queue help`` is ``queue --help``."""
        args = help_asked(args)
        Grammar(self.get_params(ctx), ctx.command_path).check(args, to_first_word=True)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command named first. Raises UsageError listing them for a name that is none."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            if (ctx.info_name, args[0]) == ("daemon", "restart"):
                raise UsageError("a daemon is not restarted", hint="jobctl daemon stop && jobctl daemon start")
            known = ", ".join(self.commands)
            raise UsageError(
                f"there is no command {args[0]!r} in jobctl {ctx.info_name}",
                hint=meant(args[0], self.commands, f"it has: {known}"),
            )
        return super().resolve_command(ctx, args)


__all__ = ["COMMANDS", "Command", "app", "subcommands"]
