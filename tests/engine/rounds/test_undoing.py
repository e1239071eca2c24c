"""A job that asks for it is taken back when it ends without success, in the transaction that ends it."""

from __future__ import annotations

import pytest

from jobctl.domain.policy import Policy
from jobctl.domain.states import JobState
from jobctl.engine.rounds import closing, undoing
from jobctl.store import jobs, requests, sqlite
from jobctl.undo.work import UndoWords
from tests.engine.bench import Bench, state
from tests.executors.fake import Play

WAY_BACK = {"undo": UndoWords(("refund", "{}")), "undo_on_failure": True}
ONCE = Policy(attempts=1)


def failing(*items):
    """Items of the first job fail; everything else succeeds."""
    return lambda dispatch: Play(code=1 if dispatch.job == 1 and dispatch.item in items else 0)


def taken_back(bench, job=2):
    """The rows that an undo job has, in its order."""
    rows = bench.database.execute("SELECT payload FROM items WHERE job = ? ORDER BY item", (job,)).fetchall()
    return [payload.split(b"\0")[0].decode() for (payload,) in rows]


@pytest.mark.parametrize("inline", [True, False])
def test_a_partial_job_is_taken_back(tmp_path, monkeypatch, inline):
    if not inline:
        monkeypatch.setattr(closing, "INLINE_LIMIT", 0)
    bench = Bench(tmp_path, script=failing(2), slots=1)
    bench.submit(rows=4, policy=ONCE, **WAY_BACK)
    bench.start()
    while bench.job(1).finished_at is None:
        bench.tick()
    assert jobs.load(bench.database, 2) is not None, "the undo is there as soon as the job has ended"
    bench.work_off()
    assert (state(bench, 1), bench.states(1)) == (JobState.PARTIAL, "sfss")
    assert (state(bench, 2), bench.states(2)) == (JobState.SUCCEEDED, "sss")
    assert taken_back(bench) == ["row 4", "row 3", "row 1"]
    assert bench.events(1)[-2:] == ["finished", "undo"]
    assert not bench.database.execute("SELECT * FROM prunings").fetchall()


@pytest.mark.parametrize(
    ("script", "policy", "ends_as", "undo"),
    [
        (failing(), ONCE, JobState.SUCCEEDED, False),
        (failing(1, 2, 3, 4), ONCE, JobState.FAILED, False),  # nothing to take back
        (failing(3), Policy(attempts=1, max_failures="0", slots=1), JobState.FAILED, True),
    ],
)
def test_only_an_end_without_success_is_taken_back(tmp_path, script, policy, ends_as, undo):
    bench = Bench(tmp_path, script=script)
    bench.submit(rows=4, policy=policy, **WAY_BACK)
    bench.work_off()
    assert state(bench, 1) == ends_as
    assert (jobs.load(bench.database, 2) is not None) == undo


def test_an_expired_job_is_taken_back_and_a_cancelled_one_is_not(tmp_path):
    for name, ends_as in (("expired", JobState.EXPIRED), ("cancelled", JobState.CANCELLED)):
        (tmp_path / name).mkdir()
        bench = Bench(tmp_path / name, script=lambda dispatch: Play(hold=dispatch.job == 1 and dispatch.item > 1))
        deadline_s = 2.0 if name == "expired" else None
        bench.submit(rows=4, policy=Policy(attempts=1, slots=1, deadline_s=deadline_s), **WAY_BACK)
        bench.tick(5)
        if name == "cancelled":
            with bench.database.transaction():
                requests.add(bench.database, requests.Request(1, None, "cancel", False, "test", ""), bench.now)
        bench.work_off()
        assert state(bench, 1) == ends_as
        assert (jobs.load(bench.database, 2) is not None) == (ends_as is JobState.EXPIRED)


def test_a_job_without_the_option_is_left_alone(tmp_path):
    bench = Bench(tmp_path, script=failing(2))
    bench.submit(rows=3, policy=ONCE, undo=UndoWords(("refund", "{}")))
    bench.work_off()
    assert state(bench, 1) == JobState.PARTIAL and jobs.load(bench.database, 2) is None


@pytest.mark.parametrize("moment", ["before", "inside"])
def test_an_engine_that_dies_around_the_end_begins_one_undo(tmp_path, monkeypatch, moment):
    bench = Bench(tmp_path, script=failing(2))
    bench.submit(rows=4, policy=ONCE, **WAY_BACK)
    begin = undoing.PreparedUndo.begin

    class Killed(BaseException):
        pass

    def dies(self, database, live, now):
        if moment == "inside":
            begin(self, database, live, now)
        raise Killed

    monkeypatch.setattr(undoing.PreparedUndo, "begin", dies)
    bench.start()
    with pytest.raises(Killed):
        bench.work_off()
    assert (
        bench.job(1).finished_at is None and not bench.database.execute("SELECT * FROM undone WHERE job = 1").fetchall()
    )
    monkeypatch.setattr(undoing.PreparedUndo, "begin", begin)
    bench.start(fresh=False)
    bench.work_off()
    (undo,) = bench.database.execute("SELECT id FROM jobs WHERE undo_of = 1").fetchall()
    assert bench.states(undo[0]) == "sss"


def test_a_full_disk_delays_the_end_and_the_undo(tmp_path, monkeypatch):
    bench = Bench(tmp_path, script=failing(2))
    bench.submit(rows=4, policy=ONCE, **WAY_BACK)
    begin = undoing.PreparedUndo.begin
    tries = []

    def full(self, database, live, now):
        begin(self, database, live, now)
        tries.extend([now] if live.id == 1 else [])
        if live.id == 1 and len(tries) == 1:
            raise sqlite.OperationalError("database or disk is full")

    monkeypatch.setattr(undoing.PreparedUndo, "begin", full)
    bench.work_off()
    (undo,) = bench.database.execute("SELECT id FROM jobs WHERE undo_of = 1").fetchall()
    assert bench.states(undo[0]) == "sss" and len(tries) == 2
    assert not bench.database.execute("SELECT * FROM prunings").fetchall(), "the rows of the first try are removed"


def test_rows_that_cannot_be_made_do_not_keep_the_job_from_ending(tmp_path, monkeypatch):
    bench = Bench(tmp_path, script=failing(2))
    bench.submit(rows=4, policy=ONCE, **WAY_BACK)

    def broken(*_args):
        raise ValueError("broken")

    monkeypatch.setattr("jobctl.undo.rows.UndoRows._payload", broken)
    bench.work_off()
    assert state(bench, 1) == JobState.PARTIAL
    reason = bench.database.scalar("SELECT reason FROM journal WHERE job = 1 AND event = 'undo'")
    assert reason == "its rows could not be taken back: ValueError: broken"


def test_the_next_round_is_taken_back_as_well(tmp_path):
    from jobctl.domain.selection import Selection
    from jobctl.services.control.retry import retry

    fails = {2, 3}
    bench = Bench(tmp_path, script=lambda dispatch: Play(code=1 if dispatch.job == 1 and dispatch.item in fails else 0))
    bench.submit(rows=4, policy=ONCE, **WAY_BACK)
    bench.work_off()
    fails.remove(2)
    retry(bench.home, 1, Selection(), now=bench.now)
    bench.work_off()
    assert bench.states(1) == "ssfs"
    assert [taken_back(bench, job) for (job,) in bench.database.execute("SELECT id FROM jobs WHERE undo_of = 1")] == [
        ["row 4", "row 1"],
        ["row 2"],
    ]
