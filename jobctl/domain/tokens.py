"""Tokens of programs that use a store over HTTP: what each may do, and how it is written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from jobctl.domain.nearest import did_you_mean
from jobctl.domain.texts import MAX_NAME
from jobctl.errors import UsageError

Scope = Literal["read", "submit", "control"]
#: A scope includes those before it.
SCOPES: tuple[Scope, ...] = ("read", "submit", "control")
#: The beginning of every token, so that programs that look for secrets in texts find one.
PREFIX = "jobctl_"
#: The longest text that is looked at as a token.
LONGEST = 200
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
MOST_RECIPES = 100


class Token(NamedTuple):
    """A token without its secret. Times are in microseconds UTC."""

    name: str
    scope: Scope
    recipes: tuple[str, ...] = ()  # it may submit to these alone; none = to every recipe that HTTP may run
    queue: str | None = None  # its jobs wait here, and nowhere else
    rate: str | None = None  # requests, such as 10/s; None = the rate of the server
    sees_all: bool = False  # also the jobs of others
    created_at: int = 0
    revoked_at: int | None = None
    used_at: int | None = None  # within the last hour before that moment, because not every request is written down

    @property
    def actor(self) -> str:
        """Its name in the journal."""
        return f"token {self.name}"


def includes(scope: Scope, wanted: Scope) -> bool:
    """Return whether a scope allows what needs another one."""
    return SCOPES.index(scope) >= SCOPES.index(wanted)


def digest_of(text: str) -> bytes:
    """The SHA-256 of a token, which is stored in its place. A token has 256 random bits, so it needs no salt."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def parse_scope(text: str) -> Scope:
    """Read the value of ``--scope``. Raises UsageError with all scopes."""
    if text not in SCOPES:
        among = f"one of {', '.join(SCOPES)}; each includes those before it"
        raise UsageError(f"--scope: {text[:MAX_NAME]!r} is not a scope", hint=did_you_mean(text, SCOPES, among))
    return text


def check_name(name: str) -> None:
    """Raise UsageError for a text that cannot be the name of a token."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name[:MAX_NAME]!r} cannot be the name of a token",
            hint="1 to 64 letters, digits, points, - and _, for example ci or web-shop",
        )


def check_recipes(names: Sequence[str]) -> None:
    """Raise UsageError for more recipes than a token can be limited to."""
    if len(names) > MOST_RECIPES:
        raise UsageError(f"--recipe is given {len(names):,} times; {MOST_RECIPES} is the most", hint="make two tokens")
