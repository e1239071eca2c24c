"""The executor port: where attempts run. Everything is plural; nothing here says that an attempt is a process.

An executor runs attempts it was given and keeps every outcome until it is acknowledged. It knows nothing of
SQL. It may be handed more attempts than it has room for: it starts them as slots come free, per job at most
``JobSpec.slots`` at once, per queue at most ``JobSpec.queue_slots``, and together at most its own capacity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from jobctl.domain.crew import Crew

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
    TIMED_OUT = 2  # code = signal that ended it, or negative exit status: its handler of TERM may exit
    CANCELLED = 3  # killed because somebody asked; code as above
    INTERRUPTED = 4  # killed or lost by a stop or crash of jobctl or of the machine; code as above
    NOT_STARTED = 5  # the command cannot be started, code = errno (ENOENT, EACCES, E2BIG...)
    RAISED = 6  # a callable raised
    LEFT = 7  # exited with 0, but left processes behind where that is a failure


class OutputFlag(IntFlag):
    """What a reader must know about the recorded output of an attempt."""

    NONE = 0
    CUT = 1  # longer than the cap: the middle is gone
    LEFTOVERS = 2  # processes of the attempt outlived it and were ended
    SETUP = 4  # what is told as its failure is that of the worker's setup; the call itself never began


class CallSpec(NamedTuple):
    """What the calls of a job share. Plain values only: it may travel."""

    python: bytes  # the interpreter
    target: str  # module:function
    setup: str  # module:function that each worker calls before its first item; '' = none
    style: str  # how a row is handed over: kwargs | dict | '' (as the function's signature takes it)
    input_format: str
    columns: tuple[str, ...]
    recycle: int  # a worker is replaced after so many calls; 0 = never
    token_of: str = ""  # what the tokens of rows are made of
    #: Rows are known by their content, not by their number; or by these columns of it, as domain.content has them.
    named: bool | tuple[str | int, ...] = False


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
    call: CallSpec | None = None  # attempts are calls of a function: argv holds the row's payload and nothing else
    gpus: int = 0  # devices for each attempt alone
    resources: tuple[tuple[str, float], ...] = ()  # what each needs of a worker that says what it has
    alone: bool = False  # it must be known of each whether it began, so they travel one by one
    leftovers: str = "end"  # end | wait | fail: what becomes of processes that outlive their attempt
    #: Commands that start each process, the first one outermost: each changes something of itself, such as its
    #: priority, and then becomes the command that follows it.
    launchers: tuple[tuple[bytes, ...], ...] = ()


class Dispatch(NamedTuple):
    """An attempt to run."""

    job: int
    item: int
    attempt: int
    argv: tuple[bytes, ...]
    env: tuple[bytes, ...]  # NAME=VALUE, added to the job's


class Raised(NamedTuple):
    """What a call raised. The code is 65 for "never again", 75 for "later", as exit codes of commands are."""

    name: str  # of the exception's type
    message: str
    code: int
    after_s: float | None  # the wait it asked for
    where: str  # file and line that raised it; '' = unknown


#: Bounds of what is believed of ``Raised``.
_LONGEST_NAME = 200
_LONGEST_TEXT = 8192
_UNTOLD = ("", "", 1, None, "")


def raised_of(fields: Any) -> Raised:
    """The fields as a process of the user's told them, each made into what it ought to be."""
    known = isinstance(fields, tuple | list)
    name, message, code, after_s, where = (*fields, *_UNTOLD[len(fields) :])[:5] if known else _UNTOLD
    is_wait = type(after_s) in (int, float) and after_s >= 0  # NaN is not
    return Raised(
        _bounded(name, _LONGEST_NAME) or "Exception",
        _bounded(message, _LONGEST_TEXT),
        code if type(code) is int and 0 < code < 256 else 1,
        float(min(after_s, 1e12)) if is_wait else None,
        _bounded(where, _LONGEST_TEXT),
    )


def _bounded(text: Any, longest: int) -> str:
    """A text that any file and database takes: lone surrogates have no place in UTF-8."""
    if not isinstance(text, str):
        return ""
    cut: str = text[:longest]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


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
    host: str = ""  # where, when it is not this machine


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
    value: str | None = None  # JSON that a call returned; None for null, which takes no room
    raised: Raised | None = None  # of a call that ended as RAISED
    host: str = ""  # where it ran, when it was not this machine
    left: str = ""  # of the processes that outlived it and were ended: how many, and names of some


