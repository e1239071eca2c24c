"""The generated lists of the man pages: the settings of ``jobctl set``, and the keys of settings and recipes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from jobctl.cli.completion import library_lists
from jobctl.cli.completion.roff import text_lines
from jobctl.domain.job_options import NO_LIMIT, OPTIONS
from jobctl.services.settings.keys import KEYS, RECIPE_KEYS, Key

#: The most names on one line of the source of a page.
_ON_A_LINE = 5


def _rules() -> Iterator[str]:
    """The settings of ``jobctl set`` with their effects."""
    yield ".Bl -tag -width Ds"
    for option in OPTIONS:
        if option.effect:
            none = f" | {NO_LIMIT}" if option.can_be_none else ""
            yield f".It Cm {option.name} Ns = Ns Ar {option.metavar.replace('|', ' | ')}{none}"
            yield from text_lines(option.effect)
    yield ".El"


def _keys(keys: Iterable[Key]) -> Iterator[str]:
    yield ".Bl -tag -width Ds"
    for key in keys:
        yield f".It Cm {key.name}"
        yield from text_lines(f"{key.form[:1].upper()}{key.form[1:]}.")
        if key.default:
            yield from text_lines(f"Default: {key.default}.")
    yield ".El"


def _outcome() -> Iterator[str]:
    """The columns of an outcome with their meanings."""
    from jobctl.domain.outcome_columns import COLUMNS

    yield ".Bl -tag -width Ds -compact"
    for column in COLUMNS:
        yield f".It Cm {' , '.join((column.name, *column.also))}"
        yield from text_lines(f"{column.meaning[:1].upper()}{column.meaning[1:]}.")
    yield ".El"


def _names(names: list[str]) -> Iterator[str]:
    """Names in running text, with commas between them."""
    for place in range(0, len(names), _ON_A_LINE):
        line = " , ".join(names[place : place + _ON_A_LINE])
        yield f".Cm {line}" + (" ," if place + _ON_A_LINE < len(names) else "")


def _of_submit() -> list[Key]:
    return [key for key in KEYS if key.section == "submit"]


def _of_recipes() -> list[Key]:
    shared = {key.name for key in _of_submit()}
    return [key for key in RECIPE_KEYS if key.name not in shared]


#: The lists, by the name with which a page asks for them.
LISTS: dict[str, Callable[[], Iterator[str]]] = {
    "settings of set": _rules,
    "keys of [submit]": lambda: _keys(_of_submit()),
    "keys of [serve]": lambda: _keys(key for key in KEYS if key.section == "serve"),
    "keys of recipes": lambda: _keys(_of_recipes()),
    "columns of an outcome": _outcome,
    "methods of Store": lambda: library_lists.methods("Store"),
    "methods of Job": lambda: library_lists.methods("Job"),
    "methods of ResultFile": lambda: library_lists.methods("ResultFile"),
    "methods of Events": lambda: library_lists.methods("Events"),
    "errors of the library": library_lists.errors,
    "safe keys of [submit]": lambda: _names([key.name for key in _of_submit() if key.safe]),
}
