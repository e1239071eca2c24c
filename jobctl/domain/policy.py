"""The policy of a job: attempts, time limits, retry rules. It is stored as JSON; fields are only added."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from jobctl.domain.durations import MAX_DURATION_S, MAX_SIZE, parse_duration, parse_time
from jobctl.domain.rate import parse_rate
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.domain.documents.policy import PolicyBlock

OnCrash = Literal["requeue", "fail"]
Halt = Literal["soon", "now"]
OnLeft = Literal["end", "wait", "fail"]

#: Exit codes with a meaning of their own, after sysexits(3) and the shell.
EXIT_DATA_ERROR = 65
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127

DEFAULT_FACTOR = 4.0
DEFAULT_CAP_S = 60.0
#: The largest factor: its 64th power must still be a finite number.
MAX_FACTOR = 1_000.0
BACKOFF_FORMS = "for example 2s, 2sx4 or 2sx4..60s"
#: The most time limits of one job; the last of them counts for all further attempts.
MOST_LIMITS = 32
#: The largest limit of failures.
MAX_FAILURES = 10**12
_FAILURES = re.compile(r"([0-9]{1,13})|([0-9]{1,3}(?:\.[0-9]{1,20})?)%")
_BACKOFF = re.compile(r"\s*([^x]+?)\s*(?:x\s*([0-9]{1,9}(?:\.[0-9]{1,20})?))?\s*(?:\.\.\s*(.+?))?\s*", re.ASCII)
_MAX_TEXT = 200
_CODES = re.compile(r"\s*[0-9]{1,3}\s*")
#: A larger number of slots, attempts and so on is a typing error, and the database could not hold every such number.
MAX_COUNT = 1_000_000_000


def checked_count(value: int, lowest: int = 1, highest: int = MAX_COUNT) -> int:
    """Return the number. Raises UsageError if it is below ``lowest`` or above ``highest``."""
    if value < lowest:
        raise UsageError(f"{value} is less than {lowest}", hint=f"give {lowest} or more")
    if value > highest:
        raise UsageError(f"{value} is more than {highest}", hint=f"give {highest} or less")
    return value


def parse_max_failures(text: str) -> str:
    """Check ``50`` (the number of items that may fail) or ``5%``. Raises UsageError that names the allowed forms."""
    bare = text.strip(" ")
    match = _FAILURES.fullmatch(bare)
    if match is None or (int(match[1]) > MAX_FAILURES if match[1] else float(match[2]) > 100):
        raise UsageError(
            f"{text!r} is not a number of failures: 0 to {MAX_FAILURES}, or 0% to 100%", hint="for example 50, 0 or 5%"
        )
    return bare


def parse_codes(text: str) -> tuple[int, ...]:
    """Read a list of exit codes such as ``1,75``. Raises UsageError for anything else."""
    parts = text.split(",", 256)
    codes = [int(part) if _CODES.fullmatch(part) else 0 for part in parts]
    if any(not 1 <= code <= 255 for code in codes):
        raise UsageError(f"{text!r} is not a list of exit codes", hint="1 to 255, for example 1,75")
    return tuple(dict.fromkeys(codes))


def allowed_failures(limit: str, processed: int) -> int:
    """The number of ``processed`` items that may have failed under a limit as ``parse_max_failures`` returns it."""
    return int(processed * float(limit[:-1]) / 100) if limit.endswith("%") else int(limit)


def parse_backoff(text: str) -> Backoff:
    """Read ``2s``, ``2sx4`` or ``2sx4..60s``: first wait, factor, longest wait. Raises UsageError for anything else."""
    match = _BACKOFF.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if match is None:
        raise UsageError(f"{text!r} is not a backoff", hint=BACKOFF_FORMS)
    try:
        base_s = parse_duration(match[1], allow_zero=True)
        cap_s = parse_duration(match[3], allow_zero=True) if match[3] else max(base_s, DEFAULT_CAP_S)
    except UsageError as error:
        raise UsageError(f"{text!r} is not a backoff: {error.message}", hint=BACKOFF_FORMS) from None
    factor = float(match[2]) if match[2] else DEFAULT_FACTOR
    if not 1 <= factor <= MAX_FACTOR:
        raise UsageError(f"{text!r}: the factor must be 1 or more, and at most {MAX_FACTOR:.0f}", hint=BACKOFF_FORMS)
    return Backoff(base_s, factor, cap_s)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential waiting time between attempts, with equal jitter: half of it is fixed, the other half is random.

    The fixed half gives a service that failed the time that was asked for. The random half keeps items that failed
    together from being tried again together.
    """

    base_s: float = 2.0
    factor: float = DEFAULT_FACTOR
    cap_s: float = DEFAULT_CAP_S

    def ceiling_s(self, failed_attempts: int) -> float:
        """The longest wait in seconds after this number of failed attempts (1 = after the first)."""
        exponent = min(failed_attempts - 1, 64)
        try:
            return float(min(self.cap_s, self.base_s * self.factor**exponent))
        except OverflowError:  # a factor that an older version took
            return float(self.cap_s)

    def wait_s(self, failed_attempts: int, jitter: float) -> float:
        """The wait in seconds after this number of failed attempts: from half to all of the longest, by ``jitter``."""
        return self.ceiling_s(failed_attempts) * (1 + jitter) / 2


