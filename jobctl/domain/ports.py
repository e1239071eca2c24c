"""The interface between the engine and its executors. Every call takes many attempts; an attempt need not be a process.

An executor runs the attempts that it gets and keeps every outcome until it is acknowledged. It knows nothing about SQL.
It may get more attempts than it has room for: it starts them as slots become free, at most ``JobSpec.slots`` of a job,
``JobSpec.queue_slots`` of a queue, and its own capacity in total.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from jobctl.domain.endings import Ending

if TYPE_CHECKING:
    from jobctl.domain.cluster_workers import ClusterWorkers

#: The place of the slot number in argv; the executor fills it in when it starts the attempt. An argument can never
#: contain NUL, so no value of a row looks like this.
SLOT_MARK = b"\0slot\0"


class AttemptId(NamedTuple):
    """One run of one item of one job."""

    job: int
    item: int
    attempt: int


class OutputFlag(IntFlag):
    """Facts that a reader must know about the recorded output of an attempt."""

    NONE = 0
    CUT = 1  # the output exceeded the cap, and its middle is gone
    LEFTOVERS = 2  # processes of the attempt outlived it and were ended
    SETUP = 4  # the setup of the worker failed, and the call itself never began


class CallSpec(NamedTuple):
    """The part that all calls of a job share. It has plain values only, because it may travel to another machine."""

    python: bytes  # the interpreter
    target: str  # module:function
    setup: str  # module:function that each worker calls before its first item; '' = none
    style: str  # how the function gets a row: kwargs | dict | '' (as its signature accepts it)
    input_format: str
    columns: tuple[str, ...]
    recycle: int  # a worker is replaced after this many calls; 0 = never
    token_of: str = ""  # the text from which the tokens of rows are made
    #: True: rows are identified by their content, not by their number. A tuple: by these columns (see domain.content).
    named: bool | tuple[str | int, ...] = False


@dataclass(frozen=True, slots=True)
class JobSpec:
    """The part that all attempts of a job share; it is defined once and then referred to by the job's number."""

    job: int
    env: tuple[bytes, ...]  # NAME=VALUE
    cwd: bytes
    umask: int
    slots: int
    queue: str
    queue_slots: int | None
    timeout_s: float | None
    grace_s: float  # between TERM and KILL
    log_dir: bytes  # absolute path of the folder for output files
    output_cap: int  # bytes per stream and attempt; 0 = none
    slotted: bool = False  # argv has SLOT_MARK
    call: CallSpec | None = None  # attempts are calls of a function: argv holds the row's payload and nothing else
    gpus: int = 0  # devices that each attempt has to itself
    resources: tuple[tuple[str, float], ...] = ()  # what each attempt needs of the resources of a worker
    alone: bool = False  # attempts are sent one by one, so that it is known of each whether it has begun
    leftovers: str = "end"  # end | wait | fail: what happens to processes that outlive their attempt
    #: Commands that start each process, the first one outermost: each changes something of itself, such as its
    #: priority, and then becomes the command that follows it.
    launchers: tuple[tuple[bytes, ...], ...] = ()
    #: Time limits from which each attempt has one, see ``Dispatch.limit``; then ``timeout_s`` is the longest of them.
    timeouts_s: tuple[float, ...] = ()


class Dispatch(NamedTuple):
    """An attempt to run."""

    job: int
    item: int
    attempt: int
    argv: tuple[bytes, ...]
    env: tuple[bytes, ...]  # NAME=VALUE, added to the job's
    limit: int = 0  # index of its time limit in ``JobSpec.timeouts_s``, if its job has any


class Raised(NamedTuple):
    """The exception of a call. The code is 65 for a permanent error, 75 for a temporary one, like exit codes."""

    name: str  # of the exception's type
    message: str
    code: int
    after_s: float | None  # the wait it asked for
    where: str  # file and line that raised it; '' = unknown


#: The most characters of the texts of ``Raised``: a process of the user reports them.
_LONGEST_NAME = 200
_LONGEST_TEXT = 8192
_NOT_REPORTED = ("", "", 1, None, "")


def raised_of(fields: Any) -> Raised:
    """The fields that a process of the user reported, each converted to a valid value."""
    known = isinstance(fields, tuple | list)
    name, message, code, after_s, where = (*fields, *_NOT_REPORTED[len(fields) :])[:5] if known else _NOT_REPORTED
    is_wait = type(after_s) in (int, float) and after_s >= 0  # NaN is not
    return Raised(
        _bounded(name, _LONGEST_NAME) or "Exception",
        _bounded(message, _LONGEST_TEXT),
        code if type(code) is int and 0 < code < 256 else 1,
        float(min(after_s, 1e12)) if is_wait else None,
        _bounded(where, _LONGEST_TEXT),
    )


