"""A job as the engine and the submission work with it.

Generated from ``tables.py`` by ``python -m jobctl.store.job_columns``. Do not edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobctl.domain.policy import Policy
from jobctl.domain.states import Counts, JobState, Stop

#: Columns whose text is JSON, apart from the policy, which has a class of its own.
JSON_COLUMNS = frozenset({"command", "env", "env_names", "input_dialect", "columns", "work_options", "after"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job with its JSON decoded."""

    id: int
    uid: str
    name: str
    queue: str
    priority: int
    handler: str
    command: Any
    cwd: str
    umask: int
    env: dict[str, str]
    env_names: list[str]
    env_file: str | None
    policy: Policy
    input_path: str
    input_format: str
    input_dialect: dict[str, Any]
    columns: list[str]
    input_sha256: str
    rows_sha256: str
    work_options: dict[str, Any]
    fingerprint: str
    key: str | None
    item_key: str | None
    resubmit_of: str | None
    root_uid: str | None
    foreground: int
    after: list[Any]
    not_before_at: int | None
    state: JobState
    round: int
    total: int
    cursor: int
    paused_at: int | None
    stop: Stop | None
    stop_now: int
    stop_reason: str
    submitted_at: int
    started_at: int | None
    finished_at: int | None
    deadline_at: int | None
    round_at: int
    rate_per_s: float | None
    mean_us: float | None
    attempts: int
    tokens: float | None
    tokens_at: int | None
    undo: str | None
    undo_of: int | None
    owner: str | None
    counts: Counts
    damage: str = ""  # the faults of the row; columns with a fault have harmless values here
