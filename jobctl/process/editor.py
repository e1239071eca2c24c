"""Runs the user's editor on a file."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess

from jobctl.errors import UsageError

#: The editors of systems where the user has not chosen one.
_USUAL = ("editor", "nano", "vi")


def editor_words() -> list[str]:
    """Return the command of the editor: VISUAL, EDITOR, else one that is installed, which needs a terminal.

    Raises UsageError if there is none.
    """
    for name in ("VISUAL", "EDITOR"):
        command = os.environ.get(name, "").strip()
        if command:
            return _checked(name, command)
    found = next(filter(shutil.which, _USUAL), None) if os.isatty(0) else None
    if found is None:
        raise UsageError(
            "there is no editor here", hint="name one: EDITOR=nano jobctl config edit; or jobctl config set KEY VALUE"
        )
    return [found]


def _checked(name: str, command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"{name}={command!r} is not a command: {error}", hint=f"{name}=nano, for example") from None
    if not words or shutil.which(words[0]) is None:
        raise UsageError(f"the editor of {name} does not exist: {command}", hint=f"{name}=nano, for example")
    return words


def edit(words: list[str], path: str) -> int:
    """Run an editor on a file, on this terminal; returns its exit code. Ctrl-C belongs to the editor meanwhile.

    If standard output is not a terminal, the editor writes to standard error: the output of the command is a document.
    """
    # A handler and not SIG_IGN, which the editor would inherit.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run([*words, path], check=False, stdout=None if os.isatty(1) else 2).returncode
    finally:
        signal.signal(signal.SIGINT, before)
