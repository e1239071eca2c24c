"""The lines of ``jobctl config``: settings and their files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobctl.render.inert import inert

if TYPE_CHECKING:
    from jobctl.domain.documents.settings import (
        ConfigChangeDocument,
        ConfigDocument,
        ConfigPathDocument,
        SettingsFileBlock,
    )


def setting_lines(document: ConfigDocument, *, plain: bool) -> Iterator[str]:
    """A line for each setting: key, value, source; in columns, or separated by tabs if ``plain``."""
    rows = [
        (value["key"], inert(_shown(value["value"])), inert(f"{value['source']} {value['where']}".strip()))
        for value in document["values"]
    ]
    if plain:
        yield from ("\t".join(row) for row in rows)
        return
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for key, value, source in rows:
        yield f"{key:{widths[0]}}  {value:{widths[1]}}  {source}".rstrip()


def file_lines(document: ConfigPathDocument) -> Iterator[str]:
    """Return a line for each file: its owner, its path, and whether jobctl reads it."""
    return (f"{file['source']}\t{inert(file['path'])}\t{_state(file)}" for file in document["files"])


def change_line(document: ConfigChangeDocument) -> str:
    """Return a sentence about a key that was set or removed."""
    key, path = inert(document["key"]), inert(document["path"])
    if document["value"] is not None:
        return f"{key} is {inert(_shown(document['value']))} now, in {path}"
    if document["before"] is None:
        return f"{key} was not set in {path}"
    return f"{key} is not set any more, in {path}; it was {inert(_shown(document['before']))}"


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, tuple | list) else str(value)


def _state(file: SettingsFileBlock) -> str:
    if not file["exists"]:
        return "does not exist"
    if file["ignored"]:
        return f"not read: {file['ignored']}"
    words = {"untrusted": "read, not trusted yet", "changed": "read, changed since it was trusted"}
    return words.get(file["trust"] or "", "read")
