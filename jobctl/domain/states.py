"""The states of items and jobs, and the transitions between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from jobctl.domain.documents.values import ItemStateName

from jobctl.domain import state_numbers


class ItemState(IntEnum):
    """The state of one item, stored as its number."""

    QUEUED = state_numbers.QUEUED
    RUNNING = state_numbers.RUNNING
    RETRYING = state_numbers.RETRYING
    SUCCEEDED = state_numbers.SUCCEEDED
    FAILED = state_numbers.FAILED
    UNPROCESSED = state_numbers.UNPROCESSED

    @property
    def word(self) -> ItemStateName:
        """The name used in commands, JSON and log lines."""
        return cast("ItemStateName", self.name.lower())


LIVE_ITEM_STATES = frozenset({ItemState.QUEUED, ItemState.RUNNING, ItemState.RETRYING})
TERMINAL_ITEM_STATES = frozenset(ItemState) - LIVE_ITEM_STATES


class JobState(StrEnum):
    """The state of one job, a function of its item counts and flags (``live_state``, ``final_state``)."""

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
    """The events in the life of an item; each verb has one meaning everywhere."""

    CLAIM = "claim"  # handed to the executor, an attempt begins
    SUCCEED = "succeed"
    FAIL = "fail"
    RETRY_LATER = "retry_later"  # failed, another attempt is due at a later time
    RELEASE = "release"  # given back by the executor, it never started
    REQUEUE = "requeue"  # interrupted by a crash or a stop, not the item's fault
    DROP = "drop"  # never tried and never will be in this round
    RETRY = "retry"  # a new round
    REPEAT = "repeat"  # a new round of a success that an undo job has taken back


#: (from, verb) -> to. All other transitions are illegal.
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
    (ItemState.RETRYING, Verb.CLAIM): ItemState.RUNNING,  # its waiting time is over
    (ItemState.RETRYING, Verb.FAIL): ItemState.FAILED,
    (ItemState.FAILED, Verb.RETRY): ItemState.QUEUED,
    (ItemState.UNPROCESSED, Verb.RETRY): ItemState.QUEUED,
    (ItemState.SUCCEEDED, Verb.REPEAT): ItemState.QUEUED,
}


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of a job's items by state, and of the rows outside its total."""

    queued: int = 0
    running: int = 0
    retrying: int = 0
    succeeded: int = 0
    failed: int = 0
    unprocessed: int = 0
    rejected: int = 0  # rows of the file that were not accepted
    skipped: int = 0  # rows that an earlier job had done

    @property
    def total(self) -> int:
        """Items of the job."""
        return self.live + self.processed + self.unprocessed

    @property
    def live(self) -> int:
        """Items that are not terminal."""
        return self.queued + self.running + self.retrying

    @property
    def processed(self) -> int:
        """Items with an outcome."""
        return self.succeeded + self.failed


class Stop(StrEnum):
    """The reasons why no further item of a job may start in this round."""

    CANCEL = "cancel"
    EXPIRED = "expired"  # its deadline passed
    FAILURES = "failures"  # more failures than allowed
    COMMAND = "command"  # the command does not exist
    DEPENDENCY = "dependency"  # a job it was to follow did not succeed


def live_state(counts: Counts, *, started: bool, paused: bool, stop: Stop | None) -> JobState:
    """The state of a job whose round is not closed."""
    if stop is Stop.CANCEL:
        return JobState.CANCELLING
    if paused:
        return JobState.PAUSED
    return JobState.RUNNING if started or counts.running else JobState.QUEUED


def final_state(counts: Counts, *, stop: Stop | None, cut: bool) -> JobState:
    """The state of a job whose last item is terminal.

    ``cut`` says that the stop took something away: an item that never ran or was killed. A cancel or deadline that
    came too late to cut anything does not change how the job ended.
    """
    if stop in (Stop.FAILURES, Stop.COMMAND):
        return JobState.FAILED
    if stop in (Stop.CANCEL, Stop.DEPENDENCY) and cut:
        return JobState.CANCELLED
    if stop is Stop.EXPIRED and cut:
        return JobState.EXPIRED
    if not (counts.failed or counts.unprocessed or counts.rejected):
        return JobState.SUCCEEDED
    return JobState.PARTIAL if counts.succeeded or counts.skipped else JobState.FAILED
