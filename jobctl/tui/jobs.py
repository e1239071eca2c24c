"""The first screen: all jobs, and the essentials of the job under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import DataTable, Footer, Static

from jobctl.domain.wording import plural
from jobctl.errors import NotFound
from jobctl.render.frames import changing_part, urgency
from jobctl.render.job.facts import daemon_text
from jobctl.render.jobs_table import job_cells
from jobctl.tui.job import JobScreen
from jobctl.tui.page import JobctlScreen
from jobctl.tui.reader import look
from jobctl.tui.tables import Table

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument, StatusListDocument


#: With fewer lines than this there is room for the table only.
_DETAIL_FROM = 20


class JobsScreen(JobctlScreen):
    """The table of ``jobctl status --watch`` with a cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open"),
        Binding("l", "open('log')", "log"),
        Binding("f", "open('failures')", "failures"),
        *JobctlScreen.JOB_KEYS,
        Binding("a", "all", "all jobs"),
        Binding("q", "app.quit", "quit"),
    ]
    DEFAULT_CSS = """
    JobsScreen #head { height: 1; text-style: bold; }
    JobsScreen #jobs { height: 1fr; min-height: 3; }
    JobsScreen #detail { height: auto; max-height: 60%; border-top: solid $border-blurred; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._everything = False
        self._jobs: dict[str, StatusDocument] = {}

    def compose(self) -> ComposeResult:
        """The daemon, the jobs, the job under the cursor, the keys."""
        yield Static(id="head", markup=False)
        yield Table(id="jobs")
        with Vertical(id="detail"):
            yield Static(id="job", markup=False)
        yield Footer()

    def show_now(self) -> None:
        """Read and draw."""
        document = self.reader.jobs(everything=self._everything)
        jobs = sorted(document["jobs"], key=urgency)
        self._jobs = {str(job["job"]): job for job in jobs}
        self.busy = any(job["counts"]["running"] for job in jobs)
        self.query_one("#head", Static).update(self._head(document))
        table = self.query_one(Table)
        titles, rows = job_cells(jobs, document["at"], look(self.size.width - 4, self.size.height))
        table.fill(titles, list(self._jobs), rows)
        self._show_detail()

    def _head(self, document: StatusListDocument) -> Text:
        hidden = document["jobs_total"] - len(document["jobs"])
        older = f", {plural(hidden, 'older one')} (a)" if hidden > 0 else ""
        jobs = plural(len(document["jobs"]), "job")
        return Text(f"jobctl top   {jobs}{older}   daemon {daemon_text(document['daemon'])}")

    def _show_detail(self) -> None:
        job = self.chosen_job
        detail = self.query_one("#detail")
        detail.display = self.size.height >= _DETAIL_FROM
        if not detail.display:
            return
        if job is None:
            self.query_one("#job", Static).update("no jobs; submit one with: jobctl submit FILE -- COMMAND ARG...")
            return
        try:
            job = self.reader.job(job["job"])  # with its throughput, which a list does not have
        except NotFound:  # removed since the list was read
            return
        room = self.size.height * 3 // 5 - 1
        shown = look(self.size.width, self.size.height)
        self.query_one("#job", Static).update(Group(*changing_part(job, shown, room)))

    @property
    def chosen_job(self) -> StatusDocument | None:
        """The job under the cursor."""
        return self._jobs.get(self.query_one(Table).chosen or "")

    def on_data_table_row_highlighted(self, _event: DataTable.RowHighlighted) -> None:
        """The cursor moved."""
        self._show_detail()

    def on_data_table_row_selected(self, _event: DataTable.RowSelected) -> None:
        """Enter, or a click."""
        self.action_open()

    def action_open(self, tab: str = "overview") -> None:
        """Show everything about the job."""
        if self.chosen_job is not None:
            self.app.push_screen(JobScreen(self.chosen_job["job"], tab))

    def action_all(self) -> None:
        """Show all finished jobs, or only the newest ones again."""
        self._everything = not self._everything
        self.show_now()
