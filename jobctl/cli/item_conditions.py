"""The options that select items: one table for all commands that list items or act on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from typer import Context

from jobctl.cli.command import Command
from jobctl.cli.kept_options import KeptOption, declared, insert, values_of
from jobctl.domain.job_options import is_given

if TYPE_CHECKING:
    from jobctl.domain.selection import Selection

PANEL = "Which items"
_VALUES = "jobctl.item_conditions"


STATE = KeptOption(("--state", "-s"), "STATE", "Only items in these states: failed,running; may be repeated.", True)
CAUSE = KeptOption(
    ("--cause",), "CODE", "Only items with these causes of failure: timeout,exit_7; may be repeated.", True
)
#: ``retry`` had ``--code`` before all commands had ``--cause``.
RETRY_CAUSE = CAUSE._replace(names=(*CAUSE.names, "--code"))
WHERE = KeptOption(
    ("--where",), "CONDITION", "Only items for which this is true, such as 'size > 100 and duration > 60'."
)
ITEMS = KeptOption(("--items",), "NUMBERS", "Only items with these numbers: 1-100,500,1000-.")
#: Words for a state, which commands had before ``--state``.
SUCCEEDED = KeptOption(("--succeeded",), "", "Only items that succeeded, as --state succeeded.")
FAILED = KeptOption(("--failed",), "", "Only items that failed, as --state failed.")
UNPROCESSED = KeptOption(("--unprocessed",), "", "Only items that never ran, as --state unprocessed.")
UNKNOWN = KeptOption(("--unknown",), "", "Items with an unknown outcome as well, even with --on-crash fail.")
UNDONE = KeptOption(("--undone",), "", "Items that were taken back by jobctl undo.")
CONDITIONS = (STATE, CAUSE, WHERE, ITEMS)


class ItemsCommand(Command):
    """A command with options from the table; they come after its own."""

    item_conditions: tuple[KeptOption, ...] = CONDITIONS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        insert(self, [declared(option, _VALUES, PANEL) for option in self.item_conditions])


def options_given(ctx: Context) -> list[str]:
    """The options of the table that were given, as they are typed."""
    return [f"--{name}" for name, value in values_of(ctx, _VALUES).items() if is_given(value)]


def selection_of(ctx: Context, states: Iterable[str] = ()) -> Selection:
    """The selection that a command line means; ``states`` are those that another option gives.

    Raises UsageError that names the option and says what is possible.
    """
    from jobctl.domain.selection_options import selection_from

    return selection_from(values_of(ctx, _VALUES), states)
