"""Blocks of the status document: counts, progress, times, results, input, running items, durations, throughput.

All figures were kept when attempts ended, so nothing is counted here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from jobctl.config import Home
from jobctl.domain.durations import format_time, seconds
from jobctl.domain.figures import Durations
from jobctl.services.status.progress import Progress
from jobctl.services.why.situation import Situation
from jobctl.store import figures
from jobctl.store.database import Database
from jobctl.store.views import jobs as job_views
from jobctl.store.views.jobs import JobView
from jobctl.store.views.running import RunningView

if TYPE_CHECKING:
    from jobctl.domain.documents.results import ResultFileBlock, ResultsBlock
    from jobctl.domain.documents.status import ProgressPart
    from jobctl.domain.documents.status_blocks import (
        CountsBlock,
        DurationsBlock,
        FormatName,
        InputBlock,
        ProgressBlock,
        RunningBlock,
        ThroughputBlock,
        TimeBlock,
    )

#: The most jobs made from rows of a job that its document names.
_MOST_COPIES = 20


def counters(case: Situation, progress: Progress, waiting_rows: int) -> ProgressPart:
    """The blocks ``counts``, ``progress`` and ``time``; ``waiting_rows`` may become items later."""
    return {
        "counts": _counts(case.job, progress),
        "progress": _progress(case, progress, waiting_rows),
        "time": _times(case.job, progress),
    }


def _counts(job: JobView, progress: Progress) -> CountsBlock:
    return {
        "total": job.total,
        "queued": progress.queued,
        "running": progress.running,
        "retrying": job.retrying,
        "succeeded": job.succeeded,
        "failed": job.failed,
        "unprocessed": job.unprocessed,
        "rejected": job.rejected,
        "skipped": job.skipped,
    }


def _progress(case: Situation, progress: Progress, waiting_rows: int) -> ProgressBlock:
    job = case.job
    eta_us = None if waiting_rows else progress.eta_us
    total = job.total + waiting_rows
    return {
        "processed": job.processed,
        # Rounded down to four places, so that it is 1 only when everything is processed.
        "fraction": job.processed * 10_000 // total / 10_000 if total else float(job.is_done),
        "rate_per_s": None if progress.rate_per_s is None else float(f"{progress.rate_per_s:.3g}"),
        "eta_s": None if eta_us is None else round(eta_us / 1e6, 1),
        "eta_at": None if eta_us is None else format_time(case.now + eta_us),
    }


def _times(job: JobView, progress: Progress) -> TimeBlock:
    moments = (job.started_at, job.finished_at, job.deadline_at, job.not_before_at)
    started_at, finished_at, deadline_at, not_before_at = (None if at is None else format_time(at) for at in moments)
    return {
        "submitted_at": format_time(job.submitted_at),
        "started_at": started_at,
        "updated_at": format_time(job.updated_at),
        "finished_at": finished_at,
        "deadline_at": deadline_at,
        "not_before_at": not_before_at,
        "active_s": seconds(progress.active_us),
        "paused_s": seconds(progress.paused_us),
    }


def results_block(job: JobView, home: Home) -> ResultsBlock:
    """The ``results`` block: the files that the engine wrote at the end of the round."""
    stored = json.loads(job.results) if job.results and job.is_done else {}
    counted = {"succeeded": job.succeeded, "failed": job.failed, "unprocessed": job.unprocessed}
    files: dict[str, ResultFileBlock] = {
        name: {"path": None, "rows": rows, "sha256": None} for name, rows in counted.items()
    }
    files |= {name: written for name, written in stored.get("files", {}).items() if written}
    return {
        "available": bool(stored),
        "dir": stored.get("dir", str(home.job_results(job.id))),
        "manifest": stored.get("manifest"),
        "purge_at": None,
        "rejected": {"path": str(home.job_rejects(job.id)), "rows": job.rejected} if job.rejected else None,
        "files": {
            "succeeded": files["succeeded"],
            "failed": files["failed"],
            "unprocessed": files["unprocessed"],
        },
    }


def input_block(database: Database, job: JobView, waiting_rows: int, *, in_list: bool = False) -> InputBlock:
    """The ``input`` block; ``waiting_rows`` wait for other jobs. In a list, the jobs made from it are left out."""
    dialect = job_views.input_dialect(database, job.id)
    not_selected = dialect.get("not_selected", 0)
    return {
        "path": job.input_path,
        "format": cast("FormatName", job.input_format),
        "columns": json.loads(job.columns),
        "rows": job.total + waiting_rows + job.rejected + job.skipped + not_selected,
        "not_selected": not_selected,
        "selection": dialect.get("selection"),
        "bytes": job.input_bytes,
        "sha256": job.input_sha256,
        "fingerprint": job.fingerprint,
        "resubmit_of": job.resubmit_of,
        "resubmit_of_job": None if job.resubmit_of is None else job_views.job_of_uid(database, job.resubmit_of),
        "resubmitted_as": [] if in_list else job_views.resubmitted_as(database, job.uid, _MOST_COPIES),
    }


def running_block(view: RunningView, input_format: str, now: int) -> RunningBlock:
    """An entry of the ``running`` block."""
    from jobctl.domain.payload import fields_of  # only items that run show their rows

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


def durations_block(database: Database, job: JobView) -> DurationsBlock:
    """Return the ``durations`` block: seconds of all attempts that ended, in all rounds; null before the first one."""
    kept = figures.durations(database, job.id) if job.attempts else Durations()
    p50_s = p95_s = mean_s = None
    if kept.count:
        shown_us = (kept.percentile_us(0.5) or 0, kept.percentile_us(0.95) or 0, kept.total_us / kept.count)
        p50_s, p95_s, mean_s = (float(f"{us / 1e6:.4g}") for us in shown_us)
    return {
        "attempts": kept.count,
        "p50_s": p50_s,
        "p95_s": p95_s,
        "max_s": seconds(kept.max_us) if kept.count else None,
        "mean_s": mean_s,
        "slowest": [
            {"item": slow.item, "attempt": slow.attempt, "duration_s": seconds(slow.duration_us)}
            for slow in kept.slowest
        ],
    }


def throughput_block(database: Database, job: JobView, now: int) -> ThroughputBlock | None:
    """Return the ``throughput`` block: outcomes in each span of the present round; None before the first outcome.

    The spans of ``bucket_s`` seconds cover the time from ``from_at`` to the end of the round or to ``now``, so that a
    standstill is visible; the last one may be shorter. ``now`` is in microseconds UTC.
    """
    course = figures.course(database, job.id, job.round)
    if not course.succeeded:
        return None
    until = max(job.finished_at or now, course.from_at)
    course.add(0, 0, until)
    return {
        "round": course.round,
        "from_at": format_time(course.from_at),
        "until_at": format_time(until),
        "bucket_s": course.bucket_us / 1e6,
        "succeeded": course.succeeded,
        "failed": course.failed,
    }
