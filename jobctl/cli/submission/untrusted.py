"""The messages about settings that exist but have no effect."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobctl.cli.session import Session


def tell_untrusted(shared: Session, *sections: str) -> None:
    """Say which files of settings are ignored, and which keys of an untrusted project file are."""
    from jobctl.render.inert import inert
    from jobctl.services.settings.ignored import ignored_settings

    for notice in ignored_settings(os.environ, os.getcwd(), sections):
        tell = shared.warn if notice.is_warning else shared.note
        tell("\n  ".join(inert(line) for line in notice.lines))
