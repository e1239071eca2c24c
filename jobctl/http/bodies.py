"""The bodies of the requests that act on a job. Their fields are the options of the commands."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from jobctl.domain.states import ItemState
from jobctl.domain.texts import MAX_REASON
from jobctl.http.parameters import CAUSE_PATTERN, ITEMS_PATTERN
from jobctl.http.rules import OF_ROUNDS, OF_SET, Body, with_rules

_State = Annotated[str, Field(pattern=f"^({'|'.join(state.word for state in ItemState)})$")]
_Cause = Annotated[str, Field(pattern=CAUSE_PATTERN, max_length=60)]
_Reason = Annotated[str, Field(description="The reason, which the journal of the job keeps.", max_length=MAX_REASON)]


class ItemsBody(Body):
    """A choice of items, with the options of the command line. Without any, all that the command can act on."""

    state: Annotated[list[_State], Field([], description="Only items in these states.", max_length=10)]
    cause: Annotated[
        list[_Cause],
        Field([], description="Only items with these causes of failure.", max_length=100),
    ]
    where: Annotated[
        str | None,
        Field(
            description="Only items for which this is true: size > 100 and duration > 60.",
            min_length=1,
            max_length=10_000,
            json_schema_extra={"format": "jobctl-condition"},
        ),
    ] = None
    items: Annotated[
        str | None,
        Field(
            description="Only items with these numbers: 1-100,500,1000-.",
            pattern=ITEMS_PATTERN,
            max_length=100_000,
            json_schema_extra={"format": "jobctl-numbers"},
        ),
    ] = None


class CancelBody(ItemsBody):
    """How to cancel a job, or selected items of it."""

    reason: _Reason = ""
    now: Annotated[bool, Field(description="Send KILL at once, without TERM and a grace period.")] = False


class PauseBody(Body):
    """How to pause a job."""

    reason: _Reason = ""


class ResumeBody(Body):
    """Resuming a job needs nothing."""


class _RetryBase(ItemsBody):
    failed: Annotated[bool, Field(description="Only items that failed.")] = False
    unprocessed: Annotated[bool, Field(description="Only items that never ran.")] = False
    unknown: Annotated[bool, Field(description="Items with an unknown outcome as well.")] = False
    undone: Annotated[bool, Field(description="Items that were taken back by an undo.")] = False


class _UndoBase(ItemsBody):
    unknown: Annotated[bool, Field(description="Rows whose outcome is not known as well.")] = False


RetryBody = with_rules("RetryBody", _RetryBase, OF_ROUNDS, "The items that run again, and other rules for the round.")
UndoBody = with_rules("UndoBody", _UndoBase, OF_ROUNDS, "The rows to take back, and other rules for the undo job.")


class _Change(Body):
    """A body with at least one field."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})


RulesBody = with_rules("RulesBody", _Change, OF_SET, "Rules of a job: options of submit, with their new values.")
