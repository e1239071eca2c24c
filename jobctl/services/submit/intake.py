"""One submission on its way into the database."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jobctl.config import Home
from jobctl.domain.fingerprint import Work, fingerprint
from jobctl.domain.names import name_of_file
from jobctl.domain.payload import RowRules, key_reader
from jobctl.domain.texts import shown
from jobctl.domain.wording import plural, size
from jobctl.errors import Busy, NoRoom, NotFound
from jobctl.handlers.handler import Handler
from jobctl.handlers.kinds import KEEPS_TAGS
from jobctl.notify.channel import NotifyOptions
from jobctl.process import space
from jobctl.services.control.actor import actor
from jobctl.services.submit import idempotency
from jobctl.services.submit.feed import Batch, Feed, parts
from jobctl.services.submit.idempotency import Comparison
from jobctl.services.submit.rejects import Rejects
from jobctl.services.submit.request import DEFAULT_QUEUE, Accepted, SubmitRequest, Surroundings
from jobctl.sources.options import NAME_SUFFIXES, unpacked_name
from jobctl.sources.source import Source
from jobctl.store import clock, followed, items, jobs, journal, meta, queues, sqlite
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow

if TYPE_CHECKING:
    from jobctl.services.submit.row_keys import RowKeys
    from jobctl.store.outbox import NewTarget
    from jobctl.store.staging import Staging


#: For a part in the log and in the database, and for taking all parts back.
_PART_ROOM = 64 << 20


def new_uid(now: int) -> str:
    """A UUIDv7: sorts by time, unique without asking anybody (RFC 9562)."""
    value = (now // 1000) << 80 | 0x7 << 76 | int.from_bytes(os.urandom(2), "big") >> 4 << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Intake:
    """Reads a source into a new job, or finds the job that its key stands for."""

    _database: Database

    def __init__(self, home: Home, source: Source, handler: Handler, request: SubmitRequest, now: int) -> None:
        self._home = home
        self._source = source
        self._handler = handler
        self._request = request
        self._now = now
        self._rejects = Rejects(home.results)
        self._rules = rules_of(handler, source, request)
        self._feed = Feed(source.batches(self._rules, self._rejects.add))
        self._is_short: bool | None = None  # unknown
        self._skipped = 0
        self._followed: Counter[int] = Counter()  # rows that are open in another job, by its number
        self._targets = _targets(request.notify)
        self._surroundings = Surroundings("", {}, [], {})

    def read_head(self) -> None:
        """Read the beginning, which is all of most inputs: one that is refused leaves no store behind."""
        if self._is_short is not None:
            return
        try:
            self._is_short = self._feed.read_head()
        except BaseException:
            self._close()
            raise

    def run(self, database: Database, surroundings: Surroundings) -> Accepted:
        """Accept it: nothing is there before all of it is, in one commit.

        Nobody has to wait for the reading of an input: what is not too large is read before its one transaction
        begins, the rows of a larger one are written in many, out of sight, and accepted in a last one.
        """
        self._database = database
        self._surroundings = surroundings
        keys = self._row_keys()
        try:
            return self._at_once(keys) if self._is_short else self._in_parts(keys)
        except BaseException:
            self._rejects.discard()
            raise
        finally:
            self._close()
            if keys is not None:
                keys.close()

    def _close(self) -> None:
        self._rejects.close()
        if self._rules.keys is not None:
            self._rules.keys.close()

    def _at_once(self, keys: RowKeys | None) -> Accepted:
        """With a key, in the same transaction in which nobody else can take that key."""
        if keys is not None:
            keys.look_around()
        with self._database.transaction():
            self._now = clock.follow(self._database, self._now)
            owner = self._owner()
            if owner is not None:
                return self._found(owner, self._compared(owner, self._feed))
            if keys is not None:  # what came since is decided here, where nobody else can submit
                keys.look_around()
            uid = new_uid(self._now)
            job = jobs.insert(self._database, self._row(uid))
            rows = self._put(job, 0, self._feed, keys)
            return self._accept(job, uid, rows, keys)

    def _in_parts(self, keys: RowKeys | None) -> Accepted:
        owner = self._owner()
        if owner is not None:
            comparison = self._compared(owner, self._feed)
            with self._database.transaction():
                self._now = clock.follow(self._database, self._now)
                return self._found(self._still(owner), comparison)
        from jobctl.store.staging import Staging  # few inputs are that large

        staging = Staging(self._database, self._home, self._now)
        try:
            accepted = self._staged(staging, keys)
            if accepted.job != staging.job:
                staging.discard()
            return accepted
        except BaseException as error:
            with contextlib.suppress(sqlite.Error, Busy):  # no room, no turn: ``prune`` removes them
                staging.discard(shrink=isinstance(error, sqlite.Error | NoRoom))
            raise
        finally:
            staging.close()

    def _check_room(self, bytes_needed: int) -> None:
        """Raises NoRoom while there is still enough to take back what was written."""
        room = space.above_floor(self._home.root)
        if room is not None and room < bytes_needed:
            raise NoRoom(
                f"there is too little room for {self._request.input.name}: {space.said(self._home.root)},"
                f" and it takes another {size(bytes_needed)} at least",
                hint="make room, then submit it again; nothing was accepted",
            )

    def _staged(self, staging: Staging, keys: RowKeys | None) -> Accepted:
        rows = 0
        self._check_room(self._source.size or 0)
        if keys is not None:
            keys.look_around()
        for part in parts(self._feed):
            self._check_room(_PART_ROOM)
            with self._database.transaction():
                rows = self._put(staging.job, rows, part, keys)
        with self._database.transaction():
            self._now = clock.follow(self._database, self._now)
            owner = self._owner()
            if owner is not None:  # somebody was quicker with the key
                return self._found(owner, self._compared(owner, staging.batches()))
            newcomers = [] if keys is None else keys.newcomers()
            if keys is not None and newcomers:
                # They may have any of these rows: all wait for the end of those jobs.
                followed.hold_items(self._database, staging.job, self._followed.total() + 1, newcomers[0])
                self._followed.update({newcomers[0]: rows} if rows else {})
                keys.others.update(newcomers)
                rows = 0
            uid = new_uid(self._now)
            jobs.insert(self._database, {"id": staging.job, **self._row(uid)})
            staging.accept()
            return self._accept(staging.job, uid, rows, keys)

    def _owner(self) -> JobRow | None:
        return None if self._request.key is None else jobs.by_key(self._database, self._request.key)

    def _still(self, owner: JobRow) -> JobRow:
        current = self._owner()
        if current is None or current.id != owner.id:
            raise Busy(f"job {owner.id}, which had key {owner.key!r}, was removed meanwhile", hint="submit it again")
        return current

    def _row_keys(self) -> RowKeys | None:
        if self._request.item_key is None:
            return None
        from jobctl.services.submit.row_keys import row_keys

        only_new = self._request.only_new
        return row_keys(self._database, self._source, self._handler.kind, self._request, only_new=only_new)

    def _accept(self, job: int, uid: str, rows: int, keys: RowKeys | None) -> Accepted:
        """All rows are there: the rest of what makes a job."""
        request, now = self._request, self._now
        if keys is not None:
            keys.check(request.input, self._rules)
            if keys.others:
                after = [*request.after, *((other, followed.CONDITION) for other in sorted(keys.others))]
                jobs.update(self._database, job, after=json.dumps(after))
        self._check_before()
        name = request.name or _default_name(request.input.path, job)
        self._complete(job, name, rows)
        if request.queue != DEFAULT_QUEUE:
            queues.keep(self._database, request.queue)
        if request.foreground and keys is not None and keys.others:
            idempotency.take_to_foreground(self._database, job)
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
        rejected = self._rejects.keep(self._home.job_results(job))
        return Accepted(
            *(job, uid, name, rows, self._source.rejected, rejected, self._request.policy, self._skipped),
            not_selected=self._source.not_selected,
            constant=self._handler.constant and rows > 1,
            appended=self._handler.appended,
            queue_paused=queues.is_paused(self._database, request.queue),
            followed=tuple(sorted(self._followed.items())),
            compared_otherwise=self._compared_otherwise(job),
            notices=tuple(self._source.notices),
        )

    def _compared_otherwise(self, job: int) -> int | None:
        """What that job did counts as not done: a user who changes ``--new-by`` must know."""
        request = self._request
        before = jobs.newest_with_keys(self._database, request.name or "", job) if request.only_new else None
        return None if before is None or set(before.policy.new_by) == set(request.new_by) else before.id

    def _check_before(self) -> None:
        """The jobs that it comes after were there when the command began; ``prune`` may have been quicker."""
        for job, _ in self._request.after:
            if jobs.load(self._database, job) is None:
                raise NotFound(f"--after {job}: that job was removed meanwhile", hint="jobctl status --all")

    def _compared(self, owner: JobRow, batches: Iterable[Batch]) -> Comparison:
        """The input beside the job that its key stands for."""
        comparison = Comparison(self._database, owner)
        for batch in batches:
            comparison.add(batch)
        return comparison

    def _found(self, owner: JobRow, comparison: Comparison) -> Accepted:
        """The key is taken: the same work is the same job, other work is a conflict."""
        comparison.check(self._work())
        resumed = 0
        if self._request.on_duplicate == "fail":
            raise idempotency.duplicate(owner)
        if self._request.on_duplicate == "resume":
            resumed = idempotency.resume(self._database, owner, self._now)
        if self._request.foreground:
            idempotency.take_to_foreground(self._database, owner.id)
        return Accepted(
            *(owner.id, owner.uid, owner.name, owner.total, 0, None, owner.policy),
            replayed=True,
            resumed=resumed,
            notices=tuple(self._source.notices),
        )

    def _row(self, uid: str) -> dict[str, Any]:
        request, source, now, around = self._request, self._source, self._now, self._surroundings
        policy = request.policy.changed(only_new=request.only_new, new_by=tuple(request.new_by))
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
            # Not in the fingerprint: in every version, a key and the same words mean the same work.
            "work_options": around.given | ({KEEPS_TAGS: True} if self._handler.keeps_tags else {}),
            "fingerprint": "",
            "key": request.key,
            "after": [list(dependency) for dependency in request.after],
            "not_before_at": _later(now, policy.not_before_s) or request.not_before_at,
            "state": "paused" if request.hold else "queued",
            "total": 0,
            "queued": 0,
            "foreground": int(request.foreground),
            "submitted_at": now,
            "updated_at": now,
            "round_at": now,
            "deadline_at": _later(now, policy.deadline_s),
            "paused_at": now if request.hold else None,
            "pause_reason": "held at submit" if request.hold else "",
        }

    def _put(self, job: int, last: int, batches: Iterable[Batch], keys: RowKeys | None) -> int:
        """Write the next rows after number ``last``, in the caller's transaction; returns the new last number."""
        for batch in batches:
            rows = batch
            if keys is not None:
                rows, waiting, skipped = keys.take(batch, now=self._now)
                self._skipped += skipped
                followed.hold(self._database, job, self._followed.total() + 1, waiting)
                self._followed.update(other for other, _ in waiting)
            items.enqueue(self._database, job, last + 1, rows)
            last += len(rows)
        return last

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
            root_uid=self._root_uid(),
            rows_sha256=source.rows_sha256,
            fingerprint=fingerprint(*self._work()),
        )

    def _root_uid(self) -> str | None:
        """What the tokens of rows with keys are made of: the same in all jobs of a name that was given.

        A row from a result file of a job with keys keeps the token that it has there, whatever the name is.
        """
        source, request = self._source, self._request
        root = jobs.root_uid(self._database, source.resubmit_of)
        if request.item_key is None or request.name is None or jobs.has_keys(self._database, source.resubmit_of):
            return root
        return f"{meta.store_id(self._database)} {request.name}"

    def _work(self) -> Work:
        source, request = self._source, self._request
        return Work(
            source.columns or (), source.rows_sha256, self._handler.kind, request.work_command, self._surroundings.given
        )


