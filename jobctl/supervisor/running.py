"""One attempt that runs as a process, with everything that the supervisor knows about it."""

from __future__ import annotations

import os
import time

from jobctl.process.leaders import since_boot_ns
from jobctl.supervisor.backlog import Dispatch, JobLine
from jobctl.supervisor.job_plan import JobPlan
from jobctl.supervisor.output import Scratch
from jobctl.supervisor.pressure import NEVER
from jobctl.supervisor.protocol import wire

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

AttemptId = tuple[int, int, int]
#: The way to end an attempt: (ending, grace in seconds).
Verdict = tuple[int, float]

#: A larger difference means that a person set the wall clock while the attempt ran; a smaller one is a correction.
_SET_US = 1_000_000
_MOST_NAMED = 5
_COUNTS_BYTES = os.uname().sysname == "Darwin"


class Running:
    """One attempt that runs, as a process of its own."""

    takes_calls = False
    __slots__ = (
        "began",
        "begun",
        "deadline",
        "devices",
        "has_waited",
        "id",
        "left",
        "limit_s",
        "line",
        "pid",
        "place",
        "reaped",
        "scratch",
        "serial",
        "slot",
        "started_at",
    )

    def __init__(self, id_: AttemptId, line: JobLine, slot: int, serial: int) -> None:
        self.id = id_
        self.line = line
        self.slot = slot
        self.serial = serial
        self.pid = 0
        self.scratch: Scratch
        self.started_at = 0  # its start, in microseconds of the wall clock (UTC)
        self.began = 0.0  # its start, in seconds of the monotonic clock
        self.begun = 0  # its start, in nanoseconds of ``leaders.since_boot_ns``
        self.deadline = NEVER
        self.limit_s: float | None = None  # seconds after its start at which its time is over
        self.reaped: tuple[int, Any, float] | None = None  # exit status, rusage, monotonic time of the end
        self.devices: tuple[bytes, ...] = ()  # no other attempt has them
        self.place = -1  # in the table of leaders
        self.left: list[str] = []  # names of the processes that it left behind
        self.has_waited = False  # its end waited for the processes that it left behind

    @property
    def plan(self) -> JobPlan:
        plan: JobPlan = self.line.extra
        return plan

    def ids(self) -> list[AttemptId]:
        """The attempts that this process runs; a worker may have several, or none."""
        return [self.id]

    def start(self, dispatch: Dispatch, cookie: bytes) -> None:
        """Start the process. Raises the errors of ``JobPlan.start``."""
        self.pid, self.scratch = self.plan.start(dispatch, self.slot, cookie)
        self.limit_s = self.plan.limit_s(dispatch)
        if self.limit_s is not None:
            self.deadline = self.began + self.limit_s

    def started_at_now(self) -> int:
        """The time of its start, in microseconds, by the wall clock as it is set now.

        Before the start, it is the present time.
        """
        if not self.started_at:
            return time.time_ns() // 1000
        at = time.time_ns() // 1000 - (since_boot_ns() - self.begun) // 1000
        return at if abs(at - self.started_at) >= _SET_US else self.started_at

    def started_event(self) -> tuple[Any, ...] | None:
        """Fields of domain.ports.Started; None while it runs no attempt."""
        return (*self.id, self.slot, self.pid, self.started_at, self.scratch.number, 0, 0)

    def output_starts(self) -> tuple[int, int]:
        """Bytes in stdout and stderr before the attempt that runs."""
        return 0, 0

    def overdue(self, _now: float) -> Verdict | None:
        """Its ``deadline`` has come: the way to end it, None if it must not be ended."""
        return wire.TIMED_OUT, self.plan.grace_s

    def cancelled(self, _ids: set[AttemptId], verdict: Verdict, _now: float) -> Verdict | None:
        """Some of its attempts were cancelled: the way to end it, None if it need not be ended."""
        return verdict

    def leader_ended(self) -> None:
        """Its process has ended, but perhaps not the descendants of that process."""

    def extend_deadline(self, gap_s: float) -> None:
        """The supervisor, and perhaps this attempt, stood still for this time, so it does not count."""
        self.deadline += gap_s

    def latest_end(self, now: float, gap_s: float) -> float:
        """The latest time at which it can have ended while the supervisor stood still; never after its time limit.

        An attempt that ended during such a gap was not late, so its duration must not exceed its limit.
        """
        return now if self.limit_s is None else max(now - gap_s, min(now, self.began + self.limit_s))

    def leave(self, _now: float) -> bool:
        """Everything ends: ask this process to leave; False if it does not leave by itself and must be ended."""
        return False


def code_of(status: int) -> int:
    """The number of the signal that ended a process, or its exit status."""
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def code_when_ended(status: int) -> int:
    """The same for a process that jobctl ended. The exit status of its own handler of TERM becomes negative."""
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)


def kib(max_rss: int) -> int:
    """``ru_maxrss`` in KiB; its unit depends on the system."""
    return max_rss >> 10 if _COUNTS_BYTES else max_rss


def left_text(names: list[str]) -> str:
    """The number of processes left behind, and some of their names, each once: ``3 ffmpeg, gpg-agent``."""
    named = ", ".join(list(dict.fromkeys(filter(None, names)))[:_MOST_NAMED])
    return f"{len(names)} {named}".rstrip()
