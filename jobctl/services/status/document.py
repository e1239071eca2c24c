"""The status document (``jobctl.status/1``): one answer to every question about a job, daemon up or down.

All keys are always present, null when unknown; changes within /1 only add keys. What it costs does not depend on
the size of the job: counters from the job's row, causes of failure from their own table, running items through an
index that holds no others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from jobctl.config import Home
from jobctl.domain.durations import format_time, seconds
from jobctl.domain.handler_kinds import kind_of
from jobctl.domain.payload import fields_of
from jobctl.domain.policy import Policy
from jobctl.domain.rate import parse_rate
from jobctl.domain.states import TERMINAL_JOB_STATES
from jobctl.errors import NotFound
from jobctl.process import space
from jobctl.services.daemon.view import DaemonView, daemon_view
from jobctl.services.status.failures import failure_summary, retry_summary, unsuccessful_before
from jobctl.services.status.figures import duration_summary, throughput
from jobctl.services.status.lasting import lasting
from jobctl.services.status.progress import Surroundings, progress, usable_slots
from jobctl.services.status.workers import missing
from jobctl.services.submit.rejects import NAME as REJECTED
from jobctl.services.why.attention import Case, attention
from jobctl.services.why.blocked_by import Users, held_by
from jobctl.services.why.reason import next_commands, state_reason
from jobctl.store import clock, followed, left
from jobctl.store.database import Database
from jobctl.store.views import jobs as job_views
from jobctl.store.views import outbox as outbox_views
from jobctl.store.views.jobs import JobView, RunningView
from jobctl.store.views.outbox import TargetView

SCHEMA = "jobctl.status/1"
LIST_SCHEMA = "jobctl.status_list/1"
#: Groups of failures in a document of its own, and in a list.
GROUPS = 10
GROUPS_IN_LIST = 3
RUNNING_LIMIT = 64
#: Of the row of a running item, so many bytes.
ROW_TEXT = 200
#: Finished jobs in a list unless all are asked for.
FINISHED_IN_LIST = 20


def job_document(database: Database, home: Home, job_id: int, now: int, *, program: str = "jobctl") -> dict[str, Any]:
    """Everything about one job at this moment (``now`` in microseconds UTC).

    ``program`` is how jobctl is called in the commands of the document. Raises NotFound.
    """
    return job_documents(database, home, [job_id], now, program=program)[0]


def job_documents(
    database: Database, home: Home, job_ids: Sequence[int], now: int, *, program: str = "jobctl"
) -> list[dict[str, Any]]:
    """The documents of several jobs, all of one moment. Raises NotFound."""
    with job_views.snapshot(database):
        now = clock.in_store(database, now)
        daemon = daemon_view(database, home, now)
        answer = _Answer(database, home, daemon, now, program, GROUPS, *_loads(database))
        return [_document(answer, _load(database, number)) for number in job_ids]


def bundle(database: Database, documents: list[dict[str, Any]], now: int) -> dict[str, Any]:
    """Several documents as one, in the shape of a list."""
    daemon = documents[0]["daemon"] if documents else DaemonView("down").document()
    return _list(documents, daemon, job_views.job_total(database), now)


def _list(documents: list[dict[str, Any]], daemon: dict[str, Any], total: int, now: int) -> dict[str, Any]:
    return {
        "schema": LIST_SCHEMA,
        "at": format_time(now),
        "daemon": daemon,
        "jobs": documents,
        "jobs_total": total,
    }


def list_document(
    database: Database, home: Home, now: int, *, everything: bool = False, program: str = "jobctl"
) -> dict[str, Any]:
    """Live jobs and the newest finished ones (or all), newest first; failure groups cut short."""
    with job_views.snapshot(database):
        now = clock.in_store(database, now)
        daemon = daemon_view(database, home, now)
        jobs = job_views.jobs(database, finished=None if everything else FINISHED_IN_LIST)
        total = job_views.job_total(database)
        answer = _Answer(database, home, daemon, now, program, GROUPS_IN_LIST, *_loads(database))
        documents = [_document(answer, job) for job in jobs]
    return _list(documents, daemon.document(), total, now)


def empty_list_document(now: int) -> dict[str, Any]:
    """The list of a store that does not exist yet."""
    return _list([], DaemonView("down").document(), 0, now)


def _load(database: Database, number: int) -> JobView:
    job = job_views.job(database, number)
    if job is None:
        raise NotFound(f"there is no job {number}", hint="jobctl status --all lists every job")
    return job


class _Answer(NamedTuple):
    """What the documents of one answer share."""

    database: Database
    home: Home
    daemon: DaemonView
    now: int
    program: str
    groups: int
    users: Users
    started: Callable[[], dict[int, int]]  # items that are seen to run, by job


def _loads(database: Database) -> tuple[Users, Callable[[], dict[int, int]]]:
    """What all jobs have in hand and what of it runs, asked for once and only if a document needs it."""
    return cache(lambda: job_views.running_by_job(database)), cache(lambda: job_views.started_by_job(database))


def _taken(answer: _Answer, job: JobView) -> int:
    """Slots that other jobs are seen to have; nobody asks for those of a job that has nothing in hand."""
    if not job.running or len(answer.users()) < 2:
        return 0
    return sum(count for number, count in answer.started().items() if number != job.id)


def _surroundings(answer: _Answer, job: JobView, policy: Policy) -> Surroundings:
    database, daemon, now = answer.database, answer.daemon, answer.now
    queue = job_views.queue(database, job.queue)
    first_due, last_due = job_views.due_range(database, job.id) if job.retrying else (None, None)
    return Surroundings(
        daemon=daemon,
        queue=queue,
        slots=usable_slots(policy, queue, daemon),
        started=0,
        first_due_at=first_due,
        last_due_at=last_due,
        now=now,
        missing=missing(daemon, policy, now),
        held_by=_held_by(answer, job),
        top_rate_per_s=None if policy.rate is None else parse_rate(policy.rate),
    )


def _held_by(answer: _Answer, job: JobView) -> str:
    """What keeps a job that runs nothing from starting; what it has in hand behind items of other jobs waits too."""
    database, daemon, now, users = answer.database, answer.daemon, answer.now, answer.users
    if not job.running or len(users()) < 2 or job.id in answer.started():
        return held_by(database, job, daemon, now, users)
    waiting = job._replace(queued=job.queued + job.running, running=0)
    return held_by(database, waiting, daemon, now, lambda: [user for user in users() if user[1] != job.id])


def _document(answer: _Answer, job: JobView) -> dict[str, Any]:
    database, home, daemon, now, program, groups, *_ = answer
    policy = Policy.from_json(json.loads(job.policy))
    # Attempts handed over ahead of free slots have not started; the oldest ones in hand are those that run.
    running = [
        view
        for view in (job_views.running(database, job.id, RUNNING_LIMIT, ROW_TEXT) if job.running else ())
        if view.started_at
    ]
    after = _after(database, job)
    follows = _follows(database, job)
    around = _surroundings(answer, job, policy)._replace(
        started=len(running),
        taken=_taken(answer, job),
        waits_for=[(each["job"], each["condition"]) for each in after if each["done"] is False],
        never=_never(after),
        follows=[(each["job"], each["rows"]) for each in follows],
    )
    targets = outbox_views.targets(database, job.id)
    short, untold = _troubles(database, home, job, targets, program)
    if around.daemon.state == "not_responding":  # of a quota only a write can tell, and that is why it is silent
        short = short or space.refusal(home.root)
    case = Case(job, around, progress(job, around), running, program, short, untold)
    case = case._replace(
        left=left.summary(database, job.id) if job.attempts else None,
        lasting=lasting(home, job.id) if job.running else (),
    )
    command, kind = json.loads(job.command), kind_of(job.handler)
    causes = job_views.failures(database, job.id) if job.attempts or job.failed else []
    before = unsuccessful_before(database, job) if job.state == "cancelled" else []
    retry = retry_summary(job, policy, causes, program, before)
    if retry["available"] and job.item_key is not None:
        retry["less_others"] = job_views.has_others_of_name(database, job)
    held = sum(each["rows"] for each in follows)
    return {
        "schema": SCHEMA,
        "job": job.id,
        "uid": job.uid,
        "name": job.name,
        "queue": job.queue,
        "priority": job.priority,
        "labels": json.loads(job.labels),
        "state": job.state,
        "state_reason": state_reason(case),
        "done": job.is_done,
        "ok": job.state == "succeeded" if job.is_done else None,
        "round": job.round,
        "revision": job.revision,
        "attention": [found._asdict() for found in attention(case)],
        "counts": _counts(case),
        "progress": _progress(case, held),
        "time": _times(case),
        "failures": failure_summary(database, job, causes, groups),
        "retry": retry,
        "results": _results(job, home),
        "input": _input(database, job, held),
        "command": kind.shown_command(command),
        "idempotency": {"key": job.key, "replayed": False},
        "policy": policy.to_json(),
        "daemon": daemon.document(),
        "notify": _notify(database, job.id) if targets else [],
        "next": next_commands(case, retry["command"]),
        "handler": job.handler,
        "cwd": job.cwd,
        "attempts": job.attempts,
        "running": [_running(view, job.input_format, now) for view in running],
        "durations": duration_summary(database, job),
        # Some hundred numbers: a list of jobs does without.
        "throughput": throughput(database, job, now) if groups > GROUPS_IN_LIST else None,
        "call": kind.call_block(command, policy.recycle),
        "after": after,
        "item_key": job.item_key,
        "follows": follows,
    }


def _after(database: Database, job: JobView) -> list[dict[str, Any]]:
    """The jobs it comes after and how they stand; nothing is known of one that was removed."""
    wanted = [entry for entry in json.loads(job.after) if entry[1] != followed.CONDITION]
    states = job_views.states(database, [number for number, _ in wanted]) if wanted else {}
    found = [(number, condition, states.get(number, (None, 0))[0]) for number, condition in wanted]
    return [
        {
            "job": number,
            "condition": condition,
            "state": state,
            "done": None if state is None else state in TERMINAL_JOB_STATES,
        }
        for number, condition, state in found
    ]


def _never(after: Sequence[dict[str, Any]]) -> str:
    """Why the job can never start, in words; the next engine ends it for that."""
    for each in after:
        if each["condition"] == "ok" and each["done"] and each["state"] != "succeeded":
            return f"job {each['job']} ended {each['state']}, and this one was to run only after its success"
    return ""


def _follows(database: Database, job: JobView) -> list[dict[str, Any]]:
    """The jobs that have rows of this one, and how many of them wait for the end of each."""
    numbers = [number for number, condition in json.loads(job.after) if condition == followed.CONDITION]
    rows = followed.counts(database, job.id) if numbers and not job.is_done else {}
    if not rows:
        return []
    states = job_views.states(database, numbers)
    found = [(number, states.get(number, (None, 0))[0]) for number in numbers]
    return [
        {
            "job": number,
            "rows": rows.get(number, 0),
            "state": state,
            "done": None if state is None else state in TERMINAL_JOB_STATES,
        }
        for number, state in found
    ]


def _troubles(
    database: Database, home: Home, job: JobView, targets: Sequence[TargetView], program: str
) -> tuple[str, tuple[str, str, str] | None]:
    """What is short on the disk, and the notification that was given up."""
    short = "" if job.is_done else space.shortage(*home.output_places)
    if not any(target.delivery for target in targets):
        return short, None
    from jobctl.services.notify import dead_notice

    return short, dead_notice(database, job.id, program)


def _notify(database: Database, job: int) -> list[dict[str, Any]]:
    # Few jobs have somebody to tell, and this import is most of what a status costs.
    from jobctl.services.notify import notify_block

    return notify_block(database, job)


def _counts(case: Case) -> dict[str, int]:
    job = case.job
    return {
        "total": job.total,
        "queued": case.progress.queued,
        "running": case.progress.running,
        "retrying": job.retrying,
        "succeeded": job.succeeded,
        "failed": job.failed,
        "unprocessed": job.unprocessed,
        "rejected": job.rejected,
        "skipped": job.skipped,
    }


def _progress(case: Case, held: int) -> dict[str, Any]:
    job, figures = case.job, case.progress
    eta_us = None if held else figures.eta_us
    return {
        "processed": job.processed,
        "fraction": _fraction(job, job.total + held),
        "rate_per_s": None if figures.rate_per_s is None else float(f"{figures.rate_per_s:.3g}"),
        "eta_s": None if eta_us is None else round(eta_us / 1e6, 1),
        "eta_at": None if eta_us is None else format_time(case.around.now + eta_us),
    }


def _fraction(job: JobView, total: int) -> float:
    """To four places, and never 1 before everything is processed; of nothing everything is."""
    if not total:
        return float(job.is_done)
    return job.processed * 10_000 // total / 10_000


def _times(case: Case) -> dict[str, Any]:
    job = case.job
    return {
        "submitted_at": format_time(job.submitted_at),
        "started_at": _time(job.started_at),
        "updated_at": format_time(job.updated_at),
        "finished_at": _time(job.finished_at),
        "deadline_at": _time(job.deadline_at),
        "not_before_at": _time(job.not_before_at),
        "active_s": seconds(case.progress.active_us),
        "paused_s": seconds(case.progress.paused_us),
    }


def _time(at: int | None) -> str | None:
    return None if at is None else format_time(at)


def _results(job: JobView, home: Home) -> dict[str, Any]:
    stored = json.loads(job.results) if job.results and job.is_done else {}
    files = stored.get("files", {})
    rows = {"succeeded": job.succeeded, "failed": job.failed, "unprocessed": job.unprocessed}
    return {
        "available": bool(stored),
        "dir": stored.get("dir", str(home.job_results(job.id))),
        "manifest": stored.get("manifest"),
        "purge_at": None,
        "rejected": {"path": str(home.job_results(job.id) / REJECTED), "rows": job.rejected} if job.rejected else None,
        "files": {name: files.get(name) or {"path": None, "rows": n, "sha256": None} for name, n in rows.items()},
    }


def _input(database: Database, job: JobView, held: int) -> dict[str, Any]:
    dialect = job_views.input_dialect(database, job.id)
    not_selected = dialect.get("not_selected", 0)
    return {
        "path": job.input_path,
        "format": job.input_format,
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


def _running(view: RunningView, input_format: str, now: int) -> dict[str, Any]:
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
