"""Load the settings, which are defaults for command lines, and tell the source of each value.

An option has the highest precedence, then ``JOBCTL_SECTION_KEY`` in the environment, ``jobctl.toml`` of the project,
and ``config.toml`` of the user and of the system. Without any of them, a command only looks into a few folders and
imports nothing for settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.domain.nearest import did_you_mean
from jobctl.errors import UsageError
from jobctl.services.settings.files import SettingsFile, content, parsed, settings_files, user_folder

if TYPE_CHECKING:
    from jobctl.services.settings.keys import Key

SECTIONS = ("submit", "daemon", "serve", "output", "prune")
RECIPES = "recipe"
_PREFIX = "JOBCTL_"


class Setting(NamedTuple):
    """A value that the environment or a file sets."""

    section: str
    key: str
    value: Any
    layer: str  # environment | project | user | system
    where: str  # variable or file


class Layer(NamedTuple):
    """The content of one file or of the environment. The settings have been checked, the recipes have not."""

    name: str
    where: str
    settings: dict[tuple[str, str], Any]
    recipes: dict[str, Any]
    #: For a project file: ``trusted``, ``untrusted`` or ``changed`` since it was trusted.
    trust: str = ""
    #: Settings that have no effect because the file is not trusted.
    unused: dict[tuple[str, str], Any] = {}  # noqa: RUF012
    unused_recipes: dict[str, Any] = {}  # noqa: RUF012


class Settings:
    """All layers, the one with the highest precedence first."""

    def __init__(self, layers: list[Layer], ignored_files: list[SettingsFile] | None = None) -> None:
        self.layers = layers
        #: Files that exist but are not read; each has the reason.
        self.ignored_files = ignored_files or []

    @property
    def untrusted(self) -> Layer | None:
        """The project file that the user has not trusted, if there is one."""
        return next((layer for layer in self.layers if layer.trust not in ("", "trusted")), None)

    def find(self, section: str, key: str) -> Setting | None:
        """Return the value of a key with its source; None if it is not set."""
        for layer in self.layers:
            if (section, key) in layer.settings:
                return Setting(section, key, layer.settings[section, key], layer.name, layer.where)
        return None

    def value(self, section: str, key: str) -> Any:
        """Return the value of a key; None if it is not set."""
        found = self.find(section, key)
        return None if found is None else found.value

    def section(self, section: str) -> dict[str, Any]:
        """Return all values of a section that are set, by key."""
        keys = {key for layer in self.layers for where, key in layer.settings if where == section}
        return {key: self.value(section, key) for key in keys}


def load_settings(environ: Mapping[str, str], cwd: str) -> Settings:
    """Read every layer. Raises UsageError that names the file, the key and the allowed values."""
    layers = []
    from_environment = _from_environment(environ)
    if from_environment:
        layers.append(Layer("environment", "", from_environment, {}))
    files = [file for file in settings_files(environ, cwd) if file.exists]
    layers += [_read(file, environ) for file in files if not file.ignored]
    return Settings(layers, [file for file in files if file.ignored])


def untrusted(layer: Layer) -> str:
    """Return a clause about a project file that is not trusted, which follows its path in a sentence."""
    return "has changed since it was trusted" if layer.trust == "changed" else "is not trusted yet"


def variable(section: str, key: str) -> str:
    """Return the name of the variable for a key: ``JOBCTL_SUBMIT_MAX_FAILURES``."""
    return f"{_PREFIX}{section}_{key}".upper().replace("-", "_")


def _from_environment(environ: Mapping[str, str]) -> dict[tuple[str, str], Any]:
    prefixes = tuple(f"{_PREFIX}{section.upper()}_" for section in SECTIONS)
    names = [name for name in environ if name.startswith(prefixes)]
    if not names:
        return {}
    from jobctl.services.settings.keys import KEYS, from_text

    known = {variable(key.section, key.name): key for key in KEYS}
    found = {}
    for name in names:
        if name not in known:
            raise _unknown(f"{name} in the environment is not a setting", name, known)
        found[known[name].section, known[name].name] = from_text(known[name], name, environ[name])
    return found


def _read(file: SettingsFile, environ: Mapping[str, str]) -> Layer:
    return read_layer(file, content(file.path), environ)


def read_layer(file: SettingsFile, text: bytes, environ: Mapping[str, str]) -> Layer:
    """Return the content of a file. Of an untrusted project file, only safe keys take effect. Raises UsageError."""
    data = parsed(file.path, text)
    recipes = _tables(file.path, data.pop(RECIPES, {}))
    layer = Layer(file.layer, file.path, dict(_checked(file.path, data)), recipes)
    if file.layer != "project":
        return layer
    from jobctl.services.settings import trust_record

    found = trust_record.state(user_folder(environ), file.path, text)
    return layer._replace(trust=found) if found == trust_record.TRUSTED else _without_trust(layer, found)


def _without_trust(layer: Layer, trust: str) -> Layer:
    """Return the layer of an untrusted file, in which only keys that cannot do harm take effect."""
    from jobctl.services.settings.keys import KEYS

    safe = {(key.section, key.name) for key in KEYS if key.safe}
    return layer._replace(
        settings={at: value for at, value in layer.settings.items() if at in safe},
        recipes={},
        trust=trust,
        unused={at: value for at, value in layer.settings.items() if at not in safe},
        unused_recipes=layer.recipes,
    )


def _checked(path: str, data: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    from jobctl.services.settings.keys import KEYS, check

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
    """Return a hint with the nearest known name, or with all names."""
    return did_you_mean(name, known) or f"there are: {', '.join(known)}"
