"""The log of engine and supervisor. It may be on the disk that is full, so writing to it never fails."""

from __future__ import annotations

import contextlib
import os


def say(text: str) -> None:
    """Write a line to standard error without Python's buffer, which would keep a failed line and fail again later."""
    with contextlib.suppress(OSError):
        os.write(2, f"{text}\n".encode("utf-8", "backslashreplace"))


def say_traceback() -> None:
    """Write the traceback of the exception that is being handled."""
    import traceback

    say(traceback.format_exc().rstrip())
