"""Decides what the ending of an attempt means, before any write: success, failure, or another attempt."""

from __future__ import annotations

import errno
import os
import signal
from typing import NamedTuple

from jobctl.domain.endings import Ending
from jobctl.domain.policy import (
    EXIT_DATA_ERROR,
    EXIT_NOT_EXECUTABLE,
    EXIT_NOT_FOUND,
    Policy,
)
from jobctl.domain.states import Verb

_PERMANENT_EXITS = frozenset({EXIT_DATA_ERROR, EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND})
_ABSENT_EXITS = frozenset({EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND})
#: Instead of an error number: a variable that the item needs is missing, so it was not started.
ENV_MISSING = -1
_ABSENT_ERRNOS = frozenset({errno.ENOENT, errno.EACCES, errno.ENOTDIR, errno.ENOEXEC})
#: The longest wait that an attempt can request: a hundred years.
LONGEST_WAIT_S = 100 * 366 * 86_400.0
#: The attempt was ended from outside, so a side effect may have happened.
UNKNOWN_ENDINGS = frozenset({Ending.SIGNALLED, Ending.TIMED_OUT, Ending.CANCELLED, Ending.INTERRUPTED})


class Budget(NamedTuple):
    """The attempts and crashes of an item when one of its attempts ends, with that attempt."""

    spent: int  # attempts charged to the item in this round
    crashes: int  # interruptions before this ending


class Decision(NamedTuple):
    """The consequences of an ending for the item."""

    verb: Verb
    due_at: int | None = None  # microseconds, for RETRY_LATER


#: In the flags of an attempt, beyond those of domain.ports.OutputFlag that a supervisor sets: the engine found that
#: its disk was full.
DISK_FULL = 1 << 8


def failure_code(ending: int, code: int, flags: int = 0) -> str:
    """The stable word for a cause: exit_3, sigsegv, timeout, cancelled, interrupted, leftovers, disk_full and such."""
    if flags & DISK_FULL:
        return "disk_full"
    if ending == Ending.EXITED:
        return f"exit_{code}"
    if ending == Ending.SIGNALLED:
        return signal_name(code).lower()
    if ending == Ending.NOT_STARTED and code == ENV_MISSING:
        return "env_missing"
    return {
        Ending.TIMED_OUT: "timeout",
        Ending.CANCELLED: "cancelled",
        Ending.INTERRUPTED: "interrupted",
        Ending.RAISED: "raised",
        Ending.LEFT: "leftovers",
    }.get(Ending(ending), "not_started")


def signal_name(number: int) -> str:
    """SIGKILL for 9; SIG64 for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


def signal_of(ending: int | None, code: int) -> str | None:
    """The signal that ended an attempt; None if it exited, even from its own handler of TERM.

    For an attempt that jobctl ended, the code is a signal or the negative exit status (see ``Ending``). Old
    records have the exit status itself there, which is recognized if it is not the number of a signal.
    """
    if ending == Ending.SIGNALLED:
        return signal_name(code) if code else None
    by_us = ending in (Ending.TIMED_OUT, Ending.CANCELLED)
    return signal_name(code) if by_us and 0 < code < signal.NSIG else None


def describe(ending: int, code: int, duration_us: int, full_disk: str = "") -> str:
    """A sentence about an attempt that wrote no message; ``full_disk`` names the disk that was full, if one was."""
    if full_disk:
        return f"exit {code}, and there was no room for its output: {full_disk}"
    if ending == Ending.EXITED:
        return f"exit {code}, and it wrote nothing"
    if ending == Ending.SIGNALLED:
        return f"killed by {signal_name(code)}, and it wrote nothing"
    if ending == Ending.TIMED_OUT:
        return f"stopped at its time limit after {duration_us / 1e6:.1f} s"
    if ending == Ending.NOT_STARTED and code == ENV_MISSING:
        return "not started: a variable that it needs is not in the daemon's environment"
    if ending == Ending.NOT_STARTED:
        return f"cannot be started: {os.strerror(code)}"
    return {
        Ending.CANCELLED: "killed because it was cancelled",
        Ending.INTERRUPTED: "interrupted by a stop or crash",
        Ending.LEFT: "it left processes behind, which were ended",
    }.get(Ending(ending), "raised an exception")


def has_succeeded(ending: int | None, code: int) -> bool:
    """True if an attempt has ended with success."""
    return ending == Ending.EXITED and code == 0


def is_known(ending: int) -> bool:
    """True if it is known what the attempt did, because it ended by itself or never began."""
    return ending not in UNKNOWN_ENDINGS


def is_absent(ending: int, code: int) -> bool:
    """True if the command does not exist or cannot be executed, so that the next item would fail likewise."""
    if ending == Ending.EXITED:
        return code in _ABSENT_EXITS
    return ending == Ending.NOT_STARTED and (code in _ABSENT_ERRNOS or code == ENV_MISSING)


def is_retryable(ending: int, code: int, policy: Policy) -> bool:
    """True if another attempt may help, by the kind of ending and the job's own lists of exit codes."""
    if ending == Ending.EXITED:
        if code in policy.no_retry_on:
            return False
        if policy.retry_on:
            return code in policy.retry_on
        return code not in _PERMANENT_EXITS
    if ending in (Ending.NOT_STARTED, Ending.CANCELLED):
        return False
    if ending == Ending.RAISED:
        return code != EXIT_DATA_ERROR
    return is_known(ending) or policy.on_crash == "requeue"


def decide(
    ending: int,
    code: int,
    budget: Budget,
    policy: Policy,
    *,
    now: int,
    deadline_at: int | None,
    jitter: float,
    after_s: float | None = None,
) -> Decision:
    """Decide about an item whose attempt ended this way.

    ``jitter`` in [0, 1) places the next attempt in the second half of the backoff, unless the attempt itself requested
    a wait of ``after_s``. A retry after the job's deadline is a failure.
    """
    if ending == Ending.EXITED and code == 0:
        return Decision(Verb.SUCCEED)
    if ending == Ending.INTERRUPTED:
        may_run_again = policy.on_crash == "requeue" and budget.crashes < policy.max_crashes
        return Decision(Verb.REQUEUE if may_run_again else Verb.FAIL)
    if not is_retryable(ending, code, policy) or budget.spent >= policy.attempts:
        return Decision(Verb.FAIL)
    wait_s = policy.backoff.wait_s(budget.spent, jitter) if after_s is None else min(after_s, LONGEST_WAIT_S)
    due_at = now + int(wait_s * 1e6)
    if deadline_at is not None and due_at >= deadline_at:
        return Decision(Verb.FAIL)
    return Decision(Verb.RETRY_LATER, due_at)
