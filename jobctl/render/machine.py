"""JSON for programs: one document, the characters of the data as they are."""

from __future__ import annotations

import json
from typing import Any


def dumps(document: Any, *, indent: bool = False) -> str:
    """A document as text, on one line unless a person reads it (indenting costs ten times as much).

    Bytes that are no UTF-8 are printed as ``\\udcXX`` escapes by the stream.
    """
    return json.dumps(document, ensure_ascii=False, indent=2 if indent else None)
