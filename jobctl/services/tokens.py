"""``jobctl serve token``: make, list and revoke the tokens with which programs use a store over HTTP."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from jobctl.config import Home
from jobctl.domain.durations import format_time
from jobctl.domain.nearest import did_you_mean
from jobctl.domain.rate import parse_rate
from jobctl.domain.texts import MAX_NAME, check_printable
from jobctl.domain.tokens import LONGEST, PREFIX, Token, check_name, check_recipes, digest_of, parse_scope
from jobctl.errors import NotFound, UsageError
from jobctl.services.control.queues import known_queues
from jobctl.store import access_tokens
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import owned

if TYPE_CHECKING:
    from jobctl.domain.documents.tokens import (
        NewTokenDocument,
        RevokedTokenDocument,
        TokenBlock,
        TokensDocument,
    )

#: Random bytes of a token.
_BYTES = 32
_HOW_TO_ADD = "jobctl serve token add NAME --scope read|submit|control"


class NewToken(NamedTuple):
    """A token that was just made. Its text is known here alone, and is never stored."""

    token: Token
    text: str

    def document(self) -> NewTokenDocument:
        """Return ``jobctl.token/1``."""
        return {"schema": "jobctl.token/1", **_block(self.token, 0), "token": self.text}


def read_token(
    name: str, scope: str | None, *, recipes: Sequence[str], queue: str | None, rate: str | None, sees_all: bool
) -> Token:
    """Return the token that options describe. Raises UsageError that names the option and the allowed values."""
    check_name(name)
    if scope is None:
        raise UsageError("--scope is missing: it says what the token may do", hint="--scope read, submit or control")
    check_recipes(recipes)
    for recipe in recipes:
        check_printable("--recipe", recipe, MAX_NAME)
    if rate is not None:
        try:
            parse_rate(rate)
        except UsageError as error:
            raise UsageError(f"--rate: {error.message}", hint=error.hint) from None
    return Token(name, parse_scope(scope), tuple(dict.fromkeys(recipes)), queue, rate, sees_all)


def add_token(home: Home, token: Token, now: int) -> NewToken:
    """Store a token and return it with its text; ``now`` is in microseconds UTC.

    The name of a revoked token can be used again: the new one sees the jobs of the old one. Raises UsageError for a
    name that is in use and for an unknown queue.
    """
    if token.queue is not None and token.queue not in (known := known_queues(home)):
        hint = did_you_mean(token.queue, known, f"make it with: jobctl queue set {token.queue} slots=4")
        raise UsageError(f"--queue: there is no queue {token.queue!r}", hint=hint)
    text = PREFIX + secrets.token_urlsafe(_BYTES)
    made = token._replace(created_at=now)
    with closing(open_database(home, create=True)) as database, database.transaction():
        if not access_tokens.add(database, made, digest_of(text)):
            raise UsageError(
                f"there is a token {token.name} already",
                hint=f"choose another name, or first: jobctl serve token revoke {token.name}",
            )
    return NewToken(made, text)


def tokens_document(home: Home) -> TokensDocument:
    """Return ``jobctl.tokens/1``, all tokens by name. Raises NotFound for a home without a store."""
    with closing(open_database(home)) as database:
        counts = owned.jobs_by_owner(database)
        found = access_tokens.every(database)
    return {"schema": "jobctl.tokens/1", "tokens": [_block(token, counts.get(token.name, 0)) for token in found]}


def revoke_token(home: Home, name: str, now: int) -> RevokedTokenDocument:
    """Revoke a token (``now`` in microseconds UTC); returns ``jobctl.token_revoked/1``. Its jobs stay.

    Raises NotFound for an unknown name.
    """
    with closing(open_database(home)) as database, database.transaction():
        changed = access_tokens.revoke(database, name, now)
        token = access_tokens.by_name(database, name)
        names = [each.name for each in access_tokens.every(database)]
    if token is None:
        hint = did_you_mean(name, names, f"there are: {', '.join(names)}" if names else f"make one: {_HOW_TO_ADD}")
        raise NotFound(f"there is no token {name!r}", hint=hint)
    at = now if token.revoked_at is None else token.revoked_at
    return {"schema": "jobctl.token_revoked/1", "name": name, "changed": changed, "revoked_at": format_time(at)}


def is_of(text: str) -> bool:
    """Return whether a text has the form of a token, so that looking for it makes sense."""
    return text.startswith(PREFIX) and len(text) <= LONGEST


def token_of(database: Database, text: str) -> Token | None:
    """The token of a text that a request carries; None for one that does not exist or is revoked."""
    if not is_of(text):
        return None
    digest = digest_of(text)
    found = access_tokens.by_digest(database, digest)
    if found is None or not hmac.compare_digest(found[0], digest) or found[1].revoked_at is not None:
        return None
    return found[1]


def note_use(home: Home, name: str, now: int) -> None:
    """Write down that a token was used; ``now`` is in microseconds UTC."""
    with closing(open_database(home)) as database, database.transaction():
        access_tokens.note_use(database, name, now)


def _block(token: Token, jobs: int) -> TokenBlock:
    return {
        "name": token.name,
        "scope": token.scope,
        "recipes": list(token.recipes) or None,
        "queue": token.queue,
        "rate": token.rate,
        "all": token.sees_all,
        "jobs": jobs,
        "created_at": format_time(token.created_at),
        "used_at": None if token.used_at is None else format_time(token.used_at),
        "revoked_at": None if token.revoked_at is None else format_time(token.revoked_at),
    }
