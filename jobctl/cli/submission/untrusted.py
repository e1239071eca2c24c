"""The messages about settings that exist but have no effect."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobctl.errors import JobctlError

if TYPE_CHECKING:
    from jobctl.cli.session import Session
    from jobctl.services.settings.settings import Layer

#: Names of keys and recipes that one notice repeats.
_MOST = 20


def tell_untrusted(shared: Session, *sections: str) -> None:
    """Say which files of settings are ignored, and which keys of an untrusted project file are.

    Ignored keys are named with ``--quiet`` too, because they may change what runs: a cron job must not lose its
    ``on-done`` in silence.
    """
    from jobctl.services.settings.settings import load_settings

    try:
        settings = load_settings(os.environ, os.getcwd())
    except (JobctlError, OSError):  # the code that needs the values reports the mistake
        return
    for file in settings.ignored_files:
        shared.warn(f"{file.path} is not read: {file.ignored}")
    layer = settings.untrusted
    if layer is not None:
        _tell(shared, layer, sections)


def _tell(shared: Session, layer: Layer, sections: Sequence[str]) -> None:
    from jobctl.render.inert import inert
    from jobctl.services.settings.settings import untrusted

    ignored, used = _named(layer.unused, sections), _named(layer.settings, sections)
    if "submit" in sections:
        ignored += [f"[recipe.{name}]" for name in layer.unused_recipes]
    parts = [f"{word}: {_listed(names)}" for word, names in (("ignored", ignored), ("used", used)) if names]
    if parts:
        lines = [
            f"{layer.where} {untrusted(layer)}",
            *parts,
            *(["read it, then: jobctl config trust"] if ignored else []),
        ]
        tell = shared.warn if ignored else shared.note
        tell("\n  ".join(inert(line) for line in lines))


def _named(keys: Sequence[tuple[str, str]] | dict[tuple[str, str], object], sections: Sequence[str]) -> list[str]:
    return [f"{section}.{name}" for section, name in keys if section in sections]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
