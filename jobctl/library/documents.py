"""The documents of jobctl as classes of records, with the types of their keys.

Generated from ``jobctl.domain.documents`` by ``python -m jobctl.library.generate``. Do not edit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from jobctl.library.records import Blocks, Record


class CancelledItemsBlock(Record):
    """The items of a job that were cancelled together, by their states now."""

    __slots__ = ()

    selected: int
    """How many were cancelled."""
    queued: int
    running: int
    retrying: int
    succeeded: int
    failed: int
    unprocessed: int


class CancelledBlock(Record):
    """The result for one job, for one item, or for selected items of a job."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "items": CancelledItemsBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "items",
    })  # fmt: skip

    job: int
    item: int | None
    state: str
    cancelled: bool
    """False when it had ended before."""
    note: str

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: Literal["items"], /) -> CancelledItemsBlock: ...

        @overload
        def __getitem__(self, key: str, /) -> Any: ...

        def __getitem__(self, key: str, /) -> Any: ...


class CancelDocument(Record):
    """The jobs and items of ``jobctl cancel --json``."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "cancelled": CancelledBlock,
    }

    schema: Literal["jobctl.cancel/1"]
    cancelled: list[CancelledBlock]


class CauseSampleBlock(Record):
    """An item that met a cause."""

    __slots__ = ()

    item: int
    message: str
    """The message of its latest attempt with this cause, as the attempt wrote it."""


class ListedCauseBlock(Record):
    """One cause of failure, with items in their own words."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "samples": CauseSampleBlock,
    }

    cause: str
    """The word for --cause: the code, or code:number if several causes of the job have this code."""
    code: str
    """The kind of failure."""
    message: str
    """The last message of the attempts, with numbers, paths and the like replaced."""
    attempts: int
    """Attempts with this cause, all rounds."""
    retryable: bool
    outcome: Literal["known", "unknown"]
    """Unknown: a side effect may have happened."""
    first_at: str
    last_at: str
    samples: list[CauseSampleBlock]
    command: str | None
    """The command that lists the items; null if no item has failed with this cause now."""

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: Literal["items"], /) -> int: ...

        @overload
        def __getitem__(self, key: str, /) -> Any: ...

        def __getitem__(self, key: str, /) -> Any: ...


class CausesDocument(Record):
    """The causes of failure of a job, as ``jobctl causes JOB --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "causes": ListedCauseBlock,
    }

    schema: Literal["jobctl.causes/1"]
    job: int
    name: str
    failed: int
    """Items that have failed."""
    causes: list[ListedCauseBlock]
    causes_total: int
    ungrouped: int
    """Failed items without a cause that can be read."""


class CompletionDocument(Record):
    """The completion of a shell, as ``jobctl completion SHELL --json`` shows it."""

    __slots__ = ()

    schema: Literal["jobctl.completion/1"]
    shell: str
    file: str
    install: str
    script: str


class ConfigChangeDocument(Record):
    """The answer of ``jobctl config set --json`` and ``jobctl config unset --json``."""

    __slots__ = ()

    schema: Literal["jobctl.config_change/1"]
    path: str
    key: str
    value: Any
    """Null if the key is not set any more."""
    before: Any
    """The value that the file had; null if it had none."""
    in_effect: bool
    """False if another place takes precedence, or the file is not trusted."""


class SettingBlock(Record):
    """One setting and its source."""

    __slots__ = ()

    key: str
    value: Any
    source: str
    where: str


class SettingsFileBlock(Record):
    """One place of settings."""

    __slots__ = ()

    source: str
    path: str
    exists: bool
    ignored: str | None
    """The reason why the file is not read."""
    trust: str | None
    """For the file of a project: trusted, untrusted or changed."""


class IgnoredBlock(Record):
    """A setting of a project file that is not trusted."""

    __slots__ = ()

    key: str
    value: Any
    where: str


class ConfigDocument(Record):
    """Every setting, as ``jobctl config show --json`` shows it."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "values": SettingBlock,
        "files": SettingsFileBlock,
        "ignored": IgnoredBlock,
    }

    schema: Literal["jobctl.config/1"]
    files: list[SettingsFileBlock]
    ignored: list[IgnoredBlock]

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: Literal["values"], /) -> list[SettingBlock]: ...

        @overload
        def __getitem__(self, key: str, /) -> Any: ...

        def __getitem__(self, key: str, /) -> Any: ...


class ConfigEditDocument(Record):
    """The answer of ``jobctl config edit --json``."""

    __slots__ = ()

    schema: Literal["jobctl.config_edit/1"]
    path: str
    changed: bool
    trust: str | None
    """For the file of a project: trusted, untrusted or changed."""


class ConfigPathDocument(Record):
    """The files of settings, as ``jobctl config path --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "files": SettingsFileBlock,
    }

    schema: Literal["jobctl.config_path/1"]
    files: list[SettingsFileBlock]


class ConfigTrustDocument(Record):
    """The answer of ``jobctl config trust --json`` and ``jobctl config untrust --json``."""

    __slots__ = ()
    _optional: ClassVar[frozenset[str]] = frozenset({
        "sha256",
        "was_trusted",
    })  # fmt: skip

    schema: Literal["jobctl.config_trust/1"]
    path: str
    trust: Literal["trusted", "untrusted", "changed"]
    sha256: str | None
    was_trusted: bool | None


class OfferBlock(Record):
    """Workers with the same slots and resources."""

    __slots__ = ()

    workers: int
    slots: int
    resources: dict[str, float]


class ClusterBlock(Record):
    """The cluster on which a daemon runs its items."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "offers": OfferBlock,
    }

    scheduler: str
    workers: int
    resources: dict[str, float]
    """The sum over all workers."""
    offers: list[OfferBlock]
    left: int
    """Workers that have left."""
    last_left_host: str | None
    last_left_at: str | None
    unfit: list[str]
    """The reasons why workers were refused."""
    join: str
    """The command that starts a worker."""


class QueueDocument(Record):
    """One queue."""

    __slots__ = ()

    name: str
    slots: int | None
    rate: str | None
    paused_at: str | None
    pause_reason: str
    jobs: int
    queued: int
    running: int


class MemoryBlock(Record):
    """The memory of the two processes of a daemon."""

    __slots__ = ()

    supervisor_bytes: int | None
    engine_bytes: int | None


