"""The ``undo`` block of the documents: what can be taken back of a job, and what undo jobs have taken back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jobctl.store.database import Database
from jobctl.store.views import undo as undo_views
from jobctl.store.views.jobs import JobView

if TYPE_CHECKING:
    from jobctl.domain.documents.status_blocks import ItemUndoBlock, UndoBlock, UndoFileBlock
    from jobctl.domain.undo import Undo


def undo_block(database: Database, job: JobView, program: str) -> UndoBlock | None:
    """Return the block; None for a job that keeps no way back, has no undo job and is none."""
    found = undo_views.undo_jobs(database, job.id) if job.undo_of is None else []
    way_back = _way_back(job.undo) if job.undo else None
    if way_back is None and not found and job.undo_of is None:
        return None
    failed = sum(each.failed for each in found)
    can_begin = job.is_done and way_back is not None and job.succeeded > 0 and (failed > 0 or not found)
    return {
        "of": job.undo_of,
        "available": way_back is not None,
        "on_failure": way_back is not None and way_back.on_failure,
        "command": f"{program} undo {job.id}" if can_begin else None,
        "jobs": [each.id for each in found],
        "undone": sum(each.undone for each in found),
        "failed": failed,
        "running": sum(each.running for each in found),
        "left": sum(each.left for each in found),
        "file": _file(job),
    }


def _way_back(stored: str) -> Undo | None:
    from jobctl.domain.undo import undo_of  # few jobs have a way back

    return undo_of(stored)


def _file(job: JobView) -> UndoFileBlock | None:
    file = json.loads(job.results).get("undone") if job.results and job.is_done else None
    return None if not file else {"path": file["path"], "rows": file["rows"], "sha256": file["sha256"]}


def item_undo_block(found: undo_views.UndoOfItem | None) -> ItemUndoBlock | None:
    """Return the item of an undo job that takes back an item; None if none does."""
    return None if found is None else {"job": found.job, "item": found.item, "state": found.state.word}
