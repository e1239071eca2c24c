"""The documents that the screens show, and the thread that notices when they have changed."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from jobctl.config import Home
from jobctl.domain.job_filter import JobList
from jobctl.domain.states import ItemState
from jobctl.process.moment import now as now_us
from jobctl.render.look import Look, shows_unicode
from jobctl.services.control.targets import Target
from jobctl.services.daemon.changes import Frames
from jobctl.services.output import items
from jobctl.services.status.document import job_document, list_document
from jobctl.services.why.explain import explain
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database

if TYPE_CHECKING:
    from jobctl.domain.documents.explain import ExplainDocument
    from jobctl.domain.documents.items import ItemBlock
    from jobctl.domain.documents.status import StatusDocument, StatusListDocument


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads documents, in the thread that draws; ``program`` is the command line of jobctl for this store."""

    home: Home
    database: Database
    program: str

    def jobs(self, *, everything: bool) -> StatusListDocument:
        """The document of ``jobctl status``."""
        return list_document(self.database, self.home, now_us(), JobList(everything=everything), program=self.program)

    def job(self, number: int) -> StatusDocument:
        """The document of one job. Raises NotFound when it was removed."""
        return job_document(self.database, self.home, number, now_us(), program=self.program)

    def explanation(self, job: int, item: int) -> ExplainDocument:
        """The document of ``jobctl explain JOB.ITEM``. Raises NotFound."""
        return explain(self.database, self.home, Target(job, item), now_us(), program=self.program)

    def items(
        self, job: StatusDocument, state: ItemState | None, after: int, limit: int
    ) -> tuple[list[ItemBlock], bool]:
        """A page of items with numbers above ``after``, and whether there are more."""
        states = () if state is None else (state,)
        with self.database.snapshot():
            page = items.page(self.database, job["job"], states, after, limit)
        given = job["input"]
        found = [items.item_document(job["job"], item, given["columns"], given["format"]) for item in page.items]
        return found, page.next is not None


def look(width: int, height: int) -> Look:
    """The look of a part of the screen; textual leaves out colours where they are not wanted."""
    return Look(width=max(20, width), height=height, color=True, unicode=shows_unicode(sys.__stdout__ or sys.stdout))


def is_readable(descriptor: int) -> bool:
    """Return whether the descriptor has something to read, or its other end is closed."""
    return bool(select.select([descriptor], [], [], 0)[0])


class Watcher:
    """A thread that calls ``changed`` after every change of the store, and each second while items are running."""

    def __init__(self, home: Home, changed: Callable[[], object]) -> None:
        self.busy = True
        self._home = home
        self._changed = changed
        self._reader, self._writer = os.pipe()
        self._thread = Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for its end."""
        os.close(self._writer)
        self._thread.join()
        os.close(self._reader)

    def _run(self) -> None:
        database = open_database(self._home)
        try:
            with Frames(database, self._home, [self._reader]) as frames:
                while not is_readable(self._reader):
                    self._changed()
                    frames.wait(busy=self.busy)
        finally:
            database.close()
