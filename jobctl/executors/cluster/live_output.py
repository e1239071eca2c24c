"""Fetches the output of attempts that run elsewhere, as long as a command follows it."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Any

from jobctl.domain.ports import AttemptId, Started
from jobctl.executors.cluster import worker_plugin
from jobctl.executors.cluster.dispatch_record import DispatchRecord
from jobctl.executors.cluster.link import Link

#: A command that follows an output repeats its request within this time.
_FOLLOWED_S = 60.0
_PAUSE_S = 1.0
_LONGEST_COPY = 64 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class LiveCopies:
    """Copies of the output of attempts that run elsewhere, as far as it has arrived; each has files of its own."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._wanted: dict[tuple[int, int | None], float] = {}  # (job, item or None): until when
        self._copies: dict[AttemptId, tuple[bytes, list[int]]] = {}  # path without suffix, bytes so far

    def want(self, job: int, item: int | None) -> bool:
        """Note that a command follows this job or item; True if none did before."""
        is_new = not self._is_wanted(job, item)
        self._wanted[job, item] = time.monotonic() + _FOLLOWED_S
        return is_new

    def _is_wanted(self, job: int, item: int | None) -> bool:
        now = time.monotonic()
        return any(self._wanted.get((job, each), 0.0) > now for each in {item, None})

    def fetch(self, record: DispatchRecord, started: Started, log_dir: bytes, *, at_once: bool = True) -> None:
        """Request the output since the last fetch, if a command follows it and it is not too long."""
        id_ = AttemptId(*started[:3])
        if not started.log or not self._is_wanted(id_.job, id_.item):
            return
        _, so_far = self._copies.setdefault(id_, (b"%b/%d" % (log_dir, started.log), [0, 0]))
        if max(so_far) < _LONGEST_COPY:
            pause_s = 0.0 if at_once else _PAUSE_S
            arguments = (record.key, tuple(id_), tuple(so_far))
            self._link.ask(record.worker, worker_plugin.read, *arguments, tag=("read", id_), after_s=pause_s)

    def take(self, id_: AttemptId, data: Any) -> None:
        """Append output that arrived; a full disk loses it here but stops nothing."""
        known = self._copies.get(id_)
        if known is None or data is None:
            return
        path, so_far = known
        for at, (suffix, new) in enumerate(zip((b".out", b".err"), data, strict=True)):
            if new:
                with contextlib.suppress(OSError):
                    fd = os.open(path + suffix, _NEW, 0o600)
                    try:
                        so_far[at] += os.write(fd, new)
                    finally:
                        os.close(fd)

    def drop(self, id_: AttemptId) -> None:
        """Remove the copy of an attempt that is over; its whole output is kept elsewhere."""
        known = self._copies.pop(id_, None)
        if known is not None:
            for suffix in (b".out", b".err"):
                with contextlib.suppress(OSError):
                    os.unlink(known[0] + suffix)
