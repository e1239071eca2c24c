"""One item: why it is in its state, and its output."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static

from jobctl.domain.selection import Selection
from jobctl.render.explain import explain_lines
from jobctl.services.output.follow import FollowTarget
from jobctl.tui.log_view import LogView
from jobctl.tui.page import JobctlScreen
from jobctl.tui.reader import look

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


class ItemScreen(JobctlScreen):
    """The answer of ``jobctl explain JOB.ITEM`` above that of ``jobctl logs JOB.ITEM --follow``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "back"),
        Binding("c", "cancel", "cancel item"),
        Binding("r", "retry", "retry item"),
    ]
    DEFAULT_CSS = """
    ItemScreen #why { height: auto; max-height: 50%; border-bottom: solid $border-blurred; }
    ItemScreen #text { height: 1fr; }
    """

    def __init__(self, job: int, item: int) -> None:
        super().__init__()
        self._job, self._item = job, item
        self._wanted = FollowTarget(job, item)

    def compose(self) -> ComposeResult:
        """The explanation, the log, the keys."""
        with VerticalScroll(id="why", can_focus=False):
            yield Static(id="explanation", markup=False)
        yield LogView(self.reader.home, self._wanted, id="text")
        yield Footer()

    def on_mount(self) -> None:
        """Give the keys to the log."""
        self.query_one("#text").focus()

    @property
    def chosen_job(self) -> StatusDocument | None:
        """None: the keys act on the item."""
        return None

    def show_now(self) -> None:
        """Read and draw."""
        document = self.reader.explanation(self._job, self._item)
        self.busy = document["item_state"] == "running"
        self.query_one(LogView).follow_again(self._wanted, len(document["attempts"]))
        shown = look(self.size.width - 2, self.size.height)
        self.query_one("#explanation", Static).update(Text("\n".join(explain_lines(document, shown))))

    def action_cancel(self) -> None:
        """Cancel the item, if the answer is yes."""
        name = f"{self._job}.{self._item}"
        self.ask(f"End item {name}?", "The job continues.", lambda: self.actions.cancel(self._job, self._item))

    def action_retry(self) -> None:
        """Begin another round for this item."""
        self.actions.retry(self._job, Selection.of_items([self._item]))
