"""The one definition of the schema. ``schema.sql`` is generated from it (``python -m jobctl.store.schema``).

Only generators and tests import it, because it costs 0.6 s of start-up. The program reads and writes with the SQL of
the other modules. CHECK constraints repeat the invariants.

Times are integer microseconds UTC, durations too unless the name says otherwise.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, text
from sqlmodel import Field, SQLModel

from jobctl.domain.states import TERMINAL_JOB_STATES, ItemState, JobState

_STATES = ", ".join(f"'{s}'" for s in JobState)
_TERMINAL = ", ".join(f"'{s}'" for s in sorted(TERMINAL_JOB_STATES))


def _default(value: int | str) -> Any:
    """A column with a default, in the program and in the schema."""
    return Field(default=value, sa_column_kwargs={"server_default": str(value)})


class Meta(SQLModel, table=True):
    """Facts about the store, one for each key: see ``store/meta.py``."""

    __tablename__ = "meta"
    __table_args__ = ({"sqlite_with_rowid": False},)
    key: str = Field(primary_key=True)
    value: str


class Job(SQLModel, table=True):
    """One submission: its command, its rules and its progress."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="job_state_known"),
        CheckConstraint(
            "total = queued + running + retrying + succeeded + failed + unprocessed", name="job_counts_add_up"
        ),
        CheckConstraint(
            "min(queued, running, retrying, succeeded, failed, unprocessed, rejected, skipped) >= 0",
            name="job_counts_not_negative",
        ),
        CheckConstraint(f"(finished_at IS NOT NULL) = (state IN ({_TERMINAL}))", name="job_finished_iff_terminal"),
        CheckConstraint("finished_at IS NULL OR queued + running + retrying = 0", name="job_terminal_has_no_live_item"),
        Index("jobs_live", "id", sqlite_where=text("finished_at IS NULL")),
        Index("jobs_key", "key", unique=True, sqlite_where=text("key IS NOT NULL")),
        Index("jobs_name", "name"),
        # All columns that conditions on jobs read, so that a list of 100,000 jobs reads no whole row of any of them.
        Index("jobs_list", "state", "queue", "submitted_at", "finished_at", "name", "labels"),
        Index("jobs_fingerprint", "fingerprint"),
        Index("jobs_undo_of", "undo_of", sqlite_where=text("undo_of IS NOT NULL")),
        Index("jobs_owner", "owner", "name", sqlite_where=text("owner IS NOT NULL")),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, primary_key=True)
    uid: str = Field(unique=True)
    name: str
    queue: str
    priority: int = _default(0)
    labels: str = _default("{}")

    handler: str  # command | shell | column | call
    command: str  # JSON: argv template, shell text, or null
    cwd: str
    umask: int
    env: str  # JSON {NAME: value}
    env_names: str = _default("[]")  # values come from the daemon
    env_file: str | None = None
    policy: str  # JSON, see domain.policy

    input_path: str
    input_format: str
    input_dialect: str = _default("{}")  # JSON: delimiter, header
    columns: str  # JSON list
    input_bytes: int
    input_sha256: str
    rows_sha256: str = _default("")
    work_options: str = _default("{}")  # JSON: the given options
    fingerprint: str
    key: str | None = None
    item_key: str | None = None  # the column that names a row
    resubmit_of: str | None = None  # uid of the job whose result file was submitted
    root_uid: str | None = None  # uid of the first job of that lineage
    foreground: int = _default(0)  # `jobctl run` works on it
    after: str = _default("[]")
    not_before_at: int | None = None

    state: str
    reason: str = _default("")  # why it was cut short
    round: int = _default(1)
    revision: int = _default(1)
    total: int
    queued: int
    running: int = _default(0)
    retrying: int = _default(0)
    succeeded: int = _default(0)
    failed: int = _default(0)
    unprocessed: int = _default(0)
    rejected: int = _default(0)
    skipped: int = _default(0)
    cursor: int = _default(1)  # no item below it is queued

    paused_at: int | None = None
    pause_reason: str = _default("")
    stop: str | None = None  # why no further item may start: cancel | expired | failures | command
    stop_now: int = _default(0)  # 1: end running items; 2: without grace
    stop_reason: str = _default("")

    submitted_at: int
    started_at: int | None = None
    updated_at: int
    finished_at: int | None = None
    deadline_at: int | None = None
    round_at: int  # when this round began
    paused_us: int = _default(0)
    # Time of earlier rounds, with their pauses; and pauses of this round from before its start.
    active_us: int = _default(0)
    rate_per_s: float | None = None  # items processed, smoothed
    mean_us: float | None = None  # duration of an attempt, smoothed
    attempts: int = _default(0)  # finished attempts, all rounds
    results: str | None = None  # JSON: the content of the manifest, once it is written
    tokens: float | None = None  # starts that its rate had left at ``tokens_at``
    tokens_at: int | None = None
    failures_ungrouped: int = _default(0)
    undo: str | None = None  # JSON: how to take back a row, see domain.undo
    undo_of: int | None = None  # the job whose rows this one takes back
    # Items of an undo job that stay in its counts although a later undo job has their rows, or the rows run again.
    undo_retaken: int = _default(0)
    undo_released: int = _default(0)
    owner: str | None = None  # the name of the token that submitted it; NULL = a person


