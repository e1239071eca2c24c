"""``jobctl config show`` and ``path``: the settings in effect and their files, as documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from jobctl.services.settings.files import settings_files
from jobctl.services.settings.keys import KEYS
from jobctl.services.settings.settings import Settings, load_settings, variable
from jobctl.services.settings.trust import state_of

if TYPE_CHECKING:
    from jobctl.domain.documents.settings import (
        ConfigDocument,
        ConfigPathDocument,
        IgnoredBlock,
        SettingBlock,
        SettingsFileBlock,
    )


def config_document(environ: Mapping[str, str], cwd: str) -> ConfigDocument:
    """Return ``jobctl.config/1``: every setting with its value and its source.

    Raises UsageError for a file with mistakes.
    """
    settings = load_settings(environ, cwd)
    return {
        "schema": "jobctl.config/1",
        "values": list(_values(settings)),
        "files": _files(environ, cwd),
        "ignored": _ignored(settings),
    }


def path_document(environ: Mapping[str, str], cwd: str) -> ConfigPathDocument:
    """Return ``jobctl.config_path/1``: the files that jobctl looks for, the one with the highest precedence first."""
    return {"schema": "jobctl.config_path/1", "files": _files(environ, cwd)}


def _values(settings: Settings) -> Iterator[SettingBlock]:
    for key in KEYS:
        found = settings.find(key.section, key.name)
        name = f"{key.section}.{key.name}"
        if found is None:
            yield {"key": name, "value": key.default or None, "source": "default", "where": ""}
        else:
            where = found.where or variable(key.section, key.name)
            yield {"key": name, "value": found.value, "source": found.layer, "where": where}


def _files(environ: Mapping[str, str], cwd: str) -> list[SettingsFileBlock]:
    return [
        {
            "source": file.layer,
            "path": file.path,
            "exists": file.exists,
            "ignored": file.ignored or None,
            "trust": state_of(file, environ),
        }
        for file in settings_files(environ, cwd)
    ]


def _ignored(settings: Settings) -> list[IgnoredBlock]:
    """The keys and recipes of a project file that are not in effect because the user has not trusted the file."""
    layer = settings.untrusted
    if layer is None:
        return []
    unused = {f"{section}.{name}": value for (section, name), value in layer.unused.items()}
    unused |= {f"recipe.{name}": value for name, value in layer.unused_recipes.items()}
    return [{"key": key, "value": value, "where": layer.where} for key, value in unused.items()]
