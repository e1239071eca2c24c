"""Recipes as lines: a list of them, and one of them as TOML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jobctl.render.inert import CONTROL, inert

if TYPE_CHECKING:
    from jobctl.domain.documents.settings import RecipeDocument


def recipe_lines(recipes: Sequence[tuple[str, str]], *, plain: bool) -> Iterator[str]:
    """A line for each (name, summary); in columns, or separated by a tab if ``plain``."""
    rows = [(inert(name), inert(summary)) for name, summary in recipes]
    width = max((len(name) for name, _ in rows), default=0)
    return ("\t".join(row) if plain else f"{row[0]:{width}}  {row[1]}" for row in rows)


def toml_lines(document: RecipeDocument) -> Iterator[str]:
    """A recipe as its table in a configuration file, below the name of the file."""
    yield f"# {inert(document['file'])}"
    yield f"[recipe.{_key(document['name'])}]"
    for option, value in document["options"].items():
        yield f"{option} = {_toml(value)}"


def _toml(value: object) -> str:
    """A value as TOML has it, which for these types is JSON; a character that acts on a terminal becomes an escape."""
    text = json.dumps(value, ensure_ascii=False)
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("-", "").replace("_", "").isalnum() else _toml(name)
