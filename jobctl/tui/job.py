"""One job in four tabs: its page, its items, its failures, its output."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static, TabbedContent, TabPane, Tabs

from jobctl.domain.selection import Selection
from jobctl.render.job.page import job_page, job_title
from jobctl.services.output.follow import FollowTarget
from jobctl.tui.cause_list import SAMPLES_FROM, CauseList
from jobctl.tui.grid import Grid
from jobctl.tui.item import ItemScreen
from jobctl.tui.item_list import ItemList
from jobctl.tui.keys import Keys
from jobctl.tui.log_view import LogView
from jobctl.tui.page import FILTER, GO_TO, SEARCH, JobctlScreen
from jobctl.tui.prompt import Prompt
from jobctl.tui.questions import Question
from jobctl.tui.reader import look

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


TABS = ("overview", "items", "failures", "log")
#: The log of a job begins this many items before the newest one.
LOG_ITEMS = 200
_FOCUS = {"overview": "#scroll", "items": "#item-table", "failures": "#failure-table", "log": "#text"}


class Page(VerticalScroll):
    """The overview, which scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
    ]


class JobScreen(JobctlScreen):
    """A job in four tabs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "clear the filter"),
        Binding("escape", "back", "back"),
        Binding("q", "back", "back", show=False),
        *(Binding(str(n), f"tab('{tab}')", f"tab {tab}", show=False) for n, tab in enumerate(TABS, 1)),
        Binding("l", "tab('log')", "log", show=False),
        Binding("f", "tab('failures')", "failures", show=False),
        Binding("left_square_bracket,shift+tab", "step_tab(-1)", "the tab before", show=False),
        Binding("right_square_bracket,tab", "step_tab(1)", "the next tab", show=False),
        Binding("slash", "filter", "filter"),
        Binding("slash", "search", "search"),
        Binding("s", "state", "state of items"),
        Binding("g,colon", "go", "go to item"),
        Binding("o,greater_than_sign", "order(1)", "order by the next column", show=False),
        Binding("less_than_sign", "order(-1)", "order by the column before", show=False),
        Binding("O", "reverse", "reverse the order", show=False),
        *JobctlScreen.JOB_KEYS,
    ]
    DEFAULT_CSS = """
    JobScreen #head { height: 1; }
    JobScreen TabPane { padding: 0; }
    """
    help_title = "a job"

    def __init__(self, number: int, tab: str, item: int | None = None) -> None:
        """``item`` is the item under the cursor of the tab of items."""
        super().__init__()
        self._number, self._first_tab, self._first_item = number, tab, item
        self._document: StatusDocument | None = None

    def compose(self) -> ComposeResult:
        """The title, the tabs, the keys."""
        yield Static(id="head", markup=False)
        with TabbedContent(initial=self._first_tab):
            with TabPane("1 overview", id="overview"), Page(id="scroll"):
                yield Static(id="page", markup=False)
            with TabPane("2 items", id="items"):
                yield ItemList(self.reader, self._number)
            with TabPane("3 failures", id="failures"):
                yield CauseList(self.reader, self._number)
            with TabPane("4 log", id="log"):
                yield LogView(self.reader.home, self._wanted())
        yield Prompt()
        yield Keys()

    def _wanted(self) -> FollowTarget:
        """The end of the log: a job of a million items has written more than a person reads."""
        job = self._document or self.reader.job(self._number)
        counts = job["counts"]
        begun = counts["total"] - counts["queued"] - counts["unprocessed"]
        return FollowTarget(self._number, after=max(0, begun - LOG_ITEMS))

    def on_mount(self) -> None:
        """Give the keys to the first tab. The bar of tabs never has them: there, no key acts on what is visible."""
        self.query_one(Tabs).can_focus = False
        self.action_tab(self._first_tab)

    @property
    def tab(self) -> str:
        """The visible tab."""
        return self.query_one(TabbedContent).active

    @property
    def items(self) -> ItemList:
        """The items."""
        return self.query_one(ItemList)

    @property
    def causes(self) -> CauseList:
        """The causes of failure."""
        return self.query_one(CauseList)

    @property
    def chosen_job(self) -> StatusDocument | None:
        """The job."""
        return self._document

    @property
    def place_of_keys(self) -> str:  # type: ignore[override]
        """The part of the visible tab that has the keys."""
        return _FOCUS[self.tab]

    def show_now(self) -> None:
        """Read and draw the visible tab."""
        document = self._document = self.reader.job(self._number)
        self.busy = document["counts"]["running"] > 0
        self.query_one(LogView).follow_again(self._wanted(), document["round"])
        shown = look(self.size.width - 4, self.size.height)
        self.query_one("#head", Static).update(self._head(document))
        if self.tab == "overview":
            self.query_one("#page", Static).update(job_page(document, shown, running=32))
        elif self.tab == "items":
            self.items.show_job(document)
            if self._first_item is not None:
                self.items.grid.choose(str(self._first_item))
                self._first_item = None
        elif self.tab == "failures":
            self.causes.show_job(document)

    def _head(self, document: StatusDocument) -> Text:
        """The title of the job, and what a small screen leaves out of the visible tab."""
        title = job_title(document, look(self.size.width - 4, self.size.height))
        if self.tab == "failures" and self.size.height < SAMPLES_FROM:
            title.append(f"   {SAMPLES_FROM} lines show the messages of items")
        return title

    # ---- keys ----

    def acts(self, action: str) -> bool:
        """Return whether an action has an effect now."""
        if self._document is None:
            return action in ("back", "tab", "step_tab", "help")
        tab = self.tab
        if action in ("filter", "order", "reverse"):
            return tab == "items"
        if action == "search":
            return tab == "log"
        if action == "clear":
            return tab == "items" and self.items.is_filtered
        if action == "cancel" and tab == "items":
            return self.items.state_of_chosen in ("queued", "running", "retrying")
        if action == "retry" and tab == "items":
            return self._document["done"] and self.items.state_of_chosen in ("failed", "unprocessed")
        return super().acts(action)

    def action_tab(self, name: str) -> None:
        """Show a tab and give it the keys."""
        self.query_one(TabbedContent).active = name
        # Fill the tab in the same step: the next key may already be in the queue, and on an empty table it would act on
        # the whole job.
        self.set_focus(self.query_one(_FOCUS[name]))
        self.refresh_now()

    def action_step_tab(self, by: int) -> None:
        """Show the next tab, or the one before."""
        self.action_tab(TABS[(TABS.index(self.tab) + by) % len(TABS)])

    def on_tabbed_content_tab_activated(self, _event: TabbedContent.TabActivated) -> None:
        """Another tab is visible, perhaps after a click."""
        if not self.prompt.is_open:
            self.give_keys_back()
        self.refresh_now()

    def action_state(self) -> None:
        """Show only the items of one state: the next one that any item is in."""
        if self._document is not None:
            self.items.next_state(self._document)
            self.action_tab("items")

    def action_filter(self) -> None:
        """Ask for a filter of items."""
        self.prompt.ask(FILTER, "/", self.items.filter, self.items.hint)

    def action_search(self) -> None:
        """Ask for a text to search in the log."""
        self.prompt.ask(SEARCH, "search: ", self.query_one(LogView).text.searched)

    def action_clear(self) -> None:
        """Show all items again."""
        self.items.apply("")

    def action_go(self) -> None:
        """Ask for an item."""
        self.ask_for_number(f"go to item of job {self._number} (17, or 42.17 or nightly): ")

    def action_order(self, by: int) -> None:
        """Order the items by the next column."""
        self.items.next_order(by)

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.items.turn()

    def on_typed(self, kind: str, text: str | None, *, done: bool) -> None:
        """Use a filter or a number after Enter; a search acts while it is typed."""
        if kind == SEARCH:
            self.query_one(LogView).text.search(text or "")
        elif kind == FILTER:
            self.items.type_filter(text, done=done)
        elif kind == GO_TO and done and text:
            self._go(text.strip())

    def _go(self, text: str) -> None:
        if not text.isdigit():
            self.go_to(text)
            return
        self.action_tab("items")
        self.items.go(int(text))

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        """Other keys may act on another row."""
        self.refresh_bindings()

    def on_grid_headed(self, event: Grid.Headed) -> None:
        """A click on a heading: order by its column."""
        if event.grid.id == "item-table":
            self.items.order_by(event.name)

    def on_grid_opened(self, event: Grid.Opened) -> None:
        """Enter opens an item; on a cause of failure it shows the items that failed for it."""
        if event.grid.id == "item-table":
            self.app.push_screen(ItemScreen(self._number, int(event.name)))
        else:
            self._open_cause()

    def _open_cause(self) -> None:
        cause = self.causes.chosen
        if cause is not None:
            self.items.show_cause(cause)
            self.action_tab("items")

    def action_cancel(self) -> None:
        """Cancel the item under the cursor on the tab of items, the job on the others."""
        item = self.items.grid.chosen if self.tab == "items" else None
        if item is None:
            super().action_cancel()
            return
        question = Question(f"End item {self._number}.{item}?", "The job continues.")
        self.ask(question, lambda: self.actions.cancel(self._number, int(item)))

    def action_retry(self) -> None:
        """Retry the item or the cause under the cursor, or everything that did not succeed."""
        if self._document is None:
            return
        selection = Selection()
        if self.tab == "items" and self.items.grid.chosen is not None:
            selection = Selection.of_items([int(self.items.grid.chosen)])
        elif self.tab == "failures" and (cause := self.causes.chosen) is not None:
            selection = Selection(causes=(cause["cause"],))
        self.ask_retry(self._document, selection)
