"""Closes a round: first it writes the result files, then it commits the end of the round."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from jobctl.config import Home
from jobctl.domain.states import Counts, JobState, Stop, final_state
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.engine.rounds.done_rows import record_done_rows
from jobctl.engine.rounds.result_files import ResultWriter
from jobctl.engine.rounds.undoing import PreparedUndo, prepare
from jobctl.engine.rounds.undone_file import UndoneFiles
from jobctl.store import failures, jobs, journal, outbox, undone
from jobctl.store.database import UNWRITABLE, Database
from jobctl.store.ended_job import end_body
from jobctl.store.opening.open import open_database

#: The loop itself writes the result files of jobs up to this number of items; a thread writes those of larger jobs.
INLINE_LIMIT = 2_000


class Closed(NamedTuple):
    """Result files that are in place, or the reason why they could not be written."""

    job: int
    results: dict[str, Any] | None
    error: str = ""
    undo: PreparedUndo = PreparedUndo()


class RoundCloser:
    """Writes result files, small ones at once and large ones in a thread with a connection of its own."""

    def __init__(self, database: Database, home: Home, wake: Callable[[], None]) -> None:
        self._database = database
        self._home = home
        self._wake = wake
        self._done: queue.SimpleQueue[Closed] = queue.SimpleQueue()
        self._under_way = 0
        self.undone = UndoneFiles(home)

    @property
    def is_busy(self) -> bool:
        """True if result files were begun that ``done`` has not returned."""
        return self._under_way > 0

    def begin(self, live: LiveJob, now: int) -> None:
        """Write the files of a job whose items are all terminal."""
        live.closing = True
        self._under_way += 1
        if live.row.total <= INLINE_LIMIT:
            self._done.put(self._write(self._database, live, now))
        else:
            name = f"results-{live.id}"
            threading.Thread(target=self._write_in_thread, args=(live, now), name=name, daemon=True).start()

    def done(self) -> list[Closed]:
        """The jobs whose files were finished since the last call."""
        closed = []
        while not self._done.empty():
            closed.append(self._done.get())
        self._under_way -= len(closed)
        return closed

    def _write_in_thread(self, live: LiveJob, now: int) -> None:
        try:
            database = open_database(self._home)
            try:
                self._done.put(self._write(database, live, now))
            finally:
                database.close()
        except Exception as error:
            self._done.put(Closed(live.id, None, f"{type(error).__name__}: {error}"))
        self._wake()

    def _write(self, database: Database, live: LiveJob, now: int) -> Closed:
        reason = live.row.stop_reason or "the round ended before it started"
        try:
            results = ResultWriter(database, self._home, live.row, reason, live.mask).write()
            record_done_rows(database, live.row, now)
            if live.row.undo_of is not None:
                self.undone.write(database, live.row.undo_of)
            elif undone.undo_jobs(database, live.id):
                self.undone.write(database, live.id)
            return Closed(live.id, results, undo=prepare(database, self._home, live, end_state(database, live), now))
        except OSError as error:
            return Closed(live.id, None, f"{error.strerror or error} ({error.filename})")
        except UNWRITABLE as error:
            return Closed(live.id, None, f"the database: {error}")
        except Exception as error:  # one job whose row or items are damaged must not stop the others
            return Closed(live.id, None, f"{type(error).__name__}: {error}")


def end_state(database: Database, live: LiveJob) -> JobState:
    """The state in which a job ends whose items are all terminal."""
    counts = Counts(**live.counts, rejected=live.row.counts.rejected, skipped=live.row.counts.skipped)
    return final_state(counts, stop=live.row.stop, cut=_was_cut(database, live))


def finish(
    database: Database, live: LiveJob, closed: Closed, now: int, undone_file: Callable[[int], dict[str, Any] | None]
) -> JobState:
    """Write the end of a round, in the caller's transaction. Returns the state in which the job ended.

    ``undone_file`` describes the file of the rows that were taken back. Raises RowsChanged if the undo cannot begin
    now.
    """
    results = closed.results or {}
    if live.row.undo_of is not None:
        undone.record_file(database, live.row.undo_of, undone_file(live.row.undo_of))
    elif undone.undo_jobs(database, live.id):
        results = results | {"undone": undone_file(live.id)}
    state = end_state(database, live)
    jobs.add_counts(
        database,
        live.id,
        jobs.paused(live.row, now),
        state=state,
        finished_at=now,
        updated_at=now,
        results=json.dumps(results),
        rate_per_s=_overall_rate(live, now),
        reason=live.row.stop_reason if state in _STOPPED else "",
        paused_at=None,
    )
    number = journal.note(
        database, live.id, journal.FINISHED, at=now, actor="engine", reason=str(state), round=live.row.round
    )
    closed.undo.begin(database, live, now)
    body = end_body(database, live.id, number, outbox.program_for(database.path.parent))
    journal.keep_body(database, number, body)
    outbox.enqueue(database, live.id, body, now)
    return state


_STOPPED = (JobState.CANCELLED, JobState.EXPIRED, JobState.FAILED)


def _was_cut(database: Database, live: LiveJob) -> bool:
    """True if the stop has cost anything: rows that never ran, attempts that were to come, or attempts killed."""
    if live.row.stop not in (Stop.CANCEL, Stop.EXPIRED, Stop.DEPENDENCY):
        return False
    if live.is_held_back and not live.row.total:
        return True  # it has no rows, and the jobs after it must not read its end as a success
    if live.counts["unprocessed"] or jobs.reason(database, live.id):
        return True
    return failures.has_cancelled(database, live.id)


def _overall_rate(live: LiveJob, now: int) -> float | None:
    elapsed_us = now - (live.row.started_at or live.row.round_at)
    done = live.counts["succeeded"] + live.counts["failed"]
    return done / (elapsed_us / 1e6) if elapsed_us > 0 and done else None
