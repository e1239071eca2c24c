"""Makes the undo job itself: its columns, and the transaction in which it appears with all its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from jobctl.domain.content import fingerprint
from jobctl.domain.handler_kinds import kind_of
from jobctl.domain.policy import Policy
from jobctl.domain.undo import Undo, shape_of
from jobctl.domain.wording import plural
from jobctl.store import jobs, journal, undone
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow
from jobctl.store.uid import new_uid
from jobctl.store.undone import UndoCounts

#: The options of the submission that say where items run.
_PLACE = ("cwd", "env", "env_names", "env_file", "env_all", "python")


class NewUndo(NamedTuple):
    """An undo job that is to be made."""

    undo: Undo
    policy: Policy
    actor: str
    foreground: bool = False  # `jobctl run` works on it, as on the job that it takes back
    columns: Mapping[str, Any] = {}  # of the row of the job, in place of those of the job that it takes back


class Written(NamedTuple):
    """The rows of an undo job that are written under a number."""

    job: int
    counts: UndoCounts
    sha256: str


def policy_for(policy: Policy) -> Policy:
    """The rules of an undo job without options of its own: those of the job.

    Rules about the end of the job as a whole do not count: an undo that stops halfway helps nobody. Those about exit
    codes do not count either, because they are about another command.
    """
    return policy.changed(
        deadline_s=None,
        deadline_at=None,
        max_failures=None,
        not_before_s=None,
        only_new=False,
        new_by=(),
        retry_on=(),
        no_retry_on=(),
    )


def accept(database: Database, written: Written, row: JobRow, new: NewUndo, now: int) -> None:
    """Make the job whose rows are written, in the caller's transaction. Raises RowsChanged."""
    job, counts, sha256 = written
    items = counts.taken
    jobs.insert(database, {"id": job, "rows_sha256": sha256, **_values(row, new, job, items, now)})
    undone.accept(database, job, row.id, items)
    undone.inherit(database, job, row.id)
    shown = str(kind_of(new.undo.handler).shown_command(new.undo.command))
    reason = f"{plural(items, 'item')}, which take back rows of job {row.id}"
    journal.note(database, job, journal.SUBMITTED, at=now, actor=new.actor, reason=reason, command=shown)
    doubt = f"; {counts.in_doubt} with an unknown outcome left out" if counts.in_doubt else ""
    reason = f"job {job} takes back {plural(items, 'row')}{doubt}"
    journal.note(database, row.id, journal.UNDO, at=now, actor=new.actor, reason=reason, undo_job=job, items=items)


def _values(row: JobRow, new: NewUndo, job: int, items: int, now: int) -> Mapping[str, Any]:
    input_format, columns = shape_of(row.input_format, row.columns)
    place = {key: row.work_options[key] for key in _PLACE if key in row.work_options}
    return {
        "uid": new_uid(now),
        "name": f"undo-{row.id}",
        "queue": row.queue,
        "priority": row.priority,
        "handler": new.undo.handler,
        "command": json.dumps(new.undo.command),
        "cwd": row.cwd,
        "umask": row.umask,
        "env": row.env,
        "env_names": row.env_names,
        "env_file": row.env_file,
        "policy": new.policy.to_json(),
        "input_path": row.input_path,
        "input_format": input_format,
        "input_dialect": row.input_dialect,
        "columns": list(columns),
        "input_bytes": 0,
        "input_sha256": row.input_sha256,
        "work_options": place | dict(new.undo.work_options),
        "fingerprint": fingerprint(columns, "", new.undo.handler, new.undo.command, {"undo_of": row.uid, "job": job}),
        "root_uid": f"undo of {row.uid}",
        "state": "queued",
        "total": items,
        "queued": items,
        "foreground": int(new.foreground),
        "submitted_at": now,
        "updated_at": now,
        "round_at": now,
        "deadline_at": new.policy.ends_at(now),
        "undo_of": row.id,
        "owner": row.owner,  # whoever sees the job sees what takes it back
        **new.columns,
    }
