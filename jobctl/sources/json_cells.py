"""The value of one field of a table as a text, and inside of JSON."""

from __future__ import annotations

from collections.abc import Iterable
from json.encoder import encode_basestring

from jobctl.domain.payload import Fault


class Bare(str):
    """A text without quotes in JSON: a number, true, false, an object, a list."""

    __slots__ = ()


#: A text, None for no value, or the fault of a value that cannot be a text (its column is filled in later).
Cell = str | None | Fault


def json_of(cell: Cell) -> str | Fault:
    """The value inside of JSON."""
    if cell is None:
        return "null"
    if isinstance(cell, Bare | Fault):
        return cell
    return quoted(cell)


def quoted(text: str) -> str:
    """A JSON string; letters are not escaped."""
    return encode_basestring(text)


def list_of(items: Iterable[str | Fault]) -> Bare | Fault:
    """A list of JSON texts; a fault among them is the result."""
    texts = []
    for item in items:
        if isinstance(item, Fault):
            return item
        texts.append(item)
    return Bare(f"[{','.join(texts)}]")


def object_of(members: Iterable[tuple[str, str | Fault]]) -> Bare | Fault:
    """An object with JSON texts by name; the names are unique."""
    texts = []
    for name, item in members:
        if isinstance(item, Fault):
            return item
        texts.append(f"{quoted(name)}:{item}")
    return Bare(f"{{{','.join(texts)}}}")


def float_text(value: float) -> str:
    """The shortest text of a number; whole numbers have no point, and nan, inf and -inf are kept."""
    return repr(value).removesuffix(".0")


def float_cell(text: str) -> str:
    """The text of a float; JSON has neither nan nor inf, so they become strings."""
    return text if text[-1] in "nf" else Bare(text)