class DaemonDocument(Record):
    """The daemon of a store, as ``jobctl daemon status --json`` shows it."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "cluster": ClusterBlock,
        "queues": QueueDocument,
        "memory": MemoryBlock,
    }

    schema: Literal["jobctl.daemon/1"]
    state: Literal["up", "down", "recovering", "draining", "not_responding"]
    pid: int | None
    heartbeat_at: str | None
    slots: int | None
    """Items that it runs at once; null while no daemon is up, 0 while a cluster has no workers.."""
    uptime_s: float | None
    scope: str | None
    """All, or the number of the only job that it runs."""
    pressure: str
    """The reason why no item can start now; empty if items can start."""
    version: str | None
    cluster: ClusterBlock | None
    """Null when items run on this machine."""
    running: int
    queued: int
    jobs: int
    """Jobs that are not done."""
    home: str
    log: str
    database_bytes: int
    output_bytes: int
    results_bytes: int
    log_bytes: int
    queues: list[QueueDocument]
    rate_per_s: float | None
    """Items that end in a second, all jobs together."""
    memory: MemoryBlock


class LogLineBlock(Record):
    """One line of the daemon's log."""

    __slots__ = ()

    at: str | None
    source: str | None
    message: str


class DaemonLogDocument(Record):
    """The last lines of the daemon's log, as ``jobctl daemon logs --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "lines": LogLineBlock,
    }

    schema: Literal["jobctl.daemon_log/1"]
    log: str
    lines: list[LogLineBlock]


class DaemonLogLineDocument(Record):
    """One line of the daemon's log, as ``jobctl daemon logs --follow --json`` shows it."""

    __slots__ = ()

    at: str | None
    source: str | None
    message: str
    schema: Literal["jobctl.daemon_log_line/1"]


class DaemonRunDocument(Record):
    """The start of ``jobctl daemon run --json``."""

    __slots__ = ()

    schema: Literal["jobctl.daemon_run/1"]
    pid: int
    home: str
    slots: int | None
    drain: bool


class DeliveryAttemptBlock(Record):
    """One attempt of a delivery."""

    __slots__ = ()

    attempt: int
    started_at: str
    duration_s: float | None
    status: int | None
    error: str | None
    response: str | None


class DeliveryBlock(Record):
    """One delivery with its attempts."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "history": DeliveryAttemptBlock,
    }

    id: str
    job: int
    round: int
    event: str
    kind: Literal["webhook", "command"]
    target: str
    state: Literal["pending", "delivered", "dead"]
    attempts: int
    next_attempt_at: str | None
    created_at: str
    settled_at: str | None
    last_result: str | None
    history: list[DeliveryAttemptBlock]


class DeliveriesDocument(Record):
    """Deliveries of notifications, as ``jobctl notify list --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "deliveries": DeliveryBlock,
    }

    schema: Literal["jobctl.deliveries/1"]
    deliveries: list[DeliveryBlock]


class CheckBlock(Record):
    """One check."""

    __slots__ = ()

    name: str
    level: Literal["ok", "warn", "fail"]
    """Warn: it works, but a person should look at it."""
    message: str
    action: str | None
    """The command to type."""
    details: list[str]
    repaired: str | None
    """The repair that --repair made."""


class DoctorDocument(Record):
    """The checks of a store and its machine, as ``jobctl doctor --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "checks": CheckBlock,
    }

    schema: Literal["jobctl.doctor/1"]
    ok: bool
    """Whether no check fails."""
    home: str
    version: str
    checks: list[CheckBlock]


class ErrorBlock(Record):
    """The error."""

    __slots__ = ()

    code: str
    """The kind of error, for programs."""
    message: str
    hint: str | None
    """The command to type, or another advice."""
    details: list[str]


class ErrorDocument(Record):
    """An error, as every command shows it with ``--json``."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "error": ErrorBlock,
    }

    schema: Literal["jobctl.error/1"]
    error: ErrorBlock
    exit_code: int


class EventOutcomeBlock(Record):
    """The outcome of an item, and the attempt that led to it."""

    __slots__ = ()

    state: Literal["queued", "running", "retrying", "succeeded", "failed", "unprocessed"]
    """Queued or retrying: it runs again in this round."""
    attempt: int
    """0: the item never ran."""
    code: str | None
    """The kind of failure; null if the attempt did not fail."""
    message: str | None
    exit_code: int | None
    signal: str | None
    """The signal that ended the attempt."""
    started_at: str | None
    duration_s: float | None
    host: str | None
    """The machine of the attempt; null for this one."""


class CountsBlock(Record):
    """Items by state."""

    __slots__ = ()

    total: int
    queued: int
    running: int
    retrying: int
    succeeded: int
    failed: int
    unprocessed: int
    rejected: int
    skipped: int


class EventTimeBlock(Record):
    """The times of the job."""

    __slots__ = ()

    submitted_at: str
    started_at: str | None
    finished_at: str


class EventCauseBlock(Record):
    """One cause of failure."""

    __slots__ = ()
    _optional: ClassVar[frozenset[str]] = frozenset({
        "example",
    })  # fmt: skip

    code: str
    """The kind of failure."""
    message: str
    """The last message of the attempts, with numbers, paths and the like replaced."""
    count: int
    """Items that have failed with this cause."""
    retryable: bool
    outcome: Literal["known", "unknown"]
    """Unknown: a side effect may have happened."""
    sample_items: list[int]
    example: str | None
    """A message of an item, if this message is masked."""


class EventFailuresBlock(Record):
    """The causes of failure that most items have."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "groups": EventCauseBlock,
    }

    groups: list[EventCauseBlock]


class EventRetryBlock(Record):
    """Whether the job can be retried, and how."""

    __slots__ = ()

    available: bool
    command: str | None

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: Literal["items"], /) -> int: ...

        @overload
        def __getitem__(self, key: str, /) -> Any: ...

        def __getitem__(self, key: str, /) -> Any: ...


class EventResultsBlock(Record):
    """The folder of the result files."""

    __slots__ = ()

    dir: str | None


class EventUndoBlock(Record):
    """The undo that a job is, or that it has begun."""

    __slots__ = ()

    of: int | None
    """The job whose rows this one has taken back."""
    job: int | None
    """The job that takes its rows back by itself."""


class EventDataBlock(Record):
    """What an event is about: the job, and what happened to it."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "outcome": EventOutcomeBlock,
        "counts": CountsBlock,
        "time": EventTimeBlock,
        "failures": EventFailuresBlock,
        "retry": EventRetryBlock,
        "results": EventResultsBlock,
        "undo": EventUndoBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "actor",
        "reason",
        "message",
        "round",
        "item",
        "outcome",
        "details",
        "state",
        "state_reason",
        "counts",
        "time",
        "failures",
        "retry",
        "results",
        "undo",
    })  # fmt: skip

    id: int | None
    """The job; null for an event of a queue or of the store."""
    uid: str | None
    name: str | None
    key: str | None
    queue: str | None
    actor: str | None
    """Who did it: a user, token NAME, or engine."""
    reason: str | None
    """Why; empty if nobody has said so."""
    message: str | None
    """What happened, in words."""
    round: int | None
    item: int | None
    """The item, of events about one item."""
    outcome: EventOutcomeBlock | None
    """Of the outcome of an item."""
    details: dict[str, Any] | None
    """What the journal keeps about the event."""
    state: Literal["succeeded", "partial", "failed", "cancelled", "expired"] | None
    """This key and the following ones: of the end of a round."""
    state_reason: str | None
    counts: CountsBlock | None
    """Total = queued + running + retrying + succeeded + failed + unprocessed; rejected and skipped rows are not in it.
    """
    time: EventTimeBlock | None
    failures: EventFailuresBlock | None
    retry: EventRetryBlock | None
    results: EventResultsBlock | None
    undo: EventUndoBlock | None
    """Only of a job that takes rows back or has begun an undo."""


