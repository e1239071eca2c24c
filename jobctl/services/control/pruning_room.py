"""Room for a removal on a disk that is full: the files of the jobs that go are removed before the database is written.

Everywhere else a job goes from the database first, so that no command finds half of one. On a full disk that commit
has no room, and removing jobs is what everybody is told to do there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from jobctl.process import space

#: The first commits of a removal and the shared memory of SQLite fit into this.
NEEDED_BYTES = 1 << 20

#: Removes a folder and returns how many bytes it had.
Remove = Callable[[Path], int]


def make_room(root: Path, folders: Iterable[Path], remove: Remove) -> int | None:
    """Remove one folder after the other until a removal has room; how many bytes they had, None if there was room."""
    if not _is_short(root):
        return None
    freed = 0
    for folder in folders:
        freed += remove(folder)
        if not _is_short(root):
            break
    return freed


def _is_short(root: Path) -> bool:
    return not space.has_free(root, NEEDED_BYTES) or bool(space.refusal(root))
