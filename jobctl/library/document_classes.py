"""Writes the classes of records from the types of documents, for editors and type checkers.

``python -m jobctl.library.generate`` writes them to ``documents.py``; CI compares.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from jobctl.domain.documents.all import Document
from jobctl.domain.documents.event import EventDocument
from jobctl.domain.documents.results import ManifestDocument
from jobctl.library.records import Record

_WIDTH = 120
_HEAD = '''"""The documents of jobctl as classes of records, with the types of their keys.

Generated from ``jobctl.domain.documents`` by ``python -m jobctl.library.generate``. Do not edit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from jobctl.library.records import Blocks, Record
'''
_NAMES = {str: "str", int: "int", float: "float", bool: "bool", NoneType: "None", object: "Any", Any: "Any"}
#: Names that are no attributes of a record, because its class has them.
_TAKEN = frozenset(dir(Record))


def module() -> str:
    """Return the text of ``documents.py``: every part of a document before the documents that have it."""
    found: dict[type, None] = {}
    for document in (*get_args(Document), ManifestDocument, EventDocument):
        _collect(document, found)
    return _HEAD + "".join(f"\n\n{_class(kind)}" for kind in found)


def _collect(kind: Any, found: dict[type, None]) -> None:
    if kind in found:
        return
    parts = get_type_hints(kind, include_extras=True).values() if is_typeddict(kind) else get_args(kind)
    for part in parts:
        _collect(part, found)
    if is_typeddict(kind):
        found[kind] = None


def _class(kind: type) -> str:
    hints = get_type_hints(kind, include_extras=True)
    first = " ".join((kind.__doc__ or "").split("\n\n")[0].split()).rstrip(".")
    lines = [f"class {kind.__name__}(Record):", *_docstring(f"{first}."), "", "    __slots__ = ()"]
    blocks = {key: found for key, hint in hints.items() if (found := _classes_of(hint))}
    if blocks:
        lines += ["    _blocks: ClassVar[Blocks] = {"]
        lines += [*(f'        "{key}": {_entry(found)},' for key, found in blocks.items()), "    }"]
    optional = [key for key, hint in hints.items() if _is_optional(kind, hint)]
    if optional:
        entries = "".join(f'        "{key}",\n' for key in optional)
        lines += [f"    _optional: ClassVar[frozenset[str]] = frozenset({{\n{entries}    }})  # fmt: skip"]
    lines += [""]
    for key, hint in hints.items():
        if key not in _TAKEN:
            lines += _attribute(key, hint, _is_optional(kind, hint))
    lines += _bracketed({key: hint for key, hint in hints.items() if key in _TAKEN})
    return "\n".join(lines).rstrip() + "\n"


def _attribute(key: str, hint: Any, is_optional: bool) -> Iterator[str]:
    written = _type(hint)
    if is_optional and not written.endswith("None") and written != "Any":
        written += " | None"
    line = f"    {key}: {written}"
    if len(line) <= _WIDTH:
        yield line
    else:
        opening, _, words = line.partition("[")
        yield f"{opening}["
        yield from (f"        {word}," for word in words.rstrip("]").split(", "))
        yield "    ]"
    description = _description(hint)
    if description:
        yield from _docstring(f"{description[0].upper()}{description[1:]}.")


def _bracketed(hints: dict[str, Any]) -> Iterator[str]:
    """Yield the types of the keys that are read with brackets only."""
    if not hints:
        return
    yield ""
    yield "    if TYPE_CHECKING:"
    for key, hint in hints.items():
        yield ""
        yield "        @overload"
        yield f'        def __getitem__(self, key: Literal["{key}"], /) -> {_type(hint)}: ...'
    yield ""
    yield "        @overload"
    yield "        def __getitem__(self, key: str, /) -> Any: ..."
    yield ""
    yield "        def __getitem__(self, key: str, /) -> Any: ..."


def _docstring(text: str) -> list[str]:
    lines = textwrap.wrap(text, _WIDTH - 8)
    if len(lines) == 1 and len(lines[0]) <= _WIDTH - 10:
        return [f'    """{lines[0]}"""']
    return [f'    """{lines[0]}', *(f"    {line}" for line in lines[1:]), '    """']


def _type(hint: Any) -> str:
    """The annotation of a key, without the marks for the schema."""
    if is_typeddict(hint):
        return str(hint.__name__)
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (NotRequired, Annotated):
        return _type(parts[0])
    if origin in (Union, UnionType):
        # A union of words is one list of words, as an editor shows it.
        words = [word for part in parts if get_origin(part) is Literal for word in get_args(part)]
        names = [_literal(words)] * bool(words) + [_type(part) for part in parts if get_origin(part) is not Literal]
        return " | ".join(dict.fromkeys(names))
    if origin is Literal:
        return _literal(parts)
    if origin is list:
        return f"list[{_type(parts[0])}]"
    if origin is dict:
        return f"dict[{_type(parts[0])}, {'Any' if is_typeddict(parts[1]) else _type(parts[1])}]"
    return _NAMES[hint]


def _literal(words: Any) -> str:
    return "Literal[" + ", ".join(f'"{word}"' if isinstance(word, str) else repr(word) for word in words) + "]"


def _classes_of(hint: Any) -> list[type]:
    """The classes that the value of a key, or an entry of its list, may have; none if the keys in it are not ours."""
    if is_typeddict(hint):
        return [hint]
    if get_origin(hint) in (Literal, dict):
        return []
    return list(dict.fromkeys(found for part in get_args(hint) for found in _classes_of(part)))


def _entry(classes: list[type]) -> str:
    names = [found.__name__ for found in classes]
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _is_optional(kind: Any, hint: Any) -> bool:
    return get_origin(hint) is NotRequired or not kind.__total__


def _description(hint: Any) -> str:
    if get_origin(hint) is NotRequired:
        return _description(get_args(hint)[0])
    if get_origin(hint) is not Annotated:
        return ""
    return "; ".join(mark for mark in get_args(hint)[1:] if isinstance(mark, str))
