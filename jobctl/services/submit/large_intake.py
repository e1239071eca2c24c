"""Accept an input that is too large for one transaction: its rows are written in parts, invisibly."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from jobctl.domain.wording import size
from jobctl.errors import Busy, NoRoom
from jobctl.process import space
from jobctl.services.submit.feed import parts
from jobctl.services.submit.new_job import first_values
from jobctl.store import clock, followed, jobs, sqlite
from jobctl.store.staging import Staging

if TYPE_CHECKING:
    from jobctl.services.submit.intake import Intake
    from jobctl.services.submit.request import Accepted
    from jobctl.services.submit.row_keys import RowKeys
    from jobctl.store.job_row import JobRow

#: Bytes for a part in the write-ahead log and in the database, and for the removal of all parts.
PART_ROOM = 64 << 20


def accept_in_parts(intake: Intake, keys: RowKeys | None) -> Accepted:
    """Write the rows under a number without a job; the last transaction creates the job. Raises Busy, NoRoom."""
    database = intake.database
    owner = _owner(intake)
    if owner is not None:
        comparison = intake.compared(owner, intake.feed)
        with database.transaction():
            intake.now = clock.follow(database, intake.now)
            current = _owner(intake)
            if current is None or current.id != owner.id:
                gone = f"job {owner.id}, which had key {owner.key!r}, was removed meanwhile"
                raise Busy(gone, hint="submit it again")
            return intake.found(current, comparison)
    staging = Staging(database, intake.submission.home, intake.now)
    try:
        accepted = _staged(intake, staging, keys)
        if accepted.job != staging.job:
            staging.discard()
        return accepted
    except BaseException as error:
        with contextlib.suppress(sqlite.Error, Busy):  # if they cannot be removed now, ``prune`` removes them
            staging.discard(shrink=isinstance(error, sqlite.Error | NoRoom))
        raise
    finally:
        staging.close()


def _owner(intake: Intake) -> JobRow | None:
    key = intake.submission.request.stored_key
    return None if key is None else jobs.by_key(intake.database, key)


def _staged(intake: Intake, staging: Staging, keys: RowKeys | None) -> Accepted:
    rows = 0
    _check_room(intake, intake.submission.source.size or 0)
    if keys is not None:
        keys.scan_live_jobs()
    for part in parts(intake.feed):
        _check_room(intake, PART_ROOM)
        with intake.database.transaction():
            rows = intake.put(staging.job, rows, part, keys)
    with intake.database.transaction():
        intake.now = clock.follow(intake.database, intake.now)
        owner = _owner(intake)
        if owner is not None:  # another submission has taken the key
            return intake.found(owner, intake.compared(owner, staging.batches()))
        rows = 0 if keys is not None and _waits_for_newcomers(intake, staging.job, rows, keys) else rows
        values = first_values(intake.submission, intake.now)
        jobs.insert(intake.database, {"id": staging.job, **values})
        staging.accept()
        return intake.accept(staging.job, values["uid"], rows, keys)


def _waits_for_newcomers(intake: Intake, job: int, rows: int, keys: RowKeys) -> bool:
    """Let all rows wait for jobs of the name that came during the writing, because those may have any row.

    Returns whether there are such jobs.
    """
    newcomers = keys.newcomers()
    if newcomers:
        followed.hold_items(intake.database, job, intake.followed.total() + 1, newcomers[0])
        intake.followed.update({newcomers[0]: rows} if rows else {})
        keys.others.update(newcomers)
    return bool(newcomers)


def _check_room(intake: Intake, bytes_needed: int) -> None:
    """Raises NoRoom while there is still enough room to remove the rows that were written."""
    home, request, *_ = intake.submission
    room = space.above_floor(home.root)
    if room is not None and room < bytes_needed:
        raise NoRoom(
            f"there is too little room for {request.input.name}: {space.free_text(home.root)},"
            f" and it takes another {size(bytes_needed)} at least",
            hint="make room, then submit it again; nothing was accepted",
        )
