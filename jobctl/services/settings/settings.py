"""Settings: defaults for all command lines, and where each value comes from.

Options win over ``JOBCTL_SECTION_KEY`` in the environment, these over ``jobctl.toml`` of the project, and that over
``config.toml`` of the user and of the system. Without any of them, a command imports nothing for settings and only
looks into a few folders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.domain.nearest import meant
from jobctl.errors import UsageError
from jobctl.services.settings.files import SettingsFile, content, parsed, settings_files, user_folder

if TYPE_CHECKING:
    from jobctl.services.settings.keys import Key

SECTIONS = ("submit", "daemon", "output", "prune")
RECIPES = "recipe"
_PREFIX = "JOBCTL_"


class Setting(NamedTuple):
    """A value that somebody has set."""

    section: str
    key: str
    value: Any
    layer: str  # environment | project | user | system
    where: str  # variable or file


class Layer(NamedTuple):
    """What one file or the environment says. The settings have been checked, the recipes have not."""

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
    """All layers, the strongest first."""

    def __init__(self, layers: list[Layer], ignored_files: list[SettingsFile] | None = None) -> None:
        self.layers = layers
        #: Files that exist but are not read; each says why.
        self.ignored_files = ignored_files or []

    @property
    def untrusted(self) -> Layer | None:
        """The project file that the user has not trusted, if there is one."""
        return next((layer for layer in self.layers if layer.trust not in ("", "trusted")), None)

    def find(self, section: str, key: str) -> Setting | None:
        """The strongest value of a key; None if nobody has set it."""
        for layer in self.layers:
            if (section, key) in layer.settings:
                return Setting(section, key, layer.settings[section, key], layer.name, layer.where)
        return None

    def value(self, section: str, key: str) -> Any:
        """The value alone; None if nobody has set it."""
        found = self.find(section, key)
        return None if found is None else found.value

    def section(self, section: str) -> dict[str, Any]:
        """All values of a section that somebody has set."""
        keys = {key for layer in self.layers for where, key in layer.settings if where == section}
        return {key: self.value(section, key) for key in keys}


def load_settings(environ: Mapping[str, str], cwd: str) -> Settings:
    """Read every layer. Raises UsageError that names file, key and allowed form."""
    layers = []
    from_environment = _from_environment(environ)
    if from_environment:
        layers.append(Layer("environment", "", from_environment, {}))
    files = [file for file in settings_files(environ, cwd) if file.exists]
    layers += [_read(file, environ) for file in files if not file.ignored]
    return Settings(layers, [file for file in files if file.ignored])


def untrusted(layer: Layer) -> str:
    """The state of a project file that is not trusted, in words that follow its path."""
    return "has changed since it was trusted" if layer.trust == "changed" else "is not trusted yet"


def variable(section: str, key: str) -> str:
    """The variable of the environment for a key: JOBCTL_SUBMIT_MAX_FAILURES."""
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
    """What the text of a file says; a project file counts as far as the user trusts it. Raises UsageError."""
    data = parsed(file.path, text)
    recipes = _tables(file.path, data.pop(RECIPES, {}))
    layer = Layer(file.layer, file.path, dict(_checked(file.path, data)), recipes)
    if file.layer != "project":
        return layer
    from jobctl.services.settings import trust

    found = trust.state(user_folder(environ), file.path, text)
    return layer._replace(trust=found) if found == trust.TRUSTED else _without_trust(layer, found)


def _without_trust(layer: Layer, trust: str) -> Layer:
    """The layer of a file that the user has not trusted: only keys that cannot do harm have an effect."""
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
    """The nearest known name, or all of them."""
    return meant(name, known) or f"there are: {', '.join(known)}"
