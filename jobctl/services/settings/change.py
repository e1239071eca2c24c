"""``jobctl config set`` and ``unset``: change one key in the file of the user or of the project."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from jobctl.domain.nearest import did_you_mean
from jobctl.errors import UsageError
from jobctl.services.settings import trust_record
from jobctl.services.settings.files import LIMIT, SettingsFile, content, parsed, settings_files, user_folder
from jobctl.services.settings.keys import KEYS, Key, check, from_text
from jobctl.services.settings.replace_file import make_folder, replace_file
from jobctl.services.settings.settings import Layer, load_settings, read_layer, untrusted, variable
from jobctl.services.settings.toml_lines import with_value, without

if TYPE_CHECKING:
    from jobctl.domain.documents.settings import ConfigChangeDocument

_SCHEMA: Final = "jobctl.config_change/1"
#: The permissions of a new file before the umask: that of a project is one of its sources.
_MODES = {"project": 0o666, "user": 0o600}


class Place(NamedTuple):
    """Where a change of settings is made: the file of the user, or of the project of a folder."""

    project: bool
    environ: Mapping[str, str]
    cwd: str

    def file(self) -> SettingsFile:
        """Return the file. Raises UsageError if jobctl would not read it, or if there is no place for it."""
        layer = "project" if self.project else "user"
        found = next(file for file in settings_files(self.environ, self.cwd) if file.layer == layer)
        if found.ignored:
            raise UsageError(f"{found.path} is not read: {found.ignored}", hint="only you may own it or write it")
        if not os.path.isabs(found.path):
            raise UsageError("there is no folder for your settings", hint="set HOME or XDG_CONFIG_HOME")
        return found


class Changed(NamedTuple):
    """A key that was changed."""

    path: str
    key: str
    value: Any  # None = it is not set any more
    before: Any  # None = it was not set
    in_effect: bool
    notes: tuple[str, ...]  # the reasons why it may not have an effect yet

    def document(self) -> ConfigChangeDocument:
        """Return ``jobctl.config_change/1``."""
        return {
            "schema": _SCHEMA,
            "path": self.path,
            "key": self.key,
            "value": self.value,
            "before": self.before,
            "in_effect": self.in_effect,
        }


def set_key(word: str, texts: Sequence[str], place: Place) -> Changed:
    """Give a key a value; several texts only for a key that takes a list.

    Raises UsageError for an unknown key, a wrong value, and a file with other mistakes; nothing is changed then.
    """
    key = _find(word)
    file, text = _read(place)
    value = _value(key, texts, file.path)
    new = with_value(text, key.section, key.name, value)
    if new is None:
        raise _by_hand(file.path, place)
    return _written(place, file, text, new, (key.section, key.name))


def unset_key(word: str, place: Place) -> Changed:
    """Take a key away, also an unknown one that the file has. Raises UsageError."""
    file, text = _read(place)
    section, _, name = word.partition(".")
    tables = parsed(file.path, text.encode())
    if not _has(tables, section, name):
        key = _find(word)
        section, name = key.section, key.name
    if not _has(tables, section, name):
        return Changed(file.path, f"{section}.{name}", None, None, False, _notes(place, file, section, name))
    new = without(text, section, name)
    if new is None:
        raise _by_hand(file.path, place)
    return _written(place, file, text, new, (section, name))


def _has(tables: Mapping[str, Any], section: str, name: str) -> bool:
    table = tables.get(section)
    return isinstance(table, dict) and name in table


def _find(word: str) -> Key:
    """Return the key that a word names: ``submit.slots``, or ``timeout`` if only one section has it."""
    found = [key for key in KEYS if word in (f"{key.section}.{key.name}", key.name)]
    names = [f"{key.section}.{key.name}" for key in (found or KEYS)]
    if not found:
        hint = did_you_mean(word, names, "jobctl config show lists the keys")
        raise UsageError(f"there is no key {word!r}", hint=hint)
    if len(found) > 1:
        raise UsageError(f"{word} is a key of several sections", hint=f"write {' or '.join(names)}")
    return found[0]


def _value(key: Key, texts: Sequence[str], path: str) -> Any:
    """Return the value as the file has it. Raises UsageError."""
    where = f"{key.section}.{key.name}"
    if key.kind == "texts":
        return check(key, where, list(texts), path)
    if len(texts) != 1:
        raise UsageError(f"{where} takes one value, and these are {len(texts)}", hint=f"it is {key.form}")
    return from_text(key, where, texts[0])


def _read(place: Place) -> tuple[SettingsFile, str]:
    file = place.file()
    if not file.exists:
        return file, ""
    found = content(file.path)
    parsed(file.path, found)  # the message about a file that is not TOML
    return file, found.decode()


def _by_hand(path: str, place: Place) -> UsageError:
    return UsageError(
        f"{path} is written in a way that only a person can change",
        hint=f"jobctl config edit{' --project' if place.project else ''}",
    )


def _written(place: Place, file: SettingsFile, before: str, after: str, at: tuple[str, str]) -> Changed:
    """Write the file, and say what the change means. Raises UsageError if the file has other mistakes."""
    old, new = (_setting(file, text, at) for text in (before, after))
    save(place, file, before.encode(), after.encode())
    found = load_settings(place.environ, place.cwd).find(*at)
    in_effect = new is not None and found is not None and found.where == file.path
    return Changed(file.path, ".".join(at), new, old, in_effect, _notes(place, file, *at))


def save(place: Place, file: SettingsFile, before: bytes, after: bytes) -> None:
    """Check the new content of a file, and write it. A new project file is trusted, and one that was trusted stays so.

    Raises UsageError for content with mistakes, and OSError; the file is unchanged then.
    """
    if len(after) > LIMIT:
        raise UsageError(f"{file.path} would be larger than {LIMIT >> 10} KiB", hint="see jobctl-config(5)")
    folder = user_folder(place.environ)
    read_layer(file, after, place.environ)
    trusts = place.project and (
        not file.exists or trust_record.state(folder, file.path, before) == trust_record.TRUSTED
    )
    if not file.exists and (not place.project or os.geteuid() == 0):
        make_folder(os.path.dirname(file.path))
    replace_file(os.path.realpath(file.path), after, _MODES[file.layer])
    if trusts and folder:
        trust_record.grant(folder, file.path, after)


def _setting(file: SettingsFile, text: str, at: tuple[str, str]) -> Any:
    section, name = at
    tables = parsed(file.path, text.encode())
    return tables[section][name] if _has(tables, section, name) else None


def _notes(place: Place, file: SettingsFile, section: str, name: str) -> tuple[str, ...]:
    """The reasons why a change has no effect, or not yet."""
    settings = load_settings(place.environ, place.cwd)
    found, notes = settings.find(section, name), []
    layer: Layer | None = settings.untrusted
    if layer is not None and layer.where == file.path and (section, name) in layer.unused:
        notes.append(f"{file.path} {untrusted(layer)}, so this key has no effect; after a look: jobctl config trust")
    elif found is not None and found.where != file.path:
        where = found.where or f"{variable(section, name)} in the environment"
        notes.append(f"in effect here is {found.value}, from {where}")
    if section == "daemon":
        notes.append("a daemon reads this when it starts: jobctl daemon restart")
    return tuple(notes)
