"""The items that options select: the same options for every command, and for every other caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jobctl.domain.selection import Selection, check_contradictions, parse_causes, parse_states
from jobctl.domain.spans import parse_spans

#: Words for a state, which commands had before ``--state``.
STATE_WORDS = ("succeeded", "failed", "unprocessed")


def selection_from(given: Mapping[str, Any], states: Iterable[str] = ()) -> Selection:
    """The selection that options mean; ``states`` are those that another option gives.

    ``given`` has texts: ``state`` and ``cause`` several, ``items`` and ``where`` one each; the others are switches.
    Raises UsageError that names the option and says what is possible.
    """
    words = [*states, *(given.get("state") or ()), *(word for word in STATE_WORDS if given.get(word))]
    items, where = given.get("items"), given.get("where")
    selection = Selection(
        parse_states(words),
        parse_causes(given.get("cause") or ()),
        () if items is None else parse_spans(items, "--items", "item"),
        (where or "").strip(),
        unknown=bool(given.get("unknown")),
        undone=bool(given.get("undone")),
    )
    check_contradictions(selection)
    return selection