class EventDocument(Record):
    """Something that happened, as ``jobctl events`` and the streams show it, and --notify and --on-done receive it."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "data": EventDataBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "schema",
        "id",
    })  # fmt: skip

    schema: Literal["jobctl.event/1"] | None
    id: int | None
    """Ids never go back; older releases sent notifications without one."""
    type: Literal[
        "job.succeeded",
        "job.partial",
        "job.failed",
        "job.cancelled",
        "job.expired",
        "job.submitted",
        "job.held",
        "job.started",
        "job.queued",
        "job.paused",
        "job.resumed",
        "job.cancel_requested",
        "job.cancelling",
        "job.stopping",
        "job.retried",
        "job.rules_changed",
        "job.undo",
        "job.recovered",
        "job.rows_decided",
        "job.failures",
        "job.noted",
        "item.cancelled",
        "item.succeeded",
        "item.failed",
        "item.retrying",
        "item.unprocessed",
        "delivery.delivered",
        "delivery.dead",
        "delivery.disabled",
        "delivery.resent",
        "queue.paused",
        "queue.resumed",
        "queue.set",
        "store.restored",
    ]
    timestamp: str
    data: EventDataBlock


class LeftBehindBlock(Record):
    """Processes that outlived an attempt."""

    __slots__ = ()
    _optional: ClassVar[frozenset[str]] = frozenset({
        "processes",
        "names",
    })  # fmt: skip

    processes: int | None
    names: str | None


class AttemptBlock(Record):
    """One attempt of an item."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "left_behind": LeftBehindBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "host",
        "left_behind",
    })  # fmt: skip

    attempt: int
    round: int
    slot: int
    started_at: str
    duration_s: float | None
    outcome: str | None
    """Null while the attempt is running."""
    message: str | None
    host: str | None
    """The machine of the attempt; null for this one."""
    left_behind: LeftBehindBlock | None
    """Processes that outlived the attempt and were ended."""


class CauseBlock(Record):
    """One cause of failure."""

    __slots__ = ()
    _optional: ClassVar[frozenset[str]] = frozenset({
        "example",
    })  # fmt: skip

    code: str
    """The kind of failure."""
    message: str
    """The last message of the attempts, with numbers, paths and the like replaced."""
    count: int
    """Items that have failed with this cause."""
    retryable: bool
    outcome: Literal["known", "unknown"]
    """Unknown: a side effect may have happened."""
    sample_items: list[int]
    first_at: str
    last_at: str
    attempts: int
    """Attempts with this cause, all rounds."""
    example: str | None
    """A message of an item, if this message is masked."""


class FailuresBlock(Record):
    """The causes of failure of a job."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "groups": CauseBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "command",
    })  # fmt: skip

    groups: list[CauseBlock]
    """The causes with most items first."""
    groups_total: int
    ungrouped: int
    """Failed items with further causes."""
    command: str | None
    """The command that shows all causes; null if there are none."""


class RetryBlock(Record):
    """Whether a job can be retried, and how."""

    __slots__ = ()
    _optional: ClassVar[frozenset[str]] = frozenset({
        "note",
        "less_others",
    })  # fmt: skip

    available: bool
    why_not: str | None
    failed_retryable: int
    failed_permanent: int
    outcome_unknown: int
    unprocessed: int
    command: str | None
    """The command for a shell; it has the rules without which the items would fail again."""
    note: str | None
    """The difference to the round before, or what to do first."""
    less_others: bool | None
    """Whether the command leaves out items whose rows another job of this name has or has done."""

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: Literal["items"], /) -> int: ...

        @overload
        def __getitem__(self, key: str, /) -> Any: ...

        def __getitem__(self, key: str, /) -> Any: ...


class HoldBlock(Record):
    """One reason why items do not start."""

    __slots__ = ()

    code: str
    message: str
    action: str | None
    """The command to type."""


class AttentionBlock(Record):
    """One notice for a person."""

    __slots__ = ()

    code: str
    message: str
    action: str
    """The command to type."""


class BackoffBlock(Record):
    """The wait before another attempt."""

    __slots__ = ()

    base_s: float
    factor: float
    cap_s: float


class PolicyBlock(Record):
    """The rules of one job; null = no such limit."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "backoff": BackoffBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "timeouts_s",
        "leftovers",
        "deadline_at",
        "not_before_s",
        "recycle",
        "nice",
        "ionice",
        "gpus",
        "resources",
        "only_new",
        "new_by",
    })  # fmt: skip

    slots: int | None
    attempts: int
    timeout_s: float | None
    """The time limit of an attempt; with timeouts_s, the longest of them."""
    timeouts_s: list[float] | None
    """Time limits by attempt of a round, the last one for all further attempts; empty = timeout_s for all."""
    grace_s: float
    backoff: BackoffBlock
    retry_on: list[int]
    no_retry_on: list[int]
    on_crash: Literal["requeue", "fail"]
    leftovers: Literal["end", "wait", "fail"] | None
    """The rule for processes that outlive the command of an item."""
    max_crashes: int
    deadline_s: float | None
    """Seconds that each round may take; null when a point in time was given."""
    deadline_at: str | None
    """The deadline, if it was given as a point in time."""
    not_before_s: float | None
    """Seconds after the submission before which nothing starts; null when a point in time was given."""
    max_failures: str | None
    """A number, or a share such as 5%."""
    min_finished: int
    halt: Literal["soon", "now"]
    rate: str | None
    output_cap: int
    recycle: int | None
    """Calls after which a worker is replaced; 0 = never."""
    nice: int | None
    """Added to the niceness of the daemon: -20 to 19."""
    ionice: str | None
    """Priority for the disk: idle, best-effort or best-effort:0 to 7."""
    gpus: int | None
    """GPUs that each item has for itself."""
    resources: list[list[Any]] | None
    """The resources of a worker that an item needs: name and amount."""
    only_new: bool | None
    """Whether rows that an earlier job of this name has done are left out."""
    new_by: list[str] | None
    """The columns that only_new compares; empty = all."""


class ChangeBlock(Record):
    """A change of a rule, with its time."""

    __slots__ = ()

    setting: str
    """The name of the option, such as timeout."""
    before: str
    """None = there was no such limit; of env, the names of the variables."""
    after: str
    at: str


