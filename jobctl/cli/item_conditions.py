"""The options that select items: one table for all commands that list items or act on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from typer import Context
from typer.core import TyperOption

from jobctl.cli.command import Command

if TYPE_CHECKING:
    from jobctl.domain.selection import Selection

PANEL = "Which items"
_VALUES = "jobctl.item_conditions"


class Condition(NamedTuple):
    """One option; without a metavar it is a switch."""

    names: tuple[str, ...]
    metavar: str
    help: str
    multiple: bool = False

    @property
    def key(self) -> str:
        """The key of its value."""
        return self.names[0].lstrip("-")


STATE = Condition(("--state", "-s"), "STATE", "Only items in these states: failed,running; may be repeated.", True)
CAUSE = Condition(
    ("--cause",), "CODE", "Only items with these causes of failure: timeout,exit_7; may be repeated.", True
)
#: ``retry`` had ``--code`` before all commands had ``--cause``.
RETRY_CAUSE = CAUSE._replace(names=(*CAUSE.names, "--code"))
WHERE = Condition(
    ("--where",), "CONDITION", "Only items for which this is true, such as 'size > 100 and duration > 60'."
)
ITEMS = Condition(("--items",), "NUMBERS", "Only items with these numbers: 1-100,500,1000-.")
#: Words for a state, which commands had before ``--state``.
SUCCEEDED = Condition(("--succeeded",), "", "Only items that succeeded, as --state succeeded.")
FAILED = Condition(("--failed",), "", "Only items that failed, as --state failed.")
UNPROCESSED = Condition(("--unprocessed",), "", "Only items that never ran, as --state unprocessed.")
UNKNOWN = Condition(("--unknown",), "", "Items with an unknown outcome as well, even with --on-crash fail.")
UNDONE = Condition(("--undone",), "", "Items that were taken back by jobctl undo.")
_STATE_FLAGS = (SUCCEEDED, FAILED, UNPROCESSED)
CONDITIONS = (STATE, CAUSE, WHERE, ITEMS)


class ItemsCommand(Command):
    """A command with options from the table; they come after its own."""

    item_conditions: tuple[Condition, ...] = CONDITIONS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [param for param in self.params if getattr(param, "rich_help_panel", None) is None]
        rest = [param for param in self.params if param not in own]
        self.params = [*own, *map(_declared, self.item_conditions), *rest]


def _declared(option: Condition) -> TyperOption:
    return TyperOption(
        param_decls=[option.key.replace("-", "_"), *option.names],
        is_flag=not option.metavar,
        default=None if option.metavar else False,
        type=str if option.metavar else None,
        multiple=option.multiple,
        metavar=option.metavar or None,
        help=option.help,
        callback=_keep,
        expose_value=False,
        rich_help_panel=PANEL,
    )


def _keep(ctx: Any, param: Any, value: Any) -> Any:
    ctx.meta.setdefault(_VALUES, {})[param.name] = value
    return value


def options_given(ctx: Context) -> list[str]:
    """The options of the table that were given, as they are typed."""
    given = ctx.meta.get(_VALUES, {})
    return [f"--{name}" for name, value in given.items() if value not in (None, False, (), [])]


def selection_of(ctx: Context, states: Iterable[str] = ()) -> Selection:
    """The selection that a command line means; ``states`` are those that another option gives.

    Raises UsageError that names the option and says what is possible.
    """
    from jobctl.domain.selection import Selection, check_contradictions, parse_causes, parse_states
    from jobctl.domain.spans import parse_spans

    given = ctx.meta.get(_VALUES, {})
    words = [*states, *(given.get(STATE.key) or ()), *(flag.key for flag in _STATE_FLAGS if given.get(flag.key))]
    items, where = given.get(ITEMS.key), given.get(WHERE.key)
    selection = Selection(
        parse_states(words),
        parse_causes(given.get(CAUSE.key) or ()),
        () if items is None else parse_spans(items, "--items", "item"),
        (where or "").strip(),
        unknown=bool(given.get(UNKNOWN.key)),
        undone=bool(given.get(UNDONE.key)),
    )
    check_contradictions(selection)
    return selection
