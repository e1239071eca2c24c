"""``/recipes``: the recipes that a browser may run, and the form that takes a file, with what it would become first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, RedirectResponse, Response

from jobctl.domain.documents.settings import OfferedRecipeBlock
from jobctl.errors import JobctlError
from jobctl.http.access import Caller, Reader, Submitter
from jobctl.http.intake.receiving import described
from jobctl.http.intake.taking import allowed, offered, take_file, wanted_of
from jobctl.http.problems import Refused, status_of_error
from jobctl.http.routes.intake import RecipePath
from jobctl.http.routes.pages import PageRoute, page_response
from jobctl.http.wording import in_request
from jobctl.render.pages.recipes import Rejected, preview_part, recipe_list_page, recipe_page, rejected_part
from jobctl.services.settings.offered_recipes import offered_block, pick
from jobctl.services.settings.recipes import Recipe
from jobctl.sources.problems import RowsRejected

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: With this header, which only our script can send, an answer is the part below the form, and says where to go.
PART, PLACE = "x-part", "X-Location"


@router.get("/recipes")
async def show_recipes(request: Request, found: Reader) -> Response:
    """The recipes that can be used here."""
    recipes = await offered(request, found)
    return page_response(request, found, recipe_list_page([_block(each, found) for each in recipes.values()]))


@router.get("/recipes/{recipe}")
async def show_recipe(request: Request, recipe: RecipePath, found: Submitter) -> Response:
    """The form that takes a file for a recipe."""
    picked = pick(recipe, await offered(request, found))
    return page_response(request, found, recipe_page(_block(picked, found)))


@router.post("/recipes/{recipe}/preview")
async def judge_file(request: Request, recipe: RecipePath, found: Submitter) -> Response:
    """Show what a file would become, and accept nothing."""
    picked = pick(recipe, await offered(request, found))
    try:
        document = await _take(request, picked, found, dry_run=True)
    except JobctlError as error:
        return _answer(request, found, picked, rejected_part(_rejected(error)), _status(error))
    return _answer(request, found, picked, preview_part(document), 200)


@router.post("/recipes/{recipe}/jobs")
async def accept_file(request: Request, recipe: RecipePath, found: Submitter) -> Response:
    """Accept a file as a job, and show the job."""
    picked = pick(recipe, await offered(request, found))
    try:
        document = await _take(request, picked, found, dry_run=False)
    except JobctlError as error:
        return _answer(request, found, picked, rejected_part(_rejected(error)), _status(error))
    place = f"/jobs/{document['job']}?said=submitted"
    if PART in request.headers:
        return Response(None, 200, {PLACE: place})
    return RedirectResponse(place, 303)


async def _take(request: Request, recipe: Recipe, found: Caller, *, dry_run: bool) -> Any:
    wanted = await wanted_of(request, found, recipe.name, [])
    try:
        return await take_file(request, wanted, described(request, "", recipe.name), dry_run=dry_run)
    except ClientDisconnect:
        raise Refused(400, "the browser is gone") from None


def _block(recipe: Recipe, found: Caller) -> OfferedRecipeBlock:
    return offered_block(recipe, allowed(recipe, found).names)


def _answer(request: Request, found: Caller, recipe: Recipe, part: Iterator[str], status: int) -> Response:
    """The answer below the form: alone for the script, otherwise with the form."""
    if PART in request.headers:
        return HTMLResponse("\n".join(part).encode("utf-8", "replace"), status)
    return page_response(request, found, recipe_page(_block(recipe, found), part), status=status)


def _status(error: JobctlError) -> int:
    return error.status if isinstance(error, Refused) else status_of_error(error)


def _rejected(error: JobctlError) -> Rejected:
    """The error with the place of each bad row."""
    message, hint = in_request(error.message, "-"), in_request(error.hint or "", "-")
    if not isinstance(error, RowsRejected):
        return Rejected(message, hint, [("", line) for line in error.details])
    shown = [(each.place, each.message) for each in error.problems.described]
    return Rejected(message, hint, shown, error.problems.total - len(shown))
