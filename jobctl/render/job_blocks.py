"""The parts of a job's page that move: causes of failure, and what runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import number, plural
from jobctl.render.inert import inert
from jobctl.render.look import Look

Document = Mapping[str, Any]

#: Below so many attempts, what is slow cannot be told from what is usual.
_ENOUGH = 20


def failures_block(document: Document, look: Look, limit: int | None = None) -> RenderableType | None:
    """The causes of failure, most frequent first, at most ``limit`` of them."""
    failures = document["failures"]
    shown = failures["groups"][:limit]
    if not failures["groups"] or limit == 0:
        return None
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, pad_edge=False, header_style="bold")
    table.add_column("failed", justify="right", no_wrap=True)
    table.add_column("cause", no_wrap=True)
    table.add_column("message", overflow="fold", ratio=1)
    table.add_column("as in item", overflow="fold")
    for group in shown:
        table.add_row(*_failure_cells(group))
    lines: list[RenderableType] = [table]
    hidden = failures["groups_total"] - len(shown)
    rest = [plural(hidden, "more cause")] if hidden > 0 else []
    if failures["ungrouped"]:
        rest.append(f"{plural(failures['ungrouped'], 'failure')} of further causes")
    if rest:
        lines.append(Text(f"{look.ellipsis} and {', '.join(rest)}", style="bright_black"))
    return Group(*lines)


def _failure_cells(group: Document) -> list[Text]:
    count = Text(number(group["count"]) if group["count"] else "retry", style="red" if group["count"] else "yellow")
    notes = []
    if not group["retryable"]:
        notes.append("permanent")
    if group["outcome"] == "unknown":
        notes.append("outcome unknown")
    message = Text(inert(group["message"]))
    if notes:
        message.append(f" ({', '.join(notes)})", style="bright_black")
    samples = ", ".join(str(item) for item in group["sample_items"][:3])
    return [count, Text(inert(group["code"])), message, Text(samples)]


def running_block(document: Document, look: Look, limit: int = 8) -> RenderableType | None:
    """What runs now and for how long, longest first; what is slower than usual is marked."""
    running = sorted(document["running"], key=lambda r: -r["elapsed_s"])
    # Without a daemon these are what it was doing when it went: nobody knows for how long they ran.
    if not running or document["daemon"]["state"] == "down" or limit == 0:
        return None
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, pad_edge=False, header_style="bold")
    for title in ("running", "slot", "attempt", "for", "process"):
        table.add_column(title, justify="right", no_wrap=True)
    marks = [slowness(item["elapsed_s"], document.get("durations")) for item in running[:limit]]
    if any(marks):
        table.add_column("slow", no_wrap=True)
    for item, mark in zip(running, marks, strict=False):
        slot = "" if item["slot"] is None else str(item["slot"])
        elapsed = Text(format_duration(item["elapsed_s"]), style="yellow" if mark else "")
        cells: list[str | Text] = [str(item["item"]), slot, str(item["attempt"]), elapsed, str(item["pid"] or "")]
        table.add_row(*cells, *([Text(mark, style="yellow")] if any(marks) else []))
    hidden = document["counts"]["running"] - len(marks)
    if hidden <= 0:
        return table
    return Group(table, Text(f"{look.ellipsis} and {number(hidden)} more", style="bright_black"))


def slowness(elapsed_s: float, durations: Document | None) -> str:
    """``longer than any``, ``longer than 95 %``, or nothing while that is not so or too little is known."""
    if not durations or durations["attempts"] < _ENOUGH:
        return ""
    if elapsed_s > durations["max_s"]:
        return "longer than any"
    return "longer than 95 %" if elapsed_s > durations["p95_s"] else ""
