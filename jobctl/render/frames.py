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
from jobctl.render.plain import more_jobs

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument, StatusListDocument


#: Jobs that need attention come first, then running, waiting, unsuccessful and successful ones.
_ORDER = {"running": 1, "cancelling": 1, "queued": 2, "paused": 2, "failed": 3, "partial": 3, "expired": 3}

#: Running items on the page of a job.
_RUNNING = 8
#: A screen with fewer lines shows no footer.
_LOW = 10


def list_frame(
    document: StatusListDocument, look: Look, footer: str, *, keeps_order: bool = False
) -> list[RenderableType]:
    """As many jobs as fit, and one line for the rest; the most urgent first, unless the document ``keeps_order``."""
    jobs = document["jobs"] if keeps_order else sorted(document["jobs"], key=urgency)
    tail = _tail(look, footer)
    lines = notices(document, look, limit=max(1, look.height // 5)) if tail else []
    below = len(render_lines(lines, look)) + 1 if lines else 0
    room = look.height - len(tail) - 1 - below  # the heading
    left_out = more_jobs(document)
    shown = jobs[: max(1, room if len(jobs) <= room and not left_out else room - 1)]
    blocks: list[RenderableType] = [jobs_table({**document, "jobs": shown, "more": None}, look)]
    hidden = jobs[len(shown) :]
    rest = [*([_rest(hidden)] if hidden else []), *([left_out] if left_out else [])]
    if rest:
        blocks.append(Text(f"{look.ellipsis} {'; '.join(rest)}", style="bright_black", no_wrap=True, overflow="crop"))
    if lines:
        blocks += [Text(""), *lines]
    return [*blocks, *tail]


def urgency(job: StatusDocument) -> tuple[int, int]:
    """The key that sorts the jobs of a list: attention first, then running, waiting, ended."""
    looks = 0 if any(not a["code"].startswith("daemon_") for a in job["attention"]) else 1
    return looks * 10 + _ORDER.get(job["state"], 4), -job["job"]


def _rest(hidden: Sequence[StatusDocument]) -> str:
    states: dict[str, int] = {}
    for job in hidden:
        states[job["state"]] = states.get(job["state"], 0) + 1
    return f"and {plural(len(hidden), 'job')} more: " + ", ".join(f"{n} {s}" for s, n in states.items())


def job_frame(document: StatusDocument, look: Look, footer: str) -> list[RenderableType]:
    """One job: the whole page, with more running items if there is room, or only its changing part if there is not."""
    tail = _tail(look, footer)
    room = look.height - len(tail)
    spare = room - len(render_lines([job_page(document, look)], look))
    if spare >= 0:
        return [job_page(document, look, _RUNNING + spare), *tail]
    return [*changing_part(document, look, room), *tail]


def changing_part(document: StatusDocument, look: Look, room: int) -> list[Text]:
    """The lines of a job that change while it runs, with as many causes and running items as fit."""
    return [Text.from_ansi(line, no_wrap=True) for line in _changing_lines(document, look, room)]


def _changing_lines(document: StatusDocument, look: Look, room: int) -> list[str]:
    head = render_lines([job_title(document, look), *overview(document, look)], look)
    causes, running = len(document["failures"]["groups"]), min(len(document["running"]), look.height)
    while True:
        found = (failures_block(document, look, causes), running_block(document, look, running))
        below = [line for block in found if block is not None for line in ["", *render_lines([block], look)]]
        if len(head) + len(below) <= room or not (causes or running):
            return [*head, *below][: max(1, room)]
        # The longer list is shortened first; with equal lengths that of the items, which matter less than causes.
        causes, running = (causes - 1, running) if causes > running else (causes, running - 1)


def _tail(look: Look, footer: str) -> list[RenderableType]:
    """The line about the keys, unless the screen has too few lines."""
    return [Text(""), Text(footer, style="bright_black")] if look.height >= _LOW else []
