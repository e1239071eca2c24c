"""The table of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from jobctl.render.clock import local
from jobctl.render.grid import print_grid
from jobctl.render.look import Look

if TYPE_CHECKING:
    from jobctl.domain.documents.tokens import TokenBlock

_TITLES = ("token", "scope", "sees", "recipes", "queue", "rate", "jobs", "created", "used", "state")


def print_tokens(tokens: Sequence[TokenBlock], stream: TextIO, look: Look) -> None:
    """Print the tokens; a terminal shows local times, programs get them as they are."""
    moment = local if look.terminal else str
    print_grid(_TITLES, [_cells(token, moment) for token in tokens], stream, look)


def _cells(token: TokenBlock, moment: Callable[[str], str]) -> list[object]:
    return [
        token["name"],
        token["scope"],
        "all jobs" if token["all"] else "its jobs",
        ", ".join(token["recipes"] or ["all"]),
        token["queue"],
        token["rate"],
        token["jobs"],
        moment(token["created_at"]),
        None if token["used_at"] is None else moment(token["used_at"]),
        "valid" if token["revoked_at"] is None else f"revoked {moment(token['revoked_at'])}",
    ]
