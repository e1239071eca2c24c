"""A job as people look at it.

Generated from ``tables.py`` by ``python -m jobctl.store.job_columns``. Do not edit.
"""

from __future__ import annotations

from typing import NamedTuple


class JobColumns(NamedTuple):
    """A job whose JSON columns are still text. Times in microseconds."""

    id: int
    uid: str
    name: str
    queue: str
    priority: int
    labels: str
    handler: str
    command: str
    cwd: str
    policy: str
    input_path: str
    input_format: str
    columns: str
    input_bytes: int
    input_sha256: str
    fingerprint: str
    key: str | None
    item_key: str | None
    resubmit_of: str | None
    foreground: int
    after: str
    not_before_at: int | None
    state: str
    reason: str
    round: int
    revision: int
    total: int
    queued: int
    running: int
    retrying: int
    succeeded: int
    failed: int
    unprocessed: int
    rejected: int
    skipped: int
    cursor: int
    paused_at: int | None
    pause_reason: str
    stop: str | None
    stop_reason: str
    submitted_at: int
    started_at: int | None
    updated_at: int
    finished_at: int | None
    deadline_at: int | None
    round_at: int
    paused_us: int
    active_us: int
    rate_per_s: float | None
    mean_us: float | None
    attempts: int
    results: str | None
    tokens: float | None
    tokens_at: int | None
    failures_ungrouped: int
    undo: str | None
    undo_of: int | None
    undo_retaken: int
    undo_released: int
    owner: str | None
    damage: str = ""  # the faults of the row; columns with a fault have harmless values here
