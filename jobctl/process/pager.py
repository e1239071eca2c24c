"""Starts the user's pager. What goes into it, and when, is decided in ``cli.pager``."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess

#: What pagers get unless the user has set it: less leaves short text on the screen and shows colours.
_DEFAULTS = {"LESS": "FRX", "LV": "-c"}
_NEEDS_A_SHELL = re.compile(r"[|&;<>()$`\"'\\*?\[\]#~={}%!\n]")
_INTERRUPTED = 130
#: The exit code of less -K after Ctrl-C.
_LESS_INTERRUPTED = 2


#: A pager that was started.
Running = subprocess.Popen[bytes]


def words_of(command: str) -> list[str]:
    """Return the words to start for a pager as people name it: ``less -S``, or a command for the shell."""
    return ["/bin/sh", "-c", command] if _NEEDS_A_SHELL.search(command) else command.split()


def is_missing(words: list[str]) -> bool:
    """Return whether the program of a pager is not here."""
    return shutil.which(words[0]) is None


def start(words: list[str]) -> Running:
    """Start a pager that reads from a pipe. Raises OSError."""
    return subprocess.Popen(words, stdin=subprocess.PIPE, env=_DEFAULTS | os.environ)


def has_failed(pager: Running) -> bool:
    """Return whether a pager ended, and not because its reader wanted it to."""
    status = pager.wait()
    if status in (0, -signal.SIGINT, _INTERRUPTED):
        return False
    is_less = isinstance(pager.args, list) and os.path.basename(str(pager.args[0])) == "less"
    return not (is_less and status == _LESS_INTERRUPTED)
