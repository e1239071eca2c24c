"""``/openapi.json``: the routes with their answers, which are the documents that ship as JSON Schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any, NamedTuple

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from jobctl import __version__
from jobctl.http import versions
from jobctl.http.answers import answer
from jobctl.http.problems import MEDIA_TYPE as PROBLEM

router = APIRouter()

_JSON = "application/json"
_STREAM = "text/event-stream"
_ANYTHING = {"type": "string", "format": "binary"}
_IDENTIFIER = "urn:jobctl:"
#: Keywords of a schema that is a document of its own.
_OF_FILES = ("$schema", "$id", "$comment")
_DESCRIPTION = (
    "Jobs of jobctl: submit a file by a recipe, follow the job, take its results. Every answer is the document that the"
    " command of the same name prints with --json. Within /v1 documents and routes only grow."
)


class Answered(NamedTuple):
    """The answer of a route: documents, or bytes of other types."""

    schemas: tuple[str, ...] = ()  # one of these documents
    statuses: tuple[int, ...] = (200,)
    media: tuple[str, ...] = (_JSON,)
    job: str = ""  # the place of the number of a job in it, from which other routes follow
    has_etag: bool = True  # where it is read


_BYTES = Answered((), (200, 206), ("text/plain", "text/csv", "text/tab-separated-values", "application/jsonl"))
_SUBMITTED = Answered(("status-1", "preview-1"), (200, 202), job="/job")
#: The answers by the name of the function of a route.
ANSWERS: dict[str, Answered] = {
    "list_jobs": Answered(("status_list-1",), job="/jobs/0/job"),
    "show_job": Answered(("status-1",)),
    "list_causes": Answered(("causes-1",)),
    "explain_job": Answered(("explain-1",)),
    "explain_item": Answered(("explain-1",)),
    "show_report": Answered((), (200,), ("text/html",), has_etag=False),
    "list_items": Answered(("items-1",)),
    "show_item": Answered(("items-1",)),
    "show_output": _BYTES,
    "list_events": Answered(("events-1",), (200, 204), (_JSON, _STREAM)),
    "list_events_of_job": Answered(("events-1",), (200, 204), (_JSON, _STREAM)),
    "list_results": Answered(("results-1",)),
    "show_results": _BYTES,
    "cancel_job": Answered(("cancel-1",), (200, 202)),
    "pause_job": Answered(("pause-1",)),
    "resume_job": Answered(("resume-1",)),
    "retry_job": Answered(("retry-1",), (202,), job="/retried/0/job"),
    "undo_job": Answered(("undo-1",), (202,), job="/job"),
    "change_job": Answered(("set-1",)),
    "healthz": Answered(("health-1",)),
    "readyz": Answered(("ready-1",)),
    "metrics": Answered((), (200,), ("application/openmetrics-text",), has_etag=False),
    "openapi": Answered(),
    "list_recipes": Answered(("offered_recipes-1",)),
    "show_recipe": Answered(("offered_recipe-1",)),
    "submit_to_recipe": _SUBMITTED,
    "submit_job": _SUBMITTED,
    "make_link": Answered(("serve_link-1",), (201,)),
}
#: Routes that follow from the number of a job.
_FOLLOWING = ("show_job", "list_items", "list_causes", "explain_job", "list_results", "pause_job", "cancel_job")
#: The groups of routes; the others are about the server.
_GROUPS = ("jobs", "events", "recipes")
_READ_HEADERS = ("ETag", "Link", "Retry-After")
_NO_CONTENT = 204
_IN_WORDS = {
    200: "The document.",
    _NO_CONTENT: "A stream that is over.",
    201: "It was made.",
    202: "It was accepted.",
    206: "The range of bytes.",
}
#: Headers of answers, by name.
_HEADERS = {
    "ETag": "What identifies these bytes, for If-None-Match, If-Match and If-Range.",
    "Link": "The next page of a list, with rel next.",
    "Retry-After": "Seconds after which asking again makes sense.",
    "Location": "The path of the job.",
}


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """This document."""
    return answer(request, document_of(request.app))


def document_of(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an application. It is made once."""
    if app.openapi_schema is None:
        found = get_openapi(
            title="jobctl",
            version=__version__,
            description=_DESCRIPTION,
            routes=app.routes,
            license_info={"name": "MIT"},
        )
        for path, method, operation in _operations(found):
            _describe(path, operation)
            _complete(operation, is_read=method == "get")
        _add_components(found)
        app.openapi_schema = versions.marked(found)
    return app.openapi_schema


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _describe(path: str, operation: dict[str, Any]) -> None:
    """Write the title of a route, which is its first sentence, and the group that it belongs to."""
    group = path.removeprefix("/v1/").partition("/")[0]
    operation["tags"] = [group if group in _GROUPS else "server"]
    operation["summary"] = re.split(r"(?<=\w)[.:](?:\s|$)", operation["description"], maxsplit=1)[0]


def _complete(operation: dict[str, Any], *, is_read: bool) -> None:
    """Write the answers of one route, and its parameters without null, which no address can have."""
    found = ANSWERS.get(operation["operationId"])
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
    responses = operation["responses"]
    responses.pop("422", None)
    if found is not None:
        responses.clear()
        for status in found.statuses:
            responses[str(status)] = _response(found, status, has_etag=is_read and found.has_etag)
        if is_read and found.has_etag:
            responses["304"] = {"description": "The client has these bytes.", "headers": _headers("ETag")}
    for kind in ("4XX", "5XX"):
        responses[kind] = {
            "description": "A problem.",
            "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/problem-1"}}},
        }


def _response(found: Answered, status: int, *, has_etag: bool) -> dict[str, Any]:
    schema: dict[str, Any] = _ANYTHING
    if found.schemas:
        refs = [{"$ref": f"#/components/schemas/{name}"} for name in found.schemas]
        schema = refs[0] if len(refs) == 1 else {"anyOf": refs}
    elif found.media == (_JSON,):
        schema = {"type": "object"}
    names = ("Location", "Retry-After") if status in (201, 202) else _READ_HEADERS if has_etag else ()
    response: dict[str, Any] = {
        "description": _IN_WORDS[status],
        "headers": _headers(*names),
    }
    if status != _NO_CONTENT:
        kinds = {media: schema if media == _JSON else _ANYTHING for media in found.media}
        response["content"] = {media: {"schema": kind} for media, kind in kinds.items()}
    if found.job:
        job = {"job": f"$response.body#{found.job}"}
        response["links"] = {name: {"operationId": name, "parameters": job} for name in _FOLLOWING}
    return response


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of an optional parameter: it may be left out, and it is never null."""
    kinds = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if len(kinds) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**kinds[0], **rest}


def _add_components(document: dict[str, Any]) -> None:
    """Add the schemas that ship, and how a caller says who it is."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.update(_shipped())
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token of jobctl serve token add."}
    }
    document["security"] = [{"token": []}, {}]


def _shipped() -> Iterator[tuple[str, Any]]:
    for file in resources.files("jobctl").joinpath("schemas").iterdir():
        if file.name.endswith(".json"):
            schema = json.loads(file.read_text(encoding="utf-8"), object_hook=_referring)
            yield file.name.removesuffix(".json"), {k: v for k, v in schema.items() if k not in _OF_FILES}


def _referring(value: dict[str, Any]) -> dict[str, Any]:
    """A part of a schema that refers to the components of this document."""
    target = value.get("$ref")
    if isinstance(target, str) and target.startswith(_IDENTIFIER):
        return {**value, "$ref": f"#/components/schemas/{target.removeprefix(_IDENTIFIER)}"}
    return value
