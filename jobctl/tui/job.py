"""One job in four tabs: its page, its items, its failures, its output."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Footer, Static, TabbedContent, TabPane

from jobctl.domain.selection import Selection
from jobctl.domain.states import ItemState
from jobctl.domain.wording import number
from jobctl.render.items import item_cells
from jobctl.render.job.blocks import failure_cells
from jobctl.render.job.page import job_page, job_title
from jobctl.services.output.follow import FollowTarget
from jobctl.tui.item import ItemScreen
from jobctl.tui.log_view import LogView
from jobctl.tui.page import JobctlScreen
from jobctl.tui.reader import look
from jobctl.tui.tables import Table

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


TABS = ("overview", "items", "failures", "log")
#: Items on a page of the table.
PAGE = 500
#: The log of a job begins this many items before the newest one.
LOG_ITEMS = 200
_FILTERS: tuple[ItemState | None, ...] = (None, *ItemState)


class JobScreen(JobctlScreen):
    """A job in four tabs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "back"),
        *(Binding(str(n), f"tab('{tab}')", tab, show=False) for n, tab in enumerate(TABS, 1)),
        Binding("left_square_bracket", "step(-1)", show=False),
        Binding("right_square_bracket", "step(1)", show=False),
        Binding("s", "state", "state of items"),
        Binding("n", "page(1)", "next", show=False),
        Binding("b", "page(-1)", "back", show=False),
        *JobctlScreen.JOB_KEYS,
    ]
    DEFAULT_CSS = """
    JobScreen #head { height: 1; }
    JobScreen TabPane { padding: 0; }
    JobScreen #below { height: 1; color: $text-muted; }
    """

    def __init__(self, number: int, tab: str) -> None:
        super().__init__()
        self._number, self._first_tab = number, tab
        self._document: StatusDocument | None = None
        self._filter: ItemState | None = None
        self._after: list[int] = [0]  # the item before each page up to the present one
        self._more = False

    def compose(self) -> ComposeResult:
        """The title, the tabs, the keys."""
        yield Static(id="head", markup=False)
        with TabbedContent(initial=self._first_tab):
            with TabPane("1 overview", id="overview"), VerticalScroll(id="scroll"):
                yield Static(id="page", markup=False)
            with TabPane("2 items", id="items"):
                yield Table(id="item-table")
                yield Static(id="below", markup=False)
            with TabPane("3 failures", id="failures"):
                yield Table(id="failure-table")
            with TabPane("4 log", id="log"):
                yield LogView(self.reader.home, self._wanted(), id="text")
        yield Footer()

    def _wanted(self) -> FollowTarget:
        """The end of the log: a job of a million items has written more than a person reads."""
        job = self._document or self.reader.job(self._number)
        counts = job["counts"]
        begun = counts["total"] - counts["queued"] - counts["unprocessed"]
        return FollowTarget(self._number, after=max(0, begun - LOG_ITEMS))

    def on_mount(self) -> None:
        """Give the keys to the first tab."""
        self.action_tab(self._first_tab)

    @property
    def tab(self) -> str:
        """The visible tab."""
        return self.query_one(TabbedContent).active

    @property
    def chosen_job(self) -> StatusDocument | None:
        """The job."""
        return self._document

    def show_now(self) -> None:
        """Read and draw the visible tab."""
        document = self._document = self.reader.job(self._number)
        self.busy = document["counts"]["running"] > 0
        self.query_one(LogView).follow_again(self._wanted(), document["round"])
        shown = look(self.size.width - 4, self.size.height)
        self.query_one("#head", Static).update(job_title(document, shown))
        if self.tab == "overview":
            self.query_one("#page", Static).update(job_page(document, shown, running=32))
        elif self.tab == "items":
            self._show_items(document)
        elif self.tab == "failures":
            groups = document["failures"]["groups"]
            titles, rows = failure_cells(groups, shown)
            self.query_one("#failure-table", Table).fill(titles, [str(n) for n in range(len(groups))], rows)

    def _show_items(self, document: StatusDocument) -> None:
        found, self._more = self.reader.items(document, self._filter, self._after[-1], PAGE)
        titles, rows = item_cells(found, look(self.size.width - 4, self.size.height))
        self.query_one("#item-table", Table).fill(titles, [str(item["item"]) for item in found], rows)
        kind = "all items" if self._filter is None else f"{self._filter.word} items"
        count = document["counts"]["total" if self._filter is None else self._filter.word]
        pages = f", page {len(self._after)}; n next, b back" if self._more or len(self._after) > 1 else ""
        self.query_one("#below", Static).update(f"{number(count)} {kind}{pages}; s another state, enter opens an item")

    # ---- keys ----

    def action_tab(self, name: str) -> None:
        """Show a tab and give it the keys."""
        self.query_one(TabbedContent).active = name
        inside = {"overview": "#scroll", "items": "#item-table", "failures": "#failure-table", "log": "#text"}
        # Fill the tab in the same step: the next key may already be in the queue, and on an empty table it would act on
        # the whole job.
        self.set_focus(self.query_one(inside[name]))
        self.refresh_now()

    def action_step(self, by: int) -> None:
        """Show the next tab, or the one before."""
        self.action_tab(TABS[(TABS.index(self.tab) + by) % len(TABS)])

    def on_tabbed_content_tab_activated(self, _event: TabbedContent.TabActivated) -> None:
        """Another tab is visible."""
        self.refresh_now()

    def action_state(self) -> None:
        """Show only the items of one state: the next one that any item is in."""
        document = self._document
        if document is None:
            return
        place = _FILTERS.index(self._filter)
        following = (*_FILTERS[place + 1 :], *_FILTERS[: place + 1])
        self._filter = next(state for state in following if state is None or document["counts"][state.word])
        self._after = [0]
        self.action_tab("items")
        self.refresh_now()

    def action_page(self, by: int) -> None:
        """Show the next page of items, or the one before."""
        table = self.query_one("#item-table", Table)
        if self.tab != "items":
            return
        if by > 0 and self._more and table.last is not None:
            self._after.append(int(table.last))
        elif by < 0 and len(self._after) > 1:
            self._after.pop()
        self.refresh_now()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter opens an item; on a cause of failure it opens the first item that is a sample of it."""
        if self._document is None or event.row_key.value is None:
            return
        if event.data_table.id == "item-table":
            self.app.push_screen(ItemScreen(self._number, int(event.row_key.value)))
            return
        group = self._document["failures"]["groups"][int(event.row_key.value)]
        if group["sample_items"]:
            self.app.push_screen(ItemScreen(self._number, group["sample_items"][0]))

    def action_cancel(self) -> None:
        """Cancel the item under the cursor on the tab of items, the job on the others."""
        item = self.query_one("#item-table", Table).chosen if self.tab == "items" else None
        if item is None:
            super().action_cancel()
            return
        name = f"{self._number}.{item}"
        self.ask(f"End item {name}?", "The job continues.", lambda: self.actions.cancel(self._number, int(item)))

    def action_retry(self) -> None:
        """Retry the item or the cause under the cursor, or everything that did not succeed."""
        if self._document is None:
            return
        chosen = None
        if self.tab in ("items", "failures"):
            chosen = self.query_one(f"#{self.tab.removesuffix('s')}-table", Table).chosen
        if chosen is None:
            selection = Selection()
        elif self.tab == "items":
            selection = Selection.of_items([int(chosen)])
        else:
            selection = Selection(causes=(self._document["failures"]["groups"][int(chosen)]["code"],))
        self.actions.retry(self._number, selection)
