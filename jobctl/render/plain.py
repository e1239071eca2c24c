"""Tables for pipes: a line of titles, then one record per line, fields separated by tabs, nothing cut."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jobctl.domain.durations import decimal
from jobctl.render.inert import inert

Document = Mapping[str, Any]

JOB_TITLES = ("job", "name", "state", "total", "succeeded", "failed", "left", "rate_per_s", "eta_s", "submitted_at")


def table(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Titles and rows as text without a line feed at the end; None is an empty field."""
    return "\n".join(["\t".join(titles), *map(record, rows)])


def record(values: Sequence[Any]) -> str:
    """One record; None is an empty field."""
    return "\t".join(map(_cell, values))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return decimal(value) if isinstance(value, float) else inert(str(value))


def jobs(document: Document) -> str:
    """The jobs of a list document."""
    return table(JOB_TITLES, map(_job, document["jobs"]))


def _job(job: Document) -> list[Any]:
    counts, progress = job["counts"], job["progress"]
    return [
        job["job"],
        job["name"],
        job["state"],
        counts["total"],
        counts["succeeded"],
        counts["failed"],
        counts["queued"] + counts["running"] + counts["retrying"],
        progress["rate_per_s"],
        progress["eta_s"],
        job["time"]["submitted_at"],
    ]


_OF_ITEM = ("item", "state", "attempts", "exit_code", "signal", "duration_s", "started_at", "code", "message")
ITEM_TITLES = (*_OF_ITEM, "row", "result")


def item(document: Document) -> str:
    """An item as one record."""
    result = document["result"]
    text = None if result is None else json.dumps(result, ensure_ascii=False)
    return record((*(document[title] for title in _OF_ITEM), row_text(document["row"]), text))


def row_text(row: Any) -> str:
    """A row in one line: its values for a table, the text of a line, JSON for a JSON line."""
    if isinstance(row, str):
        return row
    if isinstance(row, dict) and all(isinstance(value, str) for value in row.values()):
        return ", ".join(row.values())
    return json.dumps(row, ensure_ascii=False)


def damaged(document: Document) -> list[str]:
    """Notes beside a table: the jobs whose rows in the database cannot be read, and what of them."""
    return [
        inert(f"job {job['job']}: {item['message']}")
        for job in document["jobs"]
        for item in job["attention"]
        if item["code"] == "damaged"
    ]
