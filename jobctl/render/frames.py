"""The frames of live views: all jobs, or one job, made to fit the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from jobctl.domain.wording import plural
from jobctl.render.job_page import failures_block, job_page, job_title, overview, running_block
from jobctl.render.jobs_table import jobs_table
from jobctl.render.live import render_lines
from jobctl.render.look import Look
from jobctl.render.notices import notices

Document = Mapping[str, Any]

#: What needs a look comes first, then what moves, then what waits, then what is over.
_ORDER = {"running": 1, "cancelling": 1, "queued": 2, "paused": 2}


def list_frame(document: Document, look: Look, footer: str) -> list[RenderableType]:
    """As many jobs as there is room for, the rest summed up in a line."""
    jobs = sorted(document["jobs"], key=_urgency)
    lines = notices(document, look, limit=max(1, look.height // 5))
    room = look.height - 4 - (len(lines) + 1 if lines else 0)
    shown = jobs[: max(1, room)]
    blocks: list[RenderableType] = [jobs_table({**document, "jobs": shown, "jobs_total": len(shown)}, look)]
    hidden = jobs[len(shown) :]
    if hidden:
        blocks.append(Text(_rest(hidden, look), style="bright_black"))
    if lines:
        blocks += [Text(""), *lines]
    return [*blocks, Text(""), Text(footer, style="bright_black")]


def _urgency(job: Document) -> tuple[int, int]:
    looks = 0 if any(not a["code"].startswith("daemon_") for a in job["attention"]) else 1
    return looks * 10 + (_ORDER.get(job["state"], 3) if not job["done"] else 3), -job["job"]


def _rest(hidden: Sequence[Document], look: Look) -> str:
    states: dict[str, int] = {}
    for job in hidden:
        states[job["state"]] = states.get(job["state"], 0) + 1
    return f"{look.ellipsis} and {plural(len(hidden), 'job')} more: " + ", ".join(f"{n} {s}" for s, n in states.items())


def job_frame(document: Document, look: Look, footer: str) -> list[RenderableType]:
    """One job: the whole page if there is room for it, else what moves."""
    tail = [Text(""), Text(footer, style="bright_black")]
    page: list[RenderableType] = [job_page(document, look), *tail]
    if len(render_lines(page, look)) <= look.height:
        return page
    moving: list[RenderableType] = [job_title(document, look), *overview(document, look)]
    for block in (failures_block(document, look), running_block(document, look)):
        if block is not None:
            moving += [Text(""), block]
    lines = render_lines(moving, look)[: max(1, look.height - len(tail))]
    return [*(Text.from_ansi(line) for line in lines), *tail]
