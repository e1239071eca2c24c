"""A project file that the user trusts, for tests that are about something else."""

from __future__ import annotations

import os
from pathlib import Path

from jobctl.services.settings.trust import trust


def write_trusted(path: Path, text: str) -> None:
    """Write a ``jobctl.toml`` and trust it, below the XDG_CONFIG_HOME of the test."""
    path.write_text(text)
    trust(str(path), os.environ, str(path.parent))
