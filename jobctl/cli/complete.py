"""Job numbers for shell completion: a key is being held down, so nothing is imported that is not needed.

This is the one place that reads the database without ``store.database``. It opens it read-only, so it can neither
write nor checkpoint, and says nothing at all when something is wrong.
"""

from __future__ import annotations

import os
import sys

from jobctl.store import sqlite

LIMIT = 50


def complete_jobs(arguments: list[str]) -> None:
    """Print ``number<TAB>name (state)`` of the newest jobs: ``[--home DIR] [BEGINNING]``."""
    home = None
    if arguments[:1] == ["--home"]:
        home, arguments = "".join(arguments[1:2]), arguments[2:]
    beginning = arguments[0] if arguments else ""
    try:
        rows = _newest(_database_path(home))
    except sqlite.Error:
        return
    for number, name, state in rows:
        if str(number).startswith(beginning) or name.startswith(beginning):
            shown = "".join(c if c.isprintable() else "?" for c in name)
            sys.stdout.write(f"{number}\t{shown} ({state})\n")


def _newest(path: str) -> list[tuple[int, str, str]]:
    connection = sqlite.connect(f"file:{_quoted(path)}?mode=ro", uri=True, timeout=1.0)
    try:
        rows = connection.execute("SELECT id, name, state FROM jobs ORDER BY id DESC LIMIT ?", (LIMIT,)).fetchall()
    finally:
        connection.close()
    return [(int(number), str(name), str(state)) for number, name, state in rows]


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _database_path(home: str | None) -> str:
    """The database that ``config.find_home`` would choose, found without its imports on Linux."""
    chosen = home or os.environ.get("JOBCTL_HOME")
    if not chosen and sys.platform == "linux":
        state = os.environ.get("XDG_STATE_HOME", "").strip() or os.path.expanduser("~/.local/state")
        chosen = os.path.join(state, "jobctl")
    if not chosen:
        from jobctl.config import find_home

        return str(find_home().database)
    return os.path.join(os.path.expanduser(chosen), "jobctl.db")