class RoundBlock(Record):
    """One round of a job, with its rules."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "policy": PolicyBlock,
        "changes": ChangeBlock,
    }

    round: int
    began_at: str
    actor: str
    """The user who submitted the job, or who began the round."""
    policy: PolicyBlock | None
    """The rules when the round began; null if an older version changed them without a note."""
    changes: list[ChangeBlock]
    """The rules that differ from those before, oldest first."""

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: Literal["items"], /) -> int | None: ...

        @overload
        def __getitem__(self, key: str, /) -> Any: ...

        def __getitem__(self, key: str, /) -> Any: ...


class UndoFileBlock(Record):
    """The file of the rows that were taken back."""

    __slots__ = ()

    path: str
    rows: int
    sha256: str


class UndoBlock(Record):
    """The undo of a job: what can be taken back, and what was."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "file": UndoFileBlock,
    }

    of: int | None
    """The job whose rows this job takes back; null for a job that is not an undo job."""
    available: bool
    """Whether the job keeps a way to take a row back."""
    on_failure: bool
    """Whether its rows are taken back by itself when it ends without success."""
    command: str | None
    """The command that takes rows back now; null if there is nothing to take back."""
    jobs: list[int]
    """The undo jobs that have rows of it, oldest first."""
    undone: int
    """Rows that were taken back."""
    failed: int
    """Rows whose undo failed or never ran."""
    running: int
    """Rows that are being taken back."""
    left: int
    """Rows that wait to be taken back."""
    file: UndoFileBlock | None
    """Null while no row was taken back."""


class ItemUndoBlock(Record):
    """The item of an undo job that takes back an item."""

    __slots__ = ()

    job: int
    item: int
    state: Literal["queued", "running", "retrying", "succeeded", "failed", "unprocessed"]


class ItemUndoOfBlock(Record):
    """The item that an item of an undo job takes back."""

    __slots__ = ()

    job: int
    item: int


class JournalBlock(Record):
    """One line of the journal of a job."""

    __slots__ = ()

    at: str
    item: int | None
    actor: str
    event: str
    reason: str
    data: dict[str, Any]


class ExplainDocument(Record):
    """Why a job or an item is in its state, as ``jobctl explain --json`` shows it."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "attempts": AttemptBlock,
        "failures": FailuresBlock,
        "retry": RetryBlock,
        "holds": HoldBlock,
        "attention": AttentionBlock,
        "rounds": RoundBlock,
        "undo": UndoBlock,
        "item_undo": ItemUndoBlock,
        "item_undo_of": ItemUndoOfBlock,
        "journal": JournalBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "rounds",
        "undo",
        "item_undo",
        "item_undo_of",
    })  # fmt: skip

    schema: Literal["jobctl.explain/1"]
    job: int
    name: str
    item: int | None
    state: Literal[
        "queued",
        "running",
        "paused",
        "cancelling",
        "succeeded",
        "partial",
        "failed",
        "cancelled",
        "expired",
    ]
    state_reason: str
    item_state: Literal["queued", "running", "retrying", "succeeded", "failed", "unprocessed"] | None
    item_reason: str | None
    attempts: list[AttemptBlock]
    resubmit_of: str | None
    resubmit_of_job: int | None
    failures: FailuresBlock
    retry: RetryBlock
    holds: list[HoldBlock]
    """The reasons why waiting items do not start now."""
    attention: list[AttentionBlock]
    rounds: list[RoundBlock] | None
    """The latest rounds, oldest first; empty for an item."""
    undo: UndoBlock | None
    """Null for a job of which nothing can be or was taken back."""
    item_undo: ItemUndoBlock | None
    """The item of an undo job that takes back the item."""
    item_undo_of: ItemUndoOfBlock | None
    """The item that this item of an undo job takes back."""
    journal: list[JournalBlock]
    """The latest lines, oldest first."""
    journal_total: int
    next: list[str]


class JoblogRowBlock(Record):
    """One line of a joblog of GNU parallel."""

    __slots__ = ()

    seq: int
    host: str
    started_at: str
    runtime_s: float
    send: int
    receive: int
    exit_code: int
    signal: int
    command: str


class ExportDocument(Record):
    """The latest attempts of a job, as ``jobctl export JOB --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "rows": JoblogRowBlock,
    }

    schema: Literal["jobctl.export/1"]
    job: int
    format: Literal["joblog"]
    rows: list[JoblogRowBlock]


class ExportFileDocument(Record):
    """The file that ``jobctl export JOB --output FILE --json`` wrote."""

    __slots__ = ()

    schema: Literal["jobctl.export_file/1"]
    job: int
    format: Literal["joblog"]
    path: str
    rows: int


class ArgumentBlock(Record):
    """One argument of a command."""

    __slots__ = ()

    name: str
    help: str
    required: bool
    multiple: bool


class OptionBlock(Record):
    """One option of a command."""

    __slots__ = ()

    names: list[str]
    value: str | None
    """The name of its value; null if it has none."""
    help: str
    group: str
    multiple: bool


class SubcommandBlock(Record):
    """One command below another."""

    __slots__ = ()

    name: str
    summary: str


class HelpDocument(Record):
    """The help of a command, as ``--help --json`` shows it."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "arguments": ArgumentBlock,
        "options": OptionBlock,
        "commands": SubcommandBlock,
    }

    schema: Literal["jobctl.help/1"]
    command: str
    summary: str
    usage: str
    arguments: list[ArgumentBlock]
    options: list[OptionBlock]
    commands: list[SubcommandBlock]
    text: str


class ItemBlock(Record):
    """One item; every key is present, null when there is nothing to say."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "left_behind": LeftBehindBlock,
        "undo": ItemUndoBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "undo",
    })  # fmt: skip

    job: int
    item: int
    state: Literal["queued", "running", "retrying", "succeeded", "failed", "unprocessed"]
    attempts: int
    exit_code: int | None
    signal: str | None
    """The signal that ended the latest attempt."""
    code: str | None
    """The kind of failure of the latest attempt; null if it did not fail, or has not ended."""
    message: str | None
    due_at: str | None
    """The time of the next attempt."""
    started_at: str | None
    duration_s: float | None
    cpu_s: float | None
    max_rss_kib: int | None
    slot: int | None
    host: str | None
    """The machine of the latest attempt; null for this one."""
    left_behind: LeftBehindBlock | None
    """Processes that outlived the attempt and were ended."""
    result: Any
    """The value that the function returned."""
    undo: ItemUndoBlock | None
    """The item of an undo job that takes back the item."""
    row: Any
    """An object by column names, the object of a JSON line, or the text of a line."""


