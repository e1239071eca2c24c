"""Counts the items that run among those that an executor has."""

from __future__ import annotations

from collections.abc import Sequence


def count_running(in_hand: int, started: int, limits: Sequence[int | None]) -> int:
    """The number of items in hand that run: those that have begun, or as many as all limits allow."""
    slots = min((limit for limit in limits if limit is not None), default=in_hand)
    return min(in_hand, max(slots, started))