class Figures(SQLModel, table=True):
    """The durations of a job's attempts and the times when its items ended, bounded in size."""

    __tablename__ = "figures"
    job: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    durations: str  # JSON, see domain.figures
    course: str


class Item(SQLModel, table=True):
    """One input row and its state. The row is narrow, and no index covers all items: millions would pay for it."""

    __tablename__ = "items"
    __table_args__ = (
        CheckConstraint(f"state BETWEEN {min(ItemState):d} AND {max(ItemState):d}", name="item_state_known"),
        CheckConstraint(f"(state = {ItemState.RETRYING:d}) = (due_at IS NOT NULL)", name="item_due_iff_retrying"),
        Index("items_running", "job", "item", sqlite_where=text(f"state = {ItemState.RUNNING:d}")),
        Index("items_due", "job", "due_at", sqlite_where=text(f"state = {ItemState.RETRYING:d}")),
        Index("items_failed", "job", "item", sqlite_where=text(f"state = {ItemState.FAILED:d}")),
        {"sqlite_with_rowid": False},
    )
    job: int = Field(primary_key=True)
    item: int = Field(primary_key=True)
    state: int = _default(0)
    attempt: int = _default(0)  # begun so far, all rounds
    free: int = _default(0)  # of these, not charged to the budget
    crashes: int = _default(0)  # interrupted in this round
    epoch: int = _default(0)  # of the engine that claimed it
    due_at: int | None = None
    failure: int | None = None  # the group its last failed attempt belongs to
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Attempt(SQLModel, table=True):
    """One run of an item: its ending, its cost and the place of its output. Written when it starts or ends."""

    __tablename__ = "attempts"
    __table_args__ = (
        CheckConstraint("(duration_us IS NULL) = (ending IS NULL)", name="attempt_over_iff_ended"),
        {"sqlite_with_rowid": False},
    )
    job: int = Field(primary_key=True)
    item: int = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    round: int
    slot: int
    started_at: int
    ending: int | None = None  # domain.endings.Ending; NULL = running
    code: int = _default(0)
    duration_us: int | None = None
    cpu_us: int = _default(0)
    max_rss_kib: int = _default(0)
    log: int
    out_off: int = _default(0)
    out_len: int = _default(0)
    err_off: int = _default(0)
    err_len: int = _default(0)
    flags: int = _default(0)  # domain.ports.OutputFlag
    pid: int = _default(0)
    failure: int | None = None
    message: str | None = None  # of a failed attempt, as it said it
    value: str | None = None  # JSON a callable returned
    host: str | None = None


class Failure(SQLModel, table=True):
    """A cause of failure: attempts of a job that failed alike, counted as they settle."""

    __tablename__ = "failures"
    __table_args__ = (Index("failures_cause", "job", "code", "message", "outcome", unique=True),)
    id: int | None = Field(default=None, primary_key=True)
    job: int
    code: str
    message: str  # numbers, paths, quoted values replaced
    outcome: str  # known | unknown
    retryable: int
    items: int  # failed now because of it
    attempts: int  # attempts that ended so, in all rounds
    first_at: int
    last_at: int
    samples: str  # JSON list of item numbers


class JournalEntry(SQLModel, table=True):
    """Every transition of a job and every command about an item: by whom, when and why. Job 0 is the store itself."""

    __tablename__ = "journal"
    __table_args__ = (Index("journal_job", "job", "id"),)
    id: int | None = Field(default=None, primary_key=True)  # of an event, see store/event_ids.py
    at: int
    job: int
    item: int | None = None
    actor: str
    event: str
    reason: str = _default("")
    data: str = _default("{}")
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary))  # of the notification about the end


class Outcomes(SQLModel, table=True):
    """The outcomes of a job that one transaction has settled, each with an event id: see ``store/outcomes.py``."""

    __tablename__ = "outcomes"
    __table_args__ = (Index("outcomes_job", "job", "id"),)
    id: int | None = Field(default=None, primary_key=True)  # of the last outcome; those before it have the ids before
    job: int
    at: int
    count: int
    packed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Request(SQLModel, table=True):
    """A request of a command to the engine, which deletes it when it is carried out."""

    __tablename__ = "requests"
    id: int | None = Field(default=None, primary_key=True)
    at: int
    job: int
    item: int | None = None
    verb: str  # cancel
    now: int = _default(0)
    actor: str
    reason: str = _default("")


class Queue(SQLModel, table=True):
    """A named lane. A queue without a row here has no limit of its own and is open."""

    __tablename__ = "queues"
    __table_args__ = ({"sqlite_with_rowid": False},)
    name: str = Field(primary_key=True)
    slots: int | None = None
    paused_at: int | None = None
    pause_reason: str = _default("")
    rate: str | None = None
    tokens: float | None = None
    tokens_at: int | None = None


