"""Blocks of the status document: counts, progress, times, results, input, running items and notifications."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from jobctl.config import Home
from jobctl.domain.durations import format_time, seconds
from jobctl.domain.payload import fields_of
from jobctl.services.status.progress import Progress
from jobctl.services.why.attention import Attention
from jobctl.services.why.situation import Situation
from jobctl.store.database import Database
from jobctl.store.views import jobs as job_views
from jobctl.store.views import outbox as outbox_views
from jobctl.store.views.jobs import JobView, RunningView

if TYPE_CHECKING:
    from jobctl.domain.documents.notify import NotifyBlock
    from jobctl.domain.documents.results import ResultFileBlock, ResultsBlock
    from jobctl.domain.documents.status import ProgressPart
    from jobctl.domain.documents.status_blocks import FormatName, InputBlock, RunningBlock


def notifications(database: Database, job: int, program: str) -> tuple[list[NotifyBlock], Attention | None]:
    """The ``notify`` block, and what to say about a notification that was given up."""
    targets = outbox_views.targets(database, job)
    if not targets:
        return [], None
    # Few jobs have somebody to tell, and this import is most of what a status costs.
    from jobctl.services.notify import dead_notice, notify_block

    dead = dead_notice(database, job, program) if any(target.delivery for target in targets) else None
    return notify_block(database, job), None if dead is None else Attention(*dead)


def counters(case: Situation, figures: Progress, held: int) -> ProgressPart:
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


def results_block(job: JobView, home: Home) -> ResultsBlock:
    """The ``results`` block: the files that the engine wrote at the end of the round."""
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
        "rejected": {"path": str(home.job_rejects(job.id)), "rows": job.rejected} if job.rejected else None,
        "files": {
            "succeeded": file("succeeded", job.succeeded),
            "failed": file("failed", job.failed),
            "unprocessed": file("unprocessed", job.unprocessed),
        },
    }


def input_block(database: Database, job: JobView, held: int) -> InputBlock:
    """The ``input`` block; ``held`` rows wait for other jobs."""
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


def running_block(view: RunningView, input_format: str, now: int) -> RunningBlock:
    """An entry of the ``running`` block."""
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
