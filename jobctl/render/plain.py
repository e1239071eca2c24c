"""Tables for pipes: a line of titles, then one record per line, fields separated by tabs, nothing cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jobctl.render.inert import inert

Document = Mapping[str, Any]

JOB_TITLES = ("job", "name", "state", "total", "succeeded", "failed", "left", "rate_per_s", "eta_s", "submitted_at")


def table(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Titles and rows as text without a line feed at the end; None is an empty field."""
    lines = ["\t".join(titles)]
    lines += ["\t".join("" if value is None else inert(str(value)) for value in row) for row in rows]
    return "\n".join(lines)


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
