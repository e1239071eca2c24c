"""The texts on the page of a job that change while it runs: title, counters, pace, slow and running items.

They are plain text: a pipe gets them as they are, and ``page`` and ``blocks`` give them colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import number, percent, rate
from jobctl.render.clock import local, seconds_between
from jobctl.render.inert import inert
from jobctl.render.look import Look, cut

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.domain.documents.status_blocks import DurationsBlock, RunningBlock, ThroughputBlock


#: The least and the greatest width of the bar of progress, and of the curve of the pace.
BAR_MIN, BAR_MAX = 10, 60
CURVE_MIN, CURVE_MAX = 8, 60
#: With fewer outcomes every bar of the curve would be a peak, and one bar alone compares with nothing.
_ENOUGH_OUTCOMES = 10
#: With fewer attempts, slow items cannot be told from usual ones, nor a percentile from the longest duration.
_ENOUGH, _ENOUGH_FOR_PERCENTILES = 20, 5
#: The width between two columns, that of a screen that has room for process numbers, and the least width of a row.
GAP = 2
_WIDE, ROW_MIN = 100, 8


class Cell(NamedTuple):
    """One bar of the curve."""

    per_s: float  # items that got their outcome
    failed: float  # share of them


def title_texts(document: StatusDocument, look: Look) -> tuple[str, str, str, str]:
    """Number, name, state, and the round after the first one."""
    later = f"{look.dash}round {document['round']}" if document["round"] > 1 else ""
    return f"job {document['job']}", inert(document["name"]), document["state"], later


def progress_facts(document: StatusDocument, look: Look) -> list[str]:
    """Return the share that is processed, the rate and the estimated end, as far as they fit next to a bar."""
    progress, counts = document["progress"], document["counts"]
    facts = [
        percent(progress["processed"], counts["total"]) if counts["total"] else percent(progress["fraction"], 1),
        f"{number(progress['processed'])} of {number(counts['total'])}",
    ]
    if progress["rate_per_s"]:
        facts.append(rate(progress["rate_per_s"]))
    if progress["eta_s"] is not None:
        facts.append(f"done in {format_duration(progress['eta_s'])}")
        moment = f", {local(progress['eta_at'])}" if progress["eta_at"] else ""
        if BAR_MIN + 2 + len("  ".join(facts) + moment) <= look.width:
            facts[-1] += moment
    elif document["done"]:
        facts.append(f"took {format_duration(document['time']['active_s'])}")
    return facts


def counter_texts(document: StatusDocument) -> dict[str, str]:
    """The counters that are not zero, each with its name."""
    texts = {}
    for name in ("succeeded", "failed", "running", "retrying", "queued", "unprocessed", "rejected", "skipped"):
        count = document["counts"][name]
        if count:
            texts[name] = f"{number(count)} {name}"
    return texts


def pace_line(document: StatusDocument, look: Look) -> str:
    """The highest throughput and the durations of the attempts; empty before there are figures."""
    shown = curve_cells(document, CURVE_MAX)
    peak = f"peak {rate(max(cell.per_s for cell in shown))}" if any(cell.per_s for cell in shown) else ""
    return look.dash.join([*([peak] if peak else []), *duration_figures(document)])


def curve_cells(document: StatusDocument, width: int) -> list[Cell]:
    """The cells of the curve; none while it would say nothing."""
    course = document.get("throughput")
    if not course or sum(course["succeeded"]) + sum(course["failed"]) < _ENOUGH_OUTCOMES:
        return []
    shown = cells(course, width)
    return shown if len(shown) > 1 else []


def cells(throughput: ThroughputBlock, width: int) -> list[Cell]:
    """The course of a round in at most ``width`` equal cells; a short rest at the end joins the cell before it."""
    good, bad, length = throughput["succeeded"], throughput["failed"], throughput["bucket_s"]
    each = -(-len(good) // width) or 1
    span_s = seconds_between(throughput["from_at"], throughput["until_at"])
    starts = list(range(0, len(good), each))
    if len(starts) > 1 and span_s - starts[-1] * length < each * length / 2:
        del starts[-1]
    found = []
    for start, end in zip(starts, [*starts[1:], len(good)], strict=True):
        failed = sum(bad[start:end])
        total = sum(good[start:end]) + failed
        lasted_s = max(min(end * length, span_s) - start * length, length / 2)
        found.append(Cell(total / lasted_s, failed / total if total else 0.0))
    return found


def duration_figures(document: StatusDocument) -> list[str]:
    """The percentiles and the maximum of the durations; empty if no attempt has run yet, or none could be started."""
    durations = document.get("durations")
    if not durations or not durations["attempts"] or not durations["max_s"]:
        return []
    figures = [("p50", durations["p50_s"]), ("p95", durations["p95_s"]), ("max", durations["max_s"])]
    # A percentile of a few attempts says less than the longest one.
    shown = figures if durations["attempts"] >= _ENOUGH_FOR_PERCENTILES else figures[-1:]
    return [f"{name} {format_duration(value)}" for name, value in shown if value is not None]


def slowest_line(document: StatusDocument, look: Look) -> str:
    """The attempts that took longest, as many as fit on a line; empty while too few attempts have ended."""
    durations = document.get("durations")
    if not durations or durations["attempts"] < _ENOUGH:
        return ""
    facts: list[str] = []
    for slow in durations["slowest"]:
        fact = f"item {slow['item']} {format_duration(slow['duration_s'])}"
        if len("slowest  " + look.dash.join([*facts, fact])) > look.width:
            break
        facts.append(fact)
    return "slowest  " + look.dash.join(facts) if facts else ""


def slowness(elapsed_s: float, durations: DurationsBlock | None) -> str:
    """``over max``, ``over p95``, or empty for a usual duration and while too few attempts have ended."""
    if not durations or durations["attempts"] < _ENOUGH:
        return ""
    if elapsed_s > (durations["max_s"] or 0):
        return "over max"
    return "over p95" if elapsed_s > (durations["p95_s"] or 0) else ""


def running_items(document: StatusDocument) -> list[RunningBlock]:
    """The running items, longest first. Without a daemon there are none, because their durations are unknown."""
    if document["daemon"]["state"] == "down":
        return []
    return sorted(document["running"], key=lambda item: -item["elapsed_s"])


def running_columns(shown: Sequence[RunningBlock], marks: Sequence[str], look: Look) -> dict[str, list[str]]:
    """The columns that are not empty; the row gets the remaining width, process numbers need a wide screen."""
    columns = {
        "running": [str(item["item"]) for item in shown],
        "slot": ["" if item["slot"] is None else str(item["slot"]) for item in shown],
        "attempt": [str(item["attempt"]) for item in shown],
        "for": [format_duration(item["elapsed_s"]) for item in shown],
        "host": [inert(item.get("host") or "") for item in shown],
        "process": [str(item["pid"] or "") for item in shown],
        "slow": list(marks),
    }
    if look.width < _WIDE:
        del columns["process"]
    columns = {
        title: cells for title, cells in columns.items() if title not in ("slow", "host", "process") or any(cells)
    }
    taken = sum(max(len(title), *map(len, cells)) + GAP for title, cells in columns.items())
    room = look.width - taken
    rows = [cut(inert(item["row_text"]), room, look) for item in shown] if room >= ROW_MIN else []
    return columns | {"row": rows} if any(rows) else columns
