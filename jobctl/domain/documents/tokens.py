"""Tokens of programs that use a store over HTTP, and the addresses of the server."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from jobctl.domain.documents.values import Count, Number, Time


class TokenBlock(TypedDict):
    """What a token may do."""

    name: str
    scope: Literal["read", "submit", "control"]
    recipes: Annotated[list[str] | None, "the recipes that it may submit to; null: all that HTTP may run"]
    queue: Annotated[str | None, "the queue of its jobs; null: as the recipe says"]
    rate: Annotated[str | None, "requests per time; null: the rate of the server"]
    all: Annotated[bool, "whether it sees the jobs of others"]
    jobs: Count
    created_at: Time
    used_at: Annotated[Time | None, "a moment of its use in the last hour before its last use"]
    revoked_at: Time | None


class NewTokenDocument(TokenBlock):
    """A new token, as ``jobctl serve token add --json`` shows it once."""

    schema: Literal["jobctl.token/1"]
    token: Annotated[str, "the secret, which is shown only here"]


class TokensDocument(TypedDict):
    """All tokens, as ``jobctl serve token list --json`` shows them."""

    schema: Literal["jobctl.tokens/1"]
    tokens: list[TokenBlock]


class RevokedTokenDocument(TypedDict):
    """A token that does not count any more, as ``jobctl serve token revoke --json`` shows it."""

    schema: Literal["jobctl.token_revoked/1"]
    name: str
    changed: Annotated[bool, "false: it was revoked already"]
    revoked_at: Time


class ServeDocument(TypedDict):
    """Where the server listens, as ``jobctl serve --json`` says it when it is ready."""

    schema: Literal["jobctl.serve/1"]
    pid: Number
    socket: Annotated[str | None, "the path of the Unix socket"]
    urls: Annotated[list[str], "the addresses for requests with a token"]
    link: Annotated[str | None, "a link for a browser, valid once; null without an address"]
    link_expires_at: Time | None
    daemon: Annotated[bool, "whether a daemon runs the jobs"]


class LinkDocument(TypedDict):
    """A link for a browser, as ``jobctl serve link --json`` shows it."""

    schema: Literal["jobctl.serve_link/1"]
    url: Annotated[str, "valid once"]
    expires_at: Time
