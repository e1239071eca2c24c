"""Deprecated routes, parameters and fields: a table of a test, since nothing of the server is deprecated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import Response, StreamingResponse

from jobctl.http import versions
from jobctl.http.app import make_app
from jobctl.http.server import Server
from jobctl.http.versions import DEPRECATED, Deprecated, marked
from tests.http.serving import serving_app

_SINCE = datetime(2026, 12, 1, tzinfo=UTC)
_SUNSET = datetime(2027, 12, 1, tzinfo=UTC)
TABLE = (
    Deprecated("GET", "/v1/old/{job}", _SINCE, "Use /v1/new/{job}.", sunset=_SUNSET, successor="/v1/new/{job}"),
    Deprecated("GET", "/v1/new/{job}", _SINCE, "Use labels.", "parameter", "tag"),
    Deprecated("GET", "/v1/document", datetime(2027, 1, 1, tzinfo=UTC), "Use counts.", "field", "counts.total"),
    Deprecated("GET", "/v1/document", _SINCE, "Use id.", "field", "number", sunset=_SUNSET),
    Deprecated("POST", "/v1/stream", _SINCE, "Use GET.", page="https://jobctl.example/changes"),
)


def _app() -> FastAPI:
    app = FastAPI()

    @app.get("/v1/old/{job}")
    async def old(job: int) -> dict[str, int]:
        return {"id": job}

    @app.get("/v1/new/{job}")
    async def new(job: int, tag: str = "") -> dict[str, int]:
        return {"id": job}

    @app.get("/v1/document")
    async def document() -> Response:
        return Response(None, 304)

    @app.get("/v1/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(iter(["a", "b"]))

    @app.post("/v1/stream")
    async def stream_by_post() -> StreamingResponse:
        return StreamingResponse(iter(["a", "b"]))

    versions.install(app, TABLE)
    return app


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving_app(_app()) as found:
        yield found


def test_answers_of_a_deprecated_route_say_since_when_until_when_and_what_replaces_it(client: httpx.Client) -> None:
    headers = client.get("/v1/old/7").headers
    assert headers["deprecation"] == f"@{int(_SINCE.timestamp())}"  # RFC 9745: a date of structured fields
    assert headers["sunset"] == "Wed, 01 Dec 2027 00:00:00 GMT"  # RFC 8594: a date of HTTP
    assert headers.get_list("link") == [
        '</openapi.json>; rel="deprecation"; type="application/json"',
        '</v1/new/7>; rel="successor-version"',
        '</openapi.json>; rel="sunset"; type="application/json"',
    ]


def test_the_errors_of_a_deprecated_route_say_it_as_well(client: httpx.Client) -> None:
    assert "deprecation" in client.get("/v1/old/seven").headers


def test_a_deprecated_parameter_counts_only_where_it_is_given(client: httpx.Client) -> None:
    assert "deprecation" not in client.get("/v1/new/7").headers
    assert "deprecation" not in client.get("/v1/new/7?tags=1").headers
    assert "deprecation" in client.get("/v1/new/7?x=1&tag=").headers
    assert "sunset" not in client.get("/v1/new/7?tag=a").headers


def test_of_several_deprecated_fields_the_first_one_to_go_counts_also_in_an_answer_without_a_body(
    client: httpx.Client,
) -> None:
    response = client.get("/v1/document")
    assert response.status_code == 304
    assert response.headers.get_list("deprecation") == [f"@{int(_SINCE.timestamp())}"]
    assert response.headers.get_list("sunset") == ["Wed, 01 Dec 2027 00:00:00 GMT"]


def test_other_methods_and_unknown_paths_are_not_deprecated(client: httpx.Client) -> None:
    assert "deprecation" not in client.get("/v1/stream").headers
    assert "deprecation" not in client.get("/v1/nothing").headers
    response = client.post("/v1/stream")
    assert (response.text, response.headers["link"]) == (
        "ab",
        '<https://jobctl.example/changes>; rel="deprecation"; type="text/html"',
    )


def _document() -> dict[str, Any]:
    fields = {"number": {"type": "integer"}, "counts": {"$ref": "#/components/schemas/counts"}}
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/job~1"}}}}
    tag = {"in": "query", "name": "tag", "description": "A tag."}
    return {
        "paths": {
            "/v1/old/{job}": {"get": {"responses": {}}},
            "/v1/new/{job}": {"get": {"parameters": [{"in": "path", "name": "tag"}, tag], "responses": {}}},
            "/v1/document": {"get": {"responses": {"200": answer, "404": {}}}},
            "/v1/stream": {"get": {}, "post": {}},
        },
        "components": {
            "schemas": {
                "job/": {"anyOf": [{"type": "null"}, {"properties": fields}]},
                "counts": {"properties": {"total": {"description": "All."}}},
            }
        },
    }


def test_the_openapi_document_marks_what_is_deprecated_and_nothing_else() -> None:
    found = marked(_document(), TABLE)
    paths, schemas = found["paths"], found["components"]["schemas"]
    assert paths["/v1/old/{job}"]["get"]["deprecated"] is True
    assert paths["/v1/old/{job}"]["get"]["description"] == "Deprecated. Use /v1/new/{job}."
    in_path, in_query = paths["/v1/new/{job}"]["get"]["parameters"]
    assert "deprecated" not in in_path and in_query["description"] == "A tag.\n\nDeprecated. Use labels."
    assert "deprecated" not in paths["/v1/new/{job}"]["get"] and "deprecated" not in paths["/v1/document"]["get"]
    assert schemas["counts"]["properties"]["total"]["deprecated"] is True
    assert schemas["job/"]["anyOf"][1]["properties"]["number"]["deprecated"] is True
    assert "deprecated" not in paths["/v1/stream"]["get"] and paths["/v1/stream"]["post"]["deprecated"] is True


@pytest.mark.parametrize(
    "row",
    [
        Deprecated("GET", "/v1/nothing", _SINCE, ""),
        Deprecated("PUT", "/v1/document", _SINCE, ""),
        Deprecated("GET", "/v1/document", _SINCE, "", "parameter", "tag"),
        Deprecated("GET", "/v1/document", _SINCE, "", "field", "counts.nothing"),
    ],
)
def test_a_row_about_something_that_is_not_there_is_an_error(row: Deprecated) -> None:
    with pytest.raises(LookupError):
        marked(_document(), (row,))


def test_a_row_that_contradicts_itself_is_an_error() -> None:
    with pytest.raises(ValueError, match="goes before"):
        Deprecated("GET", "/v1/document", _SUNSET, "", sunset=_SINCE)
    with pytest.raises(ValueError, match="a field"):
        Deprecated("GET", "/v1/document", _SINCE, "", "field")


def test_every_row_of_the_shipped_table_is_about_something_that_is_there(home) -> None:
    marked(make_app(Server(home)).openapi(), DEPRECATED)
