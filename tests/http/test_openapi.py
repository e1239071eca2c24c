"""The OpenAPI document: every route with its parameters and answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jobctl.config import Home
from jobctl.http.app import make_app
from jobctl.http.openapi import ANSWERS, document_of
from jobctl.http.server import Server
from tests.factories import JobMaker
from tests.http.serving import serving


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document of an application without a store."""
    app = make_app(Server(Home(tmp_path_factory.mktemp("openapi") / "state")))
    return json.loads(json.dumps(document_of(app)))


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every operation with its method and path."""
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_is_described_and_says_what_it_answers(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation["operationId"] in ANSWERS, f"{name}: add its answer to ANSWERS"
        assert operation["summary"] and operation["description"], name
        assert {"4XX", "5XX"} <= set(operation["responses"]), name
        for status, response in operation["responses"].items():
            assert response["description"], (name, status)
    names = [operation["operationId"] for _, operation in operations(document)]
    assert sorted(names) == sorted(set(names)) == sorted(ANSWERS)


def test_titles_are_sentences_and_only_answers_with_an_etag_are_known_to_the_client(document: dict[str, Any]) -> None:
    found = {operation["operationId"]: operation for _, operation in operations(document)}
    assert found["pause_job"]["summary"] == "Start no more items of a job; running items finish"
    assert found["show_job"]["summary"] == "The status of a job"
    assert {operation["tags"][0] for operation in found.values()} == {"jobs", "events", "recipes", "server"}
    for name in ("pause_job", "change_job", "show_report", "metrics"):
        assert "304" not in found[name]["responses"], name
        assert "ETag" not in found[name]["responses"]["200"]["headers"], name
    assert "304" in found["show_job"]["responses"]


def test_every_parameter_has_a_description_and_a_bound(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            schema = parameter["schema"]
            assert parameter.get("description"), (name, parameter["name"])
            has_bound = {"maxLength", "maximum", "pattern", "enum", "maxItems"} & schema.keys()
            assert has_bound or schema["type"] in ("boolean", "integer"), (name, parameter["name"], schema)
            assert "null" not in json.dumps(schema), (name, parameter["name"])


def test_all_references_lead_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    text = json.dumps(document)
    assert "urn:jobctl" not in text.replace("urn:jobctl:error", "")
    for part in text.split('"$ref": "')[1:]:
        assert part.split('"')[0].removeprefix("#/components/schemas/") in schemas
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema.get("title") or schema.get("description"), name


def test_answers_are_as_the_document_says(home: Home, store: JobMaker) -> None:
    store.job("sf", state="partial", started_at=1, finished_at=2)
    with serving(home) as client:
        document = client.get("/openapi.json").json()
        for path in ("/v1/jobs", "/v1/jobs/{job}", "/v1/jobs/{job}/items", "/v1/jobs/{job}/explain", "/healthz"):
            response = client.get(path.replace("{job}", "1"))
            described = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            jsonschema.validate(response.json(), described | {"components": document["components"]})
        problem = client.get("/v1/jobs/99")
        jsonschema.validate(problem.json(), document["components"]["schemas"]["problem-1"])


def test_the_manual_page_has_every_route(document: dict[str, Any]) -> None:
    page = (Path(__file__).parents[2] / "man/man8/jobctl-serve.8").read_text(encoding="utf-8")
    listed = re.findall(r"^\.It Ql ([A-Z]+ /\S*)$", page, re.MULTILINE)
    known = [f"{name.split()[0].upper()} {name.split()[1]}" for name, _ in operations(document)]
    assert sorted(listed) == sorted(known)
