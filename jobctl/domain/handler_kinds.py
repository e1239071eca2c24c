"""The kinds of work that an item can be: the facts of each that the store, the services and the documents need.

``handlers.kinds`` has a second table with the functions of each kind. Nothing outside the two tables asks for a
kind by its name: a question about a kind is a field here or there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.domain.texts import shown
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.domain.documents.status_blocks import CallBlock


class HandlerKind(NamedTuple):
    """One kind of work. No field has a default: a new kind must answer every question."""

    name: str  # as the job stores it
    option: str  # the key of a command line or a recipe that gives the work; empty = the rows bring it
    noun: str  # the word for the work of an item on a page
    summary: Callable[[Any], str]  # returns the value of ``option`` on one line
    shown_command: Callable[[Any], Any]  # the stored command -> the command in documents
    as_request: Callable[[Any], dict[str, Any]]  # the stored command -> the fields of a submission that ask for it
    call_block: Callable[[Any, int], CallBlock | None]  # the stored command and ``recycle`` -> ``call`` of the document
    sets_own_wait: bool  # an item may ask for a longer wait before its next attempt than the policy allows
    loads_first: bool  # a worker imports something before its first item, and nothing has begun until then


def _target(command: Any) -> Any:
    """Return the function of a call. A damaged row has something else in its place, which is shown as it is."""
    return command["target"] if isinstance(command, dict) else command


def _call_request(command: Any) -> dict[str, Any]:
    from jobctl.domain.call import Call  # few commands make a request of a stored job

    return {"call": Call.from_json(command)}


def _call_block(command: Any, recycle: int) -> CallBlock | None:
    if not isinstance(command, dict):
        return None
    return {
        "target": command["target"],
        "setup": command.get("setup"),
        "style": command.get("style"),
        "recycle": recycle or None,
    }


_COMMAND = HandlerKind(
    name="command",
    option="command",
    noun="command",
    summary=" ".join,
    shown_command=lambda command: command,
    as_request=lambda command: {"command": tuple(command)},
    call_block=lambda _command, _recycle: None,
    sets_own_wait=False,
    loads_first=False,
)
_ALL = (
    _COMMAND,
    _COMMAND._replace(
        name="shell",
        option="shell",
        summary=lambda text: str(text).strip().partition("\n")[0],
        as_request=lambda text: {"shell": text},
    ),
    _COMMAND._replace(name="column", option="", summary=str),
    HandlerKind(
        name="call",
        option="call",
        noun="function",
        summary="--call {}".format,
        shown_command=_target,
        as_request=_call_request,
        call_block=_call_block,
        sets_own_wait=True,
        loads_first=True,
    ),
)
#: Every kind by its name, in the order in which messages list them.
KINDS = {kind.name: kind for kind in _ALL}


def work_options() -> tuple[str, ...]:
    """The keys of a command line or a recipe that say what an item is; at most one of them may be given."""
    return tuple(kind.option for kind in KINDS.values() if kind.option)


def kind_of(name: str) -> HandlerKind:
    """The kind that a job stores. Raises UsageError for one of another version of jobctl."""
    if name not in KINDS:
        raise UsageError(f"the kind of work {unknown_kind(name)}", hint="jobctl --version shows which version this is")
    return KINDS[name]


def unknown_kind(name: Any) -> str:
    """The reason why a job of this kind cannot be used, as the second half of a sentence."""
    return f"is {shown(str(name))[:100]!r}, and this version of jobctl knows {', '.join(KINDS)}"