def _bounded(text: Any, longest: int) -> str:
    """A text that any file and database accepts: UTF-8 cannot represent lone surrogates."""
    if not isinstance(text, str):
        return ""
    cut: str = text[:longest]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


class Started(NamedTuple):
    """An attempt has started."""

    job: int
    item: int
    attempt: int
    slot: int
    pid: int
    started_at: int  # microseconds, UTC
    log: int  # number of the file pair in log_dir that it writes to while it runs; Finished may name another one
    out_off: int
    err_off: int
    host: str = ""  # the machine of the attempt; empty for this one


class Finished(NamedTuple):
    """An attempt has ended. The executor keeps it until it is acknowledged, so it may report it twice."""

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
    host: str = ""  # the machine of the attempt; empty for this one
    left: str = ""  # how many processes outlived it and were ended, and some of their names


class Record(NamedTuple):
    """One call of ``Calls``."""

    item: int
    attempt: int
    started_at: int  # microseconds, UTC
    duration_us: int
    cpu_us: int
    out_off: int  # counted from the out_off of the ``Calls``
    out_len: int
    err_off: int
    err_len: int
    result: str | tuple[str, str, int, float | None, str] | None  # the value as JSON, or the fields of Raised


class Calls(NamedTuple):
    """Calls that ended by themselves in one worker. One event for many is cheaper than a ``Finished`` for each.

    The executor keeps it until its number is acknowledged, so it may report it twice.
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
    """One of many calls as the event that it would have been alone."""
    raised = raised_of(record.result) if isinstance(record.result, tuple) else None
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
        value=None if raised is not None else str(record.result) if record.result is not None else None,
        raised=raised,
    )


class Returned(NamedTuple):
    """An attempt that was recalled before it started. It does not count as an attempt of the item."""

    job: int
    item: int
    attempt: int


class Lost(NamedTuple):
    """The executor no longer knows an attempt, which may have run."""

    job: int
    item: int
    attempt: int


class Barred(NamedTuple):
    """Attempts of an earlier executor that cannot be ended. They take no slot; ``Lost`` follows when they are gone."""

    attempts: tuple[AttemptId, ...]


class Pressure(NamedTuple):
    """The machine refuses to start processes (EAGAIN, EMFILE, ENOMEM, ENOSPC...). No attempt fails. '' = it is over."""

    reason: str


class Capacity(NamedTuple):
    """The number of attempts that can run at once has changed, because workers joined or left."""

    slots: int
    ahead_s: float = 0.2  # seconds of work that each slot should have waiting beyond its running attempt
    cluster: ClusterWorkers | None = None  # the workers that have these slots


Event = Started | Finished | Calls | Returned | Lost | Barred | Pressure | Capacity


class Executor(Protocol):
    """A place where attempts run. Every method returns at once, except ``collect`` with a timeout and ``close``."""

    #: The name of the cluster that holds the attempts, because it can outlive the supervisor of this machine; '' = none
    #: does. It is known after ``adopt``.
    identity: str

    def fileno(self) -> int:
        """A descriptor that is readable whenever ``collect(0)`` would return something."""
        ...

    def define(self, spec: JobSpec) -> None:
        """Define the part that the attempts of a job share, or change it; call it before the job's first ``start``."""
        ...

    def forget(self, job: int) -> None:
        """Drop everything that is kept for a job that is over, and close its files."""
        ...

    def resize(self, slots: int) -> None:
        """Set the number of attempts of all jobs together that may run at once."""
        ...

    def start(self, batch: Sequence[Dispatch]) -> None:
        """Take attempts; those of a job start in this order as slots become free."""
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
        """Give back attempts that have not started, of one job or of all, as ``Returned`` events."""
        ...

    def cancel(self, attempts: Sequence[AttemptId], grace_s: float, ending: Ending = Ending.CANCELLED) -> None:
        """End all processes of these attempts with TERM, then with KILL after ``grace_s``; return unstarted attempts.

        Their ``Finished`` events have ``ending``. Attempts that are unknown or already finished are ignored.
        """
        ...

    def follow(self, job: int, item: int | None) -> None:
        """A command follows the output of this job, or of one item: for a minute, fetch it as it is written.

        An executor whose items write to files of this machine does nothing.
        """
        ...

    def adopt(self) -> list[AttemptId]:
        """The attempts that it still holds: queued, running, or finished and not acknowledged."""
        ...

    def stop_requested(self) -> int:
        """0 = continue, 1 = stop politely (drain), 2 = stop now, as the user of the daemon asked.

        ``fileno`` becomes readable when it changes; ``collect`` has to be called to learn of it.
        """
        ...

    def close(self, grace_s: float) -> None:
        """End everything that runs and close; the last events can still be collected."""
        ...
