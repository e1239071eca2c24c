"""Pausing, resuming, and changing rules while a job runs."""

from __future__ import annotations

import pytest

from jobctl.domain.policy import Policy
from jobctl.domain.states import JobState
from jobctl.errors import NotFound, UsageError
from jobctl.services.control import pause, rules
from jobctl.services.control.queues import queue_documents
from jobctl.services.daemon.view import DaemonView
from tests.engine.bench import SECOND, Bench, state
from tests.executors.fake import Play


@pytest.fixture
def bench(tmp_path):
    """Six items that run until they are ended; one at a time."""
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=4)
    bench.submit(rows=6, policy=Policy(slots=1, deadline_s=900))
    bench.tick(2)
    return bench


@pytest.mark.parametrize(
    ("settings", "field", "value"),
    [
        ({"slots": "3"}, "slots", 3),
        ({"slots": "none"}, "slots", None),
        ({"attempts": "7"}, "attempts", 7),
        ({"timeout": "5m"}, "timeout_s", 300),
        ({"timeout": "none"}, "timeout_s", None),
        ({"grace": "0"}, "grace_s", 0),
        ({"max-failures": "2%"}, "max_failures", "2%"),
        ({"max_failures": "none"}, "max_failures", None),
        ({"halt": "now"}, "halt", "now"),
        ({"leftovers": "fail"}, "leftovers", "fail"),
        ({"rate": "60/m"}, "rate", "60/m"),
    ],
)
def test_a_rule_is_changed_and_noted(bench, settings, field, value):
    rules.set_rules(bench.home, 1, settings, now=bench.now)
    assert getattr(bench.job(1).policy, field) == value
    ((key, text),) = settings.items()
    assert bench.database.scalar("SELECT reason FROM journal WHERE event = 'rules_changed'") == f"{key}={text}"
    bench.tick(2)
    assert getattr(bench.engine._parts.live_jobs.get(1).row.policy, field) == value


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        ({"slots": "0"}, "slots=0: 0 is less than 1", "give 1 or more"),
        ({"slots": "many"}, "slots=many: 'many' is not a whole number", "for example 4"),
        ({"attempts": "none"}, "attempts=none: 'none' is not a whole number", "for example"),
        ({"timeout": "soon"}, "timeout=soon: 'soon' is not a duration", "2h30m"),
        ({"timeout": "0"}, "timeout=0: the duration '0' must be longer than zero", "2h30m"),
        ({"max-failures": "200%"}, "max-failures=200%: '200%' is not a number of failures", "5%"),
        ({"halt": "later"}, "halt=later: 'later' is not known", "soon or now"),
        ({"leftovers": "keep"}, "leftovers=keep: 'keep' is not known", "wait or end or fail"),
        ({"rate": "fast"}, "rate=fast: ", "100/s"),
        ({"priority": "high"}, "priority=high: 'high' is not a whole number", "for example"),
        ({"deadline": "x"}, "deadline=x: 'x' is not a time", "tomorrow 06:00"),
        (
            {"colour": "red"},
            "colour=red: a job has no such setting",
            "grace, halt, ionice, leftovers, max-failures",
        ),
        ({"slots": "2", "colour": "red"}, "colour=red", "slots"),
    ],
)
def test_a_bad_rule_is_named_and_nothing_changes(bench, settings, message, hint):
    before = bench.job(1)
    with pytest.raises(UsageError) as caught:
        rules.set_rules(bench.home, 1, settings, now=bench.now)
    assert message in caught.value.message
    assert hint is None or hint in caught.value.hint
    assert bench.job(1) == before


def test_fewer_failures_allowed_stop_a_running_job_at_once(tmp_path):
    bench = Bench(tmp_path, slots=1, script=lambda d: Play(code=65, duration_us=SECOND, hold=d.item > 3))
    job = bench.submit(rows=9, policy=Policy(slots=1))
    bench.tick(6, step_us=SECOND)
    assert bench.states(job) == "fffr" + "q" * 5
    rules.set_rules(bench.home, job, {"max-failures": "2", "halt": "now"}, now=bench.now)
    bench.work_off()
    assert (state(bench, job), bench.states(job)) == (JobState.FAILED, "ffffuuuuu")


