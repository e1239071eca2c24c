"""The JSON Schemas that ship with jobctl, as validators; and a check that nothing is said that they do not list."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from jobctl.schemas.catalogue import DOCUMENTS

NAMES = tuple(DOCUMENTS)


@cache
def schema(name: str) -> dict[str, Any]:
    """One schema, from the package as it is installed."""
    return json.loads((files("jobctl") / "schemas" / f"{name}.json").read_text(encoding="utf-8"))


@cache
def validator(name: str) -> Draft202012Validator:
    """What checks documents against it."""
    registry = Registry().with_resources((schema(n)["$id"], Resource.from_contents(schema(n))) for n in NAMES)
    return Draft202012Validator(schema(name), registry=registry, format_checker=FormatChecker())


def check(name: str, document: Any) -> Any:
    """Assert that a document, as it goes out, is valid and that the schema lists all its keys; returns it."""
    document = json.loads(json.dumps(document, allow_nan=False))
    problems = [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(document)]
    assert not problems, "\n".join(problems)
    unknown = unlisted(schema(name), document)
    assert not unknown, unknown
    return document


def check_named(document: Any) -> Any:
    """The same for a document that names its schema."""
    return check(document["schema"].removeprefix("jobctl.").replace("/", "-"), document)


def unlisted(described: dict[str, Any], value: Any, path: str = "$") -> list[str]:
    """Keys of a document that its schema does not speak of."""
    if "$ref" in described:
        described = next(schema(n) for n in NAMES if schema(n)["$id"] == described["$ref"])
    if isinstance(value, list):
        return [
            found
            for n, each in enumerate(value)
            for found in unlisted(described.get("items", {}), each, f"{path}[{n}]")
        ]
    known = described.get("properties")
    if not isinstance(value, dict) or known is None:
        return []
    unknown = [f"{path}.{key}" for key in value if key not in known]
    inner = [found for key in value if key in known for found in unlisted(known[key], value[key], f"{path}.{key}")]
    return unknown + inner
