"""States of items and jobs, and the arrows between them. The table in CONTRIBUTING.md is this module."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class ItemState(IntEnum):
    """State of one input row. Stored as a small integer: 0 and 1 cost no bytes in an SQLite record."""

    QUEUED = 0
    RUNNING = 1
    RETRYING = 2
    SUCCEEDED = 3
    FAILED = 4
    UNPROCESSED = 5

    @property
    def word(self) -> str:
        """The name used in commands, JSON and log lines."""
        return self.name.lower()


LIVE_ITEM_STATES = frozenset({ItemState.QUEUED, ItemState.RUNNING, ItemState.RETRYING})
TERMINAL_ITEM_STATES = frozenset(ItemState) - LIVE_ITEM_STATES


class JobState(StrEnum):
    """State of one submission, a function of its item counts and flags (``job_state``)."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


TERMINAL_JOB_STATES = frozenset(
    {JobState.SUCCEEDED, JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED}
)


class Verb(StrEnum):
    """What can happen to an item; each verb has one meaning everywhere."""

    CLAIM = "claim"  # handed to the executor, an attempt begins
    SUCCEED = "succeed"
    FAIL = "fail"
    RETRY_LATER = "retry_later"  # failed, another attempt is due at a later time
    PROMOTE = "promote"  # the waiting time is over
    RELEASE = "release"  # given back by the executor, it never started
    REQUEUE = "requeue"  # interrupted by a crash or a stop, not the item's fault
    DROP = "drop"  # never tried and never will be in this round
    RETRY = "retry"  # a new round


#: (from, verb) -> to. What is not here is illegal.
TRANSITIONS: dict[tuple[ItemState, Verb], ItemState] = {
    (ItemState.QUEUED, Verb.CLAIM): ItemState.RUNNING,
    (ItemState.QUEUED, Verb.DROP): ItemState.UNPROCESSED,
    (ItemState.QUEUED, Verb.FAIL): ItemState.FAILED,  # tried in an earlier attempt, then cancelled
    (ItemState.RUNNING, Verb.SUCCEED): ItemState.SUCCEEDED,
    (ItemState.RUNNING, Verb.FAIL): ItemState.FAILED,
    (ItemState.RUNNING, Verb.RETRY_LATER): ItemState.RETRYING,
    (ItemState.RUNNING, Verb.RELEASE): ItemState.QUEUED,
    (ItemState.RUNNING, Verb.REQUEUE): ItemState.QUEUED,
    (ItemState.RUNNING, Verb.DROP): ItemState.UNPROCESSED,  # claimed but never started, then cancelled
    (ItemState.RETRYING, Verb.PROMOTE): ItemState.QUEUED,
    (ItemState.RETRYING, Verb.FAIL): ItemState.FAILED,
    (ItemState.FAILED, Verb.RETRY): ItemState.QUEUED,
    (ItemState.UNPROCESSED, Verb.RETRY): ItemState.QUEUED,
}
