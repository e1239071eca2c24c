"""The limit of open files: raised when many slots need it, and not passed on to items."""

from __future__ import annotations

import contextlib
import resource

#: Files that a supervisor has open for each slot: two for output, and two more for a worker.
FILES_PER_SLOT = 4
#: Files that it has open apart from slots.
OTHER_FILES = 200


class FileLimit:
    """The soft limit of open files of this process."""

    def __init__(self) -> None:
        self._soft, self._hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._raised = False

    def ensure(self, files: int) -> None:
        """Raise the limit so that ``files`` files can be open, as far as the hard limit allows."""
        wanted = files if self._hard == resource.RLIM_INFINITY else min(files, self._hard)
        if self._soft == resource.RLIM_INFINITY or wanted <= self._soft:
            return
        # Only when needed: some programs close every descriptor up to the limit, or use select().
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, self._hard))
            self._raised = True

    def restore(self, pid: int) -> None:
        """Give a new process the limit with which this one started."""
        if self._raised and hasattr(resource, "prlimit"):
            with contextlib.suppress(OSError, ValueError):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (self._soft, self._hard))