class ItemsDocument(Record):
    """Items of a job, as ``jobctl items JOB --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "items": ItemBlock,
    }

    schema: Literal["jobctl.items/1"]
    job: int
    next: int | None
    """Give it to --after to see more; null at the end."""

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: Literal["items"], /) -> list[ItemBlock]: ...

        @overload
        def __getitem__(self, key: str, /) -> Any: ...

        def __getitem__(self, key: str, /) -> Any: ...


class LinkDocument(Record):
    """A link for a browser, as ``jobctl serve link --json`` shows it."""

    __slots__ = ()

    schema: Literal["jobctl.serve_link/1"]
    url: str
    """Valid once."""
    expires_at: str


class OutputDocument(Record):
    """The output of one attempt, as ``jobctl logs JOB.ITEM --json`` shows it."""

    __slots__ = ()
    _optional: ClassVar[frozenset[str]] = frozenset({
        "stdout",
        "stderr",
    })  # fmt: skip

    schema: Literal["jobctl.output/1"]
    job: int
    item: int | None
    attempt: int | None
    """Null for an item that has not run."""
    running: bool
    cut: bool
    """Whether --output-cap cut the output."""
    stdout: str | None
    """Null if the output cannot be read here."""
    stderr: str | None
    """Null if the output cannot be read here."""


class LogsDocument(Record):
    """The output of several items, as ``jobctl logs JOB --json`` shows it."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "outputs": OutputDocument,
    }

    schema: Literal["jobctl.logs/1"]
    outputs: list[OutputDocument]


class ManualPageDocument(Record):
    """A page of the manual, as ``jobctl man PAGE --json`` shows it."""

    __slots__ = ()

    page: str
    section: str
    summary: str
    schema: Literal["jobctl.man/1"]
    path: str | None
    """Null inside an archive."""
    text: str


class ManualPageBlock(Record):
    """One page of the manual."""

    __slots__ = ()

    page: str
    section: str
    summary: str


class ManualListDocument(Record):
    """The pages of the manual, as ``jobctl man --list --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "pages": ManualPageBlock,
    }

    schema: Literal["jobctl.man_list/1"]
    pages: list[ManualPageBlock]


class ManualPathDocument(Record):
    """The folder of the manual, as ``jobctl man --path --json`` shows it."""

    __slots__ = ()

    schema: Literal["jobctl.man_path/1"]
    path: str


class SampleBlock(Record):
    """One value."""

    __slots__ = ()

    labels: dict[str, str]
    value: float | None
    """Null where OpenMetrics says NaN or an infinity."""


class MetricBlock(Record):
    """One metric."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "samples": SampleBlock,
    }

    name: str
    type: Literal["gauge"]
    unit: str | None
    help: str
    samples: list[SampleBlock]


class MetricsDocument(Record):
    """Metrics of a store, as ``jobctl metrics --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "metrics": MetricBlock,
    }

    schema: Literal["jobctl.metrics/1"]
    at: str
    metrics: list[MetricBlock]


class MetricsFileDocument(Record):
    """The file that ``jobctl metrics --output FILE --json`` wrote."""

    __slots__ = ()

    schema: Literal["jobctl.metrics_file/1"]
    path: str
    bytes: int


class NewTokenDocument(Record):
    """A new token, as ``jobctl serve token add --json`` shows it once."""

    __slots__ = ()

    name: str
    scope: Literal["read", "submit", "control"]
    recipes: list[str] | None
    """The recipes that it may submit to; null: all that HTTP may run."""
    queue: str | None
    """The queue of its jobs; null: as the recipe says."""
    rate: str | None
    """Requests per time; null: the rate of the server."""
    all: bool
    """Whether it sees the jobs of others."""
    jobs: int
    created_at: str
    used_at: str | None
    """A moment of its use in the last hour before its last use."""
    revoked_at: str | None
    schema: Literal["jobctl.token/1"]
    token: str
    """The secret, which is shown only here."""


class OutputPieceDocument(Record):
    """A piece of output, one document on each line of ``jobctl logs --follow --json``."""

    __slots__ = ()

    schema: Literal["jobctl.output_piece/1"]
    job: int
    item: int
    attempt: int
    stream: Literal["stdout", "stderr"] | None
    """Null at the end of the attempt."""
    text: str | None
    over: bool
    """Whether the attempt has ended."""


class PausedJobBlock(Record):
    """The result for one job."""

    __slots__ = ()

    job: int
    changed: bool
    note: str


class PausedQueueBlock(Record):
    """The result for a queue."""

    __slots__ = ()

    name: str
    changed: bool
    note: str


class PauseDocument(Record):
    """The jobs or the queue of ``jobctl pause --json``."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "jobs": PausedJobBlock,
        "queue": PausedQueueBlock,
    }

    schema: Literal["jobctl.pause/1"]
    jobs: list[PausedJobBlock]
    queue: PausedQueueBlock | None


class PreviewFollowsBlock(Record):
    """Another job that has rows of this input."""

    __slots__ = ()

    job: int
    rows: int


class PreviewDocument(Record):
    """The effect of a submission, as ``jobctl submit --dry-run --json`` shows it."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "follows": PreviewFollowsBlock,
    }

    schema: Literal["jobctl.preview/1"]
    format: str
    columns: list[str]
    first: list[list[str]]
    """The first rows."""
    rows: int
    rejected: int
    not_selected: int
    skipped: int
    follows: list[PreviewFollowsBlock]
    replay_of: int | None
    """The job with the same key and the same work."""
    notices: list[str]
    problems: list[str]
    commands: list[list[str]]
    """The commands of the first rows."""


class PrunedJobBlock(Record):
    """A job that was removed, or would be."""

    __slots__ = ()

    job: int
    name: str
    state: Literal[
        "queued",
        "running",
        "paused",
        "cancelling",
        "succeeded",
        "partial",
        "failed",
        "cancelled",
        "expired",
    ]
    finished_at: str
    file_bytes: int

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: Literal["items"], /) -> int: ...

        @overload
        def __getitem__(self, key: str, /) -> Any: ...

        def __getitem__(self, key: str, /) -> Any: ...


class KeptJobBlock(Record):
    """A job that is old enough and stays."""

    __slots__ = ()

    job: int
    name: str
    state: Literal[
        "queued",
        "running",
        "paused",
        "cancelling",
        "succeeded",
        "partial",
        "failed",
        "cancelled",
        "expired",
    ]
    why: str


class PruneDocument(Record):
    """The jobs that ``jobctl prune --json`` removed, or would remove."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "jobs": PrunedJobBlock,
        "kept": KeptJobBlock,
    }

    schema: Literal["jobctl.prune/1"]
    dry_run: bool
    older_than_s: float
    jobs: list[PrunedJobBlock]
    kept: list[KeptJobBlock]
    finished: list[int]
    """Jobs that an earlier run had begun to remove."""
    rows: int
    file_bytes: int
    database_bytes: int
    set_aside: list[str]
    """Files of damaged or removed databases, which stay."""


