"""``jobctl daemon install``: the text and the path of the systemd user unit of a daemon."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.domain.documents.daemon import UnitDocument

SCHEMA: Final = "jobctl.unit/1"
#: Seconds that running items have to finish after a stop; then they get TERM, and KILL after their grace period.
POLITE_S = 60

_TEXT = """\
# Written by: jobctl daemon install
[Unit]
Description=jobctl daemon ({home})
Documentation=man:jobctl-daemon(1)

[Service]
Type=notify
ExecStart={program} daemon run{slots}
ExecStop=-{program} daemon stop --timeout {polite}s
TimeoutStopSec={longest}
KillMode=mixed
WatchdogSec=60
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
# An item that runs out of memory fails alone; the daemon and the other items continue.
OOMPolicy=continue
UMask=0077

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """A systemd unit that runs the daemon of one store."""

    home: Path
    slots: int | None = None
    name: str = "jobctl"

    def text(self) -> str:
        """Return the text of the unit, which names this Python and so does not depend on PATH. Raises UsageError."""
        program = [sys.executable, "-P", "-m", "jobctl", "--home", str(self.home)]
        return _TEXT.format(
            home=specifiers(str(self.home)),
            program=quoted_words(program),
            slots="" if self.slots is None else f" --slots {self.slots}",
            polite=POLITE_S,
            longest=POLITE_S + 30,
        )

    def texts(self) -> str:
        """Return what is to be shown: the text. Raises UsageError."""
        return self.text()

    def document(self, environ: Mapping[str, str]) -> UnitDocument:
        """Return ``jobctl.unit/1`` of a unit that is only shown. Raises UsageError."""
        text = self.text()
        return {"schema": SCHEMA, "path": str(self.path(environ)), "changed": False, "text": text}

    def install(self, environ: Mapping[str, str], *, force: bool) -> UnitDocument:
        """Write the unit; returns ``jobctl.unit/1``. Raises UsageError if a file differs, unless ``force``."""
        path = self.path(environ)
        return {"schema": SCHEMA, "path": str(path), "changed": write_unit(path, self.text(), force=force)}

    def path(self, environ: Mapping[str, str]) -> Path:
        """Return the path of the unit. Raises UsageError for a name that a unit cannot have."""
        if not 0 < len(self.name) <= 200 or not all(c.isascii() and (c.isalnum() or c in "-_.") for c in self.name):
            raise UsageError(f"--name {self.name!r} is not the name of a unit", hint="letters, digits, - and _")
        base = environ.get("XDG_CONFIG_HOME", "").strip() or os.path.expanduser("~/.config")
        if not os.path.isabs(base):
            raise UsageError(f"{base} is not an absolute path, so the folder of units is unknown", hint="set HOME")
        return Path(base) / "systemd" / "user" / f"{self.name}.service"


def write_unit(path: Path, text: str, *, force: bool) -> bool:
    """Write the file in one step; returns whether its text changed.

    Raises UsageError if it has another text and not ``force``.
    """
    try:
        before = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        before = ""
    if before == text:
        return False
    if before and not force:
        raise UsageError(
            f"{path} exists and has another text",
            hint="--force replaces it, --name NAME makes another unit, --print shows what it would be",
        )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o644)
    os.replace(new, path)
    return True


def quoted_words(words: Sequence[str]) -> str:
    """Words of a command line as systemd reads them back. Raises UsageError."""
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    """A word as systemd reads it back: $ and % are special to it even within quotes."""
    word = specifiers(word).replace("$", "$$")
    if all(c.isalnum() or c in "/._-%$@+=:," for c in word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def specifiers(text: str) -> str:
    """A text in which no character has a special meaning for systemd. Raises UsageError."""
    if "\n" in text or "\r" in text:
        raise UsageError("a state directory with a line break in its name cannot be put into a unit")
    return text.replace("%", "%%")
