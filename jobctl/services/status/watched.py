"""The jobs of a live view: their documents at each moment, and the wait for the next change."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from jobctl.config import Home
from jobctl.domain.job_filter import JobList
from jobctl.errors import NotFound
from jobctl.services.control.targets import Target, resolve_jobs, target_of
from jobctl.services.daemon.changes import Frames
from jobctl.services.status.document import bundle, job_documents, list_document
from jobctl.store.opening.open import open_database

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument, StatusListDocument


class WatchedJobs:
    """Some jobs of a store, or a list of its jobs.

    ``program`` is the command line of jobctl in the commands of the documents.
    """

    def __init__(
        self, home: Home, texts: Sequence[str] | None, *, program: str, listing: JobList | None = None
    ) -> None:
        """``texts`` name the jobs; None means the list.

        Raises NotFound, UsageError.
        """
        self._home = home
        self._program = program
        self._listing = listing or JobList()
        self._database = open_database(home)
        self._numbers = None if texts is None else resolve_jobs(self._database, texts)

    def document(self, now: int) -> StatusListDocument:
        """Return ``jobctl.status_list/1`` of the jobs at this moment (``now`` in microseconds UTC)."""
        if self._numbers is None:
            return list_document(self._database, self._home, now, self._listing, program=self._program)
        return bundle(self._database, self._documents(self._numbers, now), now)

    def _documents(self, numbers: Sequence[int], now: int) -> list[StatusDocument]:
        return job_documents(self._database, self._home, numbers, now, program=self._program)

    def frames(self, others: Iterable[int]) -> Frames:
        """Return the pace of the view; ``others`` are descriptors that end a wait when they become readable."""
        return Frames(self._database, self._home, others)

    def close(self) -> None:
        """Close the store."""
        self._database.close()


def first_of(home: Home, text: str | None) -> Target | None:
    """The one job or item that a word names, for a view that begins with it; None without a word.

    Without a word, a home without a store is allowed. Raises NotFound, UsageError, StoreError for a store that cannot
    be used.
    """
    if text is not None:
        return target_of(home, text)
    with contextlib.suppress(NotFound):
        open_database(home).close()
    return None
