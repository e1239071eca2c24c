"""The jobs of a question: a line for each, the same on a terminal and in an error message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobctl.domain.durations import format_span
from jobctl.domain.wording import number, plural
from jobctl.render.inert import inert
from jobctl.render.look import Look, cut

if TYPE_CHECKING:
    from jobctl.store.views.job_list import ListedJob

#: The most jobs that a question names.
SHOWN = 10
_NAME_MIN, _NAME_MAX = 8, 40
_GAP = "  "
#: The question indents the lines by this much.
INDENT = 2


def job_lines(jobs: Sequence[ListedJob], now: int, look: Look) -> list[str]:
    """A line for each of the first SHOWN jobs, and one for the rest; ``now`` in microseconds UTC."""
    shown = jobs[:SHOWN]
    facts = [(str(job.id), job.state, _items(job), f"{format_span(job.submitted_at, now)} old") for job in shown]
    widths = [max(map(len, column)) for column in zip(*facts, strict=True)]
    room = look.width - INDENT - sum(widths) - 4 * len(_GAP)
    names = [cut(inert(job.name), min(_NAME_MAX, max(_NAME_MIN, room)), look) for job in shown]
    longest = max(map(_width, names), default=0)
    lines = [
        _GAP.join(
            (fact[0].rjust(widths[0]), name + " " * (longest - _width(name)), *map(str.ljust, fact[1:], widths[1:]))
        )
        for fact, name in zip(facts, names, strict=True)
    ]
    more = len(jobs) - len(shown)
    return [cut(line.rstrip(), look.width - INDENT, look) for line in lines] + (
        [f"and {number(more)} more"] if more else []
    )


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # few names need it

    return cell_len(text)


def _items(job: ListedJob) -> str:
    return f"{number(job.left)} of {plural(job.total, 'item')} left" if job.left else plural(job.total, "item")
