"""Takes the file of a request in: finds the recipe, receives the body, and accepts or judges it."""

from __future__ import annotations

import os
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from jobctl.errors import UsageError
from jobctl.http.access import Caller, is_local
from jobctl.http.intake.accepting import Wanted, accept, judge
from jobctl.http.intake.receiving import Described, receive
from jobctl.http.intake.request_options import OVER_TCP, Allowed
from jobctl.http.intake.spool import Spool
from jobctl.http.intake.state import intake_of
from jobctl.http.problems import Refused
from jobctl.http.server import server_of
from jobctl.services.settings.offered_recipes import offered_recipes, pick
from jobctl.services.submit.request import key_of_owner

if TYPE_CHECKING:
    from jobctl.services.settings.recipes import Recipe

#: The options of a job of a recipe. ``dry_run`` is a parameter of its own.
SAFE = tuple(option for option in OVER_TCP if option.name != "dry-run")
_OWN = ("dry_run", "filename")


async def offered(request: Request, found: Caller) -> dict[str, Recipe]:
    """The recipes that a caller may run, by name."""
    return await server_of(request).call(_offered, found, is_local(request))


def _offered(found: Caller, local: bool) -> dict[str, Recipe]:
    """The recipes that a caller may run. A mistake in the settings of the server is not one of the caller."""
    try:
        return offered_recipes(os.environ, os.getcwd(), names=found.recipes, is_local=local)
    except UsageError as error:
        if local:
            raise
        raise Refused(
            500, "the settings of this server have a mistake", code="settings", hint="jobctl recipe list there names it"
        ) from error


def allowed(recipe: Recipe, found: Caller) -> Allowed:
    """The options that a request may give. Those that the recipe sets are rules for tokens; a person may change them.

    A job without a name of its own would be compared with jobs of others by a recipe that runs only new rows.
    """
    if found.token is None:
        return Allowed(SAFE)
    fixed = {*recipe.options, *(["name"] if recipe.options.get("only-new") else [])}
    return Allowed(SAFE, frozenset(fixed), recipe.name)


async def wanted_of(
    request: Request, found: Caller, name: str, texts: list[tuple[str, str]], key: str | None = None
) -> Wanted:
    """What a request to a recipe asks for; ``texts`` are options. Raises NotFound for a recipe that is not offered."""
    recipe = pick(name, await offered(request, found))
    return Wanted(found, allowed(recipe, found), recipe.name, recipe.options.get("format"), texts, key)


def texts_of(request: Request) -> list[tuple[str, str]]:
    """The options in the query of a request."""
    return [pair for pair in request.query_params.multi_items() if pair[0] not in _OWN]


async def take_file(request: Request, wanted: Wanted, head: Described, *, dry_run: bool) -> Any:
    """Accept the file in the body of a request; returns its status, or with ``dry_run`` what it would be.

    The document is ``jobctl.status/1`` or ``jobctl.preview/1``. Raises Refused, ClientDisconnect, and the errors of a
    submission.
    """
    intake, server = intake_of(request), server_of(request)
    owned = None if wanted.key is None or dry_run else key_of_owner(wanted.key, wanted.caller.token)
    with intake.place(wanted.caller), intake.keys.taking(owned):
        spool = await server.call(Spool, server.home, head.length)
        with closing(spool):
            body = await receive(request, head, spool)
            work = partial(judge if dry_run else accept, server, wanted, body, spool.path, intake.bounds)
            return await intake.read(wanted.caller, spool.size, work)
