"""What engine and supervisor say about themselves. The log may be on the disk that is full: saying never fails."""

from __future__ import annotations

import contextlib
import os


def say(text: str) -> None:
    """Write a line to standard error, past Python's buffer, which would fail again and again with an old line."""
    with contextlib.suppress(OSError):
        os.write(2, f"{text}\n".encode("utf-8", "backslashreplace"))


def say_traceback() -> None:
    """The same with the exception that is being handled."""
    import traceback

    say(traceback.format_exc().rstrip())
