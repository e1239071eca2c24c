"""``jobctl config trust`` and ``untrust``: a person says which project file counts in full."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from jobctl.errors import JobctlError, NotFound, UsageError
from jobctl.services.settings import trust as records
from jobctl.services.settings.files import PROJECT_FILE, Place, content, judged_project, places, user_folder
from jobctl.services.settings.recipes import read_recipe
from jobctl.services.settings.settings import read_layer

if TYPE_CHECKING:
    from jobctl.domain.documents.settings import ConfigTrustDocument

_SCHEMA: Final = "jobctl.config_trust/1"


class Trusted(NamedTuple):
    """A file that counts in full from now on, and the keys and recipes that did not count before."""

    path: str
    sha256: str
    names: list[str]

    def document(self) -> ConfigTrustDocument:
        """``jobctl.config_trust/1``."""
        return {"schema": _SCHEMA, "path": self.path, "sha256": self.sha256, "trust": "trusted"}


class Untrusted(NamedTuple):
    """A file that does not count in full any more."""

    path: str
    was_trusted: bool

    def document(self) -> ConfigTrustDocument:
        """``jobctl.config_trust/1``."""
        return {"schema": _SCHEMA, "path": self.path, "trust": "untrusted", "was_trusted": self.was_trusted}


def trust(path: str | None, environ: Mapping[str, str], cwd: str) -> Trusted:
    """Trust a file as it is now. Raises NotFound, UsageError for one that is passed by or no settings, OSError."""
    place = _place(path, environ, cwd)
    if not place.exists:
        raise NotFound(f"there is no {place.path}", hint="jobctl config path")
    if place.ignored:
        raise UsageError(f"{place.path} is not read: {place.ignored}", hint="only you may own it or write it")
    text = content(place.path)
    layer = read_layer(place, text, environ)  # a file with mistakes is not trusted
    for name, table in (layer.recipes | layer.held_recipes).items():
        read_recipe(layer, name, table)
    names = [f"{section}.{name}" for section, name in layer.held] + [f"recipe.{name}" for name in layer.held_recipes]
    return Trusted(place.path, records.grant(user_folder(environ), place.path, text), names)


def untrust(path: str | None, environ: Mapping[str, str], cwd: str) -> Untrusted:
    """Take the trust back, also for a file that is gone. Raises OSError."""
    place = _place(path, environ, cwd)
    return Untrusted(place.path, records.revoke(user_folder(environ), place.path))


def state_of(place: Place, environ: Mapping[str, str]) -> str | None:
    """How a project file stands; None for other files, and for one that is not there or not read."""
    if place.layer != "project" or not place.exists or place.ignored:
        return None
    try:
        return records.state(user_folder(environ), place.path, content(place.path))
    except JobctlError:
        return records.UNTRUSTED


def _place(path: str | None, environ: Mapping[str, str], cwd: str) -> Place:
    if path is None:
        return next(iter(places(environ, cwd)))
    found = os.path.join(cwd, os.path.expanduser(path))
    if os.path.isdir(found):
        found = os.path.join(found, PROJECT_FILE)
    # As the search upwards spells it: folders without links, the file by its own name.
    folder, name = os.path.split(os.path.normpath(found))
    if name != PROJECT_FILE:
        raise UsageError(f"a project file is called {PROJECT_FILE}, not {name!r}", hint="jobctl config trust FOLDER")
    return judged_project(os.path.join(os.path.realpath(folder), name))
