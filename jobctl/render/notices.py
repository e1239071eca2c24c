"""The lines below the table of jobs: attention, each notice once, and the reasons why jobs wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from jobctl.domain.wording import plural
from jobctl.render.inert import inert
from jobctl.render.look import Look, wrap

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusListDocument

_MARK, _GAP = "! ", "  "
_OF_ALL = frozenset({"spawn_pressure", "disk_low", "clock_skew", "cluster_away", "no_workers"})


def notices(document: StatusListDocument, look: Look, limit: int = 5) -> list[Text]:
    """Return the notices, the most urgent one first, at most ``limit`` of them."""
    lines: list[Text] = []
    seen: set[str] = set()
    found = [(job, item) for job in document["jobs"] for item in job["attention"]]
    for job, item in found:
        # A notice about the daemon is the same for every job, so it appears once and without a job.
        shared = item["code"].startswith("daemon_") or item["code"] in _OF_ALL
        key = item["message"] if shared else f"{job['job']} {item['code']}"
        if key in seen:
            continue
        seen.add(key)
        who = "" if shared else f"job {job['job']}: "
        lines.append(_notice(f"{who}{item['message']}", item["action"], look))
    if len(lines) > limit:
        rest = len(lines) - limit
        lines = [*lines[:limit], Text(f"  and {plural(rest, 'more notice')}; jobctl status JOB", style="bright_black")]
    return lines


def waiting(document: StatusListDocument, look: Look, limit: int = 5) -> list[Text]:
    """Return the reasons why queued jobs without a notice wait, newest job first, at most ``limit`` of them."""
    quiet = [job for job in document["jobs"] if job["state"] == "queued" and not job["attention"]]
    lines = [f"job {job['job']}: {inert(job['state_reason'])}" for job in quiet[:limit]]
    if len(quiet) > limit:
        lines.append(f"{look.ellipsis} and {plural(len(quiet) - limit, 'job')} more waiting")
    return [Text(f"  {line}", style="bright_black") for line in lines]


def notice_text(message: str, look: Look) -> Text:
    """The mark and the message of a notice; the lines that continue it are indented."""
    lines = wrap(inert(message), look.width - len(_MARK))
    return Text.assemble((_MARK, "bold yellow"), f"\n{' ' * len(_MARK)}".join(lines))


def _notice(message: str, action: str, look: Look) -> Text:
    """A notice on one line, if it fits; otherwise the command has a line of its own, so that it can be copied."""
    arrow = "→ " if look.unicode else "-> "
    fits = len(_MARK) + len(_GAP) + cell_len(f"{inert(message)}{arrow}{inert(action)}") <= look.width
    before = _GAP if fits else f"\n{' ' * len(_MARK)}"
    return Text.assemble(notice_text(message, look), before, arrow, (inert(action), "bold"))
