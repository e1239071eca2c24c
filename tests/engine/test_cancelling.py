"""Sets of items are cancelled in steps: those that wait, those that run, and those that begin meanwhile."""

from __future__ import annotations

import pytest

from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.ports import AttemptId
from jobctl.domain.selection import Selection
from jobctl.domain.spans import parse_spans
from jobctl.domain.states import ItemState, JobState
from jobctl.engine import cancelling
from jobctl.services.control.cancel_items import LIVE_STATES, ItemsToCancel, ask_for_items
from jobctl.services.control.targets import Target
from jobctl.services.selection import SelectedItems
from jobctl.services.why.explain import explain
from jobctl.store import cancelled, sqlite
from tests.engine.bench import Bench, state
from tests.executors.fake import Play


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    """Steps of a few items, so that items begin and end between them."""
    monkeypatch.setattr(cancelling, "CHUNK", 7)


def ask(bench, job, reason="enough", at_once=False, **selection):
    """Cancel items as the command does; the number of the set and its size."""
    chosen = SelectedItems(bench.database, job, Selection(**selection), now=bench.now, default=LIVE_STATES)
    return ask_for_items(bench.database, chosen, ItemsToCancel(at_once, reason, bench.now))


def waiting(bench):
    """The number of requests that are not obeyed."""
    return bench.database.scalar("SELECT count(*) FROM requests")


def test_queued_and_running_items_of_a_set_end_and_the_others_run(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(hold=d.item <= 2), slots=2)
    job = bench.submit(rows=60)
    bench.tick(2)
    assert bench.states(job)[:2] == "rr"
    batch, count = ask(bench, job, items=parse_spans("2-40,50", "--items"))
    assert count == 40
    bench.tick(12)
    found = bench.states(job)
    assert (found[:40], found[49]) == ("rf" + "u" * 38, "u")
    assert waiting(bench) == 0
    assert cancelled.states(bench.database, job, batch) == {ItemState.FAILED: 1, ItemState.UNPROCESSED: 39}
    told = explain(bench.database, bench.home, Target(job, 50), bench.now)
    assert "enough" in told["item_reason"]
    bench.executor.finish(AttemptId(job, 1, 1), Play())
    bench.work_off()
    assert bench.states(job) == "sf" + "u" * 38 + "s" * 9 + "u" + "s" * 10
    assert state(bench, job) is JobState.PARTIAL
    rows = (bench.home.job_results(job) / "unprocessed.csv").read_text().splitlines()
    assert len(rows) == 40
    assert all(row.endswith(",enough") for row in rows[1:])


def test_a_step_takes_few_items_and_the_next_one_follows_at_once(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=1)
    job = bench.submit(rows=30)
    bench.tick(2)
    ask(bench, job, items=parse_spans("2-", "--items"))
    bench.tick()
    assert bench.states(job).count("u") == 7
    assert bench.engine._timeout_s(bench.now) == 0
    bench.tick(6)
    assert (bench.states(job), waiting(bench)) == ("r" + "u" * 29, 0)


def test_an_item_that_fails_or_comes_back_while_it_is_cancelled_is_not_tried_again(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=2)
    job = bench.submit(rows=3, policy=Policy(attempts=3, backoff=Backoff(0.001, 1, 0.001)))
    bench.tick(2)
    asked = []
    bench.executor.cancel = lambda attempts, grace_s, *_: asked.append((sorted(attempts), grace_s))
    ask(bench, job, at_once=True, items=parse_spans("1-2", "--items"))
    bench.tick(3)
    assert asked == [([AttemptId(job, 1, 1), AttemptId(job, 2, 1)], 0.0)]  # each once
    bench.executor.finish(AttemptId(job, 1, 1), Play(code=75))
    bench.executor.finish(AttemptId(job, 2, 1), Play())
    bench.tick(3)
    assert bench.states(job)[:2] == "fs"
    assert waiting(bench) == 0


def test_items_that_wait_for_another_attempt_fail(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(code=75), slots=4)
    job = bench.submit(rows=20, policy=Policy(attempts=3, backoff=Backoff(500, 1, 500)))
    bench.tick(12)
    assert bench.states(job) == "t" * 20
    ask(bench, job, states=(ItemState.RETRYING,), where="item > 4")
    bench.tick(5)
    assert bench.states(job) == "tttt" + "f" * 16


@pytest.mark.parametrize("ticks", [0, 1, 2, 4])
def test_a_new_engine_carries_on(tmp_path, ticks):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=2)
    job = bench.submit(rows=40)
    bench.tick(2)
    ask(bench, job, where="item != 1")
    bench.tick(ticks)
    bench.start(fresh=False)
    bench.tick(12)
    assert bench.states(job) == "rf" + "u" * 38
    assert waiting(bench) == 0


def test_a_transaction_that_fails_loses_no_step(tmp_path, monkeypatch):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=1)
    job = bench.submit(rows=30)
    bench.tick(2)
    ask(bench, job, items=parse_spans("2-", "--items"))
    bench.tick()
    writes = bench.engine._parts.live_jobs.write_states
    fails = iter([True, True])

    def full(*given):
        if next(fails, False):
            raise sqlite.OperationalError("database or disk is full")
        writes(*given)

    monkeypatch.setattr(bench.engine._parts.live_jobs, "write_states", full)
    bench.tick(60)
    assert (bench.states(job), waiting(bench)) == ("r" + "u" * 29, 0)


def test_a_set_that_nobody_asked_for_is_not_cancelled_and_gives_no_reason(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=1)
    job = bench.submit(rows=5)
    with bench.database.transaction():
        cancelled.add(bench.database, job, cancelled.new_set(), [2, 3])
    bench.tick(3)
    assert bench.states(job) == "rqqqq"
    assert cancelled.Reasons(bench.database, job, 0).of(2) is None


def test_two_sets_and_the_cancel_of_the_job(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=2)
    job = bench.submit(rows=40)
    bench.tick(2)
    ask(bench, job, items=parse_spans("1-20", "--items"))
    ask(bench, job, reason="these too", items=parse_spans("15-30", "--items"))
    bench.tick(10)
    assert bench.states(job).replace("r", "q") == "ff" + "u" * 28 + "q" * 10
    reasons = cancelled.Reasons(bench.database, job, 0)
    assert (reasons.of(3), reasons.of(16), reasons.of(40)) == ("enough", "these too", None)


def test_a_job_that_is_done_has_nothing_to_cancel(tmp_path):
    bench = Bench(tmp_path)
    job = bench.submit(rows=3)
    bench.work_off()
    assert ask(bench, job)[1] == 0
    assert bench.database.scalar("SELECT count(*) FROM cancelled") == 0


@pytest.mark.parametrize("reason", ["'x' || reason", "X'ff'", "NULL || ''", "printf('%05000d', 7)", "''"])
def test_a_damaged_request_is_dropped(tmp_path, reason):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=1)
    job = bench.submit(rows=3)
    ask(bench, job, items=parse_spans("2", "--items"))
    bench.database.execute(f"UPDATE requests SET reason = coalesce({reason}, 7.5)")
    bench.tick(3)
    assert (bench.states(job), waiting(bench)) == ("rqq", 0)
