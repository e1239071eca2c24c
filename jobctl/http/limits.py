"""The rate of requests of each token, with the fields of answers that tell it, and how many are under way at once.

The fields are those of draft-ietf-httpapi-ratelimit-headers: ``RateLimit-Policy`` says what is allowed, ``RateLimit``
what is left of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jobctl.domain.rate import TokenBucket
from jobctl.http.problems import Refused

#: The name of the policy in the fields.
_POLICY = "requests"
#: Keys whose buckets are remembered. One that is forgotten is full again, so this is far more than there are tokens.
_MOST = 10_000


class Rates:
    """The requests of each token, and those that carry none, which share one limit."""

    def __init__(self, rate: str, clock: Callable[[], float] = time.monotonic) -> None:
        """``rate`` is for those without a rate of their own."""
        self._rate = rate
        self._clock = clock
        self._buckets: dict[tuple[str, str], TokenBucket] = {}

    def take(self, key: str, rate: str | None = None) -> dict[str, str]:
        """Count a request; returns the fields of its answer. Raises Refused (429) for one too many."""
        now = int(self._clock() * 1e6)
        bucket = self._bucket(key, rate or self._rate, now)
        left = bucket.available(now)
        if left < 1:
            wait_s = max(1, math.ceil((bucket.next_at() - now) / 1e6))
            fields = {**_fields(bucket, 0, wait_s), "Retry-After": str(wait_s)}
            raise Refused(
                429,
                f"more requests than {rate or self._rate}",
                code="too_many_requests",
                hint=f"try again in {wait_s} s",
                headers=fields,
            )
        bucket.take(1)
        return _fields(bucket, left - 1, _full_in_s(bucket))

    def _bucket(self, key: str, rate: str, now: int) -> TokenBucket:
        found = self._buckets.get((key, rate))
        if found is None:
            if len(self._buckets) >= _MOST:
                self._buckets.clear()
            found = self._buckets[key, rate] = TokenBucket.restore(rate, None, None, now)
        return found


class InProgress:
    """The requests of each token that are under way, with its streams and waits: at most half of all connections.

    Otherwise one token with many streams would leave no connection to the others.
    """

    def __init__(self, connections: int) -> None:
        self._most = max(1, connections // 2)
        self._count: dict[str, int] = {}

    @contextmanager
    def one_more(self, token: str | None) -> Iterator[None]:
        """Count a request while the block lasts, if it has a token. Raises Refused (429)."""
        if token is None:
            yield
            return
        count = self._count.get(token, 0)
        if count >= self._most:
            raise Refused(
                429,
                f"{count:,} requests of this token are under way, streams included",
                code="too_many_requests",
                hint="end a stream first; --max-connections of jobctl serve sets the limit",
                headers={"Retry-After": "1"},
            )
        self._count[token] = count + 1
        try:
            yield
        finally:
            self._count[token] -= 1
            if not self._count[token]:
                del self._count[token]


def _fields(bucket: TokenBucket, left: int, in_s: int) -> dict[str, str]:
    window_s = max(1, math.ceil(bucket.size / bucket.per_s))
    return {
        "RateLimit-Policy": f'"{_POLICY}";q={int(bucket.size)};w={window_s}',
        "RateLimit": f'"{_POLICY}";r={left};t={in_s}',
    }


def _full_in_s(bucket: TokenBucket) -> int:
    return math.ceil((bucket.size - bucket.tokens) / bucket.per_s)
