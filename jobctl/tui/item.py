"""One item: why it is in its state, and its output."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from jobctl.domain.selection import Selection
from jobctl.render.explain import explain_lines
from jobctl.services.output.follow import FollowTarget
from jobctl.tui.keys import Keys
from jobctl.tui.log_view import LogView
from jobctl.tui.page import GO_TO, SEARCH, JobctlScreen
from jobctl.tui.prompt import Prompt
from jobctl.tui.questions import Question
from jobctl.tui.reader import look

if TYPE_CHECKING:
    from jobctl.domain.documents.explain import ExplainDocument
    from jobctl.domain.documents.status import StatusDocument

_ENDED = ("failed", "succeeded", "unprocessed")


class ItemScreen(JobctlScreen):
    """The answer of ``jobctl explain JOB.ITEM`` above that of ``jobctl logs JOB.ITEM --follow``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "back"),
        Binding("slash", "search", "search the output"),
        Binding("c", "cancel", "cancel item"),
        Binding("r", "retry", "retry item"),
        Binding("left_square_bracket", "neighbour(-1)", "the item before", show=False),
        Binding("right_square_bracket", "neighbour(1)", "the next item", show=False),
        Binding("g,colon", "go", "go to item", show=False),
    ]
    DEFAULT_CSS = """
    ItemScreen #why { height: auto; max-height: 50%; border-bottom: solid $border-blurred; }
    """
    help_title = "an item"
    place_of_keys = "#text"

    def __init__(self, job: int, item: int) -> None:
        super().__init__()
        self._job, self._item = job, item
        self._wanted = FollowTarget(job, item)
        self._document: ExplainDocument | None = None
        self._whole: StatusDocument | None = None

    def compose(self) -> ComposeResult:
        """The explanation, the log, the keys."""
        with VerticalScroll(id="why", can_focus=False):
            yield Static(id="explanation", markup=False)
        yield LogView(self.reader.home, self._wanted)
        yield Prompt()
        yield Keys()

    def on_mount(self) -> None:
        """Give the keys to the log."""
        self.query_one("#text").focus()

    @property
    def chosen_job(self) -> StatusDocument | None:
        """The job of the item."""
        return self._whole

    def show_now(self) -> None:
        """Read and draw."""
        document = self._document = self.reader.explanation(self._job, self._item)
        self._whole = self.reader.job(self._job)
        self.busy = document["item_state"] == "running"
        self.query_one(LogView).follow_again(self._wanted, len(document["attempts"]))
        shown = look(self.size.width - 2, self.size.height)
        self.query_one("#explanation", Static).update(Text("\n".join(explain_lines(document, shown))))

    def acts(self, action: str) -> bool:
        """Return whether an action has an effect now."""
        state = self._document["item_state"] if self._document is not None else None
        if action == "cancel":
            return state is not None and state not in _ENDED
        if action == "retry":
            done = self._whole is not None and self._whole["done"]
            return done and state in ("failed", "unprocessed")
        return True

    def action_cancel(self) -> None:
        """Cancel the item, if the answer is yes."""
        name = f"{self._job}.{self._item}"
        question = Question(f"End item {name}?", "The job continues.")
        self.ask(question, lambda: self.actions.cancel(self._job, self._item))

    def action_retry(self) -> None:
        """Begin another round for this item, if the answer is yes."""
        if self._whole is not None:
            self.ask_retry(self._whole, Selection.of_items([self._item]))

    def action_search(self) -> None:
        """Ask for a text to search."""
        self.prompt.ask(SEARCH, "search: ", self.query_one(LogView).text.searched)

    def action_go(self) -> None:
        """Ask for an item."""
        self.ask_for_number(f"go to item of job {self._job} (17, or 42.17): ")

    def action_neighbour(self, by: int) -> None:
        """Show the next item, or the one before."""
        if self._whole is not None and 1 <= self._item + by <= self._whole["counts"]["total"]:
            self.app.switch_screen(ItemScreen(self._job, self._item + by))

    def on_typed(self, kind: str, text: str | None, *, done: bool) -> None:
        """Search, or go to another item."""
        if kind == SEARCH:
            self.query_one(LogView).text.search(text or "")
        elif kind == GO_TO and done and text:
            self.go_to(f"{self._job}.{text.strip()}" if text.strip().isdigit() else text)