class QueuesDocument(Record):
    """Queues, as ``jobctl queue list --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "queues": QueueDocument,
    }

    schema: Literal["jobctl.queues/1"]
    queues: list[QueueDocument]


class RecipeDocument(Record):
    """One recipe, as ``jobctl recipe show NAME --json`` shows it."""

    __slots__ = ()

    name: str
    source: str
    file: str
    options: dict[str, Any]
    schema: Literal["jobctl.recipe/1"]


class RecipeBlock(Record):
    """One recipe."""

    __slots__ = ()

    name: str
    source: str
    file: str
    options: dict[str, Any]


class RecipesDocument(Record):
    """The recipes, as ``jobctl recipe list --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "recipes": RecipeBlock,
    }

    schema: Literal["jobctl.recipes/1"]
    recipes: list[RecipeBlock]


class OfferedRecipeDocument(Record):
    """One of them, as ``GET /v1/recipes/NAME`` answers."""

    __slots__ = ()

    name: str
    summary: str
    options: dict[str, Any]
    """The safe options that it sets."""
    takes: list[str]
    """The options that a request may give."""
    schema: Literal["jobctl.offered_recipe/1"]


class OfferedRecipeBlock(Record):
    """A recipe that a caller may run over HTTP, without its command, paths and environment."""

    __slots__ = ()

    name: str
    summary: str
    options: dict[str, Any]
    """The safe options that it sets."""
    takes: list[str]
    """The options that a request may give."""


class OfferedRecipesDocument(Record):
    """The recipes that a caller may run, as ``GET /v1/recipes`` answers."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "recipes": OfferedRecipeBlock,
    }

    schema: Literal["jobctl.offered_recipes/1"]
    recipes: list[OfferedRecipeBlock]


class ProgressBlock(Record):
    """The progress of a job, and its expected end."""

    __slots__ = ()

    processed: int
    fraction: float
    rate_per_s: float | None
    eta_s: float | None
    """Seconds to the expected end; null while it would be a guess."""
    eta_at: str | None


class TimeBlock(Record):
    """The times of a job."""

    __slots__ = ()

    submitted_at: str
    started_at: str | None
    updated_at: str
    finished_at: str | None
    deadline_at: str | None
    active_s: float
    """Seconds without pauses, all rounds."""
    paused_s: float
    not_before_at: str | None


class RunningBlock(Record):
    """One item that runs."""

    __slots__ = ()
    _optional: ClassVar[frozenset[str]] = frozenset({
        "host",
    })  # fmt: skip

    item: int
    attempt: int
    slot: int | None
    started_at: str
    elapsed_s: float
    pid: int | None
    row_text: str
    """The first 200 bytes of the row, on one line."""
    host: str | None
    """The machine of the item; null for this one."""


class SlowestBlock(Record):
    """One attempt that took long."""

    __slots__ = ()

    item: int
    attempt: int
    duration_s: float


class DurationsBlock(Record):
    """Durations of attempts."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "slowest": SlowestBlock,
    }

    attempts: int
    """Attempts that have ended, all rounds."""
    p50_s: float | None
    p95_s: float | None
    max_s: float | None
    mean_s: float | None
    slowest: list[SlowestBlock]
    """The longest attempts, longest first."""


class ThroughputBlock(Record):
    """Items that ended, span by span."""

    __slots__ = ()

    round: int
    from_at: str
    until_at: str
    bucket_s: float
    succeeded: list[int]
    failed: list[int]


class CallBlock(Record):
    """The Python function that is called for each row."""

    __slots__ = ()

    target: str
    """Module:function."""
    setup: str | None
    """Module:function that each worker calls before its first row."""
    style: Literal["kwargs", "dict"] | None
    """The form of a row; null = the form that fits the function."""
    recycle: int | None
    """Calls after which a worker is replaced."""


class AfterBlock(Record):
    """A job that this one comes after."""

    __slots__ = ()

    job: int
    condition: Literal["ok", "any"]
    state: str | None
    """Null when that job was removed."""
    done: bool | None


class FollowsBlock(Record):
    """A job that has rows of this one."""

    __slots__ = ()

    job: int
    rows: int
    state: str | None
    """Null when that job was removed."""
    done: bool | None


class ResultFileBlock(Record):
    """One result file; path and hash are null before it is written."""

    __slots__ = ()

    path: str | None
    rows: int
    sha256: str | None


class ResultFilesBlock(Record):
    """The three result files of a round."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "succeeded": ResultFileBlock,
        "failed": ResultFileBlock,
        "unprocessed": ResultFileBlock,
    }

    succeeded: ResultFileBlock
    failed: ResultFileBlock
    unprocessed: ResultFileBlock


class RejectedBlock(Record):
    """The file of the rows that were not accepted."""

    __slots__ = ()

    path: str
    rows: int


class ResultsBlock(Record):
    """The results of a job."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "files": ResultFilesBlock,
        "rejected": RejectedBlock,
    }

    available: bool
    dir: str
    manifest: str | None
    purge_at: str | None
    files: ResultFilesBlock
    rejected: RejectedBlock | None
    """The file of the rejected rows and of the reasons."""


class SelectionBlock(Record):
    """The options that chose rows."""

    __slots__ = ()
    _optional: ClassVar[frozenset[str]] = frozenset({
        "select",
        "where",
        "sample",
    })  # fmt: skip

    select: str | None
    where: str | None
    sample: int | None


