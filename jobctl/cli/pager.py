"""The user's pager: what a command prints on a terminal goes through it if it is longer than the screen.

``Session.paging`` decides whether a command may use it; this module is loaded only then. The text is held until it is
longer than the screen, so a short answer starts no program. Messages on a terminal go the same way as the output,
because a line that is written past a pager spoils its screen.

A pager that cannot start, or ends with an error before it has read much, is left out: the text follows without it. A
reader who leaves the pager ends the command, which has done its work then: its exit code is 0.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TextIO

from jobctl.domain.job_options import NO_LIMIT

if TYPE_CHECKING:
    from jobctl.process.pager import Running

DEFAULT = "less"
#: The variable and the setting that name a pager for jobctl alone.
OWN = ("JOBCTL_PAGER", "output.pager")
#: Values that mean that there is no pager.
_NONE = ("", "cat", NO_LIMIT)
#: Text that is kept to be printed again without a pager that failed. A pipe holds 64 KiB that nobody has read.
_KEPT = 128 << 10
_STYLE = re.compile(r"\x1b\[[0-9;:]*m")
#: From here on, characters may take two cells.
_WIDE = "\u1100"


class _ReaderLeft(Exception):
    """The reader has left the pager. It is not a BrokenPipeError, with which rich would end the process."""


@contextlib.contextmanager
def paging(setting: Callable[[], str | None], note: Callable[[str], None]) -> Iterator[None]:
    """Let the pager show what the block prints. A reader who leaves the pager ends the block.

    ``setting`` reads the pager that the settings name, if one is needed; ``note`` prints what is wrong with a pager.
    """
    before = sys.stdout, sys.stderr
    output = _PagedOutput(setting, note, sys.stdout)
    sys.stdout = output
    if sys.stderr.isatty():
        sys.stderr = output
    try:
        with contextlib.suppress(_ReaderLeft):
            yield
    finally:
        sys.stdout, sys.stderr = before
        output.end()


def command_of(setting: str | None) -> tuple[str, str]:
    """Return the pager of the user, and the variable or setting that names it; an empty command means none.

    The order is that of git: the variable of the program, its setting, the variable of all programs.
    """
    own = zip(OWN, (os.environ.get("JOBCTL_PAGER"), setting), strict=True)
    for source, command in (*own, ("PAGER", os.environ.get("PAGER"))):
        if command is not None:
            return ("" if command.strip() in _NONE else command.strip()), source
    return DEFAULT, ""


class _PagedOutput(io.TextIOBase):
    """Standard output while the pager may show it; it stays a terminal for everything that asks."""

    def __init__(self, setting: Callable[[], str | None], note: Callable[[str], None], terminal: TextIO) -> None:
        self._read_setting = setting
        self._print_note = note
        self._terminal = terminal
        self._width, self._height = shutil.get_terminal_size()
        self._rows = 1  # the prompt of the shell needs one, too
        self._line = ""  # the last line, as long as it has no end
        self._kept: list[str] | None = []  # what a failing pager may have lost; None = too much to keep
        self._kept_size = 0
        self._pager: Running | None = None
        self._pipe: TextIO | None = None
        self._is_direct = False
        self._note = ""
        self._interrupt: object = None
        self.was_left = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the terminal."""
        return self._terminal.encoding

    def isatty(self) -> bool:
        """Return True: the text is shown on the terminal in the end."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the terminal."""
        return self._terminal.fileno()

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Hold, page or print a text. Raises _ReaderLeft if the reader has left the pager."""
        if not isinstance(text, str):  # click tries whether a stream takes bytes
            raise TypeError("text is written here, not bytes")
        if self._is_direct:
            return self._terminal.write(text)
        if self.was_left:  # by code that cleans up: a second pager must not start
            raise _ReaderLeft
        self._keep(text)
        if self._pipe is not None:
            self._send(self._pipe, text)
        elif self._is_longer_than_the_screen(text):
            self._start()
        return len(text)

    def flush(self) -> None:
        """Hand what was written on; held text stays held."""
        if self._is_direct:
            self._terminal.flush()
        elif self._pipe is not None:
            self._send(self._pipe, "", flush=True)

    def end(self) -> None:
        """Print what is held, and wait until the reader has left the pager."""
        if self._pipe is not None:
            self._await_pager()
        elif not self._is_direct and not self.was_left:
            self._print_kept()
        self._terminal.flush()
        if self._note:  # at the end, where it is seen
            self._print_note(self._note)
        self._take_interrupts_back()

    def _keep(self, text: str) -> None:
        if self._kept is not None:
            self._kept.append(text)
            self._kept_size += len(text)
            if self._kept_size > _KEPT and self._pipe is not None:
                self._kept = None

    def _is_longer_than_the_screen(self, text: str) -> bool:
        *lines, self._line = (self._line + text).split("\n")
        self._rows += sum(self._height_of(line) for line in lines)
        unended = self._height_of(self._line) if len(self._line) > self._width else 0
        return self._rows + unended > self._height

    def _height_of(self, line: str) -> int:
        shown = _STYLE.sub("", line).expandtabs()
        cells = len(shown) + sum(letter >= _WIDE for letter in shown)
        return max(1, -(-cells // max(1, self._width)))

    def _start(self) -> None:
        """Start the pager and give it what is held. Without one, print it."""
        from jobctl.process import pager  # it starts processes, which output that fits on the screen does not need

        command, source = command_of(self._read_setting())
        words = pager.words_of(command)
        if not words or pager.is_missing(words):
            if words and source:
                self._note = f"{source} names the pager {words[0]}, which is not here; it is not used"
            self._print_kept()
            return
        try:
            self._pager = pager.start(words)
        except OSError as error:
            self._note = f"the pager {words[0]} does not start: {error.strerror}"
            self._print_kept()
            return
        # Ctrl-C belongs to the pager, as the keys do: less ends a search with it, and continues to show the text.
        self._interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert self._pager.stdin is not None
        self._pipe = io.TextIOWrapper(self._pager.stdin, encoding=self.encoding, errors="backslashreplace")
        self._send(self._pipe, "".join(self._kept or ()), flush=True)

    def _send(self, pipe: TextIO, text: str, *, flush: bool = False) -> None:
        try:
            pipe.write(text)
            if flush:
                pipe.flush()
        except BrokenPipeError:
            self._await_pager()
            if self.was_left:
                raise _ReaderLeft from None

    def _await_pager(self) -> None:
        """Wait for the end of the pager; if it failed, print what it may have lost, and continue without it."""
        from jobctl.process.pager import has_failed

        assert self._pager is not None
        assert self._pipe is not None
        pipe, self._pipe = self._pipe, None
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
        failed = has_failed(self._pager)
        self._take_interrupts_back()
        if failed and self._kept is not None:
            self._print_kept()
        else:
            self.was_left = True

    def _print_kept(self) -> None:
        self._is_direct = True
        kept, self._kept = self._kept or (), None
        self._terminal.writelines(kept)

    def _take_interrupts_back(self) -> None:
        if self._interrupt is not None:
            signal.signal(signal.SIGINT, self._interrupt)  # type: ignore[arg-type]
            self._interrupt = None
