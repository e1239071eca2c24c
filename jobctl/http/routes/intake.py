"""``POST /v1/recipes/NAME/jobs`` and ``POST /v1/jobs``: accept a file as a job. ``/v1/recipes``: what can be run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from jobctl.domain.job_options import OPTIONS
from jobctl.http.access import Reader, Submitter, is_local
from jobctl.http.answers import answer, encoded, of_bytes
from jobctl.http.intake.accepting import Wanted
from jobctl.http.intake.body_types import FORM
from jobctl.http.intake.keys import HEADER, read_key
from jobctl.http.intake.parameters import option_parameters
from jobctl.http.intake.receiving import Described, described
from jobctl.http.intake.request_options import Allowed
from jobctl.http.intake.taking import SAFE, allowed, offered, take_file, texts_of, wanted_of
from jobctl.http.job_wait import await_change
from jobctl.http.preferences import read_preferences
from jobctl.http.problems import Refused
from jobctl.http.server import Server, server_of
from jobctl.services.settings.offered_recipes import offered_block, pick

if TYPE_CHECKING:
    from jobctl.domain.documents.settings import OfferedRecipeDocument, OfferedRecipesDocument
    from jobctl.domain.documents.status import StatusDocument

router = APIRouter(prefix="/v1")

#: The options of the user: all of a job. ``dry_run`` is a parameter of its own.
_ANYTHING = tuple(option for option in OPTIONS if option.name != "dry-run")

RecipePath = Annotated[
    str, Path(description="The name of a recipe.", min_length=1, max_length=200, pattern=r"^[^/\x00-\x1f\x7f]+$")
]
DryRun = Annotated[bool, Query(description="Judge the file and accept nothing.")]
FileName = Annotated[str, Query(description="The name of the file, if it is not in the body.", max_length=1_000)]
KeyHeader = Annotated[
    str | None,
    Header(
        alias=HEADER,
        description="The idempotency key: the same work with the same key is accepted only once.",
        max_length=300,
        pattern=r'^("[A-Za-z0-9._:@/+-]{1,128}"|[A-Za-z0-9._:@/+-]{1,128})$',
        examples=["nightly-2026-11-24"],
    ),
]
_TEXT = {"schema": {"type": "string"}}
_BODY: dict[str, Any] = {
    "requestBody": {
        "description": "The file with the rows, as it is, or packed with Content-Encoding.",
        "required": True,
        "content": {
            "text/csv": _TEXT | {"example": "id,url\n1,https://example.com/a\n"},
            "text/tab-separated-values": _TEXT,
            "application/x-ndjson": _TEXT | {"example": '{"id": 1}\n'},
            "text/plain": _TEXT,
            "application/json": {
                "schema": {
                    "oneOf": [
                        {"type": "array", "items": {"type": "object"}},
                        {
                            "type": "object",
                            "properties": {
                                "rows": {"type": "array", "items": {"type": "object"}},
                                "options": {"type": "object"},
                            },
                            "required": ["rows"],
                            "additionalProperties": False,
                        },
                    ]
                },
                "example": {"rows": [{"id": 1}], "options": {"slots": 4}},
            },
            FORM: {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "required": ["file"],
                }
            },
        },
    }
}


@router.get("/recipes")
async def list_recipes(request: Request, found: Reader) -> Response:
    """The recipes that the caller may run."""
    recipes = await offered(request, found)
    document: OfferedRecipesDocument = {
        "schema": "jobctl.offered_recipes/1",
        "recipes": [offered_block(recipe, allowed(recipe, found).names) for recipe in recipes.values()],
    }
    return answer(request, document)


@router.get("/recipes/{recipe}")
async def show_recipe(request: Request, recipe: RecipePath, found: Reader) -> Response:
    """One of the recipes that the caller may run."""
    picked = pick(recipe, await offered(request, found))
    document: OfferedRecipeDocument = {
        "schema": "jobctl.offered_recipe/1",
        **offered_block(picked, allowed(picked, found).names),
    }
    return answer(request, document)


@router.post(
    "/recipes/{recipe}/jobs", status_code=202, openapi_extra=_BODY, dependencies=[Depends(option_parameters(SAFE))]
)
async def submit_to_recipe(
    request: Request,
    recipe: RecipePath,
    found: Submitter,
    dry_run: DryRun = False,
    filename: FileName = "",
    key: KeyHeader = None,
) -> Response:
    """Accept the file in the body as a job of a recipe."""
    wanted = await wanted_of(request, found, recipe, texts_of(request), read_key(key))
    return await _answered(request, wanted, described(request, filename, recipe), dry_run=dry_run)


@router.post(
    "/jobs",
    status_code=202,
    openapi_extra=_BODY,
    dependencies=[Depends(option_parameters(_ANYTHING, takes_command=True))],
)
async def submit_job(
    request: Request, found: Submitter, dry_run: DryRun = False, filename: FileName = "", key: KeyHeader = None
) -> Response:
    """Accept the file in the body as a job with a command, at the Unix socket alone."""
    if not is_local(request):
        raise Refused(
            403,
            "a command comes from the user of the store alone, through the Unix socket",
            hint="POST /v1/recipes/NAME/jobs; GET /v1/recipes lists the recipes",
        )
    wanted = Wanted(found, Allowed(_ANYTHING, takes_command=True), None, None, texts_of(request), read_key(key))
    return await _answered(request, wanted, described(request, filename, "upload"), dry_run=dry_run)


async def _answered(request: Request, wanted: Wanted, head: Described, *, dry_run: bool) -> Response:
    try:
        document: Any = await take_file(request, wanted, head, dry_run=dry_run)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    return answer(request, document) if dry_run else await _accepted(request, server_of(request), document)


async def _accepted(request: Request, server: Server, document: StatusDocument) -> Response:
    """The answer for a job that was accepted, after the wait that the client prefers: the same as that of GET.

    Only a submission that found its job says so in the document, which then has no address of its own.
    """
    preferences = read_preferences(request.headers.getlist("prefer"))
    kept = await server.kept.job(document["job"])
    if preferences.wait_s and not kept.is_done:
        await await_change(server, kept, None, preferences.wait_s)
        kept = await server.kept.job(kept.job)
    address = f"/v1/jobs/{kept.job}"
    headers = {**kept.headers, "Location": address, "ETag": kept.etag, **preferences.applied}
    body = kept.body
    if document["idempotency"]["replayed"]:
        found = orjson.loads(body)
        body = encoded({**found, "idempotency": document["idempotency"]})
    else:
        headers["Content-Location"] = address
    return of_bytes(request, body, kept.etag, status=200 if kept.is_done else 202, headers=headers)
