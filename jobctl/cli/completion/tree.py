"""The command tree as plain values, from which the completions and parts of the man pages are generated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from typer.core import TyperArgument, TyperGroup, TyperOption

from jobctl.cli.session import GLOBAL_PANEL

_OWN_PANEL = "Options"
#: The sections of the pages that are not in section 1.
SECTIONS = {"serve": "8"}


@dataclass(frozen=True, slots=True)
class Option:
    """An option of one command."""

    names: tuple[str, ...]  # -j, --slots
    metavar: str  # '' = it takes no value
    help: str
    panel: str
    multiple: bool = False

    @property
    def long(self) -> str:
        """The long name, if it has one."""
        return next((name for name in self.names if name.startswith("--")), self.names[0])


@dataclass(frozen=True, slots=True)
class Argument:
    """A positional argument of one command."""

    metavar: str
    help: str
    required: bool
    multiple: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A command or a group of commands; the path of ``jobctl`` itself is empty."""

    path: tuple[str, ...]
    help: str
    arguments: tuple[Argument, ...]
    options: tuple[Option, ...]
    children: tuple[Node, ...]
    takes_words: bool  # the words of another command follow its own arguments
    needs_dashes: bool = False  # they follow only after --, because there may be any number of arguments
    runs_alone: bool = False  # a group that is a command as well

    @property
    def name(self) -> str:
        """The words after ``jobctl`` that name it."""
        return " ".join(self.path)

    @property
    def section(self) -> str:
        """The section of the manual that has its page."""
        return SECTIONS.get(self.path[0], "1") if self.path else "1"

    @property
    def paragraphs(self) -> list[str]:
        """The paragraphs of its help text; the first one is a summary in one sentence."""
        return self.help.split("\n\n")

    @property
    def summary(self) -> str:
        """The summary of its help text, on one line."""
        return " ".join(self.paragraphs[0].split())

    @property
    def own_options(self) -> tuple[Option, ...]:
        """Its options without those that every command has."""
        return tuple(option for option in self.options if option.panel != GLOBAL_PANEL)

    def walk(self) -> Iterator[Node]:
        """Yield this node and all nodes below it."""
        yield self
        for child in self.children:
            yield from child.walk()


HELP = Option(("-h", "--help"), "", "Show help and exit: -h on one screen, --help in full.", GLOBAL_PANEL)


def node_of(command: Any, path: tuple[str, ...]) -> Node:
    """Return a command, and all commands below it, as plain values."""
    children: tuple[Node, ...] = ()
    if isinstance(command, TyperGroup):
        context: Any = None  # our groups do not look at it
        names = [name for name in command.list_commands(context) if not _get(command, name).hidden]
        children = tuple(node_of(_get(command, name), (*path, name)) for name in names)
    visible = [param for param in command.params if not getattr(param, "hidden", False)]
    return Node(
        path,
        command.help or "",
        tuple(_argument(param) for param in visible if isinstance(param, TyperArgument)),
        (*(option_of(param) for param in visible if isinstance(param, TyperOption)), HELP),
        children,
        getattr(command, "takes_words", False),
        getattr(command, "needs_dashes", False),
        getattr(command, "runs_alone", False),
    )


def _get(group: TyperGroup, name: str) -> Any:
    context: Any = None
    return group.get_command(context, name)


def option_of(param: TyperOption) -> Option:
    """Return an option of the parser as plain values."""
    names = tuple(sorted([*param.opts, *param.secondary_opts], key=len))
    metavar = "" if param.is_flag else str(param.metavar or (param.name or "").upper())
    return Option(names, metavar, param.help or "", str(param.rich_help_panel or _OWN_PANEL), param.multiple)


def _argument(param: TyperArgument) -> Argument:
    return Argument(
        str(param.metavar or (param.name or "").upper()), param.help or "", param.required, param.nargs == -1
    )
