"""The causes of failure of a job in a table, and below it what items wrote that met the cause under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from jobctl.domain.wording import number, plural
from jobctl.render.clock import local
from jobctl.render.inert import inert
from jobctl.render.job.blocks import failure_cells
from jobctl.tui.grid import Column, Grid
from jobctl.tui.reader import Reader, look

if TYPE_CHECKING:
    from jobctl.domain.documents.causes import CausesDocument, ListedCauseBlock
    from jobctl.domain.documents.failures import CauseBlock
    from jobctl.domain.documents.status import StatusDocument

#: With fewer lines there is room for the table only; the title of the job says so.
SAMPLES_FROM = 18


class CauseList(Vertical):
    """The causes of one job."""

    DEFAULT_CSS = """
    CauseList { height: 1fr; }
    CauseList #cause { height: auto; max-height: 50%; border-top: solid $border-blurred; }
    """

    def __init__(self, reader: Reader, job: int) -> None:
        super().__init__()
        self._reader, self._job = reader, job
        self._revision: int | None = None
        self._document: CausesDocument | None = None

    def compose(self) -> ComposeResult:
        """The table, and the cause under the cursor."""
        yield Grid(id="failure-table")
        with Vertical(id="cause"):
            yield Static(id="samples", markup=False)

    @property
    def grid(self) -> Grid:
        """The table."""
        return self.query_one(Grid)

    @property
    def chosen(self) -> ListedCauseBlock | None:
        """The cause under the cursor."""
        causes = self._document["causes"] if self._document is not None else []
        return next((cause for cause in causes if cause["cause"] == self.grid.chosen), None)

    def show_job(self, job: StatusDocument) -> None:
        """Show the causes as they are now."""
        if self._document is None or job["revision"] != self._revision:
            self._document, self._revision = self._reader.causes(self._job), job["revision"]
        size = self.screen.size
        causes = self._document["causes"]
        titles, rows = failure_cells([_as_in_status(cause) for cause in causes], look(size.width - 4, size.height))
        self.grid.fill([Column("", title) for title in titles], [cause["cause"] for cause in causes], rows)
        self._show_chosen()

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        """The cursor is on another cause."""
        self._show_chosen()

    def _show_chosen(self) -> None:
        below = self.query_one("#cause")
        below.display = self.screen.size.height >= SAMPLES_FROM
        cause, document = self.chosen, self._document
        if cause is None or document is None:
            self.query_one("#samples", Static).update("no item has failed")
            return
        facts = [
            plural(cause["items"], "item"),
            plural(cause["attempts"], "attempt"),
            "may succeed when it runs again" if cause["retryable"] else "permanent",
            *(["the outcome is unknown"] if cause["outcome"] == "unknown" else []),
            f"{local(cause['first_at'])} to {local(cause['last_at'])}",
        ]
        lines = [Text(f"{cause['cause']}: {', '.join(facts)}", "bold")]
        lines += [Text(f"{each['item']}  {inert(each['message'])}") for each in cause["samples"]]
        more = document["causes_total"] - len(document["causes"])
        if more > 0:
            lines.append(Text(f"{number(more)} more causes: jobctl causes {self._job}"))
        self.query_one("#samples", Static).update(Text("\n").join(lines))


def _as_in_status(cause: ListedCauseBlock) -> CauseBlock:
    """A cause as the page of a job shows it, by the word that selects it."""
    samples = cause["samples"]
    return {
        "code": cause["cause"],
        "message": cause["message"],
        "count": cause["items"],
        "retryable": cause["retryable"],
        "outcome": cause["outcome"],
        "sample_items": [sample["item"] for sample in samples],
        "first_at": cause["first_at"],
        "last_at": cause["last_at"],
        "attempts": cause["attempts"],
        "example": samples[0]["message"] if samples else None,
    }
