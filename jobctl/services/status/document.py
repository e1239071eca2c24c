"""The status document (``jobctl.status/1``): one answer to every question about a job, daemon up or down.

All keys are always present, null when unknown; changes within /1 only add keys. What it costs does not depend on
the size of the job: counters from the job's row, causes of failure from their own table, running items through an
index that holds no others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from jobctl.config import Home
from jobctl.domain.durations import format_time, seconds
from jobctl.domain.handler_kinds import kind_of
from jobctl.domain.payload import fields_of
from jobctl.errors import NotFound
from jobctl.services.control.targets import resolve_jobs
from jobctl.services.daemon.view import DaemonView
from jobctl.services.status.failures import failure_summary, retry_summary, unsuccessful_before
from jobctl.services.status.figures import duration_summary, throughput
from jobctl.services.status.progress import Progress, progress
from jobctl.services.submit.rejects import NAME as REJECTED
from jobctl.services.why.attention import Attention, attention
from jobctl.services.why.blockers import Blocker, blockers, examined
from jobctl.services.why.reason import next_commands, state_reason
from jobctl.services.why.situation import Answer, Situation, answer_at, situation_of
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import jobs as job_views
from jobctl.store.views import outbox as outbox_views
from jobctl.store.views.jobs import JobView, RunningView

if TYPE_CHECKING:
    from jobctl.domain.documents.daemon import DaemonBlock
    from jobctl.domain.documents.notify import NotifyBlock
    from jobctl.domain.documents.results import ResultFileBlock, ResultsBlock
    from jobctl.domain.documents.status import HandlerName, ProgressPart, StatusDocument, StatusListDocument
    from jobctl.domain.documents.status_blocks import FormatName, InputBlock, RunningBlock
    from jobctl.domain.documents.values import JobStateName

SCHEMA: Final = "jobctl.status/1"
LIST_SCHEMA: Final = "jobctl.status_list/1"
#: Groups of failures in a document of its own, and in a list.
GROUPS = 10
GROUPS_IN_LIST = 3
#: Finished jobs in a list unless all are asked for.
FINISHED_IN_LIST = 20


def job_document(database: Database, home: Home, job_id: int, now: int, *, program: str = "jobctl") -> StatusDocument:
    """Everything about one job at this moment (``now`` in microseconds UTC).

    ``program`` is how jobctl is called in the commands of the document. Raises NotFound.
    """
    return job_documents(database, home, [job_id], now, program=program)[0]


def job_documents(
    database: Database, home: Home, job_ids: Sequence[int], now: int, *, program: str = "jobctl"
) -> list[StatusDocument]:
    """The documents of several jobs, all of one moment. Raises NotFound."""
    with job_views.snapshot(database):
        answer = answer_at(database, home, now, program)
        return [document_of(answer, *examined(answer, number)) for number in job_ids]


def bundle(database: Database, documents: list[StatusDocument], now: int) -> StatusListDocument:
    """Several documents as one, in the shape of a list."""
    daemon = documents[0]["daemon"] if documents else DaemonView("down").document()
    return _list(documents, daemon, job_views.job_total(database), now)


def status_of(home: Home, texts: Sequence[str], now: int, *, program: str = "jobctl") -> list[StatusDocument]:
    """The documents of the jobs that these words name. Raises NotFound, UsageError."""
    database = open_database(home)
    try:
        return job_documents(database, home, resolve_jobs(database, texts), now, program=program)
    finally:
        database.close()


def status_list_of(home: Home, now: int, *, everything: bool = False, program: str = "jobctl") -> StatusListDocument:
    """``list_document`` of a home that may not have a store yet."""
    try:
        database = open_database(home)
    except NotFound:
        return empty_list_document(now)
    try:
        return list_document(database, home, now, everything=everything, program=program)
    finally:
        database.close()


def bundle_of(home: Home, documents: list[StatusDocument], now: int) -> StatusDocument | StatusListDocument:
    """One document as it is, several as one in the shape of a list."""
    if len(documents) == 1:
        return documents[0]
    database = open_database(home)
    try:
        return bundle(database, documents, now)
    finally:
        database.close()


def _list(documents: list[StatusDocument], daemon: DaemonBlock, total: int, now: int) -> StatusListDocument:
    return {
        "schema": LIST_SCHEMA,
        "at": format_time(now),
        "daemon": daemon,
        "jobs": documents,
        "jobs_total": total,
    }


def list_document(
    database: Database, home: Home, now: int, *, everything: bool = False, program: str = "jobctl"
) -> StatusListDocument:
    """Live jobs and the newest finished ones (or all), newest first; failure groups cut short."""
    with job_views.snapshot(database):
        answer = answer_at(database, home, now, program)
        jobs = job_views.jobs(database, finished=None if everything else FINISHED_IN_LIST)
        total = job_views.job_total(database)
        cases = (situation_of(answer, job) for job in jobs)
        documents = [document_of(answer, case, blockers(case), in_list=True) for case in cases]
    return _list(documents, answer.daemon.document(), total, answer.now)


def empty_list_document(now: int) -> StatusListDocument:
    """The list of a store that does not exist yet."""
    return _list([], DaemonView("down").document(), 0, now)


def document_of(answer: Answer, case: Situation, found: Sequence[Blocker], *, in_list: bool = False) -> StatusDocument:
    """The document of a job whose blockers are ``found``; that of a list is shorter."""
    database, job, policy, now = answer.database, case.job, case.policy, answer.now
    figures = progress(case, is_halted=any(each.kind.halts for each in found))
    command, kind = json.loads(job.command), kind_of(job.handler)
    causes = job_views.failures(database, job.id) if job.attempts or job.failed else []
    before = unsuccessful_before(database, job) if job.state == "cancelled" else []
    retry = retry_summary(job, policy, causes, answer.program, before)
    if retry["available"] and job.item_key is not None:
        retry["less_others"] = job_views.has_others_of_name(database, job)
    notify, undelivered = _notifications(database, job.id, answer.program)
    held = sum(each["rows"] for each in case.follows)
    return {
        "schema": SCHEMA,
        "job": job.id,
        "uid": job.uid,
        "name": job.name,
        "queue": job.queue,
        "priority": job.priority,
        "labels": json.loads(job.labels),
        # The store has no other words in these columns: a row that is damaged is mended when it is read.
        "state": cast("JobStateName", job.state),
        "state_reason": state_reason(case, found, figures),
        "done": job.is_done,
        "ok": job.state == "succeeded" if job.is_done else None,
        "round": job.round,
        "revision": job.revision,
        "attention": [
            {"code": each.code, "message": each.message, "action": each.action}
            for each in attention(case, found, undelivered)
        ],
        **_counters(case, figures, held),
        "failures": failure_summary(database, job, causes, GROUPS_IN_LIST if in_list else GROUPS),
        "retry": retry,
        "results": _results(job, answer.home),
        "input": _input(database, job, held),
        "command": kind.shown_command(command),
        "idempotency": {"key": job.key, "replayed": False},
        "policy": policy.to_json(),
        "daemon": case.daemon.document(),
        "notify": notify,
        "next": next_commands(case, found, retry["command"]),
        "handler": cast("HandlerName", job.handler),
        "cwd": job.cwd,
        "attempts": job.attempts,
        "running": [_running(view, job.input_format, now) for view in case.running],
        "durations": duration_summary(database, job),
        # Some hundred numbers, which a list of jobs does not need.
        "throughput": None if in_list or job.started_at is None else throughput(database, job, now),
        "call": kind.call_block(command, policy.recycle),
        "after": case.after,
        "item_key": job.item_key,
        "follows": case.follows,
    }


def _notifications(database: Database, job: int, program: str) -> tuple[list[NotifyBlock], Attention | None]:
    """The ``notify`` block, and what to say about a notification that was given up."""
    targets = outbox_views.targets(database, job)
    if not targets:
        return [], None
    # Few jobs have somebody to tell, and this import is most of what a status costs.
    from jobctl.services.notify import dead_notice, notify_block

    dead = dead_notice(database, job, program) if any(target.delivery for target in targets) else None
    return notify_block(database, job), None if dead is None else Attention(*dead)


def _counters(case: Situation, figures: Progress, held: int) -> ProgressPart:
    """The blocks ``counts``, ``progress`` and ``time``; ``held`` rows may become items later."""
    job = case.job
    eta_us = None if held else figures.eta_us
    total = job.total + held
    return {
        "counts": {
            "total": job.total,
            "queued": figures.queued,
            "running": figures.running,
            "retrying": job.retrying,
            "succeeded": job.succeeded,
            "failed": job.failed,
            "unprocessed": job.unprocessed,
            "rejected": job.rejected,
            "skipped": job.skipped,
        },
        "progress": {
            "processed": job.processed,
            # To four places, and never 1 before everything is processed; of nothing everything is.
            "fraction": job.processed * 10_000 // total / 10_000 if total else float(job.is_done),
            "rate_per_s": None if figures.rate_per_s is None else float(f"{figures.rate_per_s:.3g}"),
            "eta_s": None if eta_us is None else round(eta_us / 1e6, 1),
            "eta_at": None if eta_us is None else format_time(case.now + eta_us),
        },
        "time": {
            "submitted_at": format_time(job.submitted_at),
            "started_at": _time(job.started_at),
            "updated_at": format_time(job.updated_at),
            "finished_at": _time(job.finished_at),
            "deadline_at": _time(job.deadline_at),
            "not_before_at": _time(job.not_before_at),
            "active_s": seconds(figures.active_us),
            "paused_s": seconds(figures.paused_us),
        },
    }


def _time(at: int | None) -> str | None:
    return None if at is None else format_time(at)


def _results(job: JobView, home: Home) -> ResultsBlock:
    stored = json.loads(job.results) if job.results and job.is_done else {}
    files = stored.get("files", {})

    def file(name: str, rows: int) -> ResultFileBlock:
        written: ResultFileBlock | None = files.get(name)
        return written or {"path": None, "rows": rows, "sha256": None}

    return {
        "available": bool(stored),
        "dir": stored.get("dir", str(home.job_results(job.id))),
        "manifest": stored.get("manifest"),
        "purge_at": None,
        "rejected": {"path": str(home.job_results(job.id) / REJECTED), "rows": job.rejected} if job.rejected else None,
        "files": {
            "succeeded": file("succeeded", job.succeeded),
            "failed": file("failed", job.failed),
            "unprocessed": file("unprocessed", job.unprocessed),
        },
    }


def _input(database: Database, job: JobView, held: int) -> InputBlock:
    dialect = job_views.input_dialect(database, job.id)
    not_selected = dialect.get("not_selected", 0)
    return {
        "path": job.input_path,
        "format": cast("FormatName", job.input_format),
        "columns": json.loads(job.columns),
        "rows": job.total + held + job.rejected + job.skipped + not_selected,
        "not_selected": not_selected,
        "selection": dialect.get("selection"),
        "bytes": job.input_bytes,
        "sha256": job.input_sha256,
        "fingerprint": job.fingerprint,
        "resubmit_of": job.resubmit_of,
        "resubmit_of_job": None if job.resubmit_of is None else job_views.job_of_uid(database, job.resubmit_of),
    }


def _running(view: RunningView, input_format: str, now: int) -> RunningBlock:
    began = view.started_at or now
    return {
        "item": view.item,
        "attempt": view.attempt,
        "slot": view.slot,
        "started_at": format_time(began),
        "elapsed_s": seconds(max(0, now - began)),
        "pid": view.pid or None,
        "host": view.host,
        "row_text": ", ".join(v.decode("utf-8", "ignore") for v in fields_of(input_format, view.payload)),
    }
