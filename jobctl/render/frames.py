"""The frames of live views: all jobs, or one job, made to fit the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from jobctl.domain.wording import plural
from jobctl.render.job.blocks import failures_block, running_block
from jobctl.render.job.page import job_page, job_title, overview
from jobctl.render.jobs_table import jobs_table
from jobctl.render.live import render_lines
from jobctl.render.look import Look
from jobctl.render.notices import notices

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument, StatusListDocument


#: What needs a look comes first, then what moves, then what waits, then what is over: badly, then well.
_ORDER = {"running": 1, "cancelling": 1, "queued": 2, "paused": 2, "failed": 3, "partial": 3, "expired": 3}

#: Items that run on the page of a job.
_RUNNING = 8
#: A screen with fewer lines shows figures alone.
_LOW = 10


def list_frame(document: StatusListDocument, look: Look, footer: str) -> list[RenderableType]:
    """As many jobs as there is room for, the rest summed up in a line."""
    jobs = sorted(document["jobs"], key=urgency)
    tail = _tail(look, footer)
    lines = notices(document, look, limit=max(1, look.height // 5)) if tail else []
    taken = len(render_lines(lines, look)) + 1 if lines else 0
    room = look.height - len(tail) - 1 - taken  # the heading
    shown = jobs[: max(1, room if len(jobs) <= room else room - 1)]
    blocks: list[RenderableType] = [jobs_table({**document, "jobs": shown, "jobs_total": len(shown)}, look)]
    hidden = jobs[len(shown) :]
    if hidden:
        blocks.append(Text(_rest(hidden, look), style="bright_black"))
    if lines:
        blocks += [Text(""), *lines]
    return [*blocks, *tail]


def urgency(job: StatusDocument) -> tuple[int, int]:
    """Where a job belongs in a list: what needs a look first, then what moves, what waits, what is over."""
    looks = 0 if any(not a["code"].startswith("daemon_") for a in job["attention"]) else 1
    return looks * 10 + _ORDER.get(job["state"], 4), -job["job"]


def _rest(hidden: Sequence[StatusDocument], look: Look) -> str:
    states: dict[str, int] = {}
    for job in hidden:
        states[job["state"]] = states.get(job["state"], 0) + 1
    return f"{look.ellipsis} and {plural(len(hidden), 'job')} more: " + ", ".join(f"{n} {s}" for s, n in states.items())


def job_frame(document: StatusDocument, look: Look, footer: str) -> list[RenderableType]:
    """One job: the whole page if there is room for it, with more of what runs if there is more; else what moves."""
    tail = _tail(look, footer)
    room = look.height - len(tail)
    spare = room - len(render_lines([job_page(document, look)], look))
    if spare >= 0:
        return [job_page(document, look, _RUNNING + spare), *tail]
    return [*what_moves(document, look, room), *tail]


def what_moves(document: StatusDocument, look: Look, room: int) -> list[Text]:
    """Lines of a job without the facts that stay: as many causes and running items as there is room for."""
    return [Text.from_ansi(line, no_wrap=True) for line in _moving(document, look, room)]


def _moving(document: StatusDocument, look: Look, room: int) -> list[str]:
    head = render_lines([job_title(document, look), *overview(document, look)], look)
    causes, running = len(document["failures"]["groups"]), min(len(document["running"]), look.height)
    while True:
        found = (failures_block(document, look, causes), running_block(document, look, running))
        below = [line for block in found if block is not None for line in ["", *render_lines([block], look)]]
        if len(head) + len(below) <= room or not (causes or running):
            return [*head, *below][: max(1, room)]
        # Both give way in turn, the longer one first; a cause is worth more than an item.
        causes, running = (causes - 1, running) if causes > running else (causes, running - 1)


def _tail(look: Look, footer: str) -> list[RenderableType]:
    """What the keys do, unless the screen is too low for more than the figures."""
    return [Text(""), Text(footer, style="bright_black")] if look.height >= _LOW else []
