"""Whole screens at fixed sizes, as they are kept in ``screens/``.

    python -m tests.render.pinned

writes them again; look at the difference before it is committed.
"""

from __future__ import annotations

import copy
import io
import json
import os
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest.mock import patch

from jobctl.render import clock
from jobctl.render.explain import explain_lines
from jobctl.render.frames import job_frame, list_frame
from jobctl.render.items import print_items
from jobctl.render.job.page import job_page
from jobctl.render.job.plain_page import plain_page
from jobctl.render.live import render_lines
from jobctl.render.look import Look
from jobctl.render.preview import print_preview
from jobctl.render.screen import print_jobs

FOLDER = Path(__file__).with_name("screens")
EXAMPLE = json.loads((Path(__file__).parents[1] / "data" / "status.example.json").read_text())
SIZES = ((80, 24), (120, 40), (200, 50))
FOOTER = "q leaves; the work continues"
AT = "2026-11-23T18:29:35.310Z"

Document = dict[str, Any]


class Today(datetime):
    """The day of the example, whatever day it is."""

    @classmethod
    def now(cls, tz: timezone | None = None) -> datetime:
        """Half past six."""
        return datetime.fromisoformat(AT).astimezone(tz)


def running_job() -> Document:
    """A job under way, with everything that a page can show."""
    found = copy.deepcopy(EXAMPLE) | {"handler": "command", "call": None, "cwd": "/srv/invoices", "attempts": 430}
    found["results"]["dir"] = "/home/ada/.local/state/jobctl/results/42"
    found["counts"] |= {"running": 4, "queued": 580}
    found["state_reason"] = "4 items running, 10 failed so far"
    found["input"] |= {"resubmit_of": None, "resubmit_of_job": None}
    found["policy"] |= {"halt": "soon"}
    group = found["failures"]["groups"][0]
    permanent = {"code": "exit_65", "message": "invoice <n> has no customer", "retryable": False, "count": 2}
    found["failures"] |= {"groups": [group, group | permanent | {"sample_items": [71, 204]}]}
    found["running"] = [
        {"item": item, "attempt": 1, "slot": slot, "pid": 4200 + item, "started_at": AT, "elapsed_s": elapsed}
        | {"row_text": f"{item}, https://billing.example.org/invoices/2026/11/{item}.pdf"}
        for slot, (item, elapsed) in enumerate(((388, 62.0), (409, 2.4), (412, 0.9), (413, 0.3)), 1)
    ]
    slow = [{"item": item, "attempt": 1, "duration_s": took} for item, took in ((17, 31.0), (203, 9.5), (64, 4.1))]
    found["durations"] = {"attempts": 430, "p50_s": 0.25, "p95_s": 1.1, "max_s": 31.0, "mean_s": 0.4, "slowest": slow}
    good = [4, 7, 9, 8, 9, 10, 6, 0, 0, 5, 9, 9, 11, 8, 7, 9]
    found["throughput"] = {"round": 1, "from_at": "2026-11-23T18:28:31.310Z", "until_at": AT, "bucket_s": 4.0}
    found["throughput"] |= {"succeeded": good, "failed": [0] * 13 + [1, 2, 7]}
    return found


def done_job() -> Document:
    """The same at its end."""
    found = running_job()
    found |= {"state": "partial", "done": True, "ok": False, "state_reason": "990 succeeded, 10 failed", "running": []}
    found["counts"] |= {"queued": 0, "running": 0, "retrying": 0, "succeeded": 990}
    found["progress"] |= {"processed": 1000, "fraction": 1.0, "eta_s": None, "eta_at": None}
    found["time"] |= {"finished_at": "2026-11-23T18:31:02.120Z", "active_s": 151.1}
    found["retry"] |= {"available": True, "items": 10, "command": "jobctl retry 42"}
    found["results"]["available"] = True
    for name, file in found["results"]["files"].items():
        file |= {"path": f"/home/ada/.local/state/jobctl/results/42/{name}.csv", "rows": found["counts"][name]}
    found["next"] = ["jobctl items 42 --state failed", "jobctl logs 42 --failed", "jobctl retry 42"]
    return found


def listing() -> Document:
    """Jobs of every kind."""
    kinds = (
        ("succeeded", 12_000, {"succeeded": 12_000}),
        ("failed", 50, {"failed": 50}),
        ("partial", 400, {"succeeded": 391, "failed": 9}),
        ("queued", 1_000_000, {"queued": 1_000_000}),
        ("paused", 60, {"succeeded": 20, "queued": 40}),
        ("cancelled", 9, {"succeeded": 2, "unprocessed": 7}),
    )
    jobs = []
    for number, (state, total, counts) in enumerate(kinds, 36):
        job = running_job() | {"job": number, "state": state, "name": f"{state}-work", "attention": []}
        job["counts"] = dict.fromkeys(job["counts"], 0) | counts | {"total": total}
        processed = counts.get("succeeded", 0) + counts.get("failed", 0)
        job["done"] = state not in ("queued", "paused")
        job["progress"] |= {"processed": processed, "rate_per_s": None, "eta_s": None}
        jobs.append(job)
    jobs[3]["state_reason"] = "waits until job 42 (running) succeeds; 1,000,000 items queued"
    jobs[4]["attention"] = [{"code": "paused", "message": "paused 5m ago", "action": "jobctl resume 40"}]
    jobs.append(running_job())
    return {"schema": "jobctl.status_list/1", "at": AT, "daemon": EXAMPLE["daemon"], "jobs": jobs, "jobs_total": 7}


