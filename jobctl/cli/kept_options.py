"""Options from tables: a command keeps their values in its context, so they are not parameters of its function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from typer import Context
from typer.core import TyperOption


class KeptOption(NamedTuple):
    """One option; without a metavar it is a switch."""

    names: tuple[str, ...]
    metavar: str
    help: str
    multiple: bool = False
    number: bool = False
    #: Whether -h shows it where a command has more options than there is room for; None = as an option of its own.
    is_main: bool | None = None

    @property
    def key(self) -> str:
        """The key of its value."""
        return self.names[0].lstrip("-").replace("-", "_")


class DeclaredOption(TyperOption):
    """An option of a table, as the parser knows it."""

    is_main: bool | None = None


def declared(option: KeptOption, place: str, panel: str) -> DeclaredOption:
    """Declare an option under a heading of the help page. ``Context.meta`` has its value under the name ``place``."""

    def keep(ctx: Any, param: Any, value: Any) -> Any:
        ctx.meta.setdefault(place, {})[param.name] = value
        return value

    found = DeclaredOption(
        param_decls=[option.key, *option.names],
        is_flag=not option.metavar,
        default=None if option.metavar else False,
        type=(int if option.number else str) if option.metavar else None,
        multiple=option.multiple,
        metavar=option.metavar or None,
        help=option.help,
        callback=keep,
        expose_value=False,
        rich_help_panel=panel,
    )
    found.is_main = option.is_main
    return found


def insert(command: Any, options: Iterable[TyperOption]) -> None:
    """Add options to a command, after its own and before those that have a heading already."""
    own = [param for param in command.params if getattr(param, "rich_help_panel", None) is None]
    command.params = [*own, *options, *(param for param in command.params if param not in own)]


def values_of(ctx: Context, place: str) -> Mapping[str, Any]:
    """The values of the options that are kept in a place, by their keys."""
    found: Mapping[str, Any] = ctx.meta.get(place, {})
    return found
