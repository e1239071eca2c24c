"""Keep standard input, output and error open, and let no message that cannot be written end the work."""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False  # as typing's own, which takes longer to import than all of this
if TYPE_CHECKING:
    from typing import TextIO

    from _typeshed import ReadableBuffer

_NAMES = ("stdin", "stdout", "stderr")

#: Lines to print if standard output cannot be written: they say what was done, and how to continue.
done_lines: list[str] = []

_NO_MEMORY = 12  # errno.ENOMEM, without the module
#: The messages of the loader for a library that does not fit into memory, and of Python for such an exception.
_NO_ROOM = "failed to map segment"
_NO_EXCEPTION = "without exception set"
_NO_MEMORY_MESSAGE = b"jobctl: there is not enough memory\n  raise the limit, then try again: ulimit -v unlimited\n"


def prepare_streams() -> None:
    """Make the three streams usable, once, before anything else is opened.

    Those that are closed are opened on /dev/null. Otherwise a file of jobctl would get their numbers, and printed text
    would be written into that file. Writing to standard error fails only if the reader of a pipe has gone: a full disk
    or a lost terminal must not end the work.
    """
    for fd, name in enumerate(_NAMES):
        try:
            os.fstat(fd)
        except OSError:  # closed
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
            os.set_inheritable(fd, True)
            setattr(sys, name, open(fd, "w" if fd else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
    sys.stdout = _text(_Output(1, "w", closefd=False), sys.stdout)
    sys.stderr = _text(_Messages(2, "w", closefd=False), sys.stderr, by_line=True)


def _text(raw: io.FileIO, before: TextIO, *, by_line: bool = False) -> io.TextIOWrapper:
    # File names and log lines may have bytes that are not text in this encoding; that must not be an error.
    buffer, by_line = io.BufferedWriter(raw), by_line or before.isatty()
    return io.TextIOWrapper(buffer, encoding=before.encoding, errors="backslashreplace", line_buffering=by_line)


class _Output(io.FileIO):
    """Standard output, which remembers that a write has failed."""

    is_lost = False

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            raise
        except OSError:
            self.is_lost = True
            raise


class _Messages(io.FileIO):
    """A stream of messages, for which a failed write is not an error."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            raise
        except OSError:
            return len(memoryview(data))


def is_output_lost() -> bool:
    """Return whether something could not be written to standard output."""
    buffer = getattr(sys.stdout, "buffer", None)
    return getattr(getattr(buffer, "raw", None), "is_lost", False)


def is_no_memory(error: Exception) -> bool:
    """Return whether a lack of memory causes this error. A message about it would need more memory."""
    if isinstance(error, SystemError):
        return _NO_EXCEPTION in str(error)
    return isinstance(error, MemoryError) or (isinstance(error, ImportError) and _NO_ROOM in str(error))


def tell_no_memory() -> None:
    """Say that there is not enough memory, with the limit where there is room for the module that knows it."""
    try:
        from jobctl.process.ulimit import report_out_of_memory

        report_out_of_memory()
    except (MemoryError, ImportError, OSError, SystemError):  # not even this import has room
        os.write(2, _NO_MEMORY_MESSAGE)


def give_up_output(error: OSError) -> int:
    """Say that standard output cannot be written, and write to it no longer; returns the exit code."""
    if error.errno == _NO_MEMORY:  # of a module that was being loaded
        tell_no_memory()
        return 1
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stderr.write("\n".join((f"jobctl: standard output cannot be written: {error.strerror}", *done_lines)) + "\n")
    return 1
