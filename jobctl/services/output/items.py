"""``jobctl items``: the items of a job in their order, page by page, with their states and results."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from jobctl.config import Home
from jobctl.domain import outcome
from jobctl.domain.durations import format_time, seconds
from jobctl.domain.endings import Ending
from jobctl.domain.jsontext import plain_value
from jobctl.domain.payload import fields_of
from jobctl.domain.selection import Selection
from jobctl.domain.states import ItemState
from jobctl.errors import UsageError, no_such_job
from jobctl.services.control.targets import resolve
from jobctl.services.selection import SelectedItems, nothing_selected, with_items
from jobctl.services.status.undo import item_undo_block
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import jobs as job_views
from jobctl.store.views import undo as undo_views
from jobctl.store.views.items import ItemView

if TYPE_CHECKING:
    from jobctl.domain.documents.explain import LeftBehindBlock
    from jobctl.domain.documents.items import ItemBlock, ItemsDocument

SCHEMA: Final = "jobctl.items/1"
#: Items of one page.
PAGE = 1_000
#: Items that are read at once where their rows may be too many bytes.
_PART = 20


@dataclass(frozen=True, slots=True)
class Page:
    """Items in order, and the number to continue after (None = these were the last)."""

    items: list[ItemView]
    next: int | None


def pages(chosen: SelectedItems, after: int = 0, limit: int | None = None, size: int = PAGE) -> Iterator[Page]:
    """Yield the items with numbers above ``after`` in pages of at most ``size``; there is always one page.

    The last page says where to continue if ``limit`` cut the list.
    """
    found = chosen.views(after, size + 1 if limit is None else min(size, limit) + 1)
    left = limit
    first = next(found, None)
    while True:
        items = [] if first is None else [first, *itertools.islice(found, _room(size, left) - 1)]
        left = None if left is None else left - len(items)
        first = next(found, None)
        yield Page(items, None if first is None else items[-1].item)
        if first is None or left == 0:
            return


def _room(size: int, left: int | None) -> int:
    return size if left is None else min(size, left)


def page(database: Database, job: int, states: Sequence[ItemState], after: int, limit: int) -> Page:
    """Return the next ``limit`` items with numbers above ``after`` that are in one of the states (no states = any)."""
    return next(pages(SelectedItems(database, job, Selection(tuple(states)), now=0), after, limit, limit))


class Listing:
    """The items that a word and a selection choose, read page by page, so that a long list starts at once."""

    def __init__(
        self, home: Home, text: str, selection: Selection, after: int = 0, limit: int = 0, *, now: int = 0
    ) -> None:
        """``limit`` 0 means all; ``now`` in microseconds UTC. Raises NotFound, and UsageError for several jobs."""
        self._database = open_database(home)
        targets = resolve(self._database, [text])
        if any(target.job != targets[0].job for target in targets):
            raise UsageError(f"{text!r} names several jobs", hint="give one job, or items of one")
        job = job_views.job(self._database, targets[0].job)
        if job is None:  # it was removed a moment ago
            raise no_such_job(targets[0].job)
        self._job, self._columns = job, json.loads(job.columns)
        selection = with_items(selection, [each.items for each in targets if each.items is not None], text)
        self._chosen = SelectedItems(self._database, job.id, selection, now=now)
        self._after, self._limit = after, limit or None
        #: The number to continue after, once the items are read; None if these were the last.
        self.next: int | None = None
        #: Whether an item was found.
        self.has_any = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self._database.close()

    def pages(self) -> Iterator[list[ItemBlock]]:
        """Yield the documents of the items, in their order."""
        for found in pages(self._chosen, self._after, self._limit):
            self.next = found.next
            self.has_any |= bool(found.items)
            blocks = [item_document(self._job.id, item, self._columns, self._job.input_format) for item in found.items]
            yield with_undo(self._database, self._job.id, blocks)

    def document(self) -> ItemsDocument:
        """Return ``jobctl.items/1``."""
        items = [item for page in self.pages() for item in page]
        return {"schema": SCHEMA, "job": self._job.id, "items": items, "next": self.next}

    def part(self, most_bytes: int) -> ItemsDocument:
        """Return ``jobctl.items/1`` as ``document`` does, but end it earlier where the rows have ``most_bytes`` bytes.

        There is always one item if there are any: a row may have cells of many megabytes.
        """
        items: list[ItemView] = []
        left = most_bytes
        for found in pages(self._chosen, self._after, self._limit, _PART):
            for item in found.items:
                if items and left < len(item.payload):
                    self.next = items[-1].item
                    return self._of(items)
                items.append(item)
                left -= len(item.payload)
            self.next = found.next
        return self._of(items)

    def _of(self, items: Sequence[ItemView]) -> ItemsDocument:
        blocks = [item_document(self._job.id, item, self._columns, self._job.input_format) for item in items]
        with_undo(self._database, self._job.id, blocks)
        return {"schema": SCHEMA, "job": self._job.id, "items": blocks, "next": self.next}

    def close(self) -> None:
        """Close the store. A command leaves that to the end of its process."""
        self._database.close()

    def note(self) -> str:
        """Return the sentence to print after the items: how to see more, or why there are none; else nothing."""
        if self.next is not None:
            return f"there are more: add --after {self.next}, or --limit 0 for all"
        return "" if self.has_any or self._after else nothing_selected(self._database, self._chosen)


def with_undo(database: Database, job: int, blocks: list[ItemBlock]) -> list[ItemBlock]:
    """Add to these items of a job what takes each of them back, and return them."""
    undo: dict[int, undo_views.UndoOfItem] = {}
    if blocks and undo_views.has_any(database, job):
        undo = undo_views.of_items(database, job, [block["item"] for block in blocks])
    for block in blocks:
        block["undo"] = item_undo_block(undo.get(block["item"]))
    return blocks


def item_document(job: int, item: ItemView, columns: Sequence[str], input_format: str) -> ItemBlock:
    """Return an item as a part of ``jobctl.items/1``. All keys are always present; a value that is unknown is null."""
    ran = item.ending is not None
    return {
        "job": job,
        "item": item.item,
        "state": ItemState(item.state).word,
        "attempts": item.attempt,
        "exit_code": item.code if item.ending == Ending.EXITED else None,
        "signal": signal_of(item),
        "code": failure_code(item),
        "message": item.message,
        "due_at": None if item.due_at is None else format_time(item.due_at),
        "started_at": None if item.started_at is None else format_time(item.started_at),
        "duration_s": seconds(item.duration_us) if item.duration_us is not None else None,
        "cpu_s": seconds(item.cpu_us or 0) if ran else None,
        "max_rss_kib": item.max_rss_kib if ran else None,
        "slot": item.slot,
        "host": item.host,
        "left_behind": _left_behind(item),
        "result": None if item.value is None else plain_value(item.value),
        "row": row_values(item.payload, columns, input_format),
    }


def _left_behind(item: ItemView) -> LeftBehindBlock | None:
    return {"processes": item.left_count, "names": item.left_names or ""} if item.left_count else None


def failure_code(item: ItemView) -> str | None:
    """Return the cause of the failure of the latest attempt; None if it succeeded or has not ended."""
    if item.ending is None or (item.ending == Ending.EXITED and item.code == 0):
        return None
    return outcome.failure_code(item.ending, item.code or 0, item.flags or 0)


def signal_of(item: ItemView) -> str | None:
    """Return the name of the signal that ended the latest attempt; None if none did."""
    return outcome.signal_of(item.ending, item.code or 0)


def row_values(payload: bytes, columns: Sequence[str], input_format: str) -> Any:
    """Return the input row: an object by column names, the value of a JSON line, or the text of a line."""
    if input_format == "jsonl":
        return plain_value(payload)
    values = [value.decode("utf-8", "replace") for value in fields_of(input_format, payload)]
    if input_format in ("csv", "tsv"):
        return dict(zip(columns, values, strict=False))
    return values[0]
