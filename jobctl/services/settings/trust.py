"""``jobctl config trust`` and ``untrust``: record that the user trusts a project file, or no longer does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from jobctl.errors import JobctlError, NotFound, UsageError
from jobctl.services.settings.files import (
    PROJECT_FILE,
    SettingsFile,
    content,
    project_file,
    settings_files,
    user_folder,
)
from jobctl.services.settings.recipes import read_recipe
from jobctl.services.settings.settings import read_layer
from jobctl.services.settings.trust_record import UNTRUSTED, grant, revoke, state

if TYPE_CHECKING:
    from jobctl.domain.documents.settings import ConfigTrustDocument

_SCHEMA: Final = "jobctl.config_trust/1"


class Trusted(NamedTuple):
    """A file that the user has just trusted, and its keys and recipes that had no effect before."""

    path: str
    sha256: str
    names: list[str]

    def document(self) -> ConfigTrustDocument:
        """Return ``jobctl.config_trust/1``."""
        return {"schema": _SCHEMA, "path": self.path, "sha256": self.sha256, "trust": "trusted"}


class Untrusted(NamedTuple):
    """A file that the user no longer trusts."""

    path: str
    was_trusted: bool

    def document(self) -> ConfigTrustDocument:
        """Return ``jobctl.config_trust/1``."""
        return {"schema": _SCHEMA, "path": self.path, "trust": "untrusted", "was_trusted": self.was_trusted}


def trust(path: str | None, environ: Mapping[str, str], cwd: str) -> Trusted:
    """Trust a file with its present content. None means the file that applies in ``cwd``.

    Raises NotFound, UsageError for a file that is ignored or has mistakes, and OSError.
    """
    file = _file(path, environ, cwd)
    if not file.exists:
        raise NotFound(f"there is no {file.path}", hint="jobctl config path")
    if file.ignored:
        raise UsageError(f"{file.path} is not read: {file.ignored}", hint="only you may own it or write it")
    text = content(file.path)
    layer = read_layer(file, text, environ)  # a file with mistakes is not trusted
    for name, table in (layer.recipes | layer.unused_recipes).items():
        read_recipe(layer, name, table)
    names = [f"{section}.{name}" for section, name in layer.unused] + [
        f"recipe.{name}" for name in layer.unused_recipes
    ]
    return Trusted(file.path, grant(user_folder(environ), file.path, text), names)


def untrust(path: str | None, environ: Mapping[str, str], cwd: str) -> Untrusted:
    """Stop trusting a file, even if it does not exist any more. Raises UsageError, OSError."""
    file = _file(path, environ, cwd)
    return Untrusted(file.path, revoke(user_folder(environ), file.path))


def state_of(file: SettingsFile, environ: Mapping[str, str]) -> str | None:
    """Return the trust of a project file; None for other files, and for a file that is absent or not read."""
    if file.layer != "project" or not file.exists or file.ignored:
        return None
    try:
        return state(user_folder(environ), file.path, content(file.path))
    except JobctlError:
        return UNTRUSTED


def _file(path: str | None, environ: Mapping[str, str], cwd: str) -> SettingsFile:
    if path is None:
        return next(iter(settings_files(environ, cwd)))
    found = os.path.join(cwd, os.path.expanduser(path))
    if os.path.isdir(found):
        found = os.path.join(found, PROJECT_FILE)
    # The trust is recorded for this spelling, which the search upwards also uses: no links, and the file's own name.
    folder, name = os.path.split(os.path.normpath(found))
    if name != PROJECT_FILE:
        raise UsageError(f"a project file is called {PROJECT_FILE}, not {name!r}", hint="jobctl config trust FOLDER")
    return project_file(os.path.join(os.path.realpath(folder), name))
