"""The JSON Schemas that ship with jobctl, as validators, and a check that documents have no key that they do not list.

``python -m tests.schemas`` writes the list of the keys that users may rely on. A release does it; no line goes away.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
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
    """The validator of the schema."""
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


#: Every key of the documents, as the last release that wrote this file promised it.
PROMISED = Path(__file__).parent / "data" / "document_keys.txt"


def keys() -> list[str]:
    """One line for each key of each schema: its path, its types, and whether it is required."""
    return [line for name in NAMES for line in _keys_of(_promised(name), name)]


def _promised(name: str) -> dict[str, Any]:
    """The schema of a document; of events that of the end of a round, because others had no event in early releases."""
    described = copy.deepcopy(schema(name))
    if name == "event-1":
        data, of_ends = described["properties"]["data"], described["allOf"][0]["then"]["properties"]["data"]
        data["required"] += of_ends["required"]
        for key, narrowed in of_ends["properties"].items():
            data["properties"][key] |= narrowed
    return described


def _keys_of(described: dict[str, Any], path: str) -> Iterator[str]:
    for name, inner in described.get("properties", {}).items():
        required = " required" if name in described.get("required", ()) else ""
        yield f"{path}.{name} {_types(inner)}{required}"
        yield from _keys_of(inner, f"{path}.{name}")
    if isinstance(described.get("items"), dict):
        yield from _keys_of(described["items"], f"{path}[]")


def _types(described: dict[str, Any]) -> str:
    types = described.get("type", "word" if {"const", "enum"} & described.keys() else "anything")
    return types if isinstance(types, str) else "|".join(sorted(types))


if __name__ == "__main__":
    PROMISED.write_text("\n".join(keys()) + "\n", encoding="utf-8")
