"""``jobctl undo``: make a job that takes back the rows of another one that succeeded, the newest success first."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from jobctl.config import Home
from jobctl.domain.selection import Selection, refuse_states
from jobctl.domain.states import TERMINAL_JOB_STATES, ItemState
from jobctl.domain.undo import Undo, undo_of
from jobctl.domain.wording import plural
from jobctl.errors import Busy, UnknownColumn, UsageError, WrongState
from jobctl.process.this_process import actor
from jobctl.process.wakeup import wake
from jobctl.services.control.rule_changes import Values, change_rules, check_on_this_machine
from jobctl.services.control.targets import existing_job
from jobctl.services.selection import SelectedItems
from jobctl.services.submit.request import Interrupted, Origin
from jobctl.store import clock, undone
from jobctl.store.daemon import load_cluster
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow
from jobctl.store.opening.open import open_database
from jobctl.store.uid import new_uid
from jobctl.store.undone import RowsChanged, UndoChoice, UndoCounts
from jobctl.store.views.jobs import job_of_uid
from jobctl.undo import make
from jobctl.undo.job import NewUndo, policy_for
from jobctl.undo.work import UndoWords, undo_work

if TYPE_CHECKING:
    from jobctl.domain.documents.control import UndoDocument


@dataclass(frozen=True, slots=True)
class UndoRequest:
    """The rows to take back, and how."""

    job: int
    selection: Selection = field(default_factory=Selection)  # of the rows that can be taken back
    words: UndoWords = field(default_factory=UndoWords)  # in place of the way back that the job has
    rules: Values = field(default_factory=dict)  # in place of those of the job


@dataclass(frozen=True, slots=True)
class UndoAnswer:
    """An undo job that was made."""

    of: int
    job: int
    counts: UndoCounts

    @property
    def sentences(self) -> list[str]:
        """``job 43 takes back 17 rows of job 42``, and the rows that it leaves out."""
        first = f"job {self.job} takes back {plural(self.counts.taken, 'row')} of job {self.of}, newest first"
        return [first, *(f"  {line}" for line in left_out(self.of, self.counts))]


def undo_selection(given: Selection) -> Selection:
    """Return a selection without states: rows that succeeded are the default, and ``unknown`` adds to them.

    Raises UsageError for another state.
    """
    hint = "rows that failed had no effect to take back; add --unknown for those whose outcome is not known"
    refuse_states(given, (ItemState.SUCCEEDED,), "undo", hint)
    return replace(given, states=())


def undo(home: Home, request: UndoRequest, *, now: int, watch: make.Watch | None = None) -> UndoAnswer:
    """Make an undo job; ``now`` is in microseconds UTC. ``watch`` is called while many rows are written.

    Raises NotFound; UsageError for a job that is not done, has no way back or nothing to take back; Busy if another
    command changes the job meanwhile; Interrupted on Ctrl-C while it writes.
    """
    with closing(open_database(home)) as database:
        row = _checked(database, request)
        making = _Making(database, home, row, request.selection, _new(database, row, request, now), watch)
        try:
            job, counts = making.at_once(now) if row.total <= make.AT_ONCE else making.in_parts(now)
        except KeyboardInterrupt:
            raise Interrupted(job_of_uid(database, making.new.columns["uid"])) from None
        wake(home.wake)
    return UndoAnswer(row.id, job, counts)


class _Making(NamedTuple):
    """An undo job that is to be made of a job."""

    database: Database
    home: Home
    row: JobRow
    selection: Selection
    new: NewUndo
    watch: make.Watch | None

    def at_once(self, now: int) -> tuple[int, UndoCounts]:
        with self.database.transaction():
            now = clock.follow(self.database, now)
            _check_unchanged(self.database, self.row)
            job, counts = make.make_at_once(self.database, self.home, self.row, self._choice(now), self.new, now)
            if job is None:
                raise _nothing(self.row, counts)
            return job, counts

    def in_parts(self, now: int) -> tuple[int, UndoCounts]:
        staged = make.StagedUndo(self.database, self.home, self.row, self._choice(now))
        staged.write(now, self.watch)
        try:
            if staged.job is None:
                raise _nothing(self.row, staged.counts)
            with self.database.transaction():
                now = clock.follow(self.database, now)
                _check_unchanged(self.database, self.row)
                staged.accept(self.database, self.new, now)
            return staged.job, staged.counts
        except RowsChanged:
            staged.discard(self.database)
            raise _changed(self.row.id) from None
        except BaseException:
            staged.discard(self.database)
            raise
        finally:
            staged.close()

    def _choice(self, now: int) -> UndoChoice:
        """The conditions for the rows. Those that numbers, a cause or a condition choose are in ``temp.chosen``."""
        others = replace(self.selection, unknown=False)
        if not others.is_default:
            SelectedItems(self.database, self.row.id, others, now=now).choose(self.database)
        again = self.row.policy.on_crash != "fail"
        return UndoChoice(self.row.id, unknown=self.selection.unknown, again=again, chosen=not others.is_default)


def _checked(database: Database, request: UndoRequest) -> JobRow:
    row = existing_job(database, request.job)
    if row.undo_of is not None:
        raise WrongState(
            f"job {row.id} takes back rows of job {row.undo_of}, and an undo cannot be taken back",
            hint=f"run the rows again with: jobctl retry {row.undo_of} --undone",
        )
    if row.state not in TERMINAL_JOB_STATES:
        raise WrongState(
            f"job {row.id} is {row.state}, not done",
            hint=f"jobctl wait {row.id}, or jobctl cancel {row.id}; then jobctl undo {row.id}",
        )
    if row.damage:
        raise UsageError(f"the row of job {row.id} is damaged: {row.damage}", hint="jobctl doctor")
    return row


def _check_unchanged(database: Database, row: JobRow) -> None:
    current = existing_job(database, row.id)
    if current.round != row.round or current.state not in TERMINAL_JOB_STATES:
        raise _changed(row.id)


def _changed(job: int) -> Busy:
    return Busy(f"another command changed job {job} at the same time; nothing was made", hint="try it again")


def _new(database: Database, row: JobRow, request: UndoRequest, now: int) -> NewUndo:
    on_cluster = load_cluster(database) is not None
    if not on_cluster:
        check_on_this_machine(request.rules)
    changes = change_rules(replace(row, policy=policy_for(row.policy)), request.rules, now)
    way_back = _way_back(row, request.words, on_cluster=on_cluster)
    return NewUndo(way_back, changes.policy, actor(), columns={"uid": new_uid(now), **changes.columns})


def _way_back(row: JobRow, words: UndoWords, *, on_cluster: bool) -> Undo:
    if words.is_given:
        from jobctl.services.submit import way_back  # most jobs have kept theirs

        columns = None if row.input_format == "lines" else row.columns
        try:
            found, _ = undo_work(words, row.input_format, columns)
        except UnknownColumn as error:  # its message is about a file, and the rows come from a job
            raise UsageError(error.message, hint=error.hint) from None
        origin = Origin(row.cwd, row.env, row.env_names, row.work_options)
        way_back.check_program(words, origin, elsewhere=on_cluster)
        way_back.check_function(words, origin, row.input_format, columns, "--call")
        return found
    kept = undo_of(row.undo)
    if kept is None:
        raise UsageError(
            f"job {row.id} has no way back: it was submitted without --undo",
            hint=f"give one now: jobctl undo {row.id} -- COMMAND ARG..., with {{name}} for the value of a column",
        )
    return kept


def left_out(job: int, counts: UndoCounts) -> list[str]:
    """Sentences about the rows that an undo job leaves out."""
    lines = [
        f"{plural(count, 'row')} {'is' if count == 1 else 'are'} being taken back by job {other}"
        for other, count in sorted(counts.running.items())
    ]
    if counts.undone:
        lines.append(f"{plural(counts.undone, 'row')} {'was' if counts.undone == 1 else 'were'} taken back before")
    if counts.in_doubt:
        rows = plural(counts.in_doubt, "row")
        lines.append(f"{rows} with an unknown outcome left out (jobctl undo {job} --unknown takes them)")
    return lines


def _nothing(row: JobRow, counts: UndoCounts) -> WrongState:
    found = left_out(row.id, counts)
    if counts.running:
        other = min(counts.running)
        return WrongState(f"job {row.id}: {'; '.join(found)}", hint=f"jobctl status {other}")
    if found:
        return WrongState(f"job {row.id}: nothing to take back: {'; '.join(found)}", hint=f"jobctl explain {row.id}")
    return WrongState(
        f"job {row.id}: nothing to take back: none of these rows succeeded", hint=f"jobctl items {row.id}"
    )


def begun_by_end(home: Home, job: int) -> int | None:
    """The undo job that a job has begun by itself when it ended; None without one."""
    with closing(open_database(home)) as database:
        row = existing_job(database, job)
        return None if row.finished_at is None else undone.begun_by(database, job, row.finished_at)


def undo_document(answer: UndoAnswer) -> UndoDocument:
    """``jobctl.undo/1``."""
    counts = answer.counts
    return {
        "schema": "jobctl.undo/1",
        "job": answer.job,
        "undo_of": answer.of,
        "items": counts.taken,
        "unknown": counts.in_doubt,
        "undone": counts.undone,
        "running": sum(counts.running.values()),
    }
