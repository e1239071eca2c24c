"""Tells how many of the items that an executor has can run."""

from __future__ import annotations

from collections.abc import Sequence


def fitting(in_hand: int, started: int, limits: Sequence[int | None]) -> int:
    """The number of items in hand that can run: those that have begun, or as many as all limits allow."""
    slots = min((limit for limit in limits if limit is not None), default=in_hand)
    return min(in_hand, max(slots, started))
