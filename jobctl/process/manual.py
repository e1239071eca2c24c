"""Shows a manual page with the reader that this machine has."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys


def show_page(path: str, pager: str | None = None) -> bool:
    """Show a page on the terminal with man(1) or mandoc(1) and the user's pager; False if there is neither.

    ``pager`` is used in place of the pager that those programs would use.
    """
    missing = missing_pagers()
    environment = {name: value for name, value in os.environ.items() if name not in missing}
    if pager is not None:
        environment |= {"MANPAGER": pager}
    for command in _readers():
        try:
            done = subprocess.run([*command, path], check=False, env=environment)
        except OSError:
            continue
        if done.returncode >= 0 and done.returncode not in (2, 3, 127):  # man found no page, or a program is missing
            return True
    return False


def missing_pagers() -> list[str]:
    """The variables that name a missing pager; with them, a reader would show nothing at all."""
    return [name for name in ("MANPAGER", "PAGER") if _is_missing(os.environ.get(name, ""))]


def _is_missing(command: str) -> bool:
    try:
        words = shlex.split(command)
    except ValueError:  # an open quote: the reader reports it
        return False
    return bool(words) and "=" not in words[0] and shutil.which(words[0]) is None


def _readers() -> list[list[str]]:
    man, mandoc = shutil.which("man"), shutil.which("mandoc")
    found = []
    if man is not None and not _is_stub(man):
        found.append([man] if sys.platform == "darwin" else [man, "-l"])
    if mandoc is not None:
        found.append([mandoc, "-a"])
    return found


def _is_stub(program: str) -> bool:
    """True if ``man`` is the script with which container images of Debian and Ubuntu replace it."""
    real = os.path.realpath(program)
    if "diverted" in os.path.basename(real):
        return True
    try:
        with open(real, "rb") as file:
            return b"minimized" in file.read(400)
    except OSError:
        return False
