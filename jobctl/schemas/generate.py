"""Makes JSON Schemas from the types of documents.

A generator of our own instead of a library: its output is what a person would write (one level, no ``$defs``, nullable
values as ``["integer", "null"]``), it reads every keyword from the type, and it needs nothing but Python.
"""

from __future__ import annotations

import re
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from jobctl.domain.documents.keywords import Keywords

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_COMMENT = (
    "Changes within /1 only add: new keys, new codes, new words. Every required key is always present, and null if"
    " there is nothing to say. Ignore the keys and words that you do not know."
)
_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


class Generator:
    """Makes the schema of one document; a document inside it that has a schema of its own becomes a reference."""

    def __init__(self, names: dict[type, str]) -> None:
        """``names`` has the name of every schema that ships, by the type of its document."""
        self._names = names

    def schema(self, document: type, rules: list[Schema] | None = None) -> Schema:
        """The whole schema of a document; ``rules`` are conditions between its keys, which no type can state."""
        head = {
            "$schema": _DIALECT,
            "$id": _identifier(self._names[document]),
            "title": _title(document),
            "$comment": _COMMENT,
        }
        return head | self._object(document) | ({"allOf": rules} if rules else {})

    def _of(self, kind: Any) -> Schema:
        if kind in self._names:
            return {"$ref": _identifier(self._names[kind])}
        if is_typeddict(kind):
            return self._object(kind)
        origin, parts = get_origin(kind), get_args(kind)
        if origin is NotRequired:
            return self._of(parts[0])
        if origin is Annotated:
            return self._annotated(parts[0], parts[1:])
        if origin in (Union, UnionType):
            return self._union(parts)
        if origin is Literal:
            return {"const": parts[0]} if len(parts) == 1 else {"enum": list(parts)}
        if origin is list:
            return {"type": "array"} | _unless_empty("items", self._of(parts[0]))
        if origin is dict:
            return {"type": "object"} | _unless_empty("additionalProperties", self._of(parts[1]))
        return {} if kind in (object, Any) else {"type": _NAMES[kind]}

    def _object(self, kind: type) -> Schema:
        hints = get_type_hints(kind, include_extras=True)
        if "schema" in hints:
            hints = {"schema": hints["schema"]} | hints  # first, also where the other keys are inherited
        # Not ``__required_keys__``: it does not see NotRequired in an annotation that is still text.
        required = [name for name, hint in hints.items() if get_origin(hint) is not NotRequired and _is_total(kind)]
        properties = {name: self._of(hint) for name, hint in hints.items()}
        found = {"type": "object", "properties": properties} | _unless_empty("required", required)
        return found | {"additionalProperties": True}

    def _annotated(self, kind: Any, marks: tuple[Any, ...]) -> Schema:
        found = self._of(kind)
        for mark in marks:
            found = found | (mark.keywords if isinstance(mark, Keywords) else {"description": mark})
        return found

    def _union(self, parts: tuple[Any, ...]) -> Schema:
        """One schema for all of them; they differ in their type, so the keywords of one say nothing of the others."""
        found: Schema = {}
        for each in map(self._of, parts):
            for name, value in each.items():
                if name in ("type", "enum"):
                    found[name] = [*_listed(found.get(name)), *_listed(value)]
                else:
                    found[name] = value
        if "enum" in found:
            found["enum"] += [None] * (found.pop("type", None) is not None)
        return found


def _is_total(kind: type) -> bool:
    return bool(kind.__total__)  # type: ignore[attr-defined]


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _unless_empty(name: str, value: Any) -> Schema:
    return {name: value} if value else {}


def _identifier(name: str) -> str:
    return f"urn:jobctl:{name}"


def _title(document: type) -> str:
    first = (document.__doc__ or "").partition("\n")[0]
    return re.sub("``", "", first).rstrip(".")
