"""The documents that the screens show, and the thread that notices when they have changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from jobctl.config import Home
from jobctl.domain.job_filter import JobList
from jobctl.domain.selection import Selection
from jobctl.errors import JobctlError
from jobctl.process.moment import now as now_us
from jobctl.process.stop_pipe import StopPipe, is_readable
from jobctl.render.look import Look, shows_unicode
from jobctl.services.causes import Wanted, causes_document
from jobctl.services.control.targets import Target, one_target
from jobctl.services.daemon.changes import Frames
from jobctl.services.output import items
from jobctl.services.selection import SelectedItems
from jobctl.services.status.document import job_document, list_document
from jobctl.services.why.explain import explain
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import items as item_views

if TYPE_CHECKING:
    from jobctl.domain.documents.causes import CausesDocument
    from jobctl.domain.documents.explain import ExplainDocument
    from jobctl.domain.documents.items import ItemBlock
    from jobctl.domain.documents.status import StatusDocument, StatusListDocument

#: The most jobs in the list.
MOST_JOBS = 200
#: The most causes in the list of a job.
MOST_CAUSES = 200


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads documents, in the thread that draws; ``program`` is the command line of jobctl for this store."""

    home: Home
    database: Database
    program: str

    def jobs(self, *, everything: bool) -> StatusListDocument:
        """The document of ``jobctl status``, with the newest MOST_JOBS jobs if ``everything`` is wanted."""
        listing = JobList(limit=MOST_JOBS) if everything else JobList()
        return list_document(self.database, self.home, now_us(), listing, program=self.program)

    def job(self, number: int) -> StatusDocument:
        """The document of one job. Raises NotFound when it was removed."""
        return job_document(self.database, self.home, number, now_us(), program=self.program)

    def explanation(self, job: int, item: int) -> ExplainDocument:
        """The document of ``jobctl explain JOB.ITEM``. Raises NotFound."""
        return explain(self.database, self.home, Target(job, item), now_us(), program=self.program)

    def items_of(self, job: StatusDocument, numbers: Sequence[int]) -> list[ItemBlock | None]:
        """Some items of a job, in this order; None for one that is not in the store."""
        given = job["input"]
        columns, kind = given["columns"], given["format"]
        with self.database.snapshot():
            views = item_views.items(self.database, job["job"], numbers)
            blocks = [items.item_document(job["job"], view, columns, kind) for view in views]
            found = {block["item"]: block for block in items.with_undo(self.database, job["job"], blocks)}
        return [found.get(each) for each in numbers]

    def causes(self, job: int) -> CausesDocument:
        """The document of ``jobctl causes JOB``, with MOST_CAUSES causes at most. Raises NotFound."""
        return causes_document(self.database, job, Wanted(limit=MOST_CAUSES), program=self.program)

    def check_selection(self, job: int, selection: Selection) -> None:
        """Raise UsageError for a condition that the columns of a job do not allow."""
        SelectedItems(self.database, job, selection, now=now_us())

    def target(self, text: str) -> Target:
        """The one job or item that a word names. Raises NotFound, UsageError."""
        return one_target(self.database, text)


def look(width: int, height: int) -> Look:
    """The look of a part of the screen; textual leaves out colours where they are not wanted."""
    return Look(width=max(20, width), height=height, color=True, unicode=shows_unicode(sys.__stdout__ or sys.stdout))


class Watcher:
    """A thread that calls ``changed`` after every change of the store, and each second while items are running."""

    def __init__(self, home: Home, changed: Callable[[], object], failed: Callable[[JobctlError], object]) -> None:
        """``failed`` is called when the store was removed, or can never be read again."""
        self.busy = True
        self.is_started = False
        self._failed = failed
        self._home = home
        self._changed = changed
        self._stop = StopPipe()
        self._thread = Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self.is_started = True
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for its end."""
        self._stop.stop()
        self._thread.join()
        self._stop.close()

    def _run(self) -> None:
        try:
            self._watch()
        except JobctlError as error:
            self._failed(error)

    def _watch(self) -> None:
        database = open_database(self._home)
        try:
            with Frames(database, self._home, [self._stop.reader]) as frames:
                while not is_readable(self._stop.reader):
                    self._changed()
                    frames.wait(busy=self.busy)
        finally:
            database.close()
