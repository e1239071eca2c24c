"""Opens a database that can only be read: its disk is full or read-only, or its files may not be written.

SQLite keeps shared memory in the folder of a database in WAL mode, and cannot make it there. While the log holds no
commit, the file alone is the database, and it can be read as a file that does not change.
"""

from __future__ import annotations

import os
from pathlib import Path

from jobctl.store import sqlite


def connect(path: Path) -> sqlite.Connection:
    """A connection that reads. Raises sqlite errors where that is impossible too."""
    words = "mode=ro" if _has_commits(path) else "mode=ro&immutable=1"
    uri = f"{path.absolute().as_uri()}?{words}"
    return sqlite.connect(uri, uri=True, isolation_level=None, cached_statements=256)


def _has_commits(path: Path) -> bool:
    try:
        return os.stat(f"{path}-wal").st_size > 0
    except OSError:
        return False
