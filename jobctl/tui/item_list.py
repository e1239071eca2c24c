"""The items of a job in a table, with a filter and an order; the line below says what is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from jobctl.domain.selection import Selection
from jobctl.domain.states import ItemState
from jobctl.domain.wording import number, plural
from jobctl.errors import JobctlError
from jobctl.render.inert import inert
from jobctl.services.output.item_search import BY_DURATION, BY_ITEM, MOST, MOST_BY_DURATION, ORDERS, ItemSearch
from jobctl.tui.grid import Grid
from jobctl.tui.item_filter import HINT, parse_filter
from jobctl.tui.item_rows import Found, ItemRows, Searcher
from jobctl.tui.reader import Reader, look

if TYPE_CHECKING:
    from jobctl.domain.documents.causes import ListedCauseBlock
    from jobctl.domain.documents.status import StatusDocument


class ItemList(Vertical):
    """The items of one job."""

    DEFAULT_CSS = """
    ItemList { height: 1fr; }
    ItemList #below { height: auto; max-height: 4; color: $text-muted; }
    """

    class Progress(Message):
        """A search has found items."""

        def __init__(self, found: Found) -> None:
            super().__init__()
            self.found = found

    def __init__(self, reader: Reader, job: int) -> None:
        super().__init__()
        self._reader, self._job = reader, job
        self._document: StatusDocument | None = None
        self._rows: ItemRows | None = None
        self._wanted = ItemSearch()
        self._found: Found | None = None
        self._searcher = Searcher(reader.home, job, lambda found: self.post_message(self.Progress(found)))
        self._cause: ListedCauseBlock | None = None  # whose items are shown
        self._error = ""
        self.filter = ""  # as it was typed
        self.hint = HINT

    def compose(self) -> ComposeResult:
        """The table, and what it shows."""
        yield Grid(id="item-table")
        yield Static(id="below", markup=False)

    def on_unmount(self) -> None:
        """End a search."""
        self._searcher.end()

    @property
    def grid(self) -> Grid:
        """The table."""
        return self.query_one(Grid)

    @property
    def is_filtered(self) -> bool:
        """Whether some items are left out, or the filter is wrong."""
        return bool(self.filter) or not self._wanted.selection.is_default

    @property
    def state_of_chosen(self) -> str | None:
        """The state of the item under the cursor."""
        chosen = self.grid.chosen
        return None if self._rows is None or chosen is None else self._rows.state_of(int(chosen))

    # ---- what is shown ----

    def show_job(self, document: StatusDocument) -> None:
        """Show the items as they are now."""
        changed = self._document is None or document["revision"] != self._document["revision"]
        self._document = document
        if not self._wanted.is_everything and changed and self._found is not None and self._found.done:
            self._searcher.repeat(self._wanted)
        self._draw()

    def _draw(self, *, keep: bool = True) -> None:
        document = self._document
        if document is None:
            return
        total = document["counts"]["total"]
        if self._wanted.is_everything:
            numbers = range(total, 0, -1) if self._wanted.backwards else range(1, total + 1)
        else:
            numbers = self._found.numbers if self._found is not None else ()  # type: ignore[assignment]
        screen = self.screen.size
        shown = look(screen.width - 3, screen.height)
        goes_up = self._wanted.order == BY_ITEM and not self._wanted.backwards
        rows = ItemRows(self._reader, document, numbers, shown, ascending=goes_up)
        rows.keeps_widths_of(self._rows)
        self._rows = rows
        self.grid.sorted_by = (self._wanted.order, self._wanted.backwards)
        self.grid.show(rows, keep=keep)
        self._say()

    def _say(self) -> None:
        text = self._error or "; ".join(self._facts())
        self.query_one("#below", Static).update(text)

    def _facts(self) -> Iterator[str]:
        assert self._document is not None
        total = self._document["counts"]["total"]
        if self._wanted.is_everything:
            yield f"all {plural(total, 'item')}" if total > 1 else plural(total, "item")
        elif self._found is None:
            yield "searching"
        else:
            count, still = len(self._found.numbers), "" if self._found.done else ", searching"
            most = " (the longest)" if self._wanted.order == BY_DURATION and count >= MOST_BY_DURATION else ""
            most = " (the first)" if count >= MOST else most
            yield f"{number(count)}{most} of {plural(total, 'item')}{still}"
        if self._cause is not None:
            yield f"{self._cause['cause']}: {inert(self._cause['message'])}"
        elif self.filter:
            yield f"filter {inert(self.filter)} (esc clears)"
        elif self._wanted.selection.states:
            yield f"{', '.join(state.word for state in self._wanted.selection.states)} items (esc clears)"
        if self._wanted.order != BY_ITEM:
            yield f"by {self._wanted.order}"

    def on_item_list_progress(self, message: Progress) -> None:
        """Show what the search has found so far."""
        found = message.found
        if found.wanted != self._wanted:
            return  # of an earlier search
        first, self._found = self._found is None, found
        self._error = f"the filter cannot be used: {found.error}" if found.error else self._error
        self._draw(keep=not first)
        self.screen.refresh_bindings()

    # ---- filters ----

    def type_filter(self, text: str | None, *, done: bool) -> None:
        """Use a filter after Enter; while it is typed, say what is wrong with it. None: it stays as it was."""
        if text is None:
            self._error = ""
            self._say()
        elif done:
            self.apply(text)

    def apply(self, text: str) -> None:
        """Show only the items that a filter means; all for an empty one."""
        self._cause, self.filter = None, text.strip()
        self._search(text)

    def show_cause(self, cause: ListedCauseBlock) -> None:
        """Show the items that failed for a cause, or wait for another attempt after it."""
        self._cause, self.filter = cause, cause["cause"]
        self._use(replace(self._wanted, selection=Selection(causes=(cause["cause"],)), words=()))

    def next_state(self, document: StatusDocument) -> None:
        """Show only the items of the next state that any item is in, then all."""
        states = [None, *ItemState]
        present = self._wanted.selection.states[0] if self._wanted.selection.states else None
        counts: Mapping[str, int] = dict(document["counts"])  # type: ignore[arg-type]
        following = states[states.index(present) + 1 :]
        chosen = next((state for state in following if state and counts[state.word]), None)
        self.apply("" if chosen is None else chosen.word)

    def _search(self, text: str) -> None:
        causes = {name for each in self._reader.causes(self._job)["causes"] for name in (each["cause"], each["code"])}
        try:
            selection, words = parse_filter(text, causes)
            if selection.where:
                self._reader.check_selection(self._job, selection)
        except JobctlError as error:
            self._error = inert(f"{error.message.replace('--where', 'filter')}; {error.hint or ''}")
            self._say()
            self.screen.refresh_bindings()
            return
        self._use(replace(self._wanted, selection=selection, words=words))

    def _use(self, wanted: ItemSearch) -> None:
        self._wanted, self._found, self._error = wanted, None, ""
        self._searcher.end()
        if not wanted.is_everything:
            self._searcher.begin(wanted)
        self._draw(keep=wanted.is_everything)
        self.screen.refresh_bindings()

    # ---- order ----

    def order_by(self, name: str) -> None:
        """Order by a column; the second time, in the other direction."""
        if name == self._wanted.order:
            self.turn()
        elif name in ORDERS:
            self._use(replace(self._wanted, order=name, backwards=False))

    def next_order(self, by: int) -> None:
        """Order by the next column that has an order."""
        self.order_by(ORDERS[(ORDERS.index(self._wanted.order) + by) % len(ORDERS)])

    def turn(self) -> None:
        """Turn the order round."""
        self._use(replace(self._wanted, backwards=not self._wanted.backwards))

    def go(self, item: int) -> None:
        """Move the cursor to an item, without the filter if the filter leaves it out."""
        total = self._reader.job(self._job)["counts"]["total"]
        if not 1 <= item <= total:
            wrong = f"job {self._job} has {plural(total, 'item')}, there is no item {number(item)}"
            self.notify(wrong, severity="error", markup=False)
            return
        if not self.grid.choose(str(item)):
            self.apply("")
            if not self._wanted.is_everything:
                self._use(ItemSearch())
            self.grid.choose(str(item))
