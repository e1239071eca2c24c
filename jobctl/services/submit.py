"""Accepting work: one streamed pass over the file inside one transaction, then one durable commit, then the id."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

from jobctl.config import Home
from jobctl.domain.fingerprint import Work, fingerprint
from jobctl.domain.policy import Policy
from jobctl.errors import UsageError
from jobctl.handlers.command import Handler, make_handler
from jobctl.handlers.environment import read_env_file, split_options, submitter_environment
from jobctl.process.wakeup import wake
from jobctl.services import idempotency
from jobctl.services.actor import actor
from jobctl.sources import open_source
from jobctl.sources.options import InputOptions
from jobctl.sources.source import Source
from jobctl.sources.problems import Problems, RejectedRow
from jobctl.store import items, jobs, journal
from jobctl.store.database import Database, open_database
from jobctl.store.jobs import JobRow

DEFAULT_QUEUE = "default"

OnDuplicate = Literal["return", "fail", "resume"]


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """Everything a submission says."""

    input: InputOptions
    command: tuple[str, ...] = ()
    shell: str | None = None
    name: str | None = None
    queue: str = DEFAULT_QUEUE
    priority: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    env: tuple[str, ...] = ()
    env_file: str | None = None
    policy: Policy = field(default_factory=Policy)
    hold: bool = False
    foreground: bool = False
    key: str | None = None
    on_duplicate: OnDuplicate = "return"
    unique: bool = False
    after: tuple[tuple[int, str], ...] = ()  # (job, ok | any)
    not_before_at: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that exists, durably."""

    job: int
    uid: str
    name: str
    items: int
    rejected: int
    rejected_path: str | None
    replayed: bool = False
    resumed: int = 0  # items of a replayed job that got another round


@dataclass(frozen=True, slots=True)
class Preview:
    """What a submission would do."""

    format: str
    columns: tuple[str, ...]
    rows: int
    rejected: int
    commands: tuple[tuple[str, ...], ...]
    problems: Problems


