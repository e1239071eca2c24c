"""How many of the items that were handed to an executor can run."""

from __future__ import annotations

from collections.abc import Sequence


def fitting(in_hand: int, started: int, limits: Sequence[int | None]) -> int:
    """How many of the items in hand can run: those that have begun, or as many as all limits allow."""
    slots = min((limit for limit in limits if limit is not None), default=in_hand)
    return min(in_hand, max(slots, started))
