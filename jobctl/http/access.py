"""The caller of a request, and what it may do. A job that a caller must not know does not exist for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple

from fastapi import Depends
from starlette.requests import HTTPConnection

from jobctl.domain.job_filter import JobList
from jobctl.errors import no_such_job
from jobctl.http.problems import Refused
from jobctl.process import this_process
from jobctl.services.control.targets import resolve_job
from jobctl.store.database import Database

Scope = Literal["read", "submit", "control"]
#: A scope includes those before it.
SCOPES: tuple[Scope, ...] = ("read", "submit", "control")


class Caller(NamedTuple):
    """The person or program behind a request."""

    actor: str  # as the journal names it
    scope: Scope
    token: str | None = None  # None: the user, through the Unix socket
    sees_all: bool = True
    recipes: tuple[str, ...] | None = None  # None: all that the transport allows
    queue: str | None = None

    @property
    def is_user(self) -> bool:
        """Whether this is the user of the store, who may do what a command line may."""
        return self.token is None


def is_local(request: HTTPConnection) -> bool:
    """Return whether a request came through the Unix socket, which only its user can open."""
    server = request.scope.get("server")
    return server is not None and server[1] is None


def caller(request: HTTPConnection) -> Caller:
    """Return the caller of a request. Raises Refused (401) for one that does not say who it is."""
    if is_local(request):
        return Caller(this_process.actor(), "control")
    raise Refused(401, "this address needs a token", hint="jobctl serve token add NAME --scope read")


def needs(scope: Scope) -> Callable[[Caller], Caller]:
    """Return a dependency: the caller, who must have at least this scope. It raises Refused (403)."""

    def check(found: Annotated[Caller, Depends(caller)]) -> Caller:
        if SCOPES.index(found.scope) < SCOPES.index(scope):
            raise Refused(403, f"the scope of this token is {found.scope}, and this needs {scope}")
        return found

    return check


Reader = Annotated[Caller, Depends(needs("read"))]
Submitter = Annotated[Caller, Depends(needs("submit"))]
Controller = Annotated[Caller, Depends(needs("control"))]


def limited(found: Caller, listing: JobList) -> JobList:
    """Return the jobs of a list that a caller may see. Raises Refused (403) for a caller who may see none."""
    if not found.sees_all:
        raise Refused(403, "this token has no jobs of its own")
    return listing


def refuse_unless_all(found: Caller) -> None:
    """Raise Refused (403) for a caller who may see only its own jobs: what follows is about all of them."""
    if not found.sees_all:
        raise Refused(403, "this is about all jobs, and this token sees only its own", hint="a token with --all")


def job_of(database: Database, found: Caller, text: str) -> int:
    """Return the number of the job that a word names and the caller may see.

    Raises NotFound, also for a job of somebody else: its number must not tell that it exists. Raises UsageError for a
    word that names several jobs or items.
    """
    job = resolve_job(database, text)
    if not found.sees_all:
        raise no_such_job(job)
    return job
