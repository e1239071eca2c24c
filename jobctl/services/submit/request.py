"""The request of a submission, the checks before it, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from jobctl.config import Home
from jobctl.domain.call import Call
from jobctl.domain.notify import NotifyOptions
from jobctl.domain.policy import Policy
from jobctl.domain.texts import DEFAULT_QUEUE
from jobctl.errors import Busy, UsageError
from jobctl.sources.options import InputOptions
from jobctl.sources.problems import Problems

if TYPE_CHECKING:
    from jobctl.undo.work import UndoWords

#: About a command that uses nothing of its rows, and about one that gets each line as its last argument.
_CONSTANT = "the command has no placeholder such as {{}} or {{name}}: the same command runs {count:,} times"
_APPENDED = "the command has no placeholder such as {}: each line is appended to it, as its last argument"

OnDuplicate = Literal["return", "fail", "resume"]


def key_of_owner(key: str, owner: str | None) -> str:
    """The key of a submission by a token, such as ``web-shop~nightly``. No key that is given has a tilde."""
    return key if owner is None else f"{owner}~{key}"


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while a job is made."""

    def __init__(self, job: int | None) -> None:
        """``job``: the number of the job if its commit was through; None if nothing was accepted."""
        super().__init__()
        self.job = job


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """All options of a submission."""

    input: InputOptions
    command: tuple[str, ...] = ()
    shell: str | None = None
    call: Call | None = None
    python: str | None = None  # interpreter for calls
    name: str | None = None
    queue: str = DEFAULT_QUEUE
    priority: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    env: tuple[str, ...] = ()
    env_file: str | None = None
    env_all: bool = False  # the whole environment of the submitter, stored
    policy: Policy = field(default_factory=Policy)
    hold: bool = False
    foreground: bool = False
    key: str | None = None
    on_duplicate: OnDuplicate = "return"
    unique: bool = False
    after: tuple[tuple[int, str], ...] = ()  # (job, ok | any)
    not_before_at: int | None = None  # given as a time; a wait is in the policy
    item_key: str | None = None  # column that names a row
    only_new: bool = False  # leave out rows that are done
    new_by: tuple[str, ...] = ()  # columns that count for that; none = all
    notify: NotifyOptions = field(default_factory=NotifyOptions)
    undo: UndoWords | None = None  # the way to take a row back
    undo_on_failure: bool = False
    owner: str | None = None  # the token of HTTP that submitted it

    @property
    def stored_key(self) -> str | None:
        """The key as the store has it. A token never has the key of another token or of a person."""
        return None if self.key is None else key_of_owner(self.key, self.owner)

    @property
    def waits_for_time(self) -> bool:
        """Whether its start waits for a time or a duration that was given."""
        return self.not_before_at is not None or self.policy.not_before_s is not None

    @property
    def work_command(self) -> Any:
        """The command as JSON can hold it."""
        if self.call is not None:
            return self.call.to_json()
        return self.shell if self.shell is not None else list(self.command)

    @property
    def shown_command(self) -> str:
        """The command on one line, for the journal."""
        if self.call is not None:
            return self.call.target
        return self.shell if self.shell is not None else " ".join(self.command)


@dataclass(frozen=True, slots=True)
class Origin:
    """The working directory and the environment that a job takes from its submission."""

    cwd: str
    env: dict[str, str]
    env_names: list[str]
    given: dict[str, Any]  # the parts of these that the options name


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that was accepted, and survives a power cut."""

    job: int
    uid: str
    name: str
    items: int
    rejected: int
    rejected_path: str | None
    policy: Policy
    skipped: int = 0
    replayed: bool = False
    not_selected: int = 0
    resumed: int = 0  # items of a replayed job that got another round
    constant: bool = False  # every item runs the same words
    appended: bool = False  # each line is the last word of the command, which has no placeholder
    queue_paused: bool = False
    followed: tuple[tuple[int, int], ...] = ()  # (other job, rows that are open there and wait for its end)
    compared_otherwise: int | None = None  # the job before it under the name, if that has another --new-by
    notices: tuple[str, ...] = ()  # decisions of the reader of the input

    @property
    def is_special(self) -> bool:
        """Whether there are messages about it that the progress does not show."""
        rows = self.not_selected or self.rejected or self.followed or self.notices
        return bool(rows or self.replayed or self.constant or self.appended or self.compared_otherwise is not None)


@dataclass(frozen=True, slots=True)
class Preview:
    """The result of a dry run."""

    format: str
    columns: tuple[str, ...]
    rows: int
    rejected: int
    commands: tuple[tuple[str, ...], ...]
    problems: Problems
    not_selected: int = 0
    shown: tuple[tuple[str, ...], ...] = ()  # values of the first rows, by column
    skipped: int = 0  # rows that an earlier job had done
    replay_of: int | None = None  # the job that has its key
    constant: bool = False  # every item would run the same words
    appended: bool = False  # each line would be the last word of the command, which has no placeholder
    followed: tuple[tuple[int, int], ...] = ()  # (other job, rows that are open there)
    notices: tuple[str, ...] = ()  # decisions of the reader of the input


def on_placeholders(found: Accepted | Preview, count: int) -> list[str]:
    """Return notes about a command without a placeholder that runs for ``count`` rows."""
    if found.constant and count > 1:
        return [_CONSTANT.format(count=count)]
    return [_APPENDED] if found.appended and count else []


def refuse_hold(request: SubmitRequest) -> None:
    """Raises UsageError for a held job, because the command waits for its end."""
    if request.hold:
        raise UsageError(
            "--hold: a held job does not start, so waiting for it would never end",
            hint="leave --hold out, or do not wait",
        )


def refuse_without_daemon(home: Home, request: SubmitRequest) -> None:
    """Raises Busy if no daemon is running, because the command waits for the end of the job.

    The check comes before the job is accepted: without a key, each further try would be another job. A submission with
    a key passes, because its job may be done already.
    """
    from jobctl.domain.blocker_kinds import DAEMON_DOWN
    from jobctl.process.lock import holder
    from jobctl.services.daemon.absence import HOW_TO_START

    if request.key is None and holder(str(home.lock)) is None:
        raise Busy(
            f"--wait: {DAEMON_DOWN.sentence}, so nothing was accepted",
            hint=HOW_TO_START,
        )
