"""The executor port: where attempts run. Everything is plural; nothing here says that an attempt is a process.

An executor runs attempts it was given and keeps every outcome until it is acknowledged. It knows nothing of
SQL. It may be handed more attempts than it has room for: it starts them as slots come free, per job at most
``JobSpec.slots`` at once, per queue at most ``JobSpec.queue_slots``, and together at most its own capacity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import NamedTuple, Protocol

#: Stands in argv where the number of the slot goes; the executor fills it in when it starts the attempt.
#: A NUL can never be part of an argument, so no row value looks like it.
SLOT_MARK = b"\0slot\0"


class AttemptId(NamedTuple):
    """One run of one item of one job."""

    job: int
    item: int
    attempt: int


class Ending(IntEnum):
    """How an attempt ended."""

    EXITED = 0  # code = exit status
    SIGNALLED = 1  # code = signal number
    TIMED_OUT = 2  # code = signal that ended it, or exit status
    CANCELLED = 3  # killed because somebody asked
    INTERRUPTED = 4  # killed or lost by a stop or crash of jobctl or of the machine
    NOT_STARTED = 5  # the command cannot be started, code = errno (ENOENT, EACCES, E2BIG...)
    RAISED = 6  # a callable raised


class OutputFlag(IntFlag):
    """What a reader must know about the recorded output of an attempt."""

    NONE = 0
    CUT = 1  # longer than the cap: the middle is gone
    LEFTOVERS = 2  # processes of the attempt outlived it and were ended


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What all attempts of a job share; defined once, then named by number."""

    job: int
    env: tuple[bytes, ...]  # NAME=VALUE
    cwd: bytes
    umask: int
    slots: int
    queue: str
    queue_slots: int | None
    timeout_s: float | None
    grace_s: float  # between TERM and KILL
    log_dir: bytes  # absolute; output files are made in it
    output_cap: int  # bytes per stream and attempt; 0 = none
    slotted: bool = False  # argv has SLOT_MARK


class Dispatch(NamedTuple):
    """An attempt to run."""

    job: int
    item: int
    attempt: int
    argv: tuple[bytes, ...]
    env: tuple[bytes, ...]  # NAME=VALUE, added to the job's


class Started(NamedTuple):
    """An attempt runs now."""

    job: int
    item: int
    attempt: int
    slot: int
    pid: int
    started_at: int  # microseconds, UTC
    log: int  # number of the file pair in log_dir that it writes to while it runs; Finished may name another one
    out_off: int
    err_off: int


class Finished(NamedTuple):
    """An attempt is over. Kept by the executor until acknowledged, so it may be told twice."""

    job: int
    item: int
    attempt: int
    ending: int  # Ending
    code: int
    slot: int
    started_at: int  # microseconds, UTC
    duration_us: int
    cpu_us: int
    max_rss_kib: int
    log: int  # number of the file pair in log_dir; 0 = no output
    out_off: int
    out_len: int  # 0 = the stream was empty, and its file may not exist
    err_off: int
    err_len: int
    flags: int  # OutputFlag
    out_tail: bytes  # last bytes of a failed attempt's streams, at most 4 KiB each; empty on success
    err_tail: bytes


class Returned(NamedTuple):
    """An attempt that was recalled before it started: free of charge."""

    job: int
    item: int
    attempt: int


class Lost(NamedTuple):
    """The executor no longer knows an attempt: it may have run."""

    job: int
    item: int
    attempt: int


class Pressure(NamedTuple):
    """The machine refuses to start processes (EAGAIN, EMFILE, ENOMEM, ENOSPC...); nobody's failure. '' = over."""

    reason: str


Event = Started | Finished | Returned | Lost | Pressure


class Executor(Protocol):
    """Where attempts run. Every method returns at once, except ``collect`` with a timeout and ``close``."""

    def fileno(self) -> int:
        """A descriptor that is readable whenever ``collect(0)`` would return something."""
        ...

    def define(self, spec: JobSpec) -> None:
        """Say or change what the attempts of a job share; must come before the job's first ``start``."""
        ...

    def forget(self, job: int) -> None:
        """The job is over: drop what is kept for it, close its files."""
        ...

    def resize(self, slots: int) -> None:
        """Set how many attempts may run at once, all jobs together."""
        ...

    def start(self, batch: Sequence[Dispatch]) -> None:
        """Take attempts; they start in this order per job as slots come free."""
        ...

    def collect(self, timeout_s: float | None = 0) -> list[Event]:
        """Events since the last call, oldest first; waits for the first at most ``timeout_s`` (None = for ever).

        Raises EOFError when the executor is gone for good.
        """
        ...

    def acknowledge(self, attempts: Sequence[AttemptId]) -> None:
        """The outcomes of these are recorded; the executor may forget them."""
        ...

    def recall(self, job: int | None = None) -> None:
        """Give back, as ``Returned`` events, whatever has not started (of one job, or of all)."""
        ...

    def cancel(self, attempts: Sequence[AttemptId], grace_s: float, ending: Ending = Ending.CANCELLED) -> None:
        """End these with TERM, then KILL after ``grace_s``, the whole tree; unstarted ones are returned.

        Their ``Finished`` events carry ``ending``. Unknown or already finished attempts are ignored.
        """
        ...

    def adopt(self) -> list[AttemptId]:
        """What it still holds from before (queued, running, or finished and not acknowledged)."""
        ...

    def stop_requested(self) -> int:
        """0 = go on, 1 = whoever runs the daemon asked to stop politely (drain), 2 = to stop now.

        ``fileno`` becomes readable when it changes; ``collect`` has to be called to learn of it.
        """
        ...

    def close(self, grace_s: float) -> None:
        """End everything that runs and let go; the last events can still be collected."""
        ...
