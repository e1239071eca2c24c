"""Notifications: what an answer to a delivery means, and when the next try is due. Pure; ``now`` is an argument."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

#: Waiting time before each try, counted from the end of the one before; the first is immediate.
SCHEDULE_S = (0.0, 5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
JITTER = 0.1
#: A receiver may ask for a longer wait than the schedule has, but not for any longer than this.
RETRY_AFTER_LIMIT_S = 86_400.0
EXCERPT_BYTES = 500

_GONE = 410
_TEMPORARY_CLIENT_ERRORS = frozenset({408, 425, 429})
#: Exit codes with which a command says that trying again is no use: as for items, and as the shell does.
_FINAL_EXIT_CODES = frozenset({65, 126, 127})
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
_SECONDS = re.compile(r"\d{1,9}\Z")


class Kind(StrEnum):
    """What a notification is handed to."""

    WEBHOOK = "webhook"
    COMMAND = "command"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"  # given up, nobody was told
    DISABLED = "disabled"  # the receiver said that it is gone for good


@dataclass(frozen=True, slots=True)
class Reply:
    """How one try ended."""

    status: int | None = None  # HTTP status or exit code
    error: str = ""  # why there is no status, or what else went wrong
    response: str = ""  # excerpt of the answer, or of the command's output
    retry_after: str | None = None  # the header as it came
    hopeless: bool = False  # trying again cannot help before somebody mends something
    duration_us: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a reply. ``next_at`` (microseconds) only if another try follows."""

    state: DeliveryState
    next_at: int | None
    result: str  # in words


def judge(kind: Kind, reply: Reply, tries: int, now: int, random: Callable[[], float]) -> Verdict:
    """What becomes of a delivery after that many tries, all failed but perhaps the last; ``random`` gives 0 to 1."""
    result = describe(kind, reply)
    state = _state(kind, reply)
    if state is not DeliveryState.PENDING:
        return Verdict(state, None, result)
    if tries >= len(SCHEDULE_S):
        return Verdict(DeliveryState.DEAD, None, f"{result}; given up after {tries} tries")
    wait_s = SCHEDULE_S[tries] * (1 - JITTER + 2 * JITTER * random())
    asked_s = retry_after_s(reply.retry_after, now)
    if asked_s is not None:
        wait_s = max(wait_s, min(asked_s, RETRY_AFTER_LIMIT_S))
    return Verdict(DeliveryState.PENDING, now + int(wait_s * 1e6), result)


def _state(kind: Kind, reply: Reply) -> DeliveryState:
    """PENDING = another try may help."""
    status = reply.status
    if reply.hopeless:
        return DeliveryState.DEAD
    if status is None:
        return DeliveryState.PENDING
    if kind is Kind.COMMAND:
        if status == 0:
            return DeliveryState.DELIVERED
        return DeliveryState.DEAD if status in _FINAL_EXIT_CODES else DeliveryState.PENDING
    if 200 <= status < 300:
        return DeliveryState.DELIVERED
    if status == _GONE:
        return DeliveryState.DISABLED
    final = 400 <= status < 500 and status not in _TEMPORARY_CLIENT_ERRORS
    return DeliveryState.DEAD if final else DeliveryState.PENDING


def describe(kind: Kind, reply: Reply) -> str:
    """A reply in a few words: ``HTTP 503``, ``exit code 1``, ``connection refused``."""
    if reply.status is None:
        return reply.error
    words = f"HTTP {reply.status}" if kind is Kind.WEBHOOK else f"exit code {reply.status}"
    return f"{words} ({reply.error})" if reply.error else words


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
    """The beginning of what a stranger answered, on one line, at most 500 bytes, harmless on a terminal."""
    text = _CONTROL.sub(" ", data[: 4 * EXCERPT_BYTES].decode("utf-8", "replace")).strip()
    return text.encode()[:EXCERPT_BYTES].decode("utf-8", "ignore").rstrip()


def shown_target(kind: str, target: str) -> str:
    """A target for documents and messages: what may be a secret in a URL, user information and query, is left out."""
    if kind != Kind.WEBHOOK:
        return target
    scheme, _, rest = target.partition("://")
    place, asked, _ = rest.partition("#")[0].partition("?")
    host, slash, path = place.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}" + ("?…" if asked else "")