class InputBlock(Record):
    """The file that the rows came from."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "selection": SelectionBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "resubmitted_as",
    })  # fmt: skip

    path: str
    """The path of the input; - is standard input."""
    format: Literal["csv", "tsv", "jsonl", "lines"]
    columns: list[str]
    rows: int
    not_selected: int
    """Rows that --select, --where or --sample did not choose; they count in rows."""
    selection: SelectionBlock | None
    """The options that chose rows; null = all rows."""
    bytes: int
    sha256: str
    fingerprint: str
    resubmit_of: str | None
    """The uid of the job that the rows come from: its result file, or retry --as-new."""
    resubmit_of_job: int | None
    """The number of that job; null when it was removed."""
    resubmitted_as: list[int] | None
    """The newest jobs that were made from rows of this one; empty in a list of jobs."""


class IdempotencyBlock(Record):
    """The key of a submission."""

    __slots__ = ()

    key: str | None
    replayed: bool
    """True only in the answer to a submission that found the job by its key."""


class DaemonBlock(Record):
    """The daemon, as other documents show it."""

    __slots__ = ()
    _optional: ClassVar[frozenset[str]] = frozenset({
        "slots",
    })  # fmt: skip

    state: Literal["up", "down", "recovering", "draining", "not_responding"]
    pid: int | None
    heartbeat_at: str | None
    slots: int | None
    """Items that it runs at once; null while no daemon is up, 0 while a cluster has no workers.."""


class NotifyBlock(Record):
    """One target, and the delivery of the last round."""

    __slots__ = ()

    id: int
    kind: Literal["webhook", "command"]
    target: str
    state: Literal["armed", "disabled", "pending", "delivered", "dead"]
    attempts: int
    next_attempt_at: str | None
    last_result: str | None
    delivery: str | None
    round: int | None


class JobLinksBlock(Record):
    """The addresses that belong to a job."""

    __slots__ = ()

    self: str
    causes: str
    explain: str
    events: str
    report: str
    results: dict[str, str]
    """The result files that exist, by the kind of their rows."""

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: Literal["items"], /) -> str: ...

        @overload
        def __getitem__(self, key: str, /) -> Any: ...

        def __getitem__(self, key: str, /) -> Any: ...


class StatusDocument(Record):
    """One job, as ``jobctl status JOB --json`` shows it."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "counts": CountsBlock,
        "progress": ProgressBlock,
        "time": TimeBlock,
        "running": RunningBlock,
        "durations": DurationsBlock,
        "throughput": ThroughputBlock,
        "call": CallBlock,
        "after": AfterBlock,
        "follows": FollowsBlock,
        "attention": AttentionBlock,
        "failures": FailuresBlock,
        "retry": RetryBlock,
        "results": ResultsBlock,
        "input": InputBlock,
        "idempotency": IdempotencyBlock,
        "policy": PolicyBlock,
        "daemon": DaemonBlock,
        "notify": NotifyBlock,
        "undo": UndoBlock,
        "links": JobLinksBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "undo",
        "links",
    })  # fmt: skip

    schema: Literal["jobctl.status/1"]
    job: int
    uid: str
    name: str
    queue: str
    priority: int
    labels: dict[str, str]
    state: Literal[
        "queued",
        "running",
        "paused",
        "cancelling",
        "succeeded",
        "partial",
        "failed",
        "cancelled",
        "expired",
    ]
    state_reason: str
    """A sentence with figures."""
    done: bool
    """Whether the state is terminal."""
    ok: bool | None
    """Null until the job is done."""
    round: int
    """1, and one more for every retry."""
    revision: int
    """Grows with every change."""
    counts: CountsBlock
    """Total = queued + running + retrying + succeeded + failed + unprocessed; rejected and skipped rows are not in it.
    """
    progress: ProgressBlock
    time: TimeBlock
    handler: Literal["command", "shell", "column", "call"]
    cwd: str
    attempts: int
    """Attempts that have ended, all rounds."""
    running: list[RunningBlock]
    """Running items, oldest first; a bounded number of them."""
    durations: DurationsBlock
    """Durations of attempts; percentiles are exact to 2.5 %, null before the first attempt has ended."""
    throughput: ThroughputBlock | None
    """Items that ended in each span of bucket_s seconds of the present round, from from_at to until_at; the last span
    may be shorter; null before the first item has ended, and in lists of jobs.
    """
    call: CallBlock | None
    """The call of a Python function; null for items that are processes."""
    after: list[AfterBlock]
    """Jobs that this one comes after."""
    item_key: str | None
    """The column that names a row."""
    follows: list[FollowsBlock]
    """Jobs that have rows of this one; the rows are not items before those jobs have ended."""
    attention: list[AttentionBlock]
    """Notices for a person, the most pressing first."""
    failures: FailuresBlock
    retry: RetryBlock
    results: ResultsBlock
    input: InputBlock
    command: list[str] | str
    """Argv template, text for the shell, or function as module:name; empty if rows have their own commands."""
    idempotency: IdempotencyBlock
    policy: PolicyBlock
    """The rules of the submitter; null = no such limit."""
    daemon: DaemonBlock
    notify: list[NotifyBlock]
    next: list[str]
    """Commands to type now, the most likely first."""
    undo: UndoBlock | None
    """Null for a job of which nothing can be or was taken back."""
    links: JobLinksBlock | None
    """Paths of the HTTP server; only its answers have them."""


class BinBlock(Record):
    """One span of the histogram of durations."""

    __slots__ = ()

    from_s: float
    below_s: float
    attempts: int


class BarBlock(Record):
    """One attempt on the time line."""

    __slots__ = ()

    item: int
    attempt: int
    slot: int
    start_s: float
    duration_s: float
    state: Literal["running", "succeeded", "failed"]


class TimelineBlock(Record):
    """Attempts of a round by slot and time."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "bars": BarBlock,
    }

    round: int
    every_nth_item: int
    from_at: str
    bars: list[BarBlock]


class ReportDocument(Record):
    """The values of a report about a job."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "status": StatusDocument,
        "histogram": BinBlock,
        "timeline": TimelineBlock,
        "samples": ItemBlock,
    }

    schema: Literal["jobctl.report/1"]
    at: str
    status: StatusDocument
    histogram: list[BinBlock]
    timeline: TimelineBlock
    samples: list[list[ItemBlock]]
    """For each cause of failure, some of its items."""


class ReportFileDocument(Record):
    """The file that ``jobctl report JOB --json`` wrote."""

    __slots__ = ()
    _optional: ClassVar[frozenset[str]] = frozenset({
        "html",
    })  # fmt: skip

    schema: Literal["jobctl.report_file/1"]
    job: int
    path: str | None
    """Null when the page is in this document."""
    bytes: int
    html: str | None
    """The page, with --output -."""


class ResentDocument(Record):
    """The delivery that ``jobctl notify resend --json`` begins again."""

    __slots__ = ()

    schema: Literal["jobctl.resent/1"]
    delivery: str
    job: int
    target: str
    was: str
    daemon: int | None
    """The process that sends it; null when no daemon is running."""


class RestoredDocument(Record):
    """The copy of the database that ``jobctl doctor --restore --json`` put in its place."""

    __slots__ = ()

    schema: Literal["jobctl.restored/1"]
    made_at: str
    """The time of the copy; everything after it is lost."""
    aside: str | None
    """The present path of the damaged file."""

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: Literal["copy"], /) -> str: ...

        @overload
        def __getitem__(self, key: str, /) -> Any: ...

        def __getitem__(self, key: str, /) -> Any: ...


class ListedFileBlock(Record):
    """One result file, as ``jobctl results`` lists it."""

    __slots__ = ()
    _optional: ClassVar[frozenset[str]] = frozenset({
        "copied_to",
    })  # fmt: skip

    kind: Literal["succeeded", "failed", "unprocessed", "rejected", "undone"]
    path: str
    rows: int
    sha256: str | None
    copied_to: str | None
    """The copy that --output wrote."""


class ResultsDocument(Record):
    """The result files of a job, as ``jobctl results JOB --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "files": ListedFileBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "lines",
    })  # fmt: skip

    schema: Literal["jobctl.results/1"]
    job: int
    files: list[ListedFileBlock]
    lines: list[str] | None
    """The lines of the file, with --output -."""


class ResumeDocument(Record):
    """The jobs or the queue of ``jobctl resume --json``."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "jobs": PausedJobBlock,
        "queue": PausedQueueBlock,
    }

    schema: Literal["jobctl.resume/1"]
    jobs: list[PausedJobBlock]
    queue: PausedQueueBlock | None


