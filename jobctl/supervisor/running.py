"""One attempt that runs as a process, as the supervisor knows it."""

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
#: (ending, grace in seconds)
Verdict = tuple[int, float]

#: By that much the wall clock was set while an attempt ran; less is a correction of it.
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
        self.started_at = 0  # microseconds, UTC
        self.began = 0.0  # monotonic
        self.begun = 0  # as ``leaders.since_boot_ns`` tells it
        self.deadline = NEVER
        self.reaped: tuple[int, Any, float] | None = None  # exit status, rusage, when
        self.devices: tuple[bytes, ...] = ()  # that it has alone
        self.place = -1  # in the table of leaders
        self.left: list[str] = []  # names of what it left behind
        self.has_waited = False  # for what it left behind

    @property
    def plan(self) -> JobPlan:
        plan: JobPlan = self.line.extra
        return plan

    def ids(self) -> list[AttemptId]:
        """What it runs; a worker may have several attempts, or none."""
        return [self.id]

    def start(self, dispatch: Dispatch, cookie: bytes) -> None:
        """Start its process. Raises what ``JobPlan.start`` raises."""
        self.pid, self.scratch = self.plan.start(dispatch, self.slot, cookie)
        if self.plan.timeout_s is not None:
            self.deadline = self.began + self.plan.timeout_s

    def started_at_now(self) -> int:
        """When it started, by the wall clock as it is set now; now, if it never did."""
        if not self.started_at:
            return time.time_ns() // 1000
        at = time.time_ns() // 1000 - (since_boot_ns() - self.begun) // 1000
        return at if abs(at - self.started_at) >= _SET_US else self.started_at

    def started_event(self) -> tuple[Any, ...] | None:
        """Fields of domain.ports.Started; None while it runs nothing."""
        return (*self.id, self.slot, self.pid, self.started_at, self.scratch.number, 0, 0)

    def output_starts(self) -> tuple[int, int]:
        """What was in its output files before the attempt that runs."""
        return 0, 0

    def overdue(self, _now: float) -> Verdict | None:
        """Its ``deadline`` has come: how to end it, if it is to be ended."""
        return wire.TIMED_OUT, self.plan.grace_s

    def unwanted(self, _ids: set[AttemptId], verdict: Verdict, _now: float) -> Verdict | None:
        """Some of what it runs was cancelled: how to end it, if it must be."""
        return verdict

    def leader_ended(self) -> None:
        """Its process is gone, but perhaps not what descended from it."""

    def excuse(self, gap_s: float) -> None:
        """It stood still for a while, as all of us did: that time does not count."""
        self.deadline += gap_s

    def latest_end(self, now: float, gap_s: float) -> float:
        """When it ended at the latest, if that was while we stood still: within its time limit, as it was not late."""
        limit_s = self.plan.timeout_s
        return now if limit_s is None else max(now - gap_s, min(now, self.began + limit_s))

    def leave(self, _now: float) -> bool:
        """Everything ends: whether it goes by itself."""
        return False


def code_of(status: int) -> int:
    """The signal that ended a process, or its exit status."""
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def code_when_ended(status: int) -> int:
    """The same of a process that we ended: an exit status, of its handler of TERM, is negative."""
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)


def kib(max_rss: int) -> int:
    """Of ru_maxrss, whose unit depends on the system."""
    return max_rss >> 10 if _COUNTS_BYTES else max_rss


def left_text(names: list[str]) -> str:
    """How many processes were left behind, and names of some, each once: ``3 ffmpeg, gpg-agent``."""
    told = ", ".join(list(dict.fromkeys(filter(None, names)))[:_MOST_NAMED])
    return f"{len(names)} {told}".rstrip()