def _later(now: int, wait_s: float | None) -> int | None:
    return None if wait_s is None else now + int(wait_s * 1e6)


def rules_of(handler: Handler, source: Source, request: SubmitRequest) -> RowRules:
    """What every row must have: what its handler asks for and its key. The caller closes ``keys`` of the rules."""
    rules, column = handler.check, request.item_key
    if column is None:
        return rules
    from jobctl.services.submit.key_rules import FirstOfKey

    read_key = key_reader(source.format, source.columns or (), column)
    keys = FirstOfKey(column, read_key, skips=request.input.invalid == "skip")
    required = rules.required | {column} if source.format == "jsonl" else rules.required
    return replace(rules, required=required, keys=keys)


def _targets(options: NotifyOptions) -> list[NewTarget]:
    """Checked targets; what that takes is imported only for submissions that name any."""
    if not options.is_given:
        return []
    from jobctl.services.notify import make_targets

    return make_targets(options, os.environ)


def _default_name(path: str, job: int) -> str:
    if path == "-":
        return f"stdin-{job}"
    file = shown(unpacked_name(os.path.basename(path)))  # a name is text, whatever the file is called
    stem = file
    for suffix in NAME_SUFFIXES:
        stem = stem.removesuffix(suffix)
    return name_of_file(stem, file, job)


def _shown(request: SubmitRequest) -> str:
    if request.call is not None:
        return request.call.target
    return request.shell if request.shell is not None else " ".join(request.command)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
