"""The value of one field on its way from a table to a text, and how values make JSON."""

from __future__ import annotations

from collections.abc import Iterable
from json.encoder import encode_basestring

from jobctl.domain.payload import Fault


class Bare(str):
    """A text that stands in JSON without quotes: a number, true, false, an object, a list."""

    __slots__ = ()


#: A text, nothing, or why the value cannot be a text (the fault's column is filled in later).
Cell = str | None | Fault


def json_of(cell: Cell) -> str | Fault:
    """The value inside of JSON."""
    if cell is None:
        return "null"
    if isinstance(cell, Bare | Fault):
        return cell
    return quoted(cell)


def quoted(text: str) -> str:
    """A string of JSON; letters stay as they are."""
    return encode_basestring(text)


def list_of(items: Iterable[str | Fault]) -> Bare | Fault:
    """A list of JSON texts; one that is a fault makes all of it one."""
    texts = []
    for item in items:
        if isinstance(item, Fault):
            return item
        texts.append(item)
    return Bare(f"[{','.join(texts)}]")


def object_of(members: Iterable[tuple[str, str | Fault]]) -> Bare | Fault:
    """An object of JSON texts by name; the names are unique."""
    texts = []
    for name, item in members:
        if isinstance(item, Fault):
            return item
        texts.append(f"{quoted(name)}:{item}")
    return Bare(f"{{{','.join(texts)}}}")


def float_text(value: float) -> str:
    """The shortest text that is the same number again; whole numbers have no point. nan, inf and -inf as they are."""
    return repr(value).removesuffix(".0")


def float_cell(text: str) -> str:
    """The text of a float; JSON has no nan and no inf, so there they are strings."""
    return text if text[-1] in "nf" else Bare(text)
