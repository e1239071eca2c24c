"""``jobctl recipe``: commands and options kept under a name."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from jobctl.cli.app import subcommands
from jobctl.cli.command import Command, session
from jobctl.errors import Exit

app = subcommands(
    """Show recipes: commands with their options, kept under a name in a configuration file.

    Examples:
      jobctl recipe list
      jobctl recipe show thumbnails
      jobctl submit photos.csv --recipe thumbnails

    A recipe is a table [recipe.NAME] in jobctl.toml or config.toml; jobctl-config(5) says what it may hold.
    """
)


@app.command("list", cls=Command)
def list_(ctx: typer.Context) -> int:
    """List the recipes that can be used here.

    Example:
      jobctl recipe list
    """
    from jobctl.cli.submission.untrusted import tell_untrusted
    from jobctl.services.settings.recipes import load_recipes

    shared = session(ctx)
    recipes = load_recipes(os.environ, os.getcwd())
    if shared.json:
        shared.emit({"schema": "jobctl.recipes/1", "recipes": [_document(recipe) for recipe in recipes.values()]})
        return Exit.OK
    width = max((len(_inert(name)) for name in recipes), default=0)
    for recipe in recipes.values():
        cells = (_inert(recipe.name), _inert(recipe.summary))
        shared.say("\t".join(cells) if shared.plain else f"{cells[0]:{width}}  {cells[1]}")
    tell_untrusted(shared, "submit")
    if not recipes:
        shared.note("there are no recipes; jobctl-config(5) says how to write one")
    return Exit.OK


@app.command(cls=Command)
def show(ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="RECIPE", help="Its name.")]) -> int:
    """Show what a recipe stands for.

    Example:
      jobctl recipe show thumbnails
    """
    from jobctl.cli.submission.untrusted import tell_untrusted
    from jobctl.services.settings.recipes import look_up

    shared = session(ctx)
    recipe = look_up(name, os.environ, os.getcwd())
    if shared.json:
        shared.emit({"schema": "jobctl.recipe/1"} | _document(recipe))
        return Exit.OK
    shared.say(f"# {_inert(recipe.where)}")
    shared.say(f"[recipe.{_key(recipe.name)}]")
    for option, value in recipe.options.items():
        shared.say(f"{option} = {_toml(value)}")
    tell_untrusted(shared, "submit")
    return Exit.OK


def _toml(value: Any) -> str:
    """A value as TOML has it, which for these kinds is JSON; what would act on a terminal is written as an escape."""
    import json

    return _escaped(json.dumps(value, ensure_ascii=False))


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("-", "").replace("_", "").isalnum() else _toml(name)


def _escaped(text: str) -> str:
    from jobctl.render.inert import CONTROL

    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _inert(text: str) -> str:
    from jobctl.render.inert import inert

    return inert(text)


def _document(recipe: Any) -> dict[str, Any]:
    return {"name": recipe.name, "source": recipe.layer, "file": recipe.where, "options": recipe.options}
