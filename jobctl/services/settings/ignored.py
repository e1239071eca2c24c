"""What is said about settings that exist but have no effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jobctl.errors import JobctlError
from jobctl.services.settings.settings import Layer, load_settings, untrusted

#: Names of keys and recipes that one notice repeats.
_MOST = 20


class Notice(NamedTuple):
    """Lines for the user; a warning is given also by a command that is quiet."""

    is_warning: bool
    lines: list[str]


def ignored_settings(environ: Mapping[str, str], cwd: str, sections: Sequence[str]) -> list[Notice]:
    """Return which files of settings are ignored, and which keys of an untrusted project file are.

    Ignored keys are a warning, because they may change the work: a cron job must not lose its ``on-done`` in silence.
    """
    try:
        settings = load_settings(environ, cwd)
    except (JobctlError, OSError):  # the code that needs the values reports the mistake
        return []
    found = [Notice(True, [f"{file.path} is not read: {file.ignored}"]) for file in settings.ignored_files]
    layer = settings.untrusted
    return found if layer is None else [*found, *_of_layer(layer, sections)]


def _of_layer(layer: Layer, sections: Sequence[str]) -> list[Notice]:
    ignored, used = _named(layer.unused, sections), _named(layer.settings, sections)
    if "submit" in sections:
        ignored += [f"[recipe.{name}]" for name in layer.unused_recipes]
    parts = [f"{word}: {_listed(names)}" for word, names in (("ignored", ignored), ("used", used)) if names]
    if not parts:
        return []
    then = ["read it, then: jobctl config trust"] if ignored else []
    return [Notice(bool(ignored), [f"{layer.where} {untrusted(layer)}", *parts, *then])]


def _named(keys: Sequence[tuple[str, str]] | dict[tuple[str, str], object], sections: Sequence[str]) -> list[str]:
    return [f"{section}.{name}" for section, name in keys if section in sections]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