def many() -> Document:
    """More jobs than a screen has lines."""
    found = listing()
    last = found["jobs"][0]
    found["jobs"] += [last | {"job": number, "name": f"old-{number}"} for number in range(1, 36)]
    return found | {"jobs_total": len(found["jobs"])}


def items() -> list[Document]:
    """Items of every state."""
    keys = ("exit_code", "signal", "code", "message", "due_at", "started_at", "duration_s", "cpu_s", "max_rss_kib")
    base = dict.fromkeys((*keys, "slot", "result")) | {"job": 42, "attempts": 1}
    ends: tuple[Document, ...] = (
        {"state": "succeeded", "exit_code": 0, "duration_s": 0.25},
        {"state": "failed", "attempts": 3, "exit_code": 22, "duration_s": 1.5}
        | {"code": "exit_22", "message": "curl: (22) The requested URL returned error: 503"},
        {"state": "failed", "signal": "SIGKILL", "code": "timeout", "duration_s": 120.0, "message": "stopped after 2m"},
        {"state": "running"},
        {"state": "queued", "attempts": 0},
    )
    return [
        base | end | {"item": n, "row": {"id": str(n), "url": f"https://example.org/{n}.pdf"}}
        for n, end in enumerate(ends, 1)
    ]


def explanation() -> Document:
    """The lines of ``explain`` about the job."""
    job = done_job()
    entry = {"item": None, "reason": None, "actor": "engine"}
    journal = [
        entry
        | {"at": "2026-11-23T18:28:31.004Z", "actor": "ada (pid 512)", "event": "submitted", "reason": "1000 items"},
        entry | {"at": "2026-11-23T18:28:31.052Z", "event": "running"},
        entry | {"at": "2026-11-23T18:31:02.120Z", "event": "finished", "reason": "partial"},
    ]
    taken = ("job", "name", "state", "state_reason", "failures", "retry", "attention", "next")
    nothing = {"item": None, "resubmit_of": None, "resubmit_of_job": None, "holds": [], "attempts": []}
    return {name: job[name] for name in taken} | nothing | {"journal": journal, "journal_total": 3}


def screens() -> Iterator[tuple[str, str]]:
    """(name of the file, what is on the screen)."""
    for width, height in SIZES:
        size = f"{width}x{height}"
        look = Look(width, height)
        yield f"watch-all-{size}", _text(render_lines(list_frame(many(), look, FOOTER), look))
        yield f"watch-job-{size}", _text(render_lines(job_frame(running_job(), look, FOOTER), look))
        yield f"status-job-{size}", _text(render_lines([job_page(done_job(), look)], look))
        yield f"status-{size}", _text(_printed(print_jobs, listing(), look=look).rstrip("\n").split("\n"))
        yield f"items-{size}", _printed(print_items, items(), look=look)
        commands = [f"curl -fsS -o out/{n}.pdf https://example.org/invoices/{n}.pdf" for n in (1, 2)]
        rows = [[str(n), f"https://example.org/invoices/{n}.pdf"] for n in (1, 2)]
        yield f"dry-run-{size}", _printed(print_preview, ["id", "url"], rows, commands, look=look)
    ascii_only = Look(80, 24, unicode=False)
    yield "watch-job-80x24-C", _text(render_lines(job_frame(running_job(), ascii_only, FOOTER), ascii_only))
    yield "watch-all-80x24-C", _text(render_lines(list_frame(many(), ascii_only, FOOTER), ascii_only))
    low = Look(60, 9)
    yield "watch-job-60x9", _text(render_lines(job_frame(running_job(), low, FOOTER), low))
    yield "watch-all-60x9", _text(render_lines(list_frame(many(), low, FOOTER), low))
    pipe = Look(10_000, 10_000, terminal=False)
    yield "status-job-pipe", _text(plain_page(done_job(), pipe))
    yield "explain", _text(explain_lines(explanation(), pipe))
    yield "explain-60", _text(explain_lines(explanation(), low))


def _text(lines: Any) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _printed(show: Any, *documents: Any, look: Look) -> str:
    stream = io.StringIO()
    show(*documents, stream, look)
    return _text(stream.getvalue().rstrip("\n").split("\n"))


def drawn() -> dict[str, str]:
    """Every screen, at the time and in the zone of the example."""
    zone = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        with patch.object(clock, "datetime", Today):
            return dict(screens())
    finally:
        os.environ.pop("TZ")
        if zone is not None:
            os.environ["TZ"] = zone
        time.tzset()


def main() -> None:
    """Write them."""
    screens_by_name = drawn()
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for name, text in screens_by_name.items():
        (FOLDER / f"{name}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
