"""The caller of a request, and what it may do. A job that a caller must not know does not exist for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import Depends
from starlette.requests import HTTPConnection

from jobctl.domain.job_filter import JobList
from jobctl.domain.option_values import parse_number
from jobctl.domain.selection import Selection
from jobctl.domain.selection_options import selection_from
from jobctl.domain.texts import LAST
from jobctl.domain.tokens import Scope, includes
from jobctl.domain.where import has_regex
from jobctl.errors import NotFound, UsageError
from jobctl.http.problems import Refused
from jobctl.services.control.targets import resolve_job
from jobctl.store.database import Database
from jobctl.store.views import owned

#: Where the scope of a request has its caller, which ``gate.py`` puts there; None for one that does not say who it is.
CALLER = "jobctl.caller"
#: The longest number of a job.
_DIGITS = 18


class Caller(NamedTuple):
    """The person or program behind a request."""

    actor: str  # as the journal names it
    scope: Scope
    token: str | None = None  # None: a person
    sees_all: bool = True
    recipes: tuple[str, ...] | None = None  # None: all that the transport allows
    queue: str | None = None
    #: The Unix socket; an address with a token; or one with the cookie of a browser.
    door: Literal["socket", "token", "browser"] = "socket"
    rate: str | None = None  # of its requests; None = that of the server
    key: str | None = None  # its secret; it is never written anywhere

    @property
    def is_user(self) -> bool:
        """Whether it came through the Unix socket, so that it may do what a command line may."""
        return self.door == "socket"

    def __repr__(self) -> str:
        """The caller without its secret, so that no message can tell it."""
        return f"Caller({self.actor!r}, {self.scope!r}, door={self.door!r})"


def is_at_socket(scope: Mapping[str, Any]) -> bool:
    """Return whether the scope of a request says that it came through the Unix socket, which only its user can open."""
    server = scope.get("server")
    return server is not None and server[1] is None


def is_local(request: HTTPConnection) -> bool:
    """Return whether a request came through the Unix socket."""
    return is_at_socket(request.scope)


def challenge(**facts: str) -> dict[str, str]:
    """Return the header that says which token a request needs (RFC 6750, section 3)."""
    words = {"realm": "jobctl", **facts}
    return {"WWW-Authenticate": "Bearer " + ", ".join(f'{name}="{value}"' for name, value in words.items())}


async def caller(request: HTTPConnection) -> Caller:
    """Return the caller of a request. Raises Refused (401) for one that does not say who it is."""
    found = request.scope.get(CALLER)
    if isinstance(found, Caller):
        return found
    raise Refused(
        401,
        "this address needs a token",
        hint="jobctl serve token add NAME --scope read; for a browser: jobctl serve link",
        headers=challenge(),
    )


def needs(scope: Scope) -> Callable[[Caller], Awaitable[Caller]]:
    """Return a dependency: the caller, who must have at least this scope. It raises Refused (403)."""

    async def check(found: Annotated[Caller, Depends(caller)]) -> Caller:
        if not includes(found.scope, scope):
            raise Refused(
                403,
                f"the scope of this token is {found.scope}, and this needs {scope}",
                code="wrong_scope",
                headers=challenge(error="insufficient_scope", scope=scope),
            )
        return found

    return check


Reader = Annotated[Caller, Depends(needs("read"))]
Submitter = Annotated[Caller, Depends(needs("submit"))]
Controller = Annotated[Caller, Depends(needs("control"))]


def limited(found: Caller, listing: JobList) -> JobList:
    """Return the jobs of a list that a caller may see."""
    if found.sees_all or found.token is None:
        return listing
    return listing._replace(filter=listing.filter._replace(owner=found.token))


def refuse_unless_all(found: Caller) -> None:
    """Raise Refused (403) for a caller who may see only its own jobs: what follows is about all of them."""
    if not found.sees_all:
        raise Refused(403, "this is about all jobs, and this token sees only its own", hint="a token with --all")


def check_rules(found: Caller, given: Mapping[str, Any]) -> None:
    """Raise UsageError if a token gives a job rules with which it would be ahead of the jobs of others.

    ``given`` has rules by name, as texts or values.
    """
    if found.token is None:
        return
    if _number(given.get("priority")) > 0:
        raise UsageError("priority: a token can lower it, not raise it", hint="0 or less")
    if _number(given.get("nice")) < 0:
        raise UsageError("nice: a token can lower the priority of processes, not raise it", hint="0 to 19")


def _number(value: Any) -> int:
    """The number that a rule has; 0 for one that is wrong, which is refused where all rules are read."""
    try:
        return parse_number(str(value))
    except UsageError:
        return 0


def selection_of(found: Caller, given: Mapping[str, Any]) -> Selection:
    """The items that a caller selects with options. Raises UsageError that names the option."""
    check_condition(found, given.get("where"))
    return selection_from(given)


def check_condition(found: Caller, where: str | None) -> None:
    """Raise UsageError for a regular expression of a token.

    Python cannot interrupt the search for one, and no other request is answered meanwhile: one that matches in
    exponentially many ways would stop the server for ever.
    """
    if found.token is not None and where and has_regex(where):
        raise UsageError(
            "where: a regular expression (~) cannot come from a token, because its search may take for ever",
            hint="for a part of a text: 'x' in name",
        )


def job_of(database: Database, found: Caller, text: str) -> int:
    """Return the number of the job that a word names and the caller may see.

    Raises NotFound, also for a job of somebody else: its number must not tell that it exists. Raises UsageError for a
    word that names several jobs or items.
    """
    if found.sees_all or found.token is None:
        return resolve_job(database, text)
    job = _own_job(database, found.token, text)
    if job is None:
        raise NotFound(f"there is no job {text!r}", hint="this token sees the jobs that it has submitted")
    return job


def _own_job(database: Database, token: str, text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS:
        return owned.numbered(database, token, int(text))
    return owned.newest(database, token, None if text == LAST else text)
