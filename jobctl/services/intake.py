"""One submission on its way into the database."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobctl.config import Home, cpu_count
from jobctl.domain.bounds import Bounds, worst_case
from jobctl.domain.csvtext import row_writer
from jobctl.domain.fingerprint import Work, fingerprint
from jobctl.domain.payload import key_reader
from jobctl.domain.wording import plural
from jobctl.handlers.command import Handler
from jobctl.process import private
from jobctl.services import idempotency
from jobctl.services.actor import actor
from jobctl.services.request import Accepted, NotifyOptions, SubmitRequest, Surroundings
from jobctl.sources.options import NAME_SUFFIXES, unpacked_name
from jobctl.sources.problems import RejectedRow
from jobctl.sources.source import Source
from jobctl.store import items, jobs, journal
from jobctl.store.database import Database
from jobctl.store.jobs import JobRow

if TYPE_CHECKING:
    from jobctl.services.rowkeys import RowKeys
    from jobctl.store.outbox import NewTarget


def new_uid(now: int) -> str:
    """A UUIDv7: sorts by time, unique without asking anybody (RFC 9562)."""
    value = (now // 1000) << 80 | 0x7 << 76 | int.from_bytes(os.urandom(2), "big") >> 4 << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Intake:
    """Reads a source into a new job, or finds the job that its key stands for."""

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
        self._skipped = 0
        self._targets = _targets(request.notify)
        self._surroundings = Surroundings("", {}, [], {})

    def run(self, surroundings: Surroundings) -> Accepted:
        """Accept it, in one transaction; with a key, in the same one in which nobody else can take that key."""
        self._surroundings = surroundings
        keys = self._row_keys()
        try:
            with self._database.transaction():
                owner = None if self._request.key is None else jobs.by_key(self._database, self._request.key)
                accepted = self._insert(keys) if owner is None else self._replay(owner)
        except BaseException:
            if self._rejects is not None:
                self._rejects.discard()
            raise
        finally:
            if keys is not None:
                keys.close()
        if self._rejects is None:
            return accepted
        return replace(accepted, rejected_path=self._rejects.keep())

    def _row_keys(self) -> RowKeys | None:
        column, source = self._request.item_key, self._source
        if column is None:
            return None
        from jobctl.services.rowkeys import RowKeys
        from jobctl.store.done import RowHash

        command = json.dumps([self._handler.kind, self._request.work_command])
        read_key = key_reader(source.format, source.columns or (), column)
        return RowKeys(self._database, read_key, RowHash(self._request.name or "", command), column)

    def _insert(self, keys: RowKeys | None) -> Accepted:
        request, now = self._request, self._now
        uid = new_uid(now)
        job = jobs.insert(self._database, self._row(uid))
        rows = self._insert_rows(job, keys)
        name = request.name or _default_name(request.input.path, job)
        self._complete(job, name, rows)
        if request.unique:
            idempotency.check_unique(self._database, job, fingerprint(*self._work()))
        journal.note(
            self._database,
            job,
            "submitted",
            at=now,
            actor=actor(),
            reason=plural(rows, "item"),
            command=_shown(request),
        )
        if self._targets:
            from jobctl.store import outbox

            outbox.add_targets(self._database, job, self._targets)
        return Accepted(
            *(job, uid, name, rows, self._source.rejected, None, self._bounds(rows), self._skipped),
            not_selected=self._source.not_selected,
        )

    def _bounds(self, rows: int) -> Bounds:
        policy = self._request.policy
        return worst_case(policy, rows, policy.slots or cpu_count())

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
        if self._request.foreground:
            idempotency.take_to_foreground(self._database, owner.id)
        bounds = worst_case(owner.policy, owner.total, owner.policy.slots or cpu_count())
        return Accepted(owner.id, owner.uid, owner.name, owner.total, 0, None, bounds, replayed=True, resumed=resumed)

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
            "command": json.dumps(request.work_command),
            "item_key": request.item_key,
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

    def _insert_rows(self, job: int, keys: RowKeys | None) -> int:
        first = 1
        for batch in self._source.batches(self._handler.check, self._reject_to(job)):
            rows = batch
            if keys is not None:
                rows = keys.take(batch, only_new=self._request.only_new, now=self._now)
                self._skipped += len(batch) - len(rows)
            items.enqueue(self._database, job, first, rows)
            first += len(rows)
        if keys is not None:
            keys.check(self._request.input)
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
            skipped=self._skipped,
            input_bytes=source.bytes,
            input_sha256=source.sha256,
            input_dialect=json.dumps(source.dialect),
            resubmit_of=source.resubmit_of,
            root_uid=jobs.root_uid(self._database, source.resubmit_of),
            rows_sha256=source.rows_sha256,
            fingerprint=fingerprint(*self._work()),
        )

    def _work(self) -> Work:
        source, request = self._source, self._request
        return Work(
            source.columns or (), source.rows_sha256, self._handler.kind, request.work_command, self._surroundings.given
        )


def _targets(options: NotifyOptions) -> list[NewTarget]:
    """Checked targets; what that takes is imported only for submissions that name any."""
    if not options.is_given:
        return []
    from jobctl.services.notify import make_targets

    return make_targets(options, os.environ)


class _RejectFile:
    """``rejected.csv``: rows that were not accepted, each with its place and the reason."""

    def __init__(self, folder: Path) -> None:
        for place in (folder.parent, folder):
            private.make_folder(place)
        self._path = folder / "rejected.csv"
        self._file = os.fdopen(private.create(self._path), "w", encoding="utf-8", errors="surrogateescape", newline="")
        self._writer = row_writer(self._file.write, "\n")
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
    stem = unpacked_name(os.path.basename(path))
    for suffix in NAME_SUFFIXES:
        stem = stem.removesuffix(suffix)
    return stem or f"job-{job}"


def _shown(request: SubmitRequest) -> str:
    if request.call is not None:
        return request.call.target
    return request.shell if request.shell is not None else " ".join(request.command)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
