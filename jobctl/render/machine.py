"""JSON for programs: one document, with the characters of the data as they are."""

from __future__ import annotations

import json
from typing import Any

from jobctl.domain.texts import shown


def dumps(document: Any, *, indent: bool = False) -> str:
    """A document as text, on one line unless a person reads it (indenting costs ten times as much).

    Bytes that are not UTF-8 are written as ``\\xff``, as on a screen: many readers refuse half a surrogate pair.
    With ``indent``, characters on which a terminal would act become escapes; it is the same JSON.
    """
    text = shown(json.dumps(document, ensure_ascii=False, indent=2 if indent else None), in_json=True)
    return for_terminal(text) if indent else text


def for_terminal(text: str) -> str:
    """JSON in which no character acts on a terminal."""
    from jobctl.render.inert import CONTROL

    return CONTROL.sub(lambda match: match[0] if match[0] == "\n" else f"\\u{ord(match[0]):04x}", text)
