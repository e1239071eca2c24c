"""Find the items of a job that a person looks for, in an order, for a list of any length.

Only numbers are kept: eight bytes for each item that is found.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from jobctl.domain.selection import CAUSED, Selection
from jobctl.domain.states import ItemState
from jobctl.services.selection import SelectedItems
from jobctl.store.database import Database
from jobctl.store.views import items as item_views

#: The most items of one search.
MOST = 2_000_000
#: The most items in the order of their durations: a million of them would have to be sorted for a screen of forty.
MOST_BY_DURATION = 10_000
_PAGE = 2_000
BY_ITEM, BY_STATE, BY_DURATION = "item", "state", "took"
ORDERS = (BY_ITEM, BY_STATE, BY_DURATION)

_EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class ItemSearch:
    """What is looked for: items of a selection whose row or message has all of the words, in an order."""

    selection: Selection = _EVERYTHING
    words: tuple[str, ...] = ()  # in small letters
    order: str = BY_ITEM
    backwards: bool = False

    @property
    def is_everything(self) -> bool:
        """True if all items are wanted in the order of their numbers, so that nothing has to be searched."""
        return self.selection.is_default and not self.words and self.order == BY_ITEM


def found_items(database: Database, job: int, wanted: ItemSearch, *, now: int) -> Iterator[list[int]]:
    """Yield the numbers of the items in lists, at most MOST of them; ``now`` is in microseconds UTC.

    Without ``backwards`` the longest durations come first, and the other orders go up. Raises NotFound, and UsageError
    for a condition that the columns of the job do not allow.
    """
    left = MOST
    for page in _ordered(database, job, wanted, now):
        yield page[:left]
        left -= len(page)
        if left <= 0:
            return


def _ordered(database: Database, job: int, wanted: ItemSearch, now: int) -> Iterator[list[int]]:
    if wanted.order == BY_STATE:
        for state in _states(wanted.selection):
            selection = replace(wanted.selection, states=(state,))
            yield from _with_words(database, job, replace(wanted, selection=selection), now)
    elif wanted.order == BY_DURATION:
        yield _by_duration(database, job, wanted, now)
    else:
        yield from _with_words(database, job, wanted, now)


def _states(selection: Selection) -> Iterable[ItemState]:
    if selection.states:
        return sorted(selection.states)
    return CAUSED if selection.causes else ItemState


def _with_words(database: Database, job: int, wanted: ItemSearch, now: int) -> Iterator[list[int]]:
    for page in SelectedItems(database, job, wanted.selection, now=now).pages(size=_PAGE):
        yield item_views.items_with_words(database, job, page, wanted.words) if wanted.words else page


def _by_duration(database: Database, job: int, wanted: ItemSearch, now: int) -> list[int]:
    pages = _with_words(database, job, wanted, now)
    ran = ((duration, -item) for page in pages for item, duration in item_views.durations(database, job, page))
    choose = heapq.nsmallest if wanted.backwards else heapq.nlargest
    return [-item for _, item in choose(MOST_BY_DURATION, ran)]
