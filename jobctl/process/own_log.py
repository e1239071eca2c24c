"""The log of engine and supervisor. It may be on the disk that is full, so writing to it never fails."""

from __future__ import annotations

import contextlib
import os
import sys


def say(text: str) -> None:
    """Write a line to standard error without Python's buffer, which would keep a failed line and fail again later."""
    with contextlib.suppress(OSError):
        os.write(2, f"{text}\n".encode("utf-8", "backslashreplace"))


def say_traceback() -> None:
    """Write the traceback of the exception that is being handled."""
    error = sys.exception()
    if error is not None:
        say(traceback_of(error))


def traceback_of(error: BaseException) -> str:
    """The traceback of an exception; its type and message alone if the module cannot be loaded."""
    try:
        import traceback
    except (OSError, ImportError):
        return repr(error)
    return "".join(traceback.format_exception(error)).rstrip()
