"""Waiting for the store to change, and when a live view looks again.

The file system tells when something is written to the database's log, which is a moment before the commit can be
read: it is flushed to disk first, and the last step makes no event. So after an event the store's version is asked for
until it moves, for a moment; without events nothing is asked.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from jobctl.config import Home
from jobctl.errors import NotFound
from jobctl.process.watch import BLIND_S, Watch
from jobctl.store.database import Database

#: After an event, the store is looked at after so long, then twice that, and so on until it has changed...
FIRST_LOOK_S = 0.002
#: ...or so much time has passed: a transaction that was given up changes nothing.
LAST_LOOK_S = 2.0
#: Looked at again after this long although nothing was heard; a network disk may not tell of changes.
LONGEST_NAP_S = 60.0


class StoreWatch:
    """Tells when another process has committed something. What is read after it was made counts as seen."""

    def __init__(self, database: Database, home: Home) -> None:
        self._database = database
        self._watch = _watch(home)
        self._seen = self._version()
        self._longest_s = LONGEST_NAP_S if self._watch.fileno() >= 0 else BLIND_S
        # Kept from one wait to the next: an event that was taken with others may be of a commit that is yet to come,
        # and so may one that was made just before the watch began.
        self._look_s = FIRST_LOOK_S

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.close()

    def wait(self, timeout_s: float | None, others: Iterable[int] = ()) -> bool:
        """Block until there is something new to read, at most so long, or until one of ``others`` is readable.

        True when there is something new, or may be. Raises NotFound when the store is removed: nothing comes any more.
        """
        deadline = time.monotonic() + (LONGEST_NAP_S if timeout_s is None else min(timeout_s, LONGEST_NAP_S))
        poll = _poll(self._watch.fileno(), *others)
        while not self.has_changed():
            if not self._database.is_in_place():
                raise _removed(self._database.path.parent)
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return timeout_s is None or timeout_s > LONGEST_NAP_S
            ready = [descriptor for descriptor, _ in poll.poll(min(left_s, self._look_s) * 1000)]
            if any(descriptor != self._watch.fileno() for descriptor in ready):
                return False
            if ready and self._watch.drain():
                self._look_s = FIRST_LOOK_S
            elif not ready:
                self._look_s = self._longest_s if self._look_s > LAST_LOOK_S else self._look_s * 2
        return True

    def has_changed(self) -> bool:
        """Whether something was committed since this was last asked or waited for."""
        before, self._seen = self._seen, self._version()
        return before != self._seen

    def _version(self) -> int:
        return self._database.data_version()


def _watch(home: Home) -> Watch:
    try:
        return Watch(home.root)
    except FileNotFoundError:
        raise _removed(home.root) from None


def _removed(root: Path) -> NotFound:
    return NotFound(f"the store at {root} was removed, or another one put in its place", hint="jobctl status --all")


def _poll(*descriptors: int) -> select.poll:
    poll = select.poll()
    for descriptor in descriptors:
        if descriptor >= 0:
            poll.register(descriptor, select.POLLIN)
    return poll


#: Shortest time between two frames of a live view.
REST_S = 0.25
#: Longest time between two while something runs, so that clocks on the screen go on.
TICK_S = 1.0


class Frames:
    """Paces a live view: at most four frames a second, one a second while something runs, else one a change."""

    def __init__(self, database: Database, home: Home, others: Iterable[int] = ()) -> None:
        self._watch = StoreWatch(database, home)
        self._others = tuple(others)
        self._last_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.__exit__(kind, error, trace)

    def wait(self, *, busy: bool, also: Iterable[int] = (), at_most_s: float | None = None) -> None:
        """Block until the next frame is due, or one of the other descriptors (this time ``also`` these) is readable.

        That is at the latest after ``at_most_s``; None while nothing runs: when something changes.
        """
        others = (*self._others, *also)
        rest_s = max(0.0, self._last_at + REST_S - time.monotonic())
        if not _poll(*others).poll(rest_s * 1000):
            self._watch.wait(TICK_S if busy else at_most_s, others)
        self._last_at = time.monotonic()