def new_uid(now: int) -> str:
    """A UUIDv7: sorts by time, unique without asking anybody (RFC 9562)."""
    value = (now // 1000) << 80 | 0x7 << 76 | int.from_bytes(os.urandom(2), "big") >> 4 << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def submit(home: Home, request: SubmitRequest, *, now: int, stdin: BinaryIO) -> Accepted:
    """Accept a file as a job, or find the job that its idempotency key stands for.

    Raises InputRejected naming the first problems of the input, UsageError for options, KeyConflict for a key that
    stands for other work; in each case nothing has changed. The id is returned only after a commit that survives a
    power cut.
    """
    surroundings = _check_surroundings(request)
    with open_source(request.input, stdin) as source:
        handler = make_handler(request.command, request.shell, source.format, source.columns)
        database = open_database(home, create=True)
        try:
            accepted = _Intake(home, database, source, handler, request, now).run(surroundings)
        finally:
            database.close()
    wake(home.wake)
    return accepted


def preview(request: SubmitRequest, *, stdin: BinaryIO, show: int = 5) -> Preview:
    """Read and judge the whole input, write nothing; ``show`` commands are rendered."""
    _check_surroundings(request)
    commands: list[tuple[str, ...]] = []
    with open_source(request.input, stdin) as source:
        handler = make_handler(request.command, request.shell, source.format, source.columns)
        for batch in source.batches(handler.check):
            for payload in batch[: show - len(commands)]:
                commands.append(handler.words(len(commands) + 1, payload))
    return Preview(
        source.format, tuple(source.columns or ()), source.rows, source.rejected, tuple(commands), source.problems
    )


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What a job takes over from where it was submitted."""

    cwd: str
    env: dict[str, str]
    env_names: list[str]
    given: dict[str, Any]  # of these, what was said on purpose


def _check_surroundings(request: SubmitRequest) -> _Surroundings:
    cwd = os.path.abspath(os.path.expanduser(request.cwd)) if request.cwd is not None else os.getcwd()
    if not os.path.isdir(cwd):
        raise UsageError(f"--cwd {cwd}: there is no such directory")
    values, names = split_options(request.env)
    env_file = None if request.env_file is None else os.path.abspath(request.env_file)
    if env_file is not None:
        read_env_file(Path(env_file))
    if request.key is not None:
        idempotency.check_key(request.key)
    given = {"cwd": cwd, "env": values, "env_names": names, "env_file": env_file}
    return _Surroundings(cwd, submitter_environment(os.environ) | values, names, given)


class _Intake:
    """One submission on its way into the database."""

    def __init__(
        self, home: Home, database: Database, source: Source, handler: Handler, request: SubmitRequest, now: int
    ) -> None:
        self._home = home
        self._database = database
        self._source = source
        self._handler = handler
        self._request = request
        self._now = now
        self._rejects: _RejectFile | None = None
        self._surroundings = _Surroundings("", {}, [], {})

    def run(self, surroundings: _Surroundings) -> Accepted:
        """Accept it, in one transaction; with a key, in the same one in which nobody else can take that key."""
        self._surroundings = surroundings
        try:
            with self._database.transaction():
                owner = None if self._request.key is None else jobs.by_key(self._database, self._request.key)
                accepted = self._insert() if owner is None else self._replay(owner)
        except BaseException:
            if self._rejects is not None:
                self._rejects.discard()
            raise
        if self._rejects is None:
            return accepted
        return replace(accepted, rejected_path=self._rejects.keep())

    def _insert(self) -> Accepted:
        request, now = self._request, self._now
        uid = new_uid(now)
        job = jobs.insert(self._database, self._row(uid))
        rows = self._insert_rows(job)
        name = request.name or _default_name(request.input.path, job)
        self._complete(job, name, rows)
        if request.unique:
            idempotency.check_unique(self._database, job, fingerprint(*self._work()))
        journal.note(
            self._database, job, "submitted", at=now, actor=actor(), reason=f"{rows} items", command=_shown(request)
        )
        return Accepted(job, uid, name, rows, self._source.rejected, None)

    def _replay(self, owner: JobRow) -> Accepted:
        """The key is taken: the same work is the same job, other work is a conflict."""
        comparison = idempotency.Comparison(self._database, owner)
        for batch in self._source.batches(self._handler.check):
            comparison.add(batch)
        comparison.check(self._work())
        resumed = 0
        if self._request.on_duplicate == "fail":
            raise idempotency.duplicate(owner)
        if self._request.on_duplicate == "resume":
            resumed = idempotency.resume(self._database, owner, self._now)
        return Accepted(owner.id, owner.uid, owner.name, owner.total, 0, None, replayed=True, resumed=resumed)

    def _row(self, uid: str) -> dict[str, Any]:
        request, source, now, around = self._request, self._source, self._now, self._surroundings
        policy = request.policy
        return {
            "uid": uid,
            "name": request.name or "",
            "queue": request.queue,
            "priority": request.priority,
            "labels": dict(request.labels),
            "handler": self._handler.kind,
            "command": json.dumps(request.shell if request.shell is not None else list(request.command)),
            "cwd": around.cwd,
            "umask": _umask(),
            "env": around.env,
            "env_names": around.env_names,
            "env_file": around.given["env_file"],
            "policy": policy.to_json(),
            "input_path": request.input.path,
            "input_format": source.format,
            "input_dialect": source.dialect,
            "columns": list(source.columns or ()),
            "input_bytes": 0,
            "input_sha256": "",
            "work_options": around.given,
            "fingerprint": "",
            "key": request.key,
            "after": [list(dependency) for dependency in request.after],
            "not_before_at": request.not_before_at,
            "state": "paused" if request.hold else "queued",
            "total": 0,
            "queued": 0,
            "foreground": int(request.foreground),
            "submitted_at": now,
            "updated_at": now,
            "round_at": now,
            "deadline_at": None if policy.deadline_s is None else now + int(policy.deadline_s * 1e6),
            "paused_at": now if request.hold else None,
            "pause_reason": "held at submit" if request.hold else "",
        }

    def _insert_rows(self, job: int) -> int:
        first = 1
        for batch in self._source.batches(self._handler.check, self._reject_to(job)):
            items.enqueue(self._database, job, first, batch)
            first += len(batch)
        return first - 1

    def _reject_to(self, job: int) -> Callable[[RejectedRow], None]:
        def reject(row: RejectedRow) -> None:
            if self._rejects is None:
                self._rejects = _RejectFile(self._home.job_results(job))
            self._rejects.write(row)

        return reject

    def _complete(self, job: int, name: str, rows: int) -> None:
        source = self._source
        jobs.update(
            self._database,
            job,
            name=name,
            total=rows,
            queued=rows,
            rejected=source.rejected,
            input_bytes=source.bytes,
            input_sha256=source.sha256,
            input_dialect=json.dumps(source.dialect),
            resubmit_of=source.resubmit_of,
            rows_sha256=source.rows_sha256,
            fingerprint=fingerprint(*self._work()),
        )

    def _work(self) -> Work:
        request = self._request
        command = request.shell if request.shell is not None else list(request.command)
        return Work(
            self._source.columns or (), self._source.rows_sha256, self._handler.kind, command, self._surroundings.given
        )


class _RejectFile:
    """``rejected.csv``: rows that were not accepted, each with its place and the reason."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / "rejected.csv"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(["line", "record", "column", "reason", "row"])

    def write(self, row: RejectedRow) -> None:
        problem = row.problem
        self._writer.writerow([problem.line, problem.record, problem.column or "", problem.message, *row.fields])

    def keep(self) -> str:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return str(self._path)

    def discard(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


def _default_name(path: str, job: int) -> str:
    if path == "-":
        return f"stdin-{job}"
    stem = os.path.basename(path)
    for suffix in (".gz", ".csv", ".tsv", ".jsonl", ".ndjson", ".txt", ".list"):
        stem = stem.removesuffix(suffix)
    return stem or f"job-{job}"


def _shown(request: SubmitRequest) -> str:
    return request.shell if request.shell is not None else " ".join(request.command)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
