"""The columns of a new job: those that are known before its rows are read, and the others."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from jobctl.config import Home
from jobctl.domain.content import Work, fingerprint
from jobctl.domain.texts import name_of_file, shown
from jobctl.domain.undo import Undo
from jobctl.handlers.handler import Handler
from jobctl.handlers.kinds import KEEPS_TAGS
from jobctl.process.this_process import umask
from jobctl.services.submit.request import Origin, SubmitRequest
from jobctl.sources.options import NAME_SUFFIXES, unpacked_name
from jobctl.sources.source import Source
from jobctl.store import jobs, meta
from jobctl.store.database import Database
from jobctl.store.uid import new_uid


class WayBack(NamedTuple):
    """The work that takes a row back, and the keys that a JSON row must have for it."""

    undo: Undo
    required: frozenset[str]


class Submission(NamedTuple):
    """A submission whose input is open."""

    home: Home
    request: SubmitRequest
    origin: Origin
    source: Source
    handler: Handler
    way_back: WayBack | None = None

    def work(self) -> Work:
        """Return the work for the fingerprint. Call it after the input has been read."""
        source, request = self.source, self.request
        columns = source.columns or ()
        given = self.origin.given
        if self.way_back is not None:
            given = given | {"undo": self.way_back.undo.to_json()}
        return Work(columns, source.rows_sha256, self.handler.kind, request.work_command, given)


def first_values(submission: Submission, now: int) -> dict[str, Any]:
    """Return the columns of a job that is accepted ``now`` (microseconds UTC) and has no items yet."""
    _, request, origin, source, handler, way_back = submission
    policy = request.policy.changed(only_new=request.only_new, new_by=tuple(request.new_by))
    stored_policy = policy.to_json()
    waits_until = None if policy.not_before_s is None else now + int(policy.not_before_s * 1e6)
    return {
        "uid": new_uid(now),
        "name": request.name or "",
        "queue": request.queue,
        "priority": request.priority,
        "labels": dict(request.labels),
        "handler": handler.kind,
        "command": json.dumps(request.work_command),
        "item_key": request.item_key,
        "cwd": origin.cwd,
        "umask": umask(),
        "env": origin.env,
        "env_names": origin.env_names,
        "env_file": origin.given["env_file"],
        "policy": stored_policy,
        "input_path": request.input.origin,
        "input_format": source.format,
        "input_dialect": source.dialect,
        "columns": list(source.columns or ()),
        "input_bytes": 0,
        "input_sha256": "",
        # Not in the fingerprint: in every version, a key and the same words mean the same work.
        "work_options": origin.given | ({KEEPS_TAGS: True} if handler.keeps_tags else {}),
        "fingerprint": "",
        "key": request.stored_key,
        "owner": request.owner,
        "after": [list(dependency) for dependency in request.after],
        "not_before_at": waits_until or request.not_before_at,
        "state": "paused" if request.hold else "queued",
        "total": 0,
        "queued": 0,
        "foreground": int(request.foreground),
        "submitted_at": now,
        "updated_at": now,
        "round_at": now,
        "deadline_at": policy.ends_at(now),
        "paused_at": now if request.hold else None,
        "pause_reason": "held at submit" if request.hold else "",
        "undo": None if way_back is None else way_back.undo.to_json(),
    }


def last_values(database: Database, submission: Submission, job: int) -> dict[str, Any]:
    """Return the columns that are known when the input has been read to its end."""
    request, source = submission.request, submission.source
    return {
        "name": request.name or _default_name(request.input.origin, job),
        "rejected": source.rejected,
        "input_bytes": source.bytes,
        "input_sha256": source.sha256,
        "input_dialect": json.dumps(source.dialect),
        "resubmit_of": source.resubmit_of,
        "root_uid": _root_uid(database, request, source.resubmit_of),
        "rows_sha256": source.rows_sha256,
        "fingerprint": fingerprint(*submission.work()),
    }


def _default_name(path: str, job: int) -> str:
    if path == "-":
        return f"stdin-{job}"
    file = shown(unpacked_name(os.path.basename(path)))  # a name is text, whatever the file is called
    stem = file
    for suffix in NAME_SUFFIXES:
        stem = stem.removesuffix(suffix)
    return name_of_file(stem, file, job)


def _root_uid(database: Database, request: SubmitRequest, resubmit_of: str | None) -> str | None:
    """The base of the tokens of rows with keys, which is the same in all jobs with the same given name.

    A row from a result file of a job with keys keeps its token, under any name.
    """
    if request.item_key is None or request.name is None or jobs.has_keys(database, resubmit_of):
        return None if resubmit_of is None else jobs.root_uid(database, resubmit_of)
    return f"{meta.store_id(database)} {request.name}"
