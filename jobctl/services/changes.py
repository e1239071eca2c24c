"""When a live view looks again: something was written, or time has passed while something runs; four times a second."""

from __future__ import annotations

import select
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from jobctl.config import Home
from jobctl.process.watch import BLIND_S, Watch

#: Shortest time between two looks.
REST_S = 0.25
#: Longest time between two looks while something runs, so that clocks on the screen go on.
TICK_S = 1.0
#: The same while nothing runs: only a change or a key is of interest.
NAP_S = 30.0


class Changes:
    """Blocks until the store changed, one of some other descriptors is readable, or it is time."""

    def __init__(self, home: Home, others: Iterable[int] = ()) -> None:
        self._watch = Watch(home.root)
        self._others = tuple(others)
        self._last_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.close()

    def wait(self, *, busy: bool) -> None:
        """Block until it is worth looking again; ``busy`` says that something on the screen moves by itself."""
        rest_s = self._last_at + REST_S - time.monotonic()
        if not self._poll(self._others, max(0.0, rest_s)):
            longest_s = TICK_S if busy else NAP_S
            if self._watch.fileno() < 0:
                self._poll(self._others, min(longest_s, BLIND_S))
            else:
                self._poll((self._watch.fileno(), *self._others), longest_s)
        self._watch.drain()
        self._last_at = time.monotonic()

    @staticmethod
    def _poll(descriptors: Iterable[int], timeout_s: float) -> bool:
        poll = select.poll()
        for descriptor in descriptors:
            poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))
