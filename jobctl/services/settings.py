"""Settings: what a person set once for all command lines, and where each value came from.

Flags win over ``JOBCTL_SECTION_KEY`` in the environment, then ``jobctl.toml`` of the project, the user's and the
system's ``config.toml``. Without any of these nothing is imported and nothing is read but a few directories.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.domain.nearest import meant
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.services.setting_keys import Key

PROJECT_FILE = "jobctl.toml"
FILE = "config.toml"
SECTIONS = ("submit", "daemon", "output", "prune")
RECIPES = "recipe"
_PREFIX = "JOBCTL_"


class Place(NamedTuple):
    """A file that may hold settings."""

    layer: str  # project | user | system
    path: str
    exists: bool
    ignored: str = ""  # why it is not read


class Setting(NamedTuple):
    """A value that is not the built-in one."""

    section: str
    key: str
    value: Any
    layer: str  # environment | project | user | system
    where: str  # variable or file


class Layer(NamedTuple):
    """What one file or the environment says: settings checked, recipes as they stand there."""

    name: str
    where: str
    settings: dict[tuple[str, str], Any]
    recipes: dict[str, Any]


class Settings:
    """All layers, the strongest first."""

    def __init__(self, layers: list[Layer], distrusted: list[Place] | None = None) -> None:
        self.layers = layers
        #: Files that are there and were passed by, with the reason.
        self.distrusted = distrusted or []

    def find(self, section: str, key: str) -> Setting | None:
        """The strongest value of a key; None if nobody set it."""
        for layer in self.layers:
            if (section, key) in layer.settings:
                return Setting(section, key, layer.settings[section, key], layer.name, layer.where)
        return None

    def value(self, section: str, key: str) -> Any:
        """The same as a bare value."""
        found = self.find(section, key)
        return None if found is None else found.value

    def section(self, section: str) -> dict[str, Any]:
        """All values of a section that somebody set."""
        keys = {key for layer in self.layers for where, key in layer.settings if where == section}
        return {key: self.value(section, key) for key in keys}


def load_settings(environ: Mapping[str, str], cwd: str) -> Settings:
    """Read every layer. Raises UsageError that names file, key and allowed form."""
    layers = []
    from_environment = _from_environment(environ)
    if from_environment:
        layers.append(Layer("environment", "", from_environment, {}))
    there = [place for place in places(environ, cwd) if place.exists]
    layers += [_read(place) for place in there if not place.ignored]
    return Settings(layers, [place for place in there if place.ignored])


def places(environ: Mapping[str, str], cwd: str) -> Iterator[Place]:
    """The files that are looked at, the strongest first."""
    yield _project(cwd)
    for layer, folders in (("user", [_user_folder(environ)]), ("system", _system_folders(environ))):
        paths = [os.path.join(folder, FILE) for folder in folders]
        path = next((path for path in paths if os.path.exists(path)), paths[0])
        yield Place(layer, path, os.path.exists(path))


def _project(cwd: str) -> Place:
    """The nearest ``jobctl.toml``. One that somebody else can write is passed by: it could name commands to run."""
    folder, passed = cwd, None
    while True:
        path = os.path.join(folder, PROJECT_FILE)
        try:
            facts = os.stat(path)
        except OSError:
            facts = None
        if facts is not None and stat.S_ISREG(facts.st_mode):
            why = _distrusted(facts)
            if not why:
                return Place("project", path, True)
            passed = passed or Place("project", path, True, why)
        parent = os.path.dirname(folder)
        if parent == folder:
            return passed or Place("project", os.path.join(cwd, PROJECT_FILE), False)
        folder = parent


def _distrusted(facts: os.stat_result) -> str:
    if facts.st_uid not in (os.geteuid(), 0):
        return "it belongs to another user"
    return "everybody can write it" if facts.st_mode & stat.S_IWOTH else ""


def _user_folder(environ: Mapping[str, str]) -> str:
    if sys.platform == "linux":  # what platformdirs says, for a tenth of its import
        base = environ.get("XDG_CONFIG_HOME", "").strip() or os.path.expanduser("~/.config")
        return os.path.join(base, "jobctl")
    from platformdirs import user_config_dir

    return user_config_dir("jobctl", appauthor=False)


def _system_folders(environ: Mapping[str, str]) -> list[str]:
    if sys.platform == "linux":
        bases = [base for base in environ.get("XDG_CONFIG_DIRS", "").split(":") if base.strip()] or ["/etc/xdg"]
        return [os.path.join(base, "jobctl") for base in bases]
    from platformdirs import site_config_dir

    return [site_config_dir("jobctl", appauthor=False)]


def variable(section: str, key: str) -> str:
    """The variable of the environment for a key: JOBCTL_SUBMIT_MAX_FAILURES."""
    return f"{_PREFIX}{section}_{key}".upper().replace("-", "_")


def _from_environment(environ: Mapping[str, str]) -> dict[tuple[str, str], Any]:
    prefixes = tuple(f"{_PREFIX}{section.upper()}_" for section in SECTIONS)
    names = [name for name in environ if name.startswith(prefixes)]
    if not names:
        return {}
    from jobctl.services.setting_keys import KEYS, from_text

    known = {variable(key.section, key.name): key for key in KEYS}
    found = {}
    for name in names:
        if name not in known:
            raise _unknown(f"{name} in the environment is no setting", name, known)
        found[known[name].section, known[name].name] = from_text(known[name], name, environ[name])
    return found


def _read(place: Place) -> Layer:
    import tomllib

    try:
        with open(place.path, "rb") as file:
            data = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"{place.path} cannot be read: {error.strerror}", hint="jobctl config path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{place.path} is not TOML: {error}", hint="see jobctl-config(5)") from error
    recipes = data.pop(RECIPES, {})
    return Layer(place.layer, place.path, dict(_checked(place.path, data)), _tables(place.path, recipes))


def _checked(path: str, data: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    from jobctl.services.setting_keys import KEYS, check

    for section, table in data.items():
        if section not in SECTIONS:
            raise _unknown(f"{path}: there is no section [{section}]", section, (*SECTIONS, RECIPES))
        if not isinstance(table, dict):
            raise UsageError(f"{path}: {section} is a section", hint=f"write [{section}] on a line of its own")
        known: dict[str, Key] = {key.name: key for key in KEYS if key.section == section}
        for name, value in table.items():
            if name not in known:
                raise _unknown(f"{path}: unknown key {name!r} in [{section}]", name, known)
            yield (section, name), check(known[name], f"{path}: [{section}] {name}", value, path)


def _tables(path: str, recipes: Any) -> dict[str, Any]:
    if not isinstance(recipes, dict) or not all(isinstance(table, dict) for table in recipes.values()):
        raise UsageError(f"{path}: a recipe is a table with a name", hint="write [recipe.thumbnails]")
    return recipes


def _unknown(message: str, name: str, known: Any) -> UsageError:
    return UsageError(message, hint=suggestion(name, known))


def suggestion(name: str, known: Any) -> str:
    """The nearest known name, or all of them."""
    return meant(name, known) or f"there are: {', '.join(known)}"
