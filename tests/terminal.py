"""A real terminal, of which is known what is on its screen."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pyte

import jobctl as package
from tests.interactive import Program, read_terminal
from tests.wait import wait_until

ROOT = Path(package.__file__).parents[1]


class Terminal:
    """A command on a terminal of its own; what it draws is kept as a screen with its scroll-back."""

    def __init__(self, home, *words, columns=80, lines=24, run=("-m", "jobctl"), **env):
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "JOBCTL_HOME": str(home.root),
            "HOME": "/",
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
        }
        self.screen = pyte.HistoryScreen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.child = Program(
            sys.executable,
            [*run, *map(str, words)],
            env=environ | env,
            dimensions=(lines, columns),
            timeout=60,
        )
        self.child.delaybeforesend = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while data := read_terminal(self.child.child_fd):
            self.raw += data
            self._stream.feed(data)

    def text(self):
        """The text on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def await_text(self, text):
        """Wait until it can be seen."""
        wait_until(lambda: text in self.text(), 60, f"{text!r} on the screen")

    def await_no_text(self, text):
        """Wait until it can no longer be seen."""
        wait_until(lambda: text not in self.text(), 60, f"no {text!r} on the screen")

    def end(self):
        """Wait for the end; the exit code."""
        wait_until(lambda: not self.child.isalive(), 60, "the end of the command")
        self._reader.join(60)
        assert not self._reader.is_alive(), "another process has the terminal open"
        return self.child.exitstatus