def _seconds(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= MAX_DURATION_S


def _is_backoff(value: Any) -> bool:
    backoff = Backoff(**value)
    return _seconds(backoff.base_s) and _seconds(backoff.cap_s) and type(backoff.factor) in (int, float)


def _is_exit_codes(value: Any) -> bool:
    return isinstance(value, list) and all(type(code) is int for code in value)


def _is_limits(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_LIMITS and all(map(_seconds, value))


def _is_resources(value: Any) -> bool:
    return all(isinstance(name, str) and 0 <= float(amount) < 1e300 for name, amount in value)


def _is_moment(value: Any) -> bool:
    return isinstance(value, str) and parse_time(value) is not None


def _stored(default: Any, valid: range | tuple[str, ...] | Callable[[Any], Any]) -> Any:
    """A field, and its valid values in JSON: whole numbers, words, or a test. None is valid where it is the default."""
    return field(default=default, metadata={"valid": valid})


#: Counts that may be zero, and counts that may not.
_COUNT, _AT_LEAST_ONE = range(MAX_COUNT + 1), range(1, MAX_COUNT + 1)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one job. ``None`` means that there is no such limit."""

    slots: int | None = _stored(None, _AT_LEAST_ONE)  # None = as many as the daemon has
    attempts: int = _stored(3, _AT_LEAST_ONE)
    timeout_s: float | None = _stored(None, _seconds)  # of every attempt; with ``timeouts_s``, the longest of them
    timeouts_s: tuple[float, ...] = _stored((), _is_limits)  # by attempt of a round; the last one counts for the others
    grace_s: float = _stored(10.0, _seconds)
    backoff: Backoff = field(default_factory=Backoff, metadata={"valid": _is_backoff})
    retry_on: tuple[int, ...] = _stored((), _is_exit_codes)
    no_retry_on: tuple[int, ...] = _stored((), _is_exit_codes)
    on_crash: OnCrash = _stored("requeue", get_args(OnCrash))  # noqa: RUF009
    max_crashes: int = _stored(3, _COUNT)
    deadline_s: float | None = _stored(None, _seconds)  # of each round
    deadline_at: str | None = _stored(None, _is_moment)  # the end, if it was given as a time; the same in all rounds
    max_failures: str | None = _stored(None, parse_max_failures)  # "50" or "5%"
    min_finished: int = _stored(20, _COUNT)  # before a percentage counts
    halt: Halt = _stored("soon", get_args(Halt))  # noqa: RUF009
    rate: str | None = _stored(None, parse_rate)  # "100/s"
    output_cap: int = _stored(64 << 20, range(MAX_SIZE + 1))
    gpus: int = _stored(0, _COUNT)  # devices for each item alone
    resources: tuple[tuple[str, float], ...] = _stored((), _is_resources)  # what an item needs of a worker, by name
    recycle: int = _stored(0, _COUNT)  # a worker that calls a function is replaced after this many calls; 0 = never
    leftovers: OnLeft = _stored("wait", get_args(OnLeft))  # noqa: RUF009 - processes that outlive the command
    not_before_s: float | None = _stored(None, _seconds)  # the start, if it was given as a wait, not as a time
    only_new: bool = False  # rows that an earlier job of the name has done are left out
    new_by: tuple[str, ...] = ()  # the columns that count for that; none = all
    nice: int = _stored(0, range(-20, 20))  # added to the niceness of the daemon, as nice(1) does
    ionice: str | None = _stored(None, re.compile("idle|best-effort(:[0-7])?").fullmatch)

    @property
    def launchers(self) -> tuple[tuple[bytes, ...], ...]:
        """The commands that give items their priorities, see ``JobSpec.launchers``.

        Setting a priority from outside, after the start, would miss what an item starts in its first moments, and a
        supervisor that lowers its own priority around each start cannot raise it again without being root.
        """
        cpu = ((b"nice", b"-n", b"%d" % self.nice),) if self.nice else ()
        if self.ionice is None:
            return cpu
        kind, _, level = self.ionice.encode().partition(b":")
        words = (b"-c", b"3") if kind == b"idle" else (b"-c", b"2", b"-n", level or b"4")
        return (*cpu, (b"ionice", *words))

    def limit_s(self, attempt: int) -> float | None:
        """The time limit in seconds of an attempt, counted from 1 in each round; None = no limit."""
        if not self.timeouts_s:
            return self.timeout_s
        return self.timeouts_s[min(attempt, len(self.timeouts_s)) - 1]

    def ends_at(self, begin: int) -> int | None:
        """The deadline of a round that begins at ``begin``; both in microseconds since 1970. None = no deadline."""
        if self.deadline_at is not None:
            return parse_time(self.deadline_at)
        return None if self.deadline_s is None else begin + int(self.deadline_s * 1e6)

    def to_json(self) -> PolicyBlock:
        """The policy as it is stored with the job."""
        found = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        return cast("PolicyBlock", found)  # mypy does not know what asdict makes; a test compares the keys

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Policy:
        """Read a stored policy. Unknown keys of a newer version are ignored."""
        known = {f.name for f in fields(cls)}
        values = {k: v for k, v in data.items() if k in known}
        values.setdefault("leftovers", "end")  # the job was accepted before there was a choice
        values["backoff"] = Backoff(**values.get("backoff", {}))
        for name in ("retry_on", "no_retry_on", "new_by", "timeouts_s"):
            values[name] = tuple(values.get(name, ()))
        values["resources"] = tuple((name, amount) for name, amount in values.get("resources", ()))
        return cls(**values)

    def changed(self, **changes: Any) -> Policy:
        """A copy with other values (``jobctl set``)."""
        return replace(self, **changes)


def faults_of_policy(data: dict[str, Any]) -> set[str]:
    """Name the values of a stored policy that this version cannot use: a person or an older version wrote them."""
    return {
        each.name
        for each in fields(Policy)
        if each.metadata and each.name in data and not _is_valid(data[each.name], each.default, each.metadata["valid"])
    }


def _is_valid(value: Any, default: Any, valid: Any) -> bool:
    """Whether a stored value is one of those that ``_stored`` names; an error of a test counts as no."""
    if value is None:
        return default is None
    if isinstance(valid, range):
        return type(value) is int and value in valid
    if isinstance(valid, tuple):
        return value in valid
    try:
        return bool(valid(value))
    except (UsageError, TypeError, ValueError, AttributeError, KeyError, OverflowError):
        return False