class Record(NamedTuple):
    """One call of ``Calls``."""

    item: int
    attempt: int
    started_at: int  # microseconds, UTC
    duration_us: int
    cpu_us: int
    out_off: int  # from the out_off of all
    out_len: int
    err_off: int
    err_len: int
    said: str | tuple[str, str, int, float | None, str] | None  # the value as JSON, or the fields of Raised


class Calls(NamedTuple):
    """Calls that ended by themselves in one worker, many in one event: cheaper than a ``Finished`` for each.

    Kept by the executor until acknowledged by its number, so it may be told twice.
    """

    job: int
    number: int
    slot: int
    max_rss_kib: int
    log: int  # number of the file pair in log_dir; 0 = none of them wrote anything
    out_off: int
    err_off: int
    failed: int  # how many of them raised
    cut: tuple[int, ...]  # items whose output is CUT
    records: list[tuple[int, int, int, int, int, int, int, int, int, Any]]  # fields of Record, items ascending


def finished_call(calls: Calls, record: Record) -> Finished:
    """One of many, as the event it would have been alone."""
    raised = raised_of(record.said) if isinstance(record.said, tuple) else None
    wrote = record.out_len or record.err_len
    return Finished(
        job=calls.job,
        item=record.item,
        attempt=record.attempt,
        ending=Ending.EXITED if raised is None else Ending.RAISED,
        code=0 if raised is None else raised.code,
        slot=calls.slot,
        started_at=record.started_at,
        duration_us=record.duration_us,
        cpu_us=record.cpu_us,
        max_rss_kib=calls.max_rss_kib,
        log=calls.log if wrote else 0,
        out_off=calls.out_off + record.out_off if wrote else 0,
        out_len=record.out_len,
        err_off=calls.err_off + record.err_off if wrote else 0,
        err_len=record.err_len,
        flags=OutputFlag.CUT if record.item in calls.cut else OutputFlag.NONE,
        out_tail=b"",
        err_tail=b"",
        value=None if raised is not None else str(record.said) if record.said is not None else None,
        raised=raised,
    )


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


class Barred(NamedTuple):
    """Attempts that an executor before this one left, that cannot be ended and take no slot; ``Lost`` when gone."""

    attempts: tuple[AttemptId, ...]


class Pressure(NamedTuple):
    """The machine refuses to start processes (EAGAIN, EMFILE, ENOMEM, ENOSPC...); nobody's failure. '' = over."""

    reason: str


class Capacity(NamedTuple):
    """How many attempts can run at once has changed: workers came or went."""

    slots: int
    ahead_s: float = 0.2  # work that each slot should have in hand beyond what it runs
    crew: Crew | None = None  # whose slots they are


Event = Started | Finished | Calls | Returned | Lost | Barred | Pressure | Capacity


class Executor(Protocol):
    """Where attempts run. Every method returns at once, except ``collect`` with a timeout and ``close``."""

    #: Names what holds the attempts, when that can outlive the machine's own supervisor; known after ``adopt``.
    identity: str

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

    def acknowledge(self, attempts: Sequence[AttemptId], calls: Sequence[int] = ()) -> None:
        """The outcomes of these attempts, and the ``Calls`` with these numbers, are recorded: it may forget them."""
        ...

    def recall(self, job: int | None = None) -> None:
        """Give back, as ``Returned`` events, whatever has not started (of one job, or of all)."""
        ...

    def cancel(self, attempts: Sequence[AttemptId], grace_s: float, ending: Ending = Ending.CANCELLED) -> None:
        """End these with TERM, then KILL after ``grace_s``, the whole tree; unstarted ones are returned.

        Their ``Finished`` events carry ``ending``. Unknown or already finished attempts are ignored.
        """
        ...

    def follow(self, job: int, item: int | None) -> None:
        """Somebody reads along what this job, or one item of it, writes: for a minute, bring it here as it comes.

        Where items write to files of this machine, there is nothing to do.
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
