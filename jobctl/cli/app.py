"""The root of the command tree. A command's module is imported when the command is named, not before."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from typer.core import TyperGroup, TyperOption

from jobctl.cli.command import Group
from jobctl.cli.session import session

if TYPE_CHECKING:
    from jobctl.cli.completion.tree import Node
    from jobctl.cli.page import Page


class Entry(NamedTuple):
    """The module of a command, and the heading under which the help page lists it."""

    module: str
    heading: str


_WORK, _LOOK, _RUN, _SELF = "Jobs", "Progress and results", "The daemon and the store", "jobctl itself"
COMMANDS = {
    "submit": Entry("submit", _WORK),
    "run": Entry("run", _WORK),
    "cancel": Entry("cancel", _WORK),
    "retry": Entry("retry", _WORK),
    "undo": Entry("undo", _WORK),
    "pause": Entry("pause", _WORK),
    "resume": Entry("resume", _WORK),
    "set": Entry("set", _WORK),
    "status": Entry("status", _LOOK),
    "top": Entry("top", _LOOK),
    "explain": Entry("explain", _LOOK),
    "events": Entry("events", _LOOK),
    "causes": Entry("causes", _LOOK),
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
    "serve": Entry("serve", _RUN),
    "queue": Entry("queue", _RUN),
    "metrics": Entry("metrics", _RUN),
    "prune": Entry("prune", _RUN),
    "doctor": Entry("doctor", _RUN),
    "recipe": Entry("recipe", _SELF),
    "config": Entry("config", _SELF),
    "completion": Entry("completion", _SELF),
    "man": Entry("man", _SELF),
}


def _print_version(ctx: Any, _param: Any, value: bool) -> None:
    if value:
        from jobctl import __version__

        if session(ctx).wants_json:
            session(ctx).emit({"schema": "jobctl.version/1", "version": __version__})
        else:
            sys.stdout.write(f"jobctl {__version__}\n")
        raise typer.Exit


class Root(Group):
    """``jobctl``: loads commands by name; without a name it shows the status."""

    default = "status"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        version = TyperOption(
            param_decls=["--version", "-V"],
            is_flag=True,
            default=False,
            help="Print the version and exit.",
            callback=_print_version,
            expose_value=False,
            is_eager=True,
        )
        self.params.insert(0, version)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Every command, in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command of a name; None if there is none."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = typer.main.get_command(import_module(f"jobctl.cli.commands.{entry.module}").app)
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names. Raises UsageError for an unknown name, with the nearest command."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from jobctl.cli.unknown_commands import unknown_command

            raise unknown_command(name, args[1:], list(COMMANDS))
        return TyperGroup.resolve_command(self, ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Options, then a command."""
        return ["[OPTIONS]", "[COMMAND] ..."]

    def headings(self, ctx: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """(heading, [(command, summary)]) for the help page."""
        for heading in dict.fromkeys(entry.heading for entry in COMMANDS.values()):
            names = [name for name, entry in COMMANDS.items() if entry.heading == heading]
            yield heading, self.summaries(ctx, names)

    def brief_headings(self, page: Page, ctx: Any) -> None:  # noqa: ARG002
        """The names of all commands, for the page of ``-h``."""
        page.heading("Commands")
        names: dict[str, list[str]] = {
            heading: [] for heading in dict.fromkeys(entry.heading for entry in COMMANDS.values())
        }
        for name, entry in COMMANDS.items():
            names[entry.heading].append(name)
        page.rows([(heading, " ".join(found)) for heading, found in names.items()])
        page.blank()
        page.text("A command on one screen: jobctl COMMAND -h")


app = typer.Typer(cls=Root, add_completion=False, rich_markup_mode=None, invoke_without_command=True)


@app.callback()
def root() -> None:
    """Run a command once for each row of a file, in the background, and show the progress.

    Examples:
      jobctl submit urls.csv -- curl -fsSO {url}    accept the rows as a job
      jobctl daemon start                           start the process that runs jobs
      jobctl status                                 show the progress of all jobs
      jobctl run urls.csv -- curl -fsSO {url}       do all of this in the foreground

    JOB is a number, the name of a job, or last. 1,3,5-8 is a list of jobs; 42.17 is item 17 of job 42.
    """


def command_tree() -> Node:
    """The tree of ``jobctl`` as plain values; imports every command."""
    from jobctl.cli.completion.tree import node_of

    return node_of(typer.main.get_command(app), ())
