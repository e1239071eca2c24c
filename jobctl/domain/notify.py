"""Rules for notifications: the state of a delivery, and the time of its next attempt. ``now`` is an argument."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

#: The wait before each attempt, counted from the end of the previous one; the first attempt is immediate.
SCHEDULE_S = (0.0, 5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
JITTER = 0.1
#: A receiver may ask for a longer wait than that of the schedule, up to this limit.
RETRY_AFTER_LIMIT_S = 86_400.0
EXCERPT_BYTES = 500

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
_SECONDS = re.compile(r"\d{1,9}\Z")


class DeliveryState(StrEnum):
    """The state of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"  # given up: the notification was not delivered
    DISABLED = "disabled"  # the receiver said that it is gone for good


class NotifyOptions(NamedTuple):
    """The options of a submission that concern notifications."""

    urls: Sequence[str] = ()
    commands: Sequence[str] = ()
    secret_env: str | None = None
    secret_file: str | None = None
    allow_http: bool = False

    @property
    def is_given(self) -> bool:
        """True if the options contain anything that has to be checked."""
        return bool(self.urls or self.commands or self.secret_env or self.secret_file)


class Reply(NamedTuple):
    """The result of one attempt."""

    status: int | None = None  # HTTP status or exit code
    error: str = ""  # the reason why there is no status, or another fault
    response: str = ""  # excerpt of the answer, or of the command's output
    retry_after: str | None = None  # the header as it came
    hopeless: bool = False  # another attempt cannot help before a person fixes something
    duration_us: int = 0


class Verdict(NamedTuple):
    """The decision after a reply. ``next_at`` (microseconds) is None unless another attempt follows."""

    state: DeliveryState
    next_at: int | None
    result: str  # in words


def wait_s(attempts: int, retry_after: str | None, now: int, random: Callable[[], float]) -> float | None:
    """Seconds from a failed attempt to the next one, None if there is none; ``random`` gives 0 to 1.

    ``attempts`` have been made so far. A receiver may ask for a longer wait with its header ``retry_after``.
    """
    if attempts >= len(SCHEDULE_S):
        return None
    wait = SCHEDULE_S[attempts] * (1 - JITTER + 2 * JITTER * random())
    asked = retry_after_s(retry_after, now)
    return wait if asked is None else max(wait, min(asked, RETRY_AFTER_LIMIT_S))


def retry_after_s(header: str | None, now: int) -> float | None:
    """Seconds that a ``Retry-After`` header asks for, written as seconds or as a date; None if it says nothing."""
    text = (header or "").strip()
    if _SECONDS.match(text):
        return float(text)
    from email.utils import parsedate_to_datetime  # 15 ms of start-up that hardly any process needs

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now / 1e6)
    except (ValueError, TypeError, OverflowError):
        return None


def excerpt(data: bytes) -> str:
    """The beginning of an answer, on one line, at most 500 bytes, without characters that act on a terminal."""
    text = _CONTROL.sub(" ", data[: 4 * EXCERPT_BYTES].decode("utf-8", "replace")).strip()
    return text.encode()[:EXCERPT_BYTES].decode("utf-8", "ignore").rstrip()


def shown_url(url: str) -> str:
    """A URL for documents and messages, without the parts that may be secret: user information and query."""
    scheme, _, rest = url.partition("://")
    place, asked, _ = rest.partition("#")[0].partition("?")
    host, slash, path = place.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}" + ("?…" if asked else "")
