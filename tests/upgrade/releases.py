"""Copies of the package that say they are other releases, and the command line of each on one store."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import jobctl
from tests.e2e.conftest import Cli

SOURCE = Path(jobctl.__file__).parent


class Release:
    """A copy of jobctl in a folder of its own, that can be changed while programs of it run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(SOURCE, folder / "jobctl", ignore=shutil.ignore_patterns("__pycache__"))

    def change(self, module: str, pattern: str, text: str) -> None:
        """Put a text in the place of what the pattern finds, once."""
        path = self.folder / "jobctl" / module
        changed, count = re.subn(pattern, text, path.read_text(), flags=re.MULTILINE)
        assert count == 1, f"{module}: {pattern} found {count} times"
        unfinished = path.with_suffix(".new")
        unfinished.write_text(changed)
        unfinished.rename(path)  # never half of it, as an installer does it

    def restore(self, module: str) -> None:
        """The file as it is in this checkout."""
        unfinished = (self.folder / "jobctl" / module).with_suffix(".new")
        shutil.copyfile(SOURCE / module, unfinished)
        unfinished.rename(unfinished.with_suffix(".py"))

    def call_itself(self, version: str) -> None:
        """Another number of the release."""
        self.change("__init__.py", r'__version__ = ".*"', f'__version__ = "{version}"')

    def speak_another_wire(self) -> None:
        """Engine and supervisor with other words: some numbers have changed places, and one field more is told."""
        self.change("supervisor/protocol/wire.py", r"^VERSION = \d+", "VERSION = 4711")
        self.change("supervisor/protocol/wire.py", r"^START = 3", "START = 7")
        self.change("supervisor/protocol/wire.py", r"^ADOPT = 7", "ADOPT = 3")

    def take_another_schema(self, version: int) -> None:
        """A table more than the schema before."""
        self.change("store/schema.py", r"^SCHEMA_VERSION = \d+", f"SCHEMA_VERSION = {version}")
        migrations = self.folder / "jobctl" / "store" / "migrations"
        migrations.mkdir(exist_ok=True)
        (migrations / f"{version:04}.sql").write_text("CREATE TABLE colours (name TEXT);\n")

    def cli(self, root: Path, work: Path) -> Cli:
        """Its command line."""
        made = Cli(root, work)
        made.program = [sys.executable, "-m", "jobctl"]
        made.env["PYTHONPATH"] = os.fspath(self.folder)
        return made
