"""Recipes: commands with options that have a name in a file of settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.domain.handler_kinds import KINDS, work_options
from jobctl.errors import NotFound, UsageError
from jobctl.services.settings.settings import Layer, Settings, load_settings, suggestion, untrusted

if TYPE_CHECKING:
    from jobctl.domain.documents.settings import RecipeBlock, RecipeDocument, RecipesDocument


class Recipe(NamedTuple):
    """A recipe. ``options`` has the names of options without the leading dashes, and values as on the command line."""

    name: str
    options: dict[str, Any]
    layer: str
    where: str  # the file

    @property
    def summary(self) -> str:
        """Its summary on one line, else its command."""
        if "summary" in self.options:
            return str(self.options["summary"])
        work = [kind.summary(self.options[kind.option]) for kind in KINDS.values() if kind.option in self.options]
        return work[0] if work else ""

    def document(self) -> RecipeDocument:
        """Return ``jobctl.recipe/1``."""
        return {"schema": "jobctl.recipe/1", **self.block()}

    def block(self) -> RecipeBlock:
        """Return the recipe as a part of a document."""
        return {"name": self.name, "source": self.layer, "file": self.where, "options": self.options}


def recipes_document(recipes: Iterable[Recipe]) -> RecipesDocument:
    """Return ``jobctl.recipes/1``."""
    return {"schema": "jobctl.recipes/1", "recipes": [recipe.block() for recipe in recipes]}


def load_recipes(environ: Mapping[str, str], cwd: str) -> dict[str, Recipe]:
    """Return every recipe that can be used, by name.

    A recipe of the project replaces one of the user with the same name.

    A recipe of an untrusted project file cannot be used, and neither can a recipe of the user with the same name.
    Raises UsageError.
    """
    return _usable(load_settings(environ, cwd))


def _usable(settings: Settings) -> dict[str, Recipe]:
    found: dict[str, Recipe] = {}
    for layer in reversed(settings.layers):
        found |= {name: read_recipe(layer, name, layer.recipes[name]) for name in layer.recipes}
        found = {name: recipe for name, recipe in found.items() if name not in layer.unused_recipes}
    return dict(sorted(found.items()))


def find_recipe(name: str, environ: Mapping[str, str], cwd: str) -> Recipe:
    """Find a recipe by its name. Raises NotFound with the nearest name, UsageError for one of an untrusted file."""
    settings = load_settings(environ, cwd)
    layer = settings.untrusted
    if layer is not None and name in layer.unused_recipes:
        raise UsageError(
            f"the recipe {name!r} is not used: {layer.where} {untrusted(layer)}",
            hint="a recipe runs commands, so read the file, then: jobctl config trust",
        )
    recipes = _usable(settings)
    if name not in recipes:
        ignored = [f"{file.path} is not read: {file.ignored}" for file in settings.ignored_files]
        hint = suggestion(name, recipes) if recipes else "write one: see RECIPES in jobctl-config(5)"
        raise NotFound(f"there is no recipe {name!r}", hint=hint, details=ignored)
    return recipes[name]


def look_up(name: str, environ: Mapping[str, str], cwd: str) -> Recipe:
    """Find a recipe to show, also one of an untrusted project file. Raises as ``find_recipe``."""
    layer = load_settings(environ, cwd).untrusted
    if layer is not None and name in layer.unused_recipes:
        return read_recipe(layer, name, layer.unused_recipes[name])
    return find_recipe(name, environ, cwd)


def read_recipe(layer: Layer, name: str, table: Mapping[str, Any]) -> Recipe:
    """Return the recipe that a table of a file describes. Raises UsageError that names file, recipe and key."""
    from jobctl.services.settings.keys import RECIPE_KEYS, check

    known = {key.name: key for key in RECIPE_KEYS}
    options = {}
    for option, value in table.items():
        where = f"{layer.where}: [recipe.{name}] {option}"
        if option not in known:
            raise UsageError(
                f"{layer.where}: unknown key {option!r} in [recipe.{name}]", hint=suggestion(option, known)
            )
        options[option] = check(known[option], where, value, layer.where)
    work = [option for option in work_options() if option in options]
    if len(work) > 1:
        raise UsageError(
            f"{layer.where}: [recipe.{name}] has a {work[0]} and a {work[1]}", hint="leave out one of them"
        )
    return Recipe(name, options, layer.name, layer.where)
