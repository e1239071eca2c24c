"""The engine and calls of functions: many outcomes in one event, told again after a death, failures among them."""

from __future__ import annotations

import json

import pytest

from jobctl.domain.call import Call
from jobctl.domain.endings import Ending
from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.ports import Calls, Finished, OutputFlag, Raised, Started
from jobctl.domain.states import JobState
from jobctl.handlers.kinds import kind_of
from jobctl.store import sqlite
from tests.engine.bench import SECOND, Bench, state
from tests.executors.fake import FakeExecutor, Play

FUNCTION = Call("json:loads")


class CallingExecutor(FakeExecutor):
    """Tells what ended by itself as Calls, ``group`` at a time, until acknowledged by number.

    ``said`` is asked what a call comes to: a value as JSON, None, or the fields of Raised.
    """

    def __init__(self, said, clock, group=7):
        super().__init__(lambda _: Play(), clock)
        self.made: dict[int, Calls] = {}
        self._said = said
        self._group = group
        self._number = 0

    def collect(self, timeout_s=0):
        events = []
        ended = []
        for event in super().collect(timeout_s):
            if isinstance(event, Finished) and event.ending == Ending.EXITED:
                super().acknowledge([event[:3]])
                ended.append(event)
            elif not isinstance(event, Started):
                events.append(event)
        for start in range(0, len(ended), self._group):
            self._number += 1
            part = sorted(ended[start : start + self._group], key=lambda f: f.item)
            records = [(f.item, f.attempt, f.started_at, 3, 2, 0, 0, 0, 0, self._said(f)) for f in part]
            failed = sum(isinstance(record[9], tuple) for record in records)
            made = Calls(part[0].job, self._number, 1, 9000, 0, 0, 0, failed, (), records)
            self.made[self._number] = made
        return events + list(self.made.values())  # also what was told before: the engine may not mind

    def acknowledge(self, attempts, calls=()):
        super().acknowledge(attempts)
        for number in calls:
            self.made.pop(number, None)

    def adopt(self):
        told = [(made.job, record[0], record[1]) for made in self.made.values() for record in made.records]
        return super().adopt() + told


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def submit(bench, said=lambda _: None, rows=100, **options):
    """A job of calls; its number."""
    bench.executor = CallingExecutor(said, lambda: bench.now)
    return bench.submit(rows=rows, command=(), call=FUNCTION, **options)


def values(bench, job):
    rows = bench.database.execute("SELECT value FROM attempts WHERE job = ? ORDER BY item, attempt", (job,))
    return [row[0] for row in rows]


def test_returned_values_are_kept_and_acknowledged_once(bench):
    job = submit(bench, lambda f: None if f.item % 3 else f'{{"item":{f.item}}}')
    bench.work_off()
    assert bench.states(job) == "s" * 100
    assert values(bench, job) == [None if n % 3 else f'{{"item":{n}}}' for n in range(1, 101)]
    row = bench.job(job)
    assert (row.attempts, row.state) == (100, JobState.SUCCEEDED)
    assert bench.executor.made == {}
    durations = json.loads(bench.database.scalar("SELECT durations FROM figures WHERE job = ?", (job,)))
    assert (durations["count"], durations["total_us"], durations["max_us"]) == (100, 300, 3)
    assert [d.argv for d in bench.executor.dispatched[:2]] == [(b"row 1",), (b"row 2",)]


def test_more_is_handed_over_ahead_than_of_processes(tmp_path):
    bench = Bench(tmp_path, slots=300)
    job = submit(bench, rows=9000)
    ahead = 0
    while (counts := bench.job(job).counts).live:
        ahead = max(ahead, counts.running)
        bench.tick()
    assert ahead > 300 + kind_of("command").look_ahead.most


def test_a_new_engine_receives_unacknowledged_outcomes_again(bench):
    job = submit(bench)
    bench.executor.acknowledge = lambda *_: None  # as if the engine had died between the commit and its receipt
    bench.tick(3)
    done = bench.job(job).counts.succeeded
    assert 0 < done < 100
    del bench.executor.acknowledge
    bench.start(fresh=False)
    bench.work_off()
    assert bench.states(job) == "s" * 100
    assert bench.job(job).attempts == 100


def test_outcomes_that_the_dead_engine_never_recorded_are_settled_by_the_next(bench):
    job = submit(bench)
    bench.tick(2)
    while not bench.executor.made:
        bench.executor.collect()  # reported to an engine that has ended
    bench.start(fresh=False)
    bench.work_off()
    assert bench.states(job) == "s" * 100
    assert bench.database.scalar("SELECT count(*) FROM attempts WHERE attempt > 1") == 0


