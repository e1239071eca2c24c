"""The first screen: all jobs, and the essentials of the job under the cursor."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Static

from jobctl.domain.wording import number, plural
from jobctl.errors import NotFound
from jobctl.render.frames import changing_part
from jobctl.render.inert import inert
from jobctl.render.job.facts import daemon_text
from jobctl.render.jobs_table import job_cells
from jobctl.tui.grid import Column, Grid
from jobctl.tui.job import JobScreen
from jobctl.tui.keys import Keys
from jobctl.tui.orders import LARGEST_FIRST, ORDERS, has_words
from jobctl.tui.page import FILTER, GO_TO, JobctlScreen
from jobctl.tui.prompt import Prompt
from jobctl.tui.reader import MOST_JOBS, look

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument, StatusListDocument


#: With fewer lines than this there is room for the table only.
_DETAIL_FROM = 20

#: A list that takes longer than this many seconds to read is kept for this many times as long.
_LONG_S, _REST = 0.1, 5


class _Kept(NamedTuple):
    """The list that was read last, and the moment until which it is shown again."""

    document: StatusListDocument
    everything: bool
    until: float


class JobsScreen(JobctlScreen):
    """The table of ``jobctl status --watch`` with a cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter"),
        Binding("escape", "clear", "clear the filter"),
        Binding("l", "open('log')", "log"),
        Binding("f", "open('failures')", "failures"),
        *JobctlScreen.JOB_KEYS,
        Binding("g,colon", "go", "go to job", show=False),
        Binding("o,greater_than_sign", "order(1)", "order by the next column", show=False),
        Binding("less_than_sign", "order(-1)", "order by the column before", show=False),
        Binding("O", "reverse", "reverse the order", show=False),
        Binding("q", "app.quit", "quit"),
        Binding("a", "all", "all jobs"),
    ]
    DEFAULT_CSS = """
    JobsScreen #head { height: 1; text-style: bold; }
    JobsScreen #jobs { height: 1fr; min-height: 3; }
    JobsScreen #detail { height: auto; max-height: 60%; border-top: solid $border-blurred; }
    """
    help_title = "the list of jobs"
    place_of_keys = "#jobs"

    def __init__(self) -> None:
        super().__init__()
        self._everything = False
        self._words = ""
        self._order, self._reverse = "", False
        self._jobs: dict[str, StatusDocument] = {}
        self._kept: _Kept | None = None
        self._again: Timer | None = None

    def compose(self) -> ComposeResult:
        """The daemon, the jobs, the job under the cursor, the keys."""
        yield Static(id="head", markup=False)
        yield Grid(id="jobs")
        with Vertical(id="detail"):
            yield Static(id="job", markup=False)
        yield Prompt()
        yield Keys()

    def on_mount(self) -> None:
        """Give the keys to the table."""
        self.set_focus(self.grid)

    @property
    def grid(self) -> Grid:
        """The table."""
        return self.query_one("#jobs", Grid)

    def show_now(self) -> None:
        """Read and draw."""
        self._draw(self._read())

    def _read(self) -> StatusListDocument:
        """Read the list. One that takes long is kept for some times as long, so that keys act meanwhile."""
        everything = self._everything or bool(self._words)
        began, kept = time.monotonic(), self._kept
        if kept is not None and kept.everything == everything and began < kept.until:
            if self._again is None:  # the last change must not be missed
                self._again = self.set_timer(kept.until - began, self._read_again)
            return kept.document
        document = self.reader.jobs(everything=everything)
        ended = time.monotonic()
        took = ended - began
        self._kept = _Kept(document, everything, ended + (_REST * took if took > _LONG_S else 0.0))
        return document

    def _read_again(self) -> None:
        self._again = None
        self.refresh_now()

    def _draw(self, document: StatusListDocument) -> None:
        jobs = [job for job in document["jobs"] if not self._words or has_words(job, self._words)]
        jobs.sort(key=ORDERS[self._order], reverse=self._reverse)
        self._jobs = {str(job["job"]): job for job in jobs}
        self.busy = any(job["counts"]["running"] for job in document["jobs"])
        self.query_one("#head", Static).update(self._head(document))
        shown = look(self.size.width - 3, self.size.height)
        titles, rows = job_cells(jobs, document["at"], shown) if jobs else ([], [])
        columns = [Column(title.plain.strip(), title) for title in titles]
        self.grid.sorted_by = (self._order, self._reverse)
        self.grid.fill(columns, list(self._jobs), rows)
        self._show_detail()

    def _head(self, document: StatusListDocument) -> Text:
        read, shown = len(document["jobs"]), len(self._jobs)
        hidden = document["jobs_total"] - read
        older = f", {number(hidden)} older not read" if self._everything or self._words else ""
        older = older or f", {plural(hidden, 'older one')} (a)"
        jobs = f"{number(shown)} of {plural(read, 'job')}" if self._words else plural(read, "job")
        words = f"   filter: {inert(self._words)} (esc clears)" if self._words else ""
        daemon = f"   daemon {daemon_text(document['daemon'])}"
        low = "" if self.size.height >= _DETAIL_FROM else f"   {_DETAIL_FROM} lines show more"
        return Text(f"jobctl top   {jobs}{older if hidden > 0 else ''}{words}{low}{daemon}", no_wrap=True)

    def _show_detail(self) -> None:
        job = self.chosen_job
        detail = self.query_one("#detail")
        detail.display = self.size.height >= _DETAIL_FROM
        if not detail.display:
            return
        if job is None:
            self.query_one("#job", Static).update(self._why_empty())
            return
        try:
            job = self.reader.job(job["job"])  # with its throughput, which a list does not have
        except NotFound:  # removed since the list was read
            return
        room = self.size.height * 3 // 5 - 1
        shown = look(self.size.width, self.size.height)
        self.query_one("#job", Static).update(Group(*changing_part(job, shown, room)))

    def _why_empty(self) -> str:
        if self._words:
            return "no job has these words in its number, name, state, queue or labels"
        return "no jobs yet; this list shows the first one when it comes: jobctl submit FILE -- COMMAND ARG..."

    @property
    def chosen_job(self) -> StatusDocument | None:
        """The job under the cursor."""
        return self._jobs.get(self.grid.chosen or "")

    # ---- keys ----

    def acts(self, action: str) -> bool:
        """Return whether an action has an effect now."""
        if action == "open":
            return self.chosen_job is not None
        if action == "clear":
            return bool(self._words)
        return super().acts(action)

    def on_grid_moved(self, _event: Grid.Moved) -> None:
        """The cursor moved."""
        self._show_detail()
        self.refresh_bindings()

    def on_grid_opened(self, _event: Grid.Opened) -> None:
        """Enter, or a click."""
        self.action_open()

    def on_grid_headed(self, event: Grid.Headed) -> None:
        """A click on a heading: order by its column, in the other direction the second time."""
        if event.name == self._order:
            self._reverse = not self._reverse
        else:
            self._order, self._reverse = event.name, event.name in LARGEST_FIRST
        self.refresh_now()

    def action_open(self, tab: str = "overview") -> None:
        """Show everything about the job."""
        if self.chosen_job is not None:
            self.app.push_screen(JobScreen(self.chosen_job["job"], tab))

    def action_all(self) -> None:
        """Show also the older finished jobs, or only the newest ones again."""
        self._everything = not self._everything
        if self._everything:
            self.notify(f"the newest {number(MOST_JOBS)} jobs at most; g goes to any job by its number")
        self.refresh_now()

    def action_filter(self) -> None:
        """Ask for words."""
        self.prompt.ask(FILTER, "/", self._words, "words of the name, state, queue or a label")

    def action_clear(self) -> None:
        """Show all jobs again."""
        self._words = ""
        self.refresh_now()

    def action_go(self) -> None:
        """Ask for a job."""
        self.ask_for_number("go to job or item (42, nightly, 42.17): ")

    def action_order(self, by: int) -> None:
        """Order by the next column."""
        names = ["", *(column.name for column in self.grid.columns if column.name in ORDERS)]
        place = names.index(self._order) if self._order in names else 0
        self._order = names[(place + by) % len(names)]
        self._reverse = self._order in LARGEST_FIRST
        self.refresh_now()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._reverse = not self._reverse
        self.refresh_now()

    def on_typed(self, kind: str, text: str | None, *, done: bool) -> None:
        """The filter acts while it is typed, a number after Enter."""
        if kind == FILTER:
            self._words = (text or "").strip()
            if self._words and self._kept is not None and self._kept.everything:
                self._draw(self._kept.document)
            else:
                self.refresh_now()
        elif kind == GO_TO and done and text:
            if text.strip() in self._jobs:
                self.grid.choose(text.strip())
            else:
                self.go_to(text)
