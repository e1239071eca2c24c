"""Turns the columns of ``tables.Job`` into the classes ``JobRow`` and ``JobView``.

``python -m jobctl.store.job_columns`` writes them; CI compares. A new column needs only a line in ``tables.py``. Then
both classes have it, unless a set below excludes it from one of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

#: Columns that only the engine needs, and that may be long.
ENGINE_ONLY = frozenset({
    "umask", "env", "env_names", "env_file", "input_dialect", "rows_sha256", "work_options", "root_uid", "stop_now",
})  # fmt: skip
#: Columns that tell people about a job and mean nothing to the engine.
STATUS_ONLY = frozenset({
    "labels", "input_bytes", "reason", "revision", "pause_reason", "updated_at", "paused_us", "active_us", "results",
    "failures_ungrouped", "undo_retaken", "undo_released",
})  # fmt: skip
#: Columns that ``JobRow`` has together, in ``counts``.
COUNTED = ("queued", "running", "retrying", "succeeded", "failed", "unprocessed", "rejected", "skipped")
#: The types that ``JobRow`` has in place of text.
DECODED = {
    "command": "Any",
    "env": "dict[str, str]",
    "env_names": "list[str]",
    "policy": "Policy",
    "input_dialect": "dict[str, Any]",
    "columns": "list[str]",
    "work_options": "dict[str, Any]",
    "after": "list[Any]",
    "state": "JobState",
    "stop": "Stop | None",
}
_JSON = [name for name in DECODED if name not in ("policy", "state", "stop")]
_HEAD = '"""{}\n\nGenerated from ``tables.py`` by ``python -m jobctl.store.job_columns``. Do not edit.\n"""\n'
_DAMAGE = '    damage: str = ""  # the faults of the row; columns with a fault have harmless values here\n'
_ROW = """
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobctl.domain.policy import Policy
from jobctl.domain.states import Counts, JobState, Stop

#: Columns whose text is JSON, apart from the policy, which has a class of its own.
JSON_COLUMNS = frozenset({{{json}}})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    \"\"\"A job with its JSON decoded.\"\"\"

"""
_VIEW = """
from __future__ import annotations

from typing import NamedTuple


class JobColumns(NamedTuple):
    \"\"\"A job whose JSON columns are still text. Times in microseconds.\"\"\"

"""


def columns() -> Iterator[tuple[str, str]]:
    """The name and the type of every column of a job, in the order of the table."""
    from jobctl.store.tables import Job

    for name, kind in Job.__annotations__.items():
        if name in Job.model_fields:
            yield name, "int" if name == "id" else getattr(kind, "__name__", str(kind))


def job_row() -> str:
    """The module of ``JobRow``."""
    chosen = [(name, DECODED.get(name, kind)) for name, kind in columns() if name not in {*STATUS_ONLY, *COUNTED}]
    fields = "".join(f"    {name}: {kind}\n" for name, kind in chosen)
    json = ", ".join(f'"{name}"' for name in _JSON)
    head = _HEAD.format("A job as the engine and the submission work with it.")
    return f"{head}{_ROW.format(json=json)}{fields}    counts: Counts\n{_DAMAGE}"


def job_view() -> str:
    """The module of ``JobColumns``, the base class of ``views.jobs.JobView``."""
    fields = "".join(f"    {name}: {kind}\n" for name, kind in columns() if name not in ENGINE_ONLY)
    return f"{_HEAD.format('A job as people look at it.')}{_VIEW}{fields}{_DAMAGE}"


def modules() -> dict[Path, str]:
    """The generated modules with their texts."""
    folder = Path(__file__).parent
    return {folder / "job_row.py": job_row(), folder / "views" / "job_view.py": job_view()}


if __name__ == "__main__":
    for path, text in modules().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")
