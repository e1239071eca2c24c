"""Finds the word that a person meant by a word that does not exist."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], closeness: float = 0.6) -> str | None:
    """The most similar one of the known words; None if none reaches ``closeness`` (0 to 1)."""
    from difflib import get_close_matches  # slow to import, and only a typing error needs it

    spelled = {name.lower(): name for name in reversed(list(known))}
    near = get_close_matches(word.lower(), spelled, n=1, cutoff=closeness)
    return spelled[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint: ``did you mean running? it is one of ...``; only ``otherwise`` if no known word is similar."""
    near = nearest(word, known)
    return f"did you mean {near}? {otherwise}".rstrip() if near else otherwise
