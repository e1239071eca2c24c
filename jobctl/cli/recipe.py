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
    from jobctl.services.recipes import load_recipes

    shared = session(ctx)
    recipes = load_recipes(os.environ, os.getcwd())
    if shared.json:
        shared.emit({"schema": "jobctl.recipes/1", "recipes": [_document(recipe) for recipe in recipes.values()]})
        return Exit.OK
    width = max(map(len, recipes), default=0)
    for recipe in recipes.values():
        shared.say(f"{recipe.name:{width}}  {_inert(recipe.summary)}")
    if not recipes:
        shared.note("there are no recipes; jobctl-config(5) says how to write one")
    return Exit.OK


@app.command(cls=Command)
def show(ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="RECIPE", help="Its name.")]) -> int:
    """Show what a recipe stands for.

    Example:
      jobctl recipe show thumbnails
    """
    import json

    from jobctl.services.recipes import find_recipe

    shared = session(ctx)
    recipe = find_recipe(name, os.environ, os.getcwd())
    if shared.json:
        shared.emit({"schema": "jobctl.recipe/1"} | _document(recipe))
        return Exit.OK
    shared.say(f"# {_inert(recipe.where)}")
    shared.say(f"[recipe.{recipe.name}]")
    for option, value in recipe.options.items():
        shared.say(f"{option} = {_inert(json.dumps(value, ensure_ascii=False))}")
    return Exit.OK


def _inert(text: str) -> str:
    from jobctl.render.inert import inert

    return inert(text)


def _document(recipe: Any) -> dict[str, Any]:
    return {"name": recipe.name, "source": recipe.layer, "file": recipe.where, "options": recipe.options}
