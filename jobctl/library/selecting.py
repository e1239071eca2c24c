"""Conditions on items and jobs, as a program gives them: texts, numbers and lists in place of words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from jobctl.domain.selection import Selection
from jobctl.domain.selection_options import selection_from
from jobctl.errors import UsageError
from jobctl.library.given import text_of
from jobctl.process import moment

if TYPE_CHECKING:
    from jobctl.config import Home

#: One text or several.
Texts: TypeAlias = str | Iterable[str] | None
#: Numbers of items: 17, "1-100,500", range(1, 101) or a list of numbers.
Numbers: TypeAlias = int | str | Iterable[int] | None


def several(value: Texts) -> tuple[str, ...]:
    """The texts of an argument that takes one or several."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def numbers(value: Numbers) -> str | None:
    """Numbers of items as on the command line."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, range) and value.step == 1 and len(value):
        return f"{value.start}-{value.stop - 1}"
    return ",".join(map(str, value))


def selection(
    *,
    state: Texts = None,
    cause: Texts = None,
    where: str | None = None,
    items: Numbers = None,
    unknown: bool = False,
    undone: bool = False,
) -> Selection:
    """The selection of items that the arguments mean. Raises UsageError that names the wrong one."""
    return selection_from(
        {
            "state": several(state),
            "cause": several(cause),
            "where": where,
            "items": numbers(items),
            "unknown": unknown,
            "undone": undone,
        }
    )


def event_id(home: Home, since: object) -> int | None:
    """The id after which events begin: a number is one, a time means the events from then on. Raises UsageError."""
    if since is None:
        return None
    if isinstance(since, int) and not isinstance(since, bool):
        if since < 0:
            raise UsageError(f"--since {since}: an id is not negative", hint="--since 0 gives all events")
        return since
    from jobctl.services.events import first_id

    return first_id(home, text_of("since", since), moment.now())


def job_conditions(given: dict[str, Any]) -> dict[str, Any]:
    """Conditions on jobs as texts: ``state`` and ``label`` as several, ``since`` also as a moment."""
    found = dict(given)
    for name in ("state", "label"):
        value = found.get(name)
        if isinstance(value, dict):
            value = [f"{key}={text}" for key, text in value.items()]
        found[name] = several(value)
    if found.get("since") is not None:
        found["since"] = text_of("since", found["since"])
    return found