def test_a_deadline_is_counted_from_now_or_taken_away(bench):
    rules.set_rules(bench.home, 1, {"deadline": "10m"}, now=bench.now)
    assert bench.job(1).deadline_at == bench.now + 600 * SECOND
    rules.set_rules(bench.home, 1, {"deadline": "none"}, now=bench.now)
    assert bench.job(1).deadline_at is None


def test_priority_is_changed(bench):
    rules.set_rules(bench.home, 1, {"priority": "-3"}, now=bench.now)
    assert bench.job(1).priority == -3


def test_a_job_that_is_done_or_does_not_exist_cannot_be_paused_or_resumed(tmp_path):
    bench = Bench(tmp_path)
    bench.submit(rows=1)
    bench.work_off()
    with pytest.raises(UsageError, match=r"job 1 is done \(succeeded\): its rules do not count any more"):
        rules.set_rules(bench.home, 1, {"slots": "2"}, now=bench.now)
    with pytest.raises(NotFound, match="no job 8"):
        rules.set_rules(bench.home, 8, {"slots": "2"}, now=bench.now)
    assert pause.pause(bench.home, [1], reason="", now=bench.now)[0].note == "it is done already (succeeded)"


def test_pausing_twice_and_resuming_a_running_job_change_nothing(bench, monkeypatch):
    monkeypatch.setattr(
        "jobctl.services.daemon.running.daemon_view", lambda *_: DaemonView("up", slots=2, started_at=1)
    )
    first, second = (pause.pause(bench.home, [1], reason="lunch", now=bench.now)[0] for _ in range(2))
    assert (first.changed, first.note) == (True, "1 running item will finish")
    assert (second.changed, second.note) == (False, "it is paused already")
    bench.now += 60 * SECOND
    assert pause.resume(bench.home, [1], now=bench.now)[0].changed
    assert pause.resume(bench.home, [1], now=bench.now)[0].note == "it is not paused, it is running"
    assert bench.database.scalar("SELECT paused_us FROM jobs") == 60 * SECOND
    assert [e for e in bench.events(1) if e in ("paused", "resumed")] == ["paused", "resumed"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"slots": "0"}, "slots=0: 0 is less than 1"),
        ({"rate": "x"}, "rate=x: "),
        ({"priority": "1"}, "priority=1: a queue has no such setting"),
    ],
)
def test_a_bad_limit_of_a_queue_is_named(bench, settings, message):
    with pytest.raises(UsageError) as caught:
        rules.set_queue(bench.home, "q", settings, now=bench.now)
    assert message in caught.value.message
    assert [document["name"] for document in queue_documents(bench.database)] == ["default"]


def test_limits_of_a_queue_are_kept_and_taken_away(bench):
    rules.set_queue(bench.home, "q", {"slots": "2", "rate": "5/s"}, now=bench.now)
    assert [(d["slots"], d["rate"]) for d in queue_documents(bench.database) if d["name"] == "q"] == [(2, "5/s")]
    rules.set_queue(bench.home, "q", {"slots": "none", "rate": "none"}, now=bench.now)
    assert [(d["slots"], d["rate"]) for d in queue_documents(bench.database) if d["name"] == "q"] in (
        [],
        [(None, None)],
    )


def test_queues_do_not_show_more_running_than_there_are_slots(store):
    store.daemon(slots=2)
    store.job("rrqq", state="running", started_at=1, queue="a")
    ahead = store.job("rrr", state="running", started_at=1, queue="b")
    store.database.execute("DELETE FROM attempts WHERE job = ?", (ahead,))
    found = {queue["name"]: (queue["queued"], queue["running"]) for queue in queue_documents(store.database)}
    assert found == {"a": (2, 2), "b": (3, 0), "default": (0, 0)}
