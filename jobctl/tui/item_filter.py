"""The filter of items as a person types it: ``failed``, ``timeout berlin``, ``size > 100 and cause == "timeout"``."""

from __future__ import annotations

import re
from collections.abc import Collection

from jobctl.domain.selection import STATE_WORDS, Selection, check_contradictions, is_cause
from jobctl.domain.states import ItemState

_CONDITION = re.compile(r"==|!=|[<>~]|\bin\s*\(")
_WORD = re.compile(r'"([^"]*)"?|(\S+)')
HINT = 'a state, a cause, words of the row, or a condition: size > 100 and cause == "timeout"'


def parse_filter(text: str, causes: Collection[str]) -> tuple[Selection, tuple[str, ...]]:
    """Return the selection that a filter means, and the words that the row or its message must have.

    A state or a cause of the job (``causes``) in quotes is such a word. Raises UsageError for a contradiction.
    """
    if _CONDITION.search(text):
        return Selection(where=text.strip()), ()
    states, codes, words = list[ItemState](), list[str](), list[str]()
    for quoted, plain in _WORD.findall(text):
        word = plain.lower()
        if word in STATE_WORDS:
            states.append(ItemState[word.upper()])
        elif word in causes or (is_cause(word) and word not in ("cancelled", "interrupted", "leftovers", "raised")):
            codes.append(word)
        elif quoted or plain:
            words.append((quoted or plain).casefold())
    selection = Selection(states=tuple(dict.fromkeys(states)), causes=tuple(dict.fromkeys(codes)))
    check_contradictions(selection)
    return selection, tuple(words)
