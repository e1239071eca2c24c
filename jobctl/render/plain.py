"""Tables for pipes: a line of titles, then one record on each line, with tabs between fields. Nothing is cut."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from jobctl.domain.durations import decimal
from jobctl.domain.wording import plural
from jobctl.render.inert import inert

if TYPE_CHECKING:
    from jobctl.domain.documents.items import ItemBlock
    from jobctl.domain.documents.status import StatusDocument, StatusListDocument


JOB_TITLES = (  # scripts count columns: a new one comes last
    *("job", "name", "state", "total", "succeeded", "failed", "left", "rate_per_s", "eta_s", "submitted_at"),
    *("undone", "undo_of"),
)


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


def jobs(document: StatusListDocument) -> str:
    """The jobs of a list document."""
    return table(JOB_TITLES, map(_job, document["jobs"]))


def _job(job: StatusDocument) -> list[Any]:
    counts, progress, undo = job["counts"], job["progress"], job.get("undo")
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
        undo["undone"] if undo and undo["jobs"] else None,
        undo["of"] if undo else None,
    ]


ITEM_TITLES = (  # scripts count columns: a new one comes last
    *("item", "state", "attempts", "exit_code", "signal", "duration_s", "started_at", "code", "message"),
    *("row", "result", "undo_item", "undo_state"),
)


def item(document: ItemBlock) -> str:
    """An item as one record, in the order of ``ITEM_TITLES``."""
    result = document["result"]
    text = None if result is None else json.dumps(result, ensure_ascii=False)
    done = (document["exit_code"], document["signal"], document["duration_s"], document["started_at"])
    reason = (document["code"], document["message"], row_text(document["row"]), text)
    undo = document.get("undo")
    taken_back = (f"{undo['job']}.{undo['item']}", undo["state"]) if undo else (None, None)
    return record((document["item"], document["state"], document["attempts"], *done, *reason, *taken_back))


def row_text(row: Any) -> str:
    """A row in one line: its values for a table, the text of a line, JSON for a JSON line."""
    if isinstance(row, str):
        return row
    if isinstance(row, dict) and all(isinstance(value, str) for value in row.values()):
        return ", ".join(row.values())
    return json.dumps(row, ensure_ascii=False)


def more_jobs(document: StatusListDocument) -> str:
    """The sentence about the jobs that a list leaves out, with the command that lists them; empty if it has all."""
    more = document.get("more")
    return "" if more is None else f"{plural(more['jobs'], 'more job')}: {more['command']}"


def no_jobs(document: StatusListDocument) -> str:
    """The sentence in place of a list without jobs."""
    if document["jobs_total"]:
        return f"none of the {plural(document['jobs_total'], 'job')} is selected; jobctl status lists them"
    return "no jobs; submit one with: jobctl submit FILE -- COMMAND ARG..."


def damaged(document: StatusListDocument) -> list[str]:
    """Notes below a table: the jobs whose rows in the database cannot be read, and which values are damaged."""
    return [
        inert(f"job {job['job']}: {item['message']}")
        for job in document["jobs"]
        for item in job["attention"]
        if item["code"] == "damaged"
    ]
