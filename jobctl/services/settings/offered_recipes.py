"""The recipes that the HTTP server offers to a caller."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from jobctl.domain.job_options import BY_NAME
from jobctl.errors import NotFound
from jobctl.services.settings.recipes import Recipe, load_recipes
from jobctl.services.settings.settings import suggestion

if TYPE_CHECKING:
    from jobctl.domain.documents.settings import OfferedRecipeBlock

#: The key of a recipe that requests over TCP may run.
HTTP = "http"


def offered_recipes(
    environ: Mapping[str, str], cwd: str, *, names: Collection[str] | None, is_local: bool
) -> dict[str, Recipe]:
    """Return the recipes that a caller may run, by name. Raises UsageError for settings that cannot be read.

    ``names``: those that its token is for, None = all. ``is_local``: the caller is the user, who may run every recipe;
    others may run those that say ``http = true``.
    """
    found = load_recipes(environ, cwd)
    return {
        name: recipe
        for name, recipe in found.items()
        if (names is None or name in names) and (is_local or recipe.options.get(HTTP) is True)
    }


def pick(name: str, offered: Mapping[str, Recipe]) -> Recipe:
    """Return one of the offered recipes. Raises NotFound with the nearest of these alone."""
    if name not in offered:
        hint = suggestion(name, offered) if offered else "a recipe is offered that says http = true: jobctl-config(5)"
        raise NotFound(f"there is no recipe {name[:200]!r} here", hint=hint)
    return offered[name]


def offered_block(recipe: Recipe, takes: Iterable[str]) -> OfferedRecipeBlock:
    """Return a recipe without its command, paths and environment; ``takes``: options that a request may give."""
    safe = {name: value for name, value in recipe.options.items() if name in BY_NAME and BY_NAME[name].safe}
    return {
        "name": recipe.name,
        "summary": str(recipe.options.get("summary", "")),
        "options": safe,
        "takes": sorted(takes),
    }
