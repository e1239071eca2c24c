"""Reads and writes the tokens of programs. Only the SHA-256 of a token is stored."""

from __future__ import annotations

import json
from typing import Any

from jobctl.domain.tokens import SCOPES, Scope, Token
from jobctl.store.database import Database

_COLUMNS = "name, scope, recipes, queue, rate, sees_all, created_at, revoked_at, used_at"


def add(database: Database, token: Token, digest: bytes) -> bool:
    """Add a token, also in place of a revoked one of its name; False if its name is in use."""
    done = database.execute(
        "INSERT INTO access_tokens (name, digest, scope, recipes, queue, rate, sees_all, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET digest = excluded.digest,"
        " scope = excluded.scope, recipes = excluded.recipes, queue = excluded.queue, rate = excluded.rate,"
        " sees_all = excluded.sees_all, created_at = excluded.created_at, revoked_at = NULL, used_at = NULL"
        " WHERE revoked_at IS NOT NULL",
        (
            token.name,
            digest,
            token.scope,
            json.dumps(token.recipes),
            token.queue,
            token.rate,
            int(token.sees_all),
            token.created_at,
        ),
    )
    return bool(done.rowcount)


def every(database: Database) -> list[Token]:
    """All tokens, also the revoked ones, by name."""
    rows = database.execute(f"SELECT {_COLUMNS} FROM access_tokens ORDER BY name")  # noqa: S608 - names of this module
    return [_token(row) for row in rows]


def by_name(database: Database, name: str) -> Token | None:
    """The token of a name; None if there is none."""
    row = database.one(f"SELECT {_COLUMNS} FROM access_tokens WHERE name = ?", (name,))  # noqa: S608
    return None if row is None else _token(row)


def by_digest(database: Database, digest: bytes) -> tuple[bytes, Token] | None:
    """The token of a digest, with the digest as it is stored; None if there is none."""
    row = database.one(f"SELECT digest, {_COLUMNS} FROM access_tokens WHERE digest = ?", (digest,))  # noqa: S608
    return None if row is None else (bytes(row[0]), _token(row[1:]))


def revoke(database: Database, name: str, now: int) -> bool:
    """Revoke a token (microseconds UTC); False if it does not exist or is revoked already."""
    sql = "UPDATE access_tokens SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL"
    return bool(database.execute(sql, (now, name)).rowcount)


def note_use(database: Database, name: str, now: int) -> None:
    """Write down that a token was used (microseconds UTC)."""
    database.execute("UPDATE access_tokens SET used_at = ? WHERE name = ?", (now, name))


def _token(row: Any) -> Token:
    """A row as a token. One that is damaged may do least: it reads nothing but jobs of its own."""
    name, scope, recipes, queue, rate, sees_all, *times = row
    known: Scope = scope if scope in SCOPES else "read"
    return Token(str(name), known, _recipes(recipes), queue, rate, sees_all == 1, *times)


def _recipes(text: Any) -> tuple[str, ...]:
    try:
        found = json.loads(text)
        return tuple(map(str, found))
    except (TypeError, ValueError):
        return ("",)  # the name of no recipe
