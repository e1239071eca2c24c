"""The selection of items of a job, the same for every command: by state, by cause, by number, by a condition.

Different options narrow a selection. Several values of one option widen it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jobctl.domain.nearest import did_you_mean
from jobctl.domain.spans import Span, spans_of
from jobctl.domain.states import ItemState
from jobctl.errors import UsageError

STATE_WORDS = tuple(state.word for state in ItemState)
#: The states of items that have a cause: they failed because of it, or wait for another attempt after it.
CAUSED = (ItemState.RETRYING, ItemState.FAILED)
#: The cause codes that are words; others are exit_N, and the names of signals in small letters.
CAUSE_WORDS = (
    *("timeout", "cancelled", "interrupted", "not_started", "env_missing"),
    *("raised", "leftovers", "disk_full"),
)
CAUSE_FORMS = f"exit_1 to exit_255, the name of a signal such as sigsegv, {', '.join(CAUSE_WORDS)}"
#: Compiled when it is first used: commands that select nothing import this module as well.
_CAUSE = rf"(?a)(exit_\d{{1,10}}|sig[a-z0-9+]{{1,12}}|{'|'.join(CAUSE_WORDS)})(:\d{{1,18}})?"


class Kind(NamedTuple):
    """Items in one state: all, or only those with one of the chosen causes, or with an unknown outcome."""

    state: ItemState
    by_cause: bool = False
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """The items that a command acts on. Without any choice: all that the command can act on."""

    states: tuple[ItemState, ...] = ()
    causes: tuple[str, ...] = ()  # exit_7, or exit_7:12 for one of several causes with this code
    items: tuple[Span, ...] = ()
    where: str = ""  # a condition, see domain.item_where
    unknown: bool = False  # failed items whose outcome is unknown
    undone: bool = False  # items that were taken back, for another round

    @classmethod
    def of_items(cls, numbers: Iterable[int]) -> Selection:
        """The selection of items by their numbers."""
        return cls(items=spans_of(numbers))

    @property
    def is_default(self) -> bool:
        """True if nothing was chosen."""
        return not (self.names_kinds or self.items or self.where or self.undone)

    @property
    def names_kinds(self) -> bool:
        """True if states, causes or unknown outcomes were chosen."""
        return bool(self.states or self.causes or self.unknown)

    @property
    def needs_reading(self) -> bool:
        """True if the condition or the numbers decide, so that states and causes alone do not."""
        return bool(self.where or self.items)

    def kinds(self, default: Sequence[ItemState] = ()) -> tuple[Kind, ...]:
        """The kinds of items that states and causes mean together; empty: all items.

        ``default`` are the states of a selection that names none. A cause narrows the states that can have one.
        Items that never ran have none, so they are selected as well if their state is named.
        """
        if not self.names_kinds:
            return tuple(map(Kind, default))
        kinds = [Kind(state) for state in self.states]
        if self.causes:
            caused = [state for state in self.states if state in CAUSED] or self._caused(default)
            kinds = [Kind(state, by_cause=True) for state in caused]
            kinds += [Kind(state) for state in self.states if state is ItemState.UNPROCESSED]
        return (*kinds, *([Kind(ItemState.FAILED, unknown=True)] if self.unknown else []))

    def chooses(self, state: ItemState, causes: Collection[str], *, unknown: bool) -> bool:
        """True if states and causes choose an item in this state; ``causes`` are the names of its cause.

        ``unknown`` says that its outcome is unknown.
        """
        kinds = [kind for kind in self.kinds() if kind.state is state]
        return not self.names_kinds or any(
            (not kind.by_cause or not set(self.causes).isdisjoint(causes)) and (not kind.unknown or unknown)
            for kind in kinds
        )

    @staticmethod
    def _caused(default: Sequence[ItemState]) -> list[ItemState]:
        return [state for state in CAUSED if not default or state in default]


def parse_states(texts: Iterable[str]) -> tuple[ItemState, ...]:
    """Return the states that words such as ``failed,running`` name. Raises UsageError with the valid words."""
    words = [word.lower() for word in _words(texts)]
    for word in words:
        if word not in STATE_WORDS:
            raise UsageError(
                f"there is no item state {word!r}",
                hint=did_you_mean(word, STATE_WORDS, f"it is one of {', '.join(STATE_WORDS)}"),
            )
    return tuple(dict.fromkeys(ItemState[word.upper()] for word in words))


def parse_causes(texts: Iterable[str], option: str = "--cause") -> tuple[str, ...]:
    """Return the causes that words such as ``timeout,exit_7`` name. Raises UsageError with the valid forms."""
    causes = [word.lower() for word in _words(texts)]
    for cause in causes:
        if not is_cause(cause):
            raise UsageError(
                f"{option}: there is no cause {cause[:100]!r}",
                hint=did_you_mean(
                    cause[:100], CAUSE_WORDS, f"it is one of {CAUSE_FORMS}; jobctl causes JOB lists them"
                ),
            )
    return tuple(dict.fromkeys(causes))


def is_cause(text: str) -> bool:
    """True if a text has the form of a cause: a code, with or without the number of one cause of that code."""
    return re.fullmatch(_CAUSE, text) is not None


def check_contradictions(selection: Selection) -> None:
    """Raise UsageError if states are chosen of which no item can have the chosen causes."""
    without = [state.word for state in selection.states if state not in (*CAUSED, ItemState.UNPROCESSED)]
    if selection.causes and without:
        raise UsageError(
            f"--cause {','.join(selection.causes)}: items that are {' or '.join(without)} have no cause of failure",
            hint=f"leave out --state, or write --state {','.join(state.word for state in reversed(CAUSED))}",
        )


def refuse_states(selection: Selection, possible: Sequence[ItemState], verb: str, hint: str) -> None:
    """Raise UsageError if a state is chosen on which a verb cannot act: ``cancel acts on items that are queued...``."""
    wrong = [state.word for state in selection.states if state not in possible]
    if wrong:
        can = ", ".join(state.word for state in possible)
        raise UsageError(f"--state {','.join(wrong)}: {verb} acts on items that are {can}", hint=hint)


def _words(texts: Iterable[str]) -> list[str]:
    return [word.strip() for text in texts for word in text.split(",") if word.strip()]
