"""Finds out who sends a request: the user at the Unix socket, a token, or a browser that is signed in."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.types import Scope

from jobctl.domain.tokens import Token
from jobctl.http.access import Caller, challenge, is_at_socket
from jobctl.http.doors import Doors
from jobctl.http.problems import Refused

_INVALID = challenge(error="invalid_token")


def cookie_name(scope: Scope) -> str:
    """The name of the cookie of a session. Browsers do not tell ports apart, so the name has the port."""
    server = scope.get("server")
    return f"jobctl-{server[1]}" if server else "jobctl"


def caller_of(scope: Scope, headers: Headers, doors: Doors) -> Caller | None:
    """Return the caller of a request; None for one that does not say who it is.

    Raises Refused (401) for a token that does not exist or is revoked. A session that is over says nothing.
    """
    if is_at_socket(scope):
        return Caller(doors.actor, "control")
    given = headers.getlist("authorization")
    if given:
        return _of_token(_bearer(given), doors)
    return _of_cookie(scope, headers, doors)


def _bearer(given: list[str]) -> str:
    scheme, _, text = given[0].strip().partition(" ")
    if len(given) != 1 or scheme.lower() != "bearer":
        raise Refused(401, "the request does not name a token", hint="Authorization: Bearer TOKEN", headers=_INVALID)
    return text.strip()


def _of_token(text: str, doors: Doors) -> Caller:
    token = doors.tokens.find(text)
    if token is None:
        raise Refused(
            401,
            "the token does not exist or is revoked",
            code="invalid_token",
            hint="jobctl serve token list",
            headers=_INVALID,
        )
    return of_token(token, text)


def of_token(token: Token, text: str) -> Caller:
    """The caller to whom a token belongs."""
    return Caller(
        token.actor,
        token.scope,
        token.name,
        token.sees_all,
        token.recipes or None,
        token.queue,
        door="token",
        rate=token.rate,
        key=text,
    )


def _of_cookie(scope: Scope, headers: Headers, doors: Doors) -> Caller | None:
    key = session_key(scope, headers)
    session = None if key is None else doors.sessions.find(key)
    if session is None:
        return None
    return Caller(doors.browser, "control", door="browser", key=key)


def session_key(scope: Scope, headers: Headers) -> str | None:
    """The key of a session that the cookies of a request carry."""
    text = "; ".join(headers.getlist("cookie"))
    if not text:
        return None
    try:
        found = SimpleCookie(text).get(cookie_name(scope))
    except CookieError:
        return None
    return None if found is None else found.value


def is_still_valid(caller: Caller, doors: Doors) -> bool:
    """Return whether a caller may go on: its token is not revoked, its session not over."""
    if caller.door == "token":
        return caller.key is not None and doors.tokens.find(caller.key) is not None
    if caller.door == "browser":
        return caller.key is not None and doors.sessions.find(caller.key) is not None
    return True
