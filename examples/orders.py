"""The work of the examples for Python: a function that jobctl calls once for each order."""

from __future__ import annotations

import jobctl


def charge(id: int, amount: float) -> dict[str, object]:
    """Charge one order. The token is the same for every attempt, so the payment service charges an order once."""
    if amount <= 0:
        raise jobctl.Permanent(f"order {id} has no amount")  # another attempt would not help
    return {"receipt": f"R-{id}", "token": jobctl.current().token[:8]}
