"""Begins the undo of a job that asks for it and ends without success: in the transaction that ends the job.

The rows of the undo job are written before, so that this transaction is short. An engine that dies in between leaves
rows that no command shows; the next engine ends the round again and writes new ones.
"""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from jobctl.config import Home
from jobctl.domain.states import JobState
from jobctl.domain.undo import undo_of
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.errors import Busy
from jobctl.store import journal, sqlite
from jobctl.store.database import UNWRITABLE, Database
from jobctl.store.undone import UndoChoice
from jobctl.undo.job import NewUndo, policy_for
from jobctl.undo.make import StagedUndo

#: The ends after which rows are taken back. After a cancel, a person decides.
_WITHOUT_SUCCESS = (JobState.FAILED, JobState.PARTIAL, JobState.EXPIRED)


class PreparedUndo(NamedTuple):
    """An undo job whose rows are written, or the reason why it could not be made."""

    staged: StagedUndo | None = None
    problem: str = ""

    def begin(self, database: Database, live: LiveJob, now: int) -> None:
        """Make the undo job in the transaction that ends the job. Raises RowsChanged."""
        if self.problem:
            reason = f"its rows could not be taken back: {self.problem}"
            journal.note(database, live.id, journal.UNDO, at=now, actor="engine", reason=reason)
        way_back = undo_of(live.row.undo)
        if self.staged is not None and way_back is not None:
            new = NewUndo(way_back, policy_for(live.row.policy), "engine", bool(live.row.foreground))
            self.staged.accept(database, new, now)

    def end(self, database: Database, *, made: bool) -> None:
        """Release the number of the undo job, and remove its rows if it was not made."""
        if self.staged is None:
            return
        if not made:
            with contextlib.suppress(*UNWRITABLE, Busy):  # if they cannot be removed now, ``prune`` removes them
                self.staged.discard(database)
        self.staged.close()


def prepare(database: Database, home: Home, live: LiveJob, state: JobState, now: int) -> PreparedUndo:
    """Write the rows of the undo job of a job that will end in this state.

    Raises OSError and the errors of a full disk. Anything else that rows or a damaged job raise becomes the problem
    of the undo, because the job itself must end.
    """
    try:
        way_back = undo_of(live.row.undo)
        if way_back is None or not way_back.on_failure or state not in _WITHOUT_SUCCESS or live.row.damage:
            return PreparedUndo()
        again = live.row.policy.on_crash != "fail"
        staged = StagedUndo(database, home, live.row, UndoChoice(live.id, again=again))
        staged.write(now)
        return PreparedUndo(staged)
    except (OSError, *UNWRITABLE, sqlite.DatabaseError, Busy):
        raise
    except Exception as error:
        return PreparedUndo(problem=f"{type(error).__name__}: {error}")