def test_failed_calls_are_failures_like_any_other(bench):
    def said(f):
        if f.item % 10 == 0:
            return ("ValueError", f"row {f.item} is odd", 1, None, "tasks.py:7")
        return ("Permanent", "no", 65, None, "tasks.py:9") if f.item == 5 else None

    job = submit(bench, said, policy=Policy(attempts=2, backoff=Backoff(0.001, 1, 0.001)))
    bench.work_off()
    assert bench.job(job).counts.failed == 11
    tries = dict(bench.database.execute("SELECT item, max(attempt) FROM attempts GROUP BY item HAVING max(code) > 0"))
    assert tries == {5: 1} | dict.fromkeys(range(10, 101, 10), 2)
    groups = bench.database.execute("SELECT code, message, items, attempts FROM failures ORDER BY items").fetchall()
    assert groups == [
        ("raised", "Permanent: no [tasks.py:9]", 1, 1),
        ("raised", "ValueError: row <n> is odd [tasks.py:7]", 10, 20),
    ]
    messages = {row[0] for row in bench.database.execute("SELECT message FROM attempts WHERE item = 40")}
    assert messages == {"ValueError: row 40 is odd [tasks.py:7]"}
    assert bench.database.scalar("SELECT ending FROM attempts WHERE item = 40") == Ending.RAISED


def test_a_call_says_when_to_try_again(bench):
    said = lambda f: ("Retry", "busy", 75, 30.0, "") if f.attempt == 1 and f.item == 2 else '"ok"'  # noqa: E731
    job = submit(bench, said, rows=3)
    bench.tick(5)
    assert bench.states(job) == "sts"
    settled_by = bench.now
    (due_at,) = bench.database.one("SELECT due_at FROM items WHERE item = 2")
    assert settled_by - SECOND < due_at - 30 * SECOND <= settled_by
    bench.work_off(step_us=2 * SECOND)
    assert values(bench, job) == ['"ok"', None, '"ok"', '"ok"']


def test_items_that_are_not_neighbours_are_settled_one_by_one(bench):
    said = lambda f: ("E", "", 1, None, "") if f.attempt == 1 and f.item % 2 else str(f.item)  # noqa: E731
    job = submit(bench, said, rows=60, policy=Policy(backoff=Backoff(0.001, 1, 0.001)))
    bench.work_off()
    assert bench.states(job) == "s" * 60
    assert bench.job(job).attempts == 90


def test_a_setup_that_fails_three_times_stops_the_job(bench):
    job = submit(bench)
    bench.start()
    failed = [
        Finished(job, n, 1, Ending.RAISED, 1, 1, bench.now, 5, 5, 1, 0, 0, 0, 0, 0, OutputFlag.SETUP, b"", b"", None,
                 ("OSError", "no network", 1, None, ""))
        for n in (1, 2)
    ]  # fmt: skip
    told = [f._replace(raised=Raised(*f.raised)) for f in failed]
    third = told[0]._replace(item=3)
    bench.executor.collect = lambda *_: told
    bench.tick(2)
    assert bench.job(job).stop is None
    bench.executor.collect = lambda *_: [third]
    bench.tick(2)
    assert bench.job(job).stop_reason == "the function cannot be called: in the setup: OSError: no network"


def test_a_commit_that_fails_keeps_the_outcomes(bench, monkeypatch):
    job = submit(bench)
    bench.tick(2)
    real = sqlite.OperationalError
    with monkeypatch.context() as patch:
        patch.setattr("jobctl.store.calls.record", lambda *_: (_ for _ in ()).throw(real("disk I/O error")))
        bench.tick(3)
        before = bench.job(job).counts
    bench.work_off(step_us=SECOND)
    assert before.succeeded < 100
    assert bench.states(job) == "s" * 100
    assert bench.job(job).attempts == 100
    assert state(bench, job) is JobState.SUCCEEDED


def test_calls_that_changed_places_settle_no_other_item(tmp_path):
    """Seen in a campaign: one that runs elsewhere was settled in the place of one that had been given back."""
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=8)
    job = bench.submit(rows=8, command=(), call=FUNCTION)
    bench.tick(3)
    assert bench.states(job) == "r" * 8
    for number, (told, states) in enumerate((([2, 3, 4, 1, 6], "ssssrsrr"), ([5, 7, 8], "ssssssss")), 1):
        records = [(item, 1, bench.now, 3, 2, 0, 0, 0, 0, None) for item in told]
        events = [Calls(job, number, 1, 9000, 0, 0, 0, 0, (), records)]
        bench.executor.collect = lambda *_, events=events: [events.pop()] if events else []
        bench.tick(2)
        assert bench.states(job) == states
    assert bench.database.scalar("SELECT count(*) FROM attempts WHERE ending = 0") == bench.job(job).attempts == 8