class Daemon(SQLModel, table=True):
    """The last heartbeat of the daemon: one row. Its lock says whether it lives, not this row."""

    __tablename__ = "daemon"
    __table_args__ = (CheckConstraint("id = 1", name="daemon_is_one"),)
    id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    pid: int
    engine_pid: int
    state: str  # recovering | up | draining
    scope: str  # all, or the number of the one job it works for
    slots: int
    version: str
    started_at: int
    heartbeat_at: int
    pressure: str = _default("")


class Done(SQLModel, table=True):
    """A row that succeeded, by hash of job name and row key; outlives its job."""

    __tablename__ = "done"
    __table_args__ = ({"sqlite_with_rowid": False},)
    row: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    job: int
    at: int


class Followed(SQLModel, table=True):
    """A row that another job of the same name has: it becomes an item only if that job ends without its success."""

    __tablename__ = "followed"
    __table_args__ = ({"sqlite_with_rowid": False},)
    job: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    other: int  # the first job that has it
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Undone(SQLModel, table=True):
    """A row that an undo job has taken, and the item that it is there: no row is in two undo jobs."""

    __tablename__ = "undone"
    __table_args__ = ({"sqlite_with_rowid": False},)
    job: int = Field(primary_key=True)
    item: int = Field(primary_key=True)
    undo_job: int
    undo_item: int


class Cancelled(SQLModel, table=True):
    """An item of a set that a command asked to cancel: see ``store/cancelled.py``."""

    __tablename__ = "cancelled"
    __table_args__ = ({"sqlite_with_rowid": False},)
    job: int = Field(primary_key=True)
    item: int = Field(primary_key=True)
    batch: int = Field(primary_key=True)


class Leftovers(SQLModel, table=True):
    """Processes that outlived an attempt and were ended."""

    __tablename__ = "leftovers"
    __table_args__ = ({"sqlite_with_rowid": False},)
    job: int = Field(primary_key=True)
    item: int = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    count: int
    names: str


class Target(SQLModel, table=True):
    """The targets that announce the end of each round of a job. A secret is stored as the name of its place alone."""

    __tablename__ = "targets"
    __table_args__ = (
        CheckConstraint("kind IN ('webhook', 'command')", name="target_kind_known"),
        CheckConstraint("secret_env IS NULL OR secret_file IS NULL", name="target_has_one_secret"),
        Index("targets_job", "job"),
    )
    id: int | None = Field(default=None, primary_key=True)
    job: int
    kind: str
    target: str  # URL, or text for /bin/sh
    secret_env: str | None = None
    secret_file: str | None = None
    allow_http: int = _default(0)
    disabled_at: int | None = None  # the receiver said that it is gone


class Delivery(SQLModel, table=True):
    """The outbox: a notification for a target, written in the transaction that ends the round."""

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'delivered', 'dead', 'disabled')", name="delivery_state_known"),
        CheckConstraint("next_at IS NULL OR state = 'pending'", name="delivery_due_only_if_pending"),
        Index("deliveries_round", "job", "round", "target", unique=True),
        Index("deliveries_due", "next_at", sqlite_where=text("next_at IS NOT NULL")),
        {"sqlite_with_rowid": False},
    )
    id: str = Field(primary_key=True)  # msg_UUID, the webhook-id of every attempt
    job: int
    round: int
    target: int
    event: str  # job.succeeded, job.partial...
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # the bytes that are signed and sent
    state: str
    attempts: int = _default(0)  # begun so far
    free: int = _default(0)  # of these, before the last restart
    next_at: int | None = None  # NULL and pending: an attempt is under way
    created_at: int
    settled_at: int | None = None
    result: str = _default("")  # of the last attempt, in words


class DeliveryAttempt(SQLModel, table=True):
    """One attempt of a delivery, noted before it begins and completed when it is over."""

    __tablename__ = "delivery_attempts"
    __table_args__ = ({"sqlite_with_rowid": False},)
    delivery: str = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    started_at: int
    duration_us: int | None = None  # NULL: under way, or cut off with the engine
    status: int | None = None  # of HTTP, or exit code
    error: str = _default("")
    response: str = _default("")  # the beginning, made harmless


class AccessToken(SQLModel, table=True):
    """A token with which a program uses the store over HTTP. Its secret is not stored, only a digest of it."""

    __tablename__ = "access_tokens"
    __table_args__ = (
        CheckConstraint("scope IN ('read', 'submit', 'control')", name="access_token_scope_known"),
        Index("access_tokens_digest", "digest", unique=True),
        {"sqlite_with_rowid": False},
    )
    name: str = Field(primary_key=True)
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # SHA-256
    scope: str
    recipes: str = _default("[]")  # JSON list; empty = all that HTTP may run
    queue: str | None = None
    rate: str | None = None  # of requests; NULL = that of the server
    sees_all: int = _default(0)
    created_at: int
    revoked_at: int | None = None
    used_at: int | None = None


class Pruning(SQLModel, table=True):
    """A job that is gone for everybody, or not there yet: its rows and files are being removed, or its rows written."""

    __tablename__ = "prunings"
    __table_args__ = ({"sqlite_with_rowid": False},)
    job: int = Field(primary_key=True)
    at: int


TABLES = SQLModel.metadata.sorted_tables
