"""Make room on a full disk: remove files of the chosen jobs before the database is written.

On any other disk, a job is removed from the database first, so that no command finds half of it. On a full disk there
is no room for that commit, and prune is the command that all messages recommend there.
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
    """Remove one folder after the other until there is room for a removal.

    Returns the number of bytes that the folders had, or None if there was room without that.
    """
    if not _is_short(root):
        return None
    freed = 0
    for folder in folders:
        freed += remove(folder)
        if not _is_short(root):
            break
    return freed


def _is_short(root: Path) -> bool:
    return not space.has_free(root, NEEDED_BYTES) or bool(space.write_problem(root))
