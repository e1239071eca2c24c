"""The table of jobs: a line for each job, with the columns that fit and that are not empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import number, rate
from jobctl.render.bar import bar
from jobctl.render.clock import seconds_between
from jobctl.render.inert import inert
from jobctl.render.look import STATE_STYLES, Look, cut
from jobctl.render.plain import more_jobs, no_jobs

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument, StatusListDocument


_GAP = 2
_NAME_MIN, _NAME_MAX = 16, 40
_BAR_MIN, _BAR_MAX = 8, 30


class Column(NamedTuple):
    """A column of the table; on a narrow screen the column with the lowest ``drop`` goes first (0 = never)."""

    title: str
    right: bool
    drop: int
    cell: Callable[[StatusDocument, str], tuple[str, str]]  # (text, style)


def _age(document: StatusDocument, at: str) -> tuple[str, str]:
    return format_duration(max(0.0, seconds_between(document["time"]["submitted_at"], at))), ""


def _done(document: StatusDocument, _at: str) -> tuple[str, str]:
    return f"{number(document['progress']['processed'])}/{number(document['counts']['total'])}", ""


def _failed(document: StatusDocument, _at: str) -> tuple[str, str]:
    count = document["counts"]["failed"]
    return (number(count), "red") if count else ("", "")


def _rate(document: StatusDocument, _at: str) -> tuple[str, str]:
    value = document["progress"]["rate_per_s"]
    return ("" if not value or document["done"] else rate(value)), ""


def _eta(document: StatusDocument, _at: str) -> tuple[str, str]:
    value = document["progress"]["eta_s"]
    return ("" if value is None else format_duration(value)), ""


_COLUMNS = (
    Column("job", True, 0, lambda d, _: (str(d["job"]), "bold")),
    Column("name", False, 0, lambda d, _: (inert(d["name"]), "")),
    Column("state", False, 0, lambda d, _: (d["state"], STATE_STYLES.get(d["state"], ""))),
    Column("progress", False, 3, lambda _d, _: ("", "")),
    Column("done", True, 0, _done),
    Column("failed", True, 5, _failed),
    Column("rate", True, 2, _rate),
    Column("ETA", True, 4, _eta),
    Column("age", True, 1, _age),
)


def jobs_table(document: StatusListDocument, look: Look) -> RenderableType:
    """The table of a list document, with a line for the jobs that it leaves out."""
    if not document["jobs"]:
        return Text(no_jobs(document))
    header, rows = job_cells(document["jobs"], document["at"], look)
    lines = [_join(header, style="bold"), *map(_join, rows)]
    left_out = more_jobs(document)
    if left_out:
        lines.append(Text(f"{look.ellipsis} {left_out}", style="bright_black"))
    return Group(*lines)


def job_cells(jobs: Sequence[StatusDocument], at: str, look: Look) -> tuple[list[Text], list[list[Text]]]:
    """The titles and the rows of some jobs, each cell as wide as its column; two spaces belong between columns."""
    rows = [{column.title: column.cell(job, at) for column in _COLUMNS} for job in jobs]
    columns, widths = _fit(rows, look)
    titles = [_aligned(Text(c.title), c, widths[c.title]) for c in columns]
    return titles, [_cells(job, row, columns, widths, look) for job, row in zip(jobs, rows, strict=True)]


def _fit(rows: list[dict[str, tuple[str, str]]], look: Look) -> tuple[list[Column], dict[str, int]]:
    """The columns that fit and are not empty, with their widths."""
    columns = [c for c in _COLUMNS if c.title == "progress" or any(row[c.title][0] for row in rows)]
    natural = {c.title: max([len(c.title), *(cell_len(row[c.title][0]) for row in rows)]) for c in columns}
    name_wanted = min(natural["name"], _NAME_MAX if look.terminal else natural["name"])
    while True:
        flexible = {"name": min(natural["name"], _NAME_MIN), "progress": _BAR_MIN}
        least = sum(flexible.get(c.title, natural[c.title]) + _GAP for c in columns) - _GAP
        droppable = [c for c in columns if c.drop]
        if least <= look.width or not droppable:
            break
        columns.remove(min(droppable, key=lambda c: c.drop))
    spare = look.width - least
    name = min(name_wanted, max(4, flexible["name"] + spare))
    spare = max(0, spare - (name - flexible["name"]))
    widths = natural | {"name": max(name, 1), "progress": min(_BAR_MAX, _BAR_MIN + spare)}
    return columns, widths


def _cells(
    job: StatusDocument, row: dict[str, tuple[str, str]], columns: list[Column], widths: dict[str, int], look: Look
) -> list[Text]:
    cells = []
    for column in columns:
        width = widths[column.title]
        if column.title == "progress":
            cells.append(Text.assemble(*bar(job["counts"], width, look)))
            continue
        text, style = row[column.title]
        cells.append(_aligned(Text(cut(text, width, look), style=style), column, width))
    return cells


def _aligned(text: Text, column: Column, width: int) -> Text:
    missing = max(0, width - text.cell_len)
    if column.right:
        text.pad_left(missing)
    else:
        text.pad_right(missing)
    return text


def _join(cells: list[Text], style: str = "") -> Text:
    line = Text(" " * _GAP, style=style, no_wrap=True, overflow="crop").join(cells)
    line.style = style
    line.no_wrap = True
    line.overflow = "crop"
    line.rstrip()
    return line
