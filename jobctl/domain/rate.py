"""Limits the starts per time with a token bucket. Its two numbers are stored, so that a restart forgets nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jobctl.errors import UsageError

_FORM = re.compile(
    r"\s*([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*/\s*([0-9]{0,12})\s*(s|sec|m|min|h|hour|d|day)\s*\Z", re.ASCII
)
_MAX_TEXT = 64
#: The limits of a rate: one start in a hundred years, and more starts a second than any machine can make.
MIN_PER_S = 1 / (100 * 366 * 86_400)
MAX_PER_S = 1e9
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}


def parse_rate(text: str) -> float:
    """Read ``100/s``, ``60/m``, ``1000/h`` or ``5/10s`` as starts per second. Raises UsageError for anything else."""
    match = _FORM.match(text) if len(text) <= _MAX_TEXT else None
    if match is None or float(match[1]) <= 0 or int(match[2] or 1) == 0:
        raise UsageError(f"{text!r} is not a rate", hint="for example 100/s, 60/m, 1000/h or 5/10s")
    per_s = float(match[1]) / (int(match[2] or 1) * _SECONDS[match[3]])
    if not MIN_PER_S <= per_s <= MAX_PER_S:
        raise UsageError(
            f"the rate {text!r} is out of range: from one start in 100 years to 1000000000/s",
            hint="for example 100/s, 60/m, 1000/h or 5/10s",
        )
    return per_s


def _stored_rate(text: str) -> float:
    """Read a rate from the database. A rate that only an older version accepted lets almost nothing start."""
    try:
        return parse_rate(text)
    except (UsageError, TypeError):
        return MIN_PER_S


@dataclass(slots=True)
class TokenBucket:
    """Room for starts: it fills at ``per_s`` and holds the starts of one second, at least one."""

    per_s: float
    tokens: float
    at: int  # the moment for which ``tokens`` is right, microseconds

    @classmethod
    def restore(cls, rate: str, tokens: float | None, at: int | None, now: int) -> TokenBucket:
        """The stored bucket of a rate; a full one if it is new."""
        per_s = _stored_rate(rate)
        if tokens is None or at is None:
            return cls(per_s, max(1.0, per_s), now)
        return cls(per_s, tokens, at)

    @property
    def size(self) -> float:
        """The most starts at one time."""
        return max(1.0, self.per_s)

    def available(self, now: int) -> int:
        """The number of items that may start now. A clock that went backwards adds nothing and removes nothing."""
        passed_s = max(0, now - self.at) / 1e6
        self.tokens = min(self.size, self.tokens + passed_s * self.per_s)
        self.at = now
        # A token that is missing only because of rounding counts.
        return int(self.tokens + 1e-6)

    def take(self, count: int) -> None:
        """Remove tokens for this number of starts."""
        self.tokens -= count

    def next_at(self) -> int:
        """The time when the next item may start, in microseconds."""
        missing = max(0.0, 1.0 - self.tokens)
        return self.at + int(missing / self.per_s * 1e6) + 1
