"""The lines of ``jobctl doctor``: the level, the name and the result of each check, and the action below it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from jobctl.render.inert import inert
from jobctl.render.look import Look, wrap

if TYPE_CHECKING:
    from jobctl.domain.documents.checks import CheckBlock, DoctorDocument


_STYLES = {"ok": "32", "warn": "33", "fail": "1;31"}
_LEVEL_WIDTH, _GAP = 4, "  "


def print_examination(document: DoctorDocument, stream: TextIO, look: Look, *, verbose: bool) -> None:
    """Print all checks; ``verbose`` adds the details."""
    width = max(len(check["name"]) for check in document["checks"])
    stream.writelines("\n".join(_lines(check, width, look, verbose)) + "\n" for check in document["checks"])


def _lines(check: CheckBlock, width: int, look: Look, verbose: bool) -> Iterator[str]:
    level = check["level"]
    head = f"{level:<{_LEVEL_WIDTH}}{_GAP}{check['name'].replace('_', ' '):<{width}}{_GAP}"
    first, *rest = wrap(inert(check["message"]), look.width - len(head))
    if look.color:
        head = f"\x1b[{_STYLES[level]}m{head[:_LEVEL_WIDTH]}\x1b[0m{head[_LEVEL_WIDTH:]}"
    yield head + first
    indent = " " * (_LEVEL_WIDTH + width + 2 * len(_GAP))
    for line in rest:
        yield indent + line
    if check["repaired"]:
        yield from _marked("repaired: ", check["repaired"], indent, look)
    if check["action"] and level != "ok":
        yield from _marked("-> ", check["action"], indent, look)
    for detail in check["details"] if verbose else ():
        yield from _marked("- ", detail, indent, look)


def _marked(mark: str, text: str, indent: str, look: Look) -> Iterator[str]:
    first, *rest = wrap(inert(text), look.width - len(indent) - len(mark))
    yield indent + mark + first
    for line in rest:
        yield indent + " " * len(mark) + line
