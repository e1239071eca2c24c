"""Wait until the store changes, and keep the pace of a live view.

The file system reports a write to the log of the database a moment before the commit can be read: the commit is flushed
to disk first, and making it visible causes no event. So after an event, the version of the store is read several times
until it changes or LAST_LOOK_S has passed. Without events nothing is read.
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
from jobctl.process.watch import UNWATCHED_WAIT_S, Watch
from jobctl.store.database import Database

#: Seconds from an event to the first look at the store; each further wait is twice as long...
FIRST_LOOK_S = 0.002
#: ...until the store has changed, or the wait is longer than this: a transaction that is rolled back changes nothing.
LAST_LOOK_S = 2.0
#: Seconds between looks without an event: a network disk may not report changes.
LONGEST_NAP_S = 60.0


class StoreWatch:
    """Tells when another process has committed something since this object was made."""

    def __init__(self, database: Database, home: Home) -> None:
        self._database = database
        self._watch = _watch(home)
        self._seen = self._version()
        self._longest_s = LONGEST_NAP_S if self._watch.fileno() >= 0 else UNWATCHED_WAIT_S
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
        """Block until the store changes, a descriptor of ``others`` is readable, or ``timeout_s`` seconds have passed.

        True if the store has changed or may have changed. Raises NotFound when the store is removed.
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
        """Return whether something was committed since the last call of this method or of ``wait``."""
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


#: The least number of seconds between two frames of a live view.
REST_S = 0.25
#: The most seconds between two frames while items run, so that durations on the screen advance.
TICK_S = 1.0


class Frames:
    """The pace of a live view: a frame for each change, at most four a second, and one each second while items run."""

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
        """Block until the next frame is due, or a descriptor of the others or of ``also`` is readable.

        ``busy`` says that items run. If none runs, the frame is due when something changes, and at the latest after
        ``at_most_s`` seconds (None = no limit).
        """
        others = (*self._others, *also)
        rest_s = max(0.0, self._last_at + REST_S - time.monotonic())
        if not _poll(*others).poll(rest_s * 1000):
            self._watch.wait(TICK_S if busy else at_most_s, others)
        self._last_at = time.monotonic()
