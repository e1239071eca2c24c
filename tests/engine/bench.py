"""A store, an engine and a fake executor under one clock that the test moves."""

from __future__ import annotations

import io
from pathlib import Path

from jobctl.config import Home
from jobctl.domain.policy import Policy
from jobctl.domain.states import TERMINAL_JOB_STATES, ItemState, JobState
from jobctl.engine.loop import Engine
from jobctl.engine.options import EngineOptions
from jobctl.process.moment import Moment
from jobctl.process.wakeup import WakeUp
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources.options import InputOptions
from jobctl.store import jobs, outcomes
from jobctl.store.opening.open import open_database
from tests.executors.fake import FakeExecutor, Play
from tests.factories import open_new

SECOND = 1_000_000
START = 1_800_000_000 * SECOND


class Bench:
    """Everything around an engine, without processes and without waiting."""

    def __init__(self, root: Path, script=lambda _: Play(), slots=2, **options):
        self.root = root
        self.home = Home(root / "home")
        self._wall = self._steady = START
        self.boot = "boot-1"
        self.database = open_new(self.home)
        self.executor = FakeExecutor(script, clock=lambda: self.now)
        self.options = EngineOptions(slots=slots, **options)
        self.wake = WakeUp(self.home.wake)
        self.engine = None

    @property
    def now(self):
        """The present, as both clocks show it."""
        return Moment(self._wall, self._steady, self.boot)

    @now.setter
    def now(self, wall):
        """Time passes."""
        self._steady += wall - self._wall
        self._wall = int(wall)

    def set_clock(self, jump):
        """Set the wall clock; no time passes."""
        self._wall += jump

    def reboot(self, down=0, wrong=0):
        """The machine starts again after a time, with a wall clock that is wrong by so much."""
        self._wall += down + wrong
        self._steady = 20 * SECOND
        self.boot += "."

    def submit(self, rows=3, policy=None, command=("true",), header=None, **options):
        """Submit numbered rows, with a ``header`` as a table of one column; the job's number."""
        path = self.root / ("rows.csv" if header else "rows.txt")
        lines = [header] if header else []
        lines += [f"row {n}" for n in range(1, rows + 1)]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        request = SubmitRequest(
            input=InputOptions(str(path)), command=command, policy=policy or Policy(), cwd=str(self.root), **options
        )
        return submit(self.home, request, now=self.now, stdin=io.BytesIO()).job

    def start(self, fresh=True):
        """A new engine over the same store and executor, as after a death."""
        database = open_database(self.home)
        self.engine = Engine(database, self.executor, self.home, self.options, self.wake, self.now)
        self.engine.begin(self.now, fresh=fresh)

    def tick(self, times=1, step_us=60_000):
        """Let time pass and the engine work."""
        if self.engine is None:
            self.start()
        for _ in range(times):
            self.now += step_us
            self.engine.follow_clock(self.now)  # as its loop does
            self.engine.tick(self.now)
            self.check()

    def work_off(self, limit=500, step_us=60_000):
        """Tick until every job is done."""
        for _ in range(limit):
            if not jobs.load_live(self.database):
                return
            self.tick(step_us=step_us)
        raise AssertionError(f"not done: {jobs.load_live(self.database)}")

    def job(self, number):
        """The job's row."""
        row = jobs.load(self.database, number)
        assert row is not None
        return row

    def states(self, number):
        """Item states as letters, in order: q r t s f u."""
        rows = self.database.execute("SELECT state FROM items WHERE job = ? ORDER BY item", (number,))
        return "".join("qrtsfu"[row[0]] for row in rows)

    def check(self):
        """The invariants that hold at every commit."""
        for (number,) in self.database.execute("SELECT id FROM jobs").fetchall():
            row = self.job(number)
            counted = jobs.recount(self.database, number)
            stored = {state.word: getattr(row.counts, state.word) for state in ItemState}
            assert stored == counted, number
            assert row.total == sum(counted.values())
            terminal = row.state in TERMINAL_JOB_STATES
            assert terminal == (row.finished_at is not None)
            assert not (terminal and row.counts.live)
            grouped = self.database.scalar("SELECT coalesce(sum(items), 0) FROM failures WHERE job = ?", (number,))
            ungrouped = self.database.scalar("SELECT failures_ungrouped FROM jobs WHERE id = ?", (number,))
            assert grouped + ungrouped == row.counts.failed
            ends = "SELECT count(*) FROM journal WHERE job = ? AND event = 'finished'"
            assert self.database.scalar(ends, (number,)) == (row.round if terminal else row.round - 1)

            if row.total <= 300:
                self._check_outcomes(number)
        self._check_undo()

    def _check_outcomes(self, number):
        """Each attempt that ended has an outcome, and the last outcome of an item is its state until it is queued."""
        last, settled = {}, set()
        for outcome in outcomes.after(self.database, 0, number):
            last[outcome.item] = outcome.state
            settled.add((outcome.item, outcome.attempt))
        ended = set(
            self.database.execute("SELECT item, attempt FROM attempts WHERE job = ? AND ending IS NOT NULL", (number,))
        )
        assert ended == {key for key in settled if key[1]}, number
        for item, state in self.database.execute(
            "SELECT item, state FROM items WHERE job = ? AND state > 1", (number,)
        ):
            assert last[item] == state, (number, item)

    def _check_undo(self):
        """Each row that was taken back is an item of one undo job, and each of its items is such a row."""
        lost = (
            "SELECT 1 FROM undone u JOIN jobs o ON o.id = u.job"
            " LEFT JOIN jobs j ON j.id = u.undo_job AND j.undo_of = u.job"
            " LEFT JOIN items i ON i.job = u.undo_job AND i.item = u.undo_item WHERE i.item IS NULL OR j.id IS NULL"
        )
        assert not self.database.execute(lost).fetchall()
        sums = (
            "SELECT j.id, j.total - j.undo_retaken - j.undo_released,"
            " (SELECT count(*) FROM undone u WHERE u.undo_job = j.id) FROM jobs j JOIN jobs o ON o.id = j.undo_of"
        )
        for job, items, rows in self.database.execute(sums).fetchall():
            assert items == rows, job

    def events(self, number):
        """The journal's events of a job."""
        rows = self.database.execute("SELECT event FROM journal WHERE job = ? ORDER BY id", (number,))
        return [row[0] for row in rows]


def state(bench, number) -> JobState:
    """The job's state."""
    return bench.job(number).state
