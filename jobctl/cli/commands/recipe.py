"""``jobctl recipe``: commands and options that have a name."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from jobctl.cli.command import Command, subcommands
from jobctl.cli.session import session
from jobctl.errors import Exit

app = subcommands(
    """Show recipes: commands with options that have a name in a configuration file.

    Examples:
      jobctl recipe list
      jobctl recipe show thumbnails
      jobctl submit photos.csv --recipe thumbnails

    A recipe is a table [recipe.NAME] in jobctl.toml or config.toml; jobctl-config(5) says what it may contain.
    """
)


@app.command("list", cls=Command)
def list_(ctx: typer.Context) -> int:
    """List the recipes that you can use here.

    Example:
      jobctl recipe list
    """
    from jobctl.cli.submission.untrusted import tell_untrusted
    from jobctl.render.recipes import recipe_lines
    from jobctl.services.settings.recipes import load_recipes, recipes_document

    shared = session(ctx)
    recipes = load_recipes(os.environ, os.getcwd()).values()
    if shared.json:
        shared.emit(recipes_document(recipes))
        return Exit.OK
    for line in recipe_lines([(recipe.name, recipe.summary) for recipe in recipes], plain=shared.plain):
        shared.say(line)
    tell_untrusted(shared, "submit")
    if not recipes:
        shared.note("there are no recipes; jobctl-config(5) says how to write one")
    return Exit.OK


@app.command(cls=Command)
def show(
    ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="RECIPE", help="The name of the recipe.")]
) -> int:
    """Show the command and the options of a recipe.

    Example:
      jobctl recipe show thumbnails
    """
    from jobctl.cli.submission.untrusted import tell_untrusted
    from jobctl.render.recipes import toml_lines
    from jobctl.services.settings.recipes import look_up

    shared = session(ctx)
    document = look_up(name, os.environ, os.getcwd()).document()
    if shared.json:
        shared.emit(document)
        return Exit.OK
    for line in toml_lines(document):
        shared.say(line)
    tell_untrusted(shared, "submit")
    return Exit.OK