class RetriedBlock(Record):
    """The new round of one job."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "policy": PolicyBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "policy",
    })  # fmt: skip

    job: int
    round: int
    left_out: int
    """Failed items with an unknown outcome that do not run again."""
    policy: PolicyBlock | None
    """The rules of the new round."""

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: Literal["items"], /) -> int: ...

        @overload
        def __getitem__(self, key: str, /) -> Any: ...

        def __getitem__(self, key: str, /) -> Any: ...


class RetryDocument(Record):
    """The new rounds of ``jobctl retry --json``."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "retried": RetriedBlock,
    }

    schema: Literal["jobctl.retry/1"]
    retried: list[RetriedBlock]


class RevokedTokenDocument(Record):
    """A token that does not count any more, as ``jobctl serve token revoke --json`` shows it."""

    __slots__ = ()

    schema: Literal["jobctl.token_revoked/1"]
    name: str
    changed: bool
    """False: it was revoked already."""
    revoked_at: str


class ServeDocument(Record):
    """Where the server listens, as ``jobctl serve --json`` says it when it is ready."""

    __slots__ = ()

    schema: Literal["jobctl.serve/1"]
    pid: int
    socket: str | None
    """The path of the Unix socket."""
    urls: list[str]
    """The addresses for requests with a token."""
    link: str | None
    """A link for a browser, valid once; null without an address."""
    link_expires_at: str | None
    daemon: bool
    """Whether a daemon runs the jobs."""


class SetDocument(Record):
    """The rules of a job after ``jobctl set --json``."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "policy": PolicyBlock,
    }

    schema: Literal["jobctl.set/1"]
    job: int
    policy: PolicyBlock


class MoreJobsBlock(Record):
    """The jobs that a list leaves out."""

    __slots__ = ()

    jobs: int
    command: str
    """The command that lists them, too."""


class StatusListDocument(Record):
    """Several jobs, as ``jobctl status --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "daemon": DaemonBlock,
        "jobs": StatusDocument,
        "more": MoreJobsBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "jobs_selected",
        "more",
    })  # fmt: skip

    schema: Literal["jobctl.status_list/1"]
    at: str
    daemon: DaemonBlock
    jobs: list[StatusDocument]
    jobs_total: int
    """All jobs of the store."""
    jobs_selected: int | None
    """The jobs that meet the conditions; without any, jobs_total."""
    more: MoreJobsBlock | None
    """Null if the list has every job that meets the conditions."""


class TokenBlock(Record):
    """What a token may do."""

    __slots__ = ()

    name: str
    scope: Literal["read", "submit", "control"]
    recipes: list[str] | None
    """The recipes that it may submit to; null: all that HTTP may run."""
    queue: str | None
    """The queue of its jobs; null: as the recipe says."""
    rate: str | None
    """Requests per time; null: the rate of the server."""
    all: bool
    """Whether it sees the jobs of others."""
    jobs: int
    created_at: str
    used_at: str | None
    """A moment of its use in the last hour before its last use."""
    revoked_at: str | None


class TokensDocument(Record):
    """All tokens, as ``jobctl serve token list --json`` shows them."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "tokens": TokenBlock,
    }

    schema: Literal["jobctl.tokens/1"]
    tokens: list[TokenBlock]


class UndoDocument(Record):
    """The undo job that ``jobctl undo --json`` made."""

    __slots__ = ()

    schema: Literal["jobctl.undo/1"]
    job: int
    """The undo job."""
    undo_of: int
    """The job whose rows it takes back."""
    unknown: int
    """Rows that were left out because their outcome is not known."""
    undone: int
    """Rows that were taken back before."""
    running: int
    """Rows that other undo jobs are taking back."""

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: Literal["items"], /) -> int: ...

        @overload
        def __getitem__(self, key: str, /) -> Any: ...

        def __getitem__(self, key: str, /) -> Any: ...


class SocketUnitBlock(Record):
    """The socket file of ``jobctl daemon install --serve --json``."""

    __slots__ = ()
    _optional: ClassVar[frozenset[str]] = frozenset({
        "text",
    })  # fmt: skip

    path: str
    changed: bool
    text: str | None
    """The content of the file, with --print."""


class UnitDocument(Record):
    """The service file of ``jobctl daemon install --json``."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "socket": SocketUnitBlock,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({
        "text",
        "socket",
    })  # fmt: skip

    schema: Literal["jobctl.unit/1"]
    path: str
    changed: bool
    text: str | None
    """The content of the file, with --print."""
    socket: SocketUnitBlock | None


class FindingBlock(Record):
    """One fault."""

    __slots__ = ()

    code: str
    message: str
    file: str | None
    item: int | None


class VerifyDocument(Record):
    """The checks and the findings of ``jobctl verify JOB --json``."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "findings": FindingBlock,
    }

    schema: Literal["jobctl.verify/1"]
    job: int
    state: Literal[
        "queued",
        "running",
        "paused",
        "cancelling",
        "succeeded",
        "partial",
        "failed",
        "cancelled",
        "expired",
    ]
    files: int
    file_rows: int
    checked: list[str]
    unchecked: list[str]
    findings: list[FindingBlock]
    findings_total: int
    ok: bool

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: Literal["items"], /) -> int: ...

        @overload
        def __getitem__(self, key: str, /) -> Any: ...

        def __getitem__(self, key: str, /) -> Any: ...


class VersionDocument(Record):
    """The version, as ``jobctl --version --json`` shows it."""

    __slots__ = ()

    schema: Literal["jobctl.version/1"]
    version: str


class WorkerDocument(Record):
    """The end of ``jobctl worker --json``."""

    __slots__ = ()

    schema: Literal["jobctl.worker/1"]
    slots: int
    resources: dict[str, float]
    exit_code: int


class ManifestInputBlock(Record):
    """The input of a job."""

    __slots__ = ()

    path: str
    sha256: str


class ManifestFileBlock(Record):
    """One result file, which is in the folder of the manifest."""

    __slots__ = ()

    name: str
    rows: int
    sha256: str


class ManifestFilesBlock(Record):
    """The three result files of a round."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "succeeded": ManifestFileBlock,
        "failed": ManifestFileBlock,
        "unprocessed": ManifestFileBlock,
    }

    succeeded: ManifestFileBlock
    failed: ManifestFileBlock
    unprocessed: ManifestFileBlock


class ManifestDocument(Record):
    """manifest.json in the folder of the result files."""

    __slots__ = ()
    _blocks: ClassVar[Blocks] = {
        "input": ManifestInputBlock,
        "files": ManifestFilesBlock,
    }

    schema: Literal["jobctl.manifest/1"]
    job: int
    uid: str
    round: int
    input: ManifestInputBlock
    fingerprint: str
    rows: int
    files: ManifestFilesBlock
    written_by: str
