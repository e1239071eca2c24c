"""The parameters of the query that the table of options makes, for the routes and their description."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import Query

from jobctl.domain.job_options import NO_LIMIT, JobOption
from jobctl.http.intake.request_options import COMMAND

#: The longest text of an option in a query, and the most times that one is given. All of them together fit into the
#: largest header of a request; longer texts are in the JSON of a body.
_LONGEST = 200
_LONGEST_PROGRAM = 3_000
_PROGRAMS = frozenset({"where", "select", "shell", "undo", "undo_shell"})
_MOST = 100
_NUMBER = r"[+-]?[0-9]{1,18}"


def option_parameters(options: Iterable[JobOption], *, takes_command: bool = False) -> Callable[..., None]:
    """Return a dependency that declares an option of a job for each row of the table. The route reads the texts."""
    declared: dict[str, Any] = {}
    for option in options:
        declared[option.key] = _annotation(option, option.key)
        if option.name != option.key:
            declared[f"{option.key}_"] = _annotation(option, option.name)
    if takes_command:
        words = 'The command, as a JSON list of words: ["./import", "{id}"].'
        text = Query(alias=COMMAND, max_length=_LONGEST_PROGRAM, description=words)
        declared[COMMAND] = Annotated[str | None, text]

    def declare(**_options: Any) -> None:
        """Nothing to do: FastAPI has checked the texts."""

    declare.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for name, kind in declared.items()
        ]
    )
    return declare


def _annotation(option: JobOption, name: str) -> Any:
    """The declaration of an option. The document names the spelling with underscores; that with dashes works, too."""
    facts: dict[str, Any] = {"alias": name, "description": option.help, "include_in_schema": name == option.key}
    if option.multiple:
        return Annotated[list[str] | None, Query(max_length=_MOST, **facts)]
    longest = _LONGEST_PROGRAM if option.key in _PROGRAMS else _LONGEST
    return Annotated[str | None, Query(max_length=longest, pattern=_pattern(option), **facts)]


def _pattern(option: JobOption) -> str | None:
    """The texts that an option takes, where a pattern can say it."""
    nothing = f"|{NO_LIMIT}" if option.can_be_none else ""
    if not option.metavar:
        return "^(true|false|)$"
    if option.choices:
        return f"^({'|'.join(option.choices)}{nothing})$"
    return f"^({_NUMBER}{nothing})$" if option.number else None
