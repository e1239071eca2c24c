"""The engine on a real store with a fake executor: every phase, every rule, under a clock of the test's own."""

import json

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.ports import AttemptId
from jobctl.domain.selection import Selection
from jobctl.domain.spans import spans_of
from jobctl.domain.states import ItemState, JobState
from jobctl.engine.attempts import settling
from jobctl.engine.errors import Fenced
from jobctl.services.control import pause, rules
from jobctl.services.control.prune import prune
from jobctl.services.control.prune_choice import PruneOptions
from jobctl.services.control.retry import retry
from jobctl.services.status.document import job_document
from jobctl.store import failures, items, jobs, requests
from tests.engine.bench import SECOND, Bench, state
from tests.executors.fake import Play

QUICK = Backoff(base_s=0.001, factor=1, cap_s=0.001)


def failing(*numbers, code=65, hold=False):
    """A script in which these items fail."""
    return lambda d: Play(code=code, err=b"no luck\n") if d.item in numbers else Play(hold=hold)


def test_every_item_runs_once_and_the_job_succeeds(tmp_path):
    bench = Bench(tmp_path)
    job = bench.submit(rows=25)
    bench.work_off()
    assert bench.states(job) == "s" * 25
    assert state(bench, job) is JobState.SUCCEEDED
    assert [(d.item, d.attempt) for d in bench.executor.dispatched] == [(n, 1) for n in range(1, 26)]
    assert bench.events(job) == ["submitted", "running", "finished"]


def test_items_are_claimed_only_as_slots_can_take_them(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=3)
    job = bench.submit(rows=50)
    bench.tick(5)
    assert bench.states(job) == "rrr" + "q" * 47
    assert len(bench.executor.running) == 3


def test_short_items_are_handed_over_ahead(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(duration_us=1000), slots=2)
    job = bench.submit(rows=1000)
    bench.tick(100)
    assert bench.job(job).counts.running > 100
    assert len(bench.executor.running) <= 2
    bench.work_off(limit=1500)


def test_failed_items_are_tried_again_after_their_backoff(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(code=1 if d.attempt < 3 else 0))
    job = bench.submit(rows=4, policy=Policy(backoff=Backoff(base_s=1000, factor=1, cap_s=1000)))
    bench.tick(8)
    assert bench.states(job) == "tttt"
    assert bench.job(job).counts.retrying == 4
    bench.tick(250, step_us=10 * SECOND)
    assert bench.states(job) == "ssss"
    assert bench.job(job).attempts == 12


def test_a_job_ends_partial_with_its_failures_grouped(tmp_path):
    bench = Bench(tmp_path, script=failing(2, 5))
    job = bench.submit(rows=6)
    bench.work_off()
    assert state(bench, job) is JobState.PARTIAL
    groups = bench.database.execute("SELECT code, message, items, attempts, samples FROM failures").fetchall()
    assert groups == [("exit_65", "no luck", 2, 2, "[2, 5]")]


def test_the_examples_of_a_cause_are_items_that_failed_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(settling.random, "random", lambda: 0.9)
    bench = Bench(tmp_path, script=lambda d: Play(code=int(d.attempt == 1 or d.item > 28), err=b"boom\n"), slots=4)
    job = bench.submit(rows=30, policy=Policy(attempts=2, backoff=Backoff(base_s=1000, cap_s=1000)))
    bench.tick(12)
    assert bench.states(job) == "t" * 30
    assert samples(bench, job) == list(range(1, 11))  # none has failed yet: these met it
    bench.start(fresh=False)
    bench.tick(250, step_us=10 * SECOND)
    assert samples(bench, job) == [29, 30]
    for item in (29, 30):
        retry(bench.home, job, Selection(items=spans_of([item])), now=bench.now)
        bench.tick(1)
        assert samples(bench, job) == ([30] if item == 29 else [29])
        bench.work_off(step_us=100 * SECOND)


def test_a_cause_that_lost_all_its_examples_to_a_retry_has_others(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(code=65 + (d.item > 29), err=b"boom\n"), slots=4)
    job = bench.submit(rows=30, policy=Policy(attempts=1, slots=4))
    bench.work_off()
    retry(bench.home, job, Selection(items=spans_of([*range(1, 21), 30])), now=bench.now)
    rows = bench.database.execute("SELECT code, items, samples FROM failures ORDER BY code").fetchall()
    assert [(code, items) for code, items, _ in rows] == [("exit_65", 9), ("exit_66", 0)]
    assert set(json.loads(rows[0][2])) <= set(range(21, 30)) and json.loads(rows[0][2])
    assert json.loads(rows[1][2]) == []
    bench.check()


def samples(bench, job):
    """The sample items of the only cause, as in the status."""
    (group,) = job_document(bench.database, bench.home, job, bench.now)["failures"]["groups"]
    return group["sample_items"]


def test_failures_beyond_the_causes_kept_apart_are_counted_by_code_and_outcome(tmp_path, monkeypatch):
    monkeypatch.setattr(failures, "GROUP_LIMIT", 2)
    endings = {5: {"ending": Ending.SIGNALLED, "code": 9}, 6: {"code": 65}, 7: {"code": 65}}
    script = lambda d: Play(**({"code": 1} | endings.get(d.item, {})), err=b"about " + b"abcdefgh"[d.item - 1 : d.item])  # noqa: E731
    bench = Bench(tmp_path, script=script)
    job = bench.submit(rows=8, policy=Policy(attempts=1, on_crash="fail"))
    bench.work_off()
    rows = bench.database.execute("SELECT code, message, outcome, retryable, items FROM failures ORDER BY id")
    assert rows.fetchall() == [
        ("exit_1", "about a", "known", 1, 1),
        ("exit_1", "about b", "known", 1, 1),
        ("exit_1", "further messages", "known", 1, 3),
        ("sigkill", "further messages, not retryable", "unknown", 0, 1),
        ("exit_65", "further messages, not retryable", "known", 0, 2),
    ]
    plan = job_document(bench.database, bench.home, job, bench.now)["retry"]
    assert (plan["items"], plan["failed_permanent"], plan["outcome_unknown"]) == (7, 2, 1)
    assert retry(bench.home, job, Selection(), now=bench.now).items == 7  # not the one that may have had its effect
    assert bench.states(job) == "qqqqfqqq"


def test_cancel_drops_the_queue_and_ends_running_items(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    job = bench.submit(rows=10)
    bench.tick(2)
    requests.add(bench.database, requests.Request(job, None, "cancel", False, "test", "enough"), bench.now)
    bench.work_off()
    assert bench.states(job) == "ff" + "u" * 8
    assert state(bench, job) is JobState.CANCELLED
    assert "cancelling" in bench.events(job)
    codes = bench.database.execute("SELECT code, outcome, items FROM failures").fetchall()
    assert codes == [("cancelled", "unknown", 2)]


def test_a_cancel_that_comes_too_late_changes_nothing(tmp_path):
    bench = Bench(tmp_path)
    job = bench.submit(rows=2)
    bench.work_off()
    requests.add(bench.database, requests.Request(job, None, "cancel", False, "test", "late"), bench.now)
    bench.tick(3)
    assert state(bench, job) is JobState.SUCCEEDED


def test_cancel_of_single_items(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(hold=d.item <= 2))
    job = bench.submit(rows=6)
    bench.tick(2)
    for item in (1, 5):
        requests.add(bench.database, requests.Request(job, item, "cancel", False, "test", ""), bench.now)
    bench.tick(3)
    bench.executor.finish(AttemptId(job, 2, 1), Play())
    bench.work_off()
    assert bench.states(job) == "fsssus"
    assert state(bench, job) is JobState.PARTIAL


def ask_to_cancel(bench, job, item, at_once=False):
    """Cancel as the command does."""
    requests.add(bench.database, requests.Request(job, item, "cancel", at_once, "test", ""), bench.now)


def test_an_item_that_was_handed_over_and_has_not_begun_is_cancelled_for_good(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(hold=d.item > 100, duration_us=1000), slots=1)
    job = bench.submit(rows=150)
    bench.tick(130)
    held = [item for item, _ in items.running_under(bench.database, job, 1)]
    assert (held[0], held[-1]) == (101, 150)  # item 101 runs, the others come after it
    ask_to_cancel(bench, job, 120)
    bench.tick(3)
    assert bench.states(job)[115:125] == "rrrrurrrrr"
    assert bench.database.scalar("SELECT count(*) FROM requests") == 0


def test_an_item_that_fails_while_it_is_being_cancelled_is_not_tried_again(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    job = bench.submit(rows=1)
    bench.tick(2)
    bench.executor.cancel = lambda *_: None  # it is slow to end
    ask_to_cancel(bench, job, 1)
    bench.tick(2)
    bench.executor.finish(AttemptId(job, 1, 1), Play(code=75))
    bench.work_off()
    assert bench.states(job) == "f"
    assert bench.job(job).attempts == 1


def test_a_cancel_of_an_item_outlives_the_engine_that_was_asked(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    job = bench.submit(rows=2, policy=Policy(grace_s=5))
    bench.tick(2)
    asked = []
    bench.executor.cancel = lambda attempts, grace_s, *_: asked.append((list(attempts), grace_s))
    ask_to_cancel(bench, job, 2)
    bench.tick(3)
    ask_to_cancel(bench, job, 2, at_once=True)
    bench.tick(2)
    both = [([AttemptId(job, 2, 1)], 5), ([AttemptId(job, 2, 1)], 0.0)]
    assert asked == both  # each once
    bench.start(fresh=False)
    bench.tick(2)
    assert asked == both * 2


def handed_over(tmp_path, **options):
    """A job of which one item runs, and others are with the executor to follow it."""
    bench = Bench(tmp_path, script=lambda d: Play(hold=d.item > 100, duration_us=1000), slots=1)
    job = bench.submit(rows=150, **options)
    bench.tick(130)
    assert bench.executor.running == [AttemptId(job, 101, 1)]
    assert bench.job(job).counts.running == 50
    return bench, job


def what_runs_after_that(bench, job):
    """The item that runs once the one that ran has ended."""
    bench.executor.finish(AttemptId(job, 101, 1), Play())
    bench.tick(3)
    return bench.executor.running


def test_of_a_paused_queue_nothing_begins_that_was_handed_over(tmp_path):
    bench, job = handed_over(tmp_path, queue="q")
    pause.pause_queue(bench.home, "q", reason="", now=bench.now)
    bench.tick(2)
    assert what_runs_after_that(bench, job) == []
    assert bench.job(job).counts.running == 0


def test_an_engine_that_comes_to_a_paused_job_takes_back_what_was_handed_over(tmp_path):
    bench, job = handed_over(tmp_path)
    pause.pause(bench.home, [job], reason="", now=bench.now)
    bench.start(fresh=False)
    bench.tick()
    assert what_runs_after_that(bench, job) == []


def test_a_queue_that_is_resumed_while_the_database_takes_no_writes_continues(tmp_path):
    bench = Bench(tmp_path)
    pause.pause_queue(bench.home, "default", reason="", now=bench.now)
    job = bench.submit(rows=2)
    bench.tick(3)
    own = bench.engine._parts.database.connection
    own.execute("PRAGMA query_only = ON")
    pause.resume_queue(bench.home, "default", now=bench.now)
    bench.tick(3)
    own.execute("PRAGMA query_only = OFF")
    bench.tick(5, step_us=SECOND)
    assert bench.states(job) == "ss"


def test_items_waiting_for_another_attempt_fail_when_the_job_is_cancelled(tmp_path):
    bench = Bench(tmp_path, script=failing(2, 3, code=1))
    job = bench.submit(rows=3, policy=Policy(backoff=Backoff(base_s=1000, cap_s=1000)))
    bench.tick(5)
    assert bench.states(job) == "stt"
    requests.add(bench.database, requests.Request(job, None, "cancel", False, "test", "enough"), bench.now)
    bench.work_off()
    assert bench.states(job) == "sff"
    assert state(bench, job) is JobState.CANCELLED  # it came before the end: two were still to be tried


def test_a_deadline_takes_further_attempts_away_too(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(code=1) if d.item == 1 else Play())
    job = bench.submit(rows=2, policy=Policy(backoff=Backoff(base_s=0.5, factor=1), attempts=9, deadline_s=5))
    bench.tick(3)
    pause.pause(bench.home, [job], reason="", now=bench.now)
    bench.tick(3, step_us=2 * SECOND)
    bench.work_off()
    assert (bench.states(job), state(bench, job)) == ("fs", JobState.EXPIRED)


def test_an_attempt_that_fails_by_itself_after_the_cancel_has_lost_the_next_one(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=1)
    job = bench.submit(rows=1)
    bench.tick(2)
    requests.add(bench.database, requests.Request(job, None, "cancel", False, "test", ""), bench.now)
    bench.executor.finish(AttemptId(job, 1, 1), Play(code=1))
    bench.work_off()
    assert (bench.states(job), state(bench, job)) == ("f", JobState.CANCELLED)


@pytest.mark.parametrize(("limit", "failed"), [("3", 4), ("0", 1), ("10%", 3)])
def test_too_many_failures_stop_the_job(tmp_path, limit, failed):
    bench = Bench(tmp_path, script=lambda d: Play(code=65 if d.item % 2 else 0), slots=1)
    job = bench.submit(rows=200, policy=Policy(max_failures=limit, min_finished=5, slots=1))
    bench.work_off()
    row = bench.job(job)
    assert row.state is JobState.FAILED
    assert row.counts.failed == failed
    assert row.counts.unprocessed > 0
    assert "more than" in row.stop_reason


def test_too_many_failures_are_those_of_a_round(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(code=65 if d.item < 5 or d.item > 30 else 0), slots=1)
    job = bench.submit(rows=40, policy=Policy(max_failures="3", slots=1))
    bench.work_off()
    assert bench.states(job) == "ffff" + "u" * 36
    retry(bench.home, job, Selection((ItemState.UNPROCESSED,)), now=bench.now)
    bench.tick(8)
    bench.start(fresh=False)  # the one that comes after knows that, too
    bench.work_off()
    assert bench.states(job) == "ffff" + "s" * 26 + "ffff" + "u" * 6
    assert bench.job(job).stop_reason == "4 of 30 items failed in round 2, more than the 3 allowed"


def test_halt_soon_lets_running_items_finish_and_halt_now_does_not(tmp_path):
    for halt, expected in (("soon", "fs"), ("now", "ff")):
        bench = Bench(tmp_path / halt, script=lambda d: Play(code=65) if d.item == 1 else Play(hold=True))
        bench.root.mkdir(exist_ok=True)
        job = bench.submit(rows=9, policy=Policy(max_failures="0", halt=halt))
        bench.tick(4)
        if halt == "soon":
            assert bench.executor.running == [AttemptId(job, 2, 1)]
            bench.executor.finish(AttemptId(job, 2, 1), Play())
        bench.work_off()
        assert bench.states(job)[:2] == expected
        assert set(bench.states(job)[2:]) == {"u"}


def test_an_item_that_is_killed_with_its_job_names_the_rule(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    late, cancelled = bench.submit(rows=1, policy=Policy(deadline_s=5)), bench.submit(rows=1)
    bench.tick(2)
    requests.add(bench.database, requests.Request(cancelled, None, "cancel", False, "test", "late"), bench.now)
    bench.tick(200)
    said = dict(bench.database.execute("SELECT job, message FROM failures").fetchall())
    assert said[late] == "killed because its job stopped: its deadline passed"
    assert said[cancelled] == "killed because it was cancelled"


def test_a_deadline_ends_the_job(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(hold=d.item > 2))
    job = bench.submit(rows=8, policy=Policy(deadline_s=5))
    bench.tick(3)
    bench.tick(3, step_us=2 * SECOND)
    bench.work_off()
    assert state(bench, job) is JobState.EXPIRED
    assert bench.states(job) == "ssffuuuu"
    assert bench.job(job).stop_reason == "its deadline passed"


def test_a_paused_job_starts_nothing_and_continues_when_resumed(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(hold=d.item <= 2))
    job = bench.submit(rows=6)
    bench.tick(2)
    pause.pause(bench.home, [job], reason="lunch", now=bench.now)
    for item in (1, 2):
        bench.executor.finish(AttemptId(job, item, 1), Play())
    bench.tick(5)
    assert (bench.states(job), state(bench, job)) == ("ssqqqq", JobState.PAUSED)
    pause.resume(bench.home, [job], now=bench.now)
    bench.work_off()
    assert bench.states(job) == "ssssss"


def test_a_held_job_waits_for_its_release(tmp_path):
    bench = Bench(tmp_path)
    job = bench.submit(rows=2, hold=True)
    bench.tick(5)
    assert (bench.states(job), state(bench, job)) == ("qq", JobState.PAUSED)
    pause.resume(bench.home, [job], now=bench.now)
    bench.work_off()


def times(bench, job):
    """(seconds in which it could make progress, seconds of pause), as the status tells them."""
    found = job_document(bench.database, bench.home, job, bench.now)["time"]
    return round(found["active_s"]), round(found["paused_s"])


def test_time_without_pauses_is_that_from_the_start_on(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=1)
    job = bench.submit(rows=1, hold=True)
    bench.tick(2, step_us=50 * SECOND)
    assert times(bench, job) == (0, 100)
    pause.resume(bench.home, [job], now=bench.now)
    bench.tick(2, step_us=10 * SECOND)  # it starts in the first of the two
    assert times(bench, job) == (10, 100)
    pause.pause(bench.home, [job], reason="", now=bench.now)
    bench.tick(2, step_us=20 * SECOND)
    assert times(bench, job) == (10, 140)
    requests.add(bench.database, requests.Request(job, None, "cancel", True, "test", ""), bench.now)
    bench.tick(2, step_us=SECOND)  # paused as it is
    active_s, paused_s = times(bench, job)
    assert (active_s, paused_s) in {(10, 141), (10, 142)}
    retry(bench.home, job, Selection(), now=bench.now)
    assert times(bench, job) == (active_s, paused_s)
    bench.tick(3, step_us=10 * SECOND)
    assert times(bench, job)[1] == paused_s
    assert active_s + 19 <= times(bench, job)[0] <= active_s + 30


def test_a_paused_queue_holds_its_jobs_and_no_others(tmp_path):
    bench = Bench(tmp_path)
    held, free = bench.submit(queue="slow"), bench.submit(queue="fast")
    pause.pause_queue(bench.home, "slow", reason="", now=bench.now)
    bench.tick(6)
    assert (bench.states(held), bench.states(free)) == ("qqq", "sss")
    pause.resume_queue(bench.home, "slow", now=bench.now)
    bench.work_off()


def test_slots_of_a_queue_limit_all_its_jobs_together(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=8)
    rules.set_queue(bench.home, "narrow", {"slots": "2"}, now=bench.now)
    jobs = [bench.submit(rows=5, queue="narrow") for _ in range(3)]
    bench.tick(4)
    assert sum(bench.states(job).count("r") for job in jobs) == 2


def test_rules_of_a_running_job_can_be_changed(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=6)
    job = bench.submit(rows=9, policy=Policy(slots=1))
    bench.tick(2)
    assert bench.states(job).count("r") == 1
    rules.set_rules(bench.home, job, {"slots": "4", "timeout": "90s"}, now=bench.now)
    bench.tick(2)
    assert bench.states(job).count("r") == 4
    assert bench.executor.specs[job].timeout_s == 90


def test_a_rate_limits_starts_and_survives_a_restart(tmp_path):
    bench = Bench(tmp_path, slots=50)
    job = bench.submit(rows=40, policy=Policy(rate="10/s"))
    bench.tick(1)
    assert bench.states(job).count("q") == 30
    bench.start()
    bench.tick(2, step_us=10_000)
    assert bench.states(job).count("q") == 30
    bench.tick(20, step_us=50_000)
    assert 18 <= bench.states(job).count("q") <= 21
    bench.work_off()


def test_a_job_waits_for_another(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(hold=d.job == 1))
    first = bench.submit(rows=1)
    second = bench.submit(rows=2, after=((first, "ok"),))
    bench.tick(4)
    assert bench.states(second) == "qq"
    bench.executor.finish(AttemptId(first, 1, 1), Play())
    bench.work_off()
    assert state(bench, second) is JobState.SUCCEEDED


@pytest.mark.parametrize(("condition", "expected"), [("ok", JobState.CANCELLED), ("any", JobState.SUCCEEDED)])
def test_a_job_after_a_success_does_not_start_after_a_failure(tmp_path, condition, expected):
    bench = Bench(tmp_path, script=lambda d: Play(code=65 if d.job == 1 else 0))
    first = bench.submit(rows=1)
    second = bench.submit(rows=2, after=((first, condition),))
    bench.work_off()
    assert state(bench, second) is expected


def test_another_round_does_not_wait_for_a_job_that_was_pruned(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(code=65 * (d.job == 2 and d.attempt == 1)))
    first = bench.submit(rows=1)
    second = bench.submit(rows=2, after=((first, "ok"),))
    bench.work_off()
    prune(bench.home, PruneOptions(older_than_s=0), now=bench.now)
    assert jobs.load(bench.database, first) is None
    retry(bench.home, second, Selection(), now=bench.now)
    bench.work_off()
    assert state(bench, second) is JobState.SUCCEEDED


def test_not_before_a_time(tmp_path):
    bench = Bench(tmp_path)
    job = bench.submit(rows=1, not_before_at=bench.now + 10 * SECOND)
    bench.tick(5, step_us=SECOND)
    assert bench.states(job) == "q"
    bench.tick(8, step_us=SECOND)
    assert bench.states(job) == "s"


def test_priority_comes_first(tmp_path):
    bench = Bench(tmp_path, slots=1, script=lambda _: Play(duration_us=SECOND))
    low = bench.submit(rows=5)
    high = bench.submit(rows=5, priority=10)
    bench.tick(5)
    assert bench.states(low).count("s") <= 1
    bench.work_off()
    order = [d.job for d in bench.executor.dispatched]
    assert order.index(high) == 0 or order[:5].count(high) >= 4


def test_a_huge_job_does_not_starve_a_small_one_submitted_later(tmp_path):
    bench = Bench(tmp_path, slots=2, script=lambda _: Play(duration_us=200_000))
    huge = bench.submit(rows=3000)
    bench.tick(20)
    small = bench.submit(rows=10)
    bench.tick(24)
    assert bench.states(small) == "s" * 10
    assert bench.states(huge).count("q") > 2000


def test_retry_is_another_round_of_the_same_job(tmp_path):
    luck = set()
    bench = Bench(tmp_path, script=lambda d: Play(code=0 if d.item in luck else 65))
    job = bench.submit(rows=4)
    luck.add(1)
    bench.work_off()
    assert bench.states(job) == "sfff"
    luck.update((2, 3))
    assert retry(bench.home, job, Selection(), now=bench.now).items == 3
    assert state(bench, job) is JobState.QUEUED
    bench.work_off()
    assert bench.states(job) == "sssf"
    row = bench.job(job)
    assert (row.round, row.state) == (2, JobState.PARTIAL)
    assert bench.database.execute("SELECT item, attempt, round FROM attempts ORDER BY 1, 2").fetchall() == [
        (1, 1, 1), (2, 1, 1), (2, 2, 2), (3, 1, 1), (3, 2, 2), (4, 1, 1), (4, 2, 2),
    ]  # fmt: skip
    assert bench.database.scalar("SELECT sum(items) FROM failures") == 1


def test_retry_gives_the_whole_budget_of_attempts_again(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(code=1))
    job = bench.submit(rows=1, policy=Policy(attempts=2, backoff=QUICK))
    bench.work_off()
    retry(bench.home, job, Selection(), now=bench.now)
    bench.work_off()
    assert bench.database.scalar("SELECT count(*) FROM attempts") == 4


def test_an_attempt_that_was_lost_is_run_again_at_no_charge_but_not_for_ever(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(lost=True))
    job = bench.submit(rows=1, policy=Policy(max_crashes=2))
    bench.work_off()
    assert [d.attempt for d in bench.executor.dispatched] == [1, 2, 3]
    assert bench.states(job) == "f"


def test_at_most_once_never_runs_a_lost_attempt_again(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(lost=True))
    job = bench.submit(rows=3, policy=Policy(on_crash="fail"))
    bench.work_off()
    assert len(bench.executor.dispatched) == 3
    assert bench.states(job) == "fff"
    assert bench.database.execute("SELECT DISTINCT code, outcome FROM failures").fetchall() == [
        ("interrupted", "unknown")
    ]


def test_an_engine_that_dies_is_followed_by_one_that_finds_everything(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(hold=d.item <= 2))
    job = bench.submit(rows=8)
    bench.tick(2)
    bench.start(fresh=False)
    bench.executor.finish(AttemptId(job, 1, 1), Play())
    bench.start(fresh=False)
    bench.executor.finish(AttemptId(job, 2, 1), Play(code=65))
    bench.tick(1)
    bench.start(fresh=False)
    bench.work_off()
    assert bench.states(job) == "sf" + "s" * 6
    assert len(bench.executor.dispatched) == 8


def test_running_items_are_interrupted_by_the_death_of_the_supervisor_and_run_again(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(hold=d.attempt == 1))
    job = bench.submit(rows=4, policy=Policy(attempts=1))
    bench.tick(2)
    bench.executor = type(bench.executor)(lambda _: Play(), clock=lambda: bench.now)
    bench.start(fresh=True)
    bench.work_off()
    assert bench.states(job) == "ssss"
    endings = bench.database.execute("SELECT attempt, ending FROM attempts WHERE item <= 2 ORDER BY item, attempt")
    assert endings.fetchall() == [(1, Ending.INTERRUPTED), (2, 0)] * 2
    assert "interrupted" in bench.events(job)


def test_an_attempt_that_was_claimed_but_never_handed_over_costs_nothing(tmp_path):
    bench = Bench(tmp_path)
    job = bench.submit(rows=3)
    hand_over, bench.executor.start = bench.executor.start, lambda batch: None
    bench.start()
    assert bench.states(job) == "rrq"
    bench.executor.start = hand_over
    bench.start(fresh=False)
    bench.work_off()
    assert bench.states(job) == "sss"
    assert bench.database.scalar("SELECT max(attempt) FROM attempts") == 1


def test_an_engine_that_was_overtaken_writes_nothing(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    job = bench.submit(rows=2)
    bench.tick(2)
    old = bench.engine
    bench.start(fresh=False)
    bench.executor.finish(AttemptId(job, 1, 1), Play())
    with pytest.raises(Fenced):
        old.tick(bench.now + SECOND)
    assert bench.states(job) == "rr"


def test_stop_lets_running_items_finish_and_claims_nothing(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    job = bench.submit(rows=9)
    bench.tick(2)
    bench.executor.stop(1)
    bench.tick(2)
    assert not bench.engine.is_over(bench.now)
    for attempt in bench.executor.running:
        bench.executor.finish(attempt, Play())
    bench.tick(3)
    assert bench.engine.is_over(bench.now)
    assert bench.states(job) == "ss" + "q" * 7


def test_stop_now_interrupts_and_requeues(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    job = bench.submit(rows=4, policy=Policy(attempts=1))
    bench.tick(2)
    bench.executor.stop(2)
    bench.tick(4)
    assert bench.engine.is_over(bench.now)
    assert bench.states(job) == "qqqq"


def test_drain_ends_when_nothing_is_left(tmp_path):
    bench = Bench(tmp_path, drain=True)
    bench.submit(rows=3)
    bench.submit(rows=3, hold=True)
    bench.tick(6)
    assert bench.engine.is_over(bench.now)


def test_a_foreground_engine_works_for_foreground_jobs_alone(tmp_path):
    bench = Bench(tmp_path, scope=2)
    waiting = bench.submit(rows=2)
    mine = bench.submit(rows=2, foreground=True)
    bench.tick(6)
    assert (bench.states(waiting), bench.states(mine)) == ("qq", "ss")
    assert bench.engine.is_over(bench.now)


def test_pressure_starts_nothing_new_until_it_is_over(tmp_path):
    bench = Bench(tmp_path)
    bench.start()
    bench.executor.press("EMFILE: too many open files")
    bench.tick(1)
    job = bench.submit(rows=2)
    bench.tick(4)
    assert bench.states(job) == "qq"
    assert "EMFILE" in bench.database.scalar("SELECT pressure FROM daemon")
    bench.executor.press("")
    bench.work_off()


def test_a_commit_that_fails_loses_nothing(tmp_path):
    bench = Bench(tmp_path, script=failing(2))
    job = bench.submit(rows=12)
    bench.tick(1)
    own = bench.engine._parts.database.connection
    own.execute("PRAGMA query_only = ON")  # every write fails, as on a full or read-only disk
    bench.tick(3)
    own.execute("PRAGMA query_only = OFF")
    bench.work_off()
    assert bench.states(job) == "sf" + "s" * 10
    assert len(bench.executor.dispatched) == 12


def test_result_files_that_cannot_be_written_are_written_when_they_can(tmp_path):
    bench = Bench(tmp_path)
    job = bench.submit(rows=2)
    in_the_way = bench.home.job_results(job)
    in_the_way.write_text("not a folder", encoding="utf-8")
    bench.tick(10)
    assert (bench.states(job), state(bench, job)) == ("ss", JobState.RUNNING)
    assert "result files" in bench.database.scalar("SELECT pressure FROM daemon")
    other = bench.submit(rows=8)
    bench.tick(12)  # less than a second
    assert state(bench, other) is JobState.SUCCEEDED  # no other job waits for it
    assert "result files" in bench.database.scalar("SELECT pressure FROM daemon")
    assert 0 < bench.engine._timeout_s(bench.now) <= 1
    in_the_way.unlink()
    bench.tick(2, step_us=SECOND)
    assert state(bench, job) is JobState.SUCCEEDED
    assert bench.database.scalar("SELECT pressure FROM daemon") == ""


def test_a_terminal_commit_that_fails_is_tried_again(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    job = bench.submit(rows=1)
    bench.tick(2)
    bench.executor.finish(AttemptId(job, 1, 1), Play())
    bench.engine._parts.closer.begin = fail_writes_once(bench, bench.engine._parts.closer.begin)
    bench.tick(4)
    assert state(bench, job) is JobState.RUNNING
    bench.engine._parts.database.connection.execute("PRAGMA query_only = OFF")
    bench.tick(3, step_us=SECOND)
    assert state(bench, job) is JobState.SUCCEEDED


def test_rows_that_are_done_are_noted_when_the_database_takes_writes_again(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    job = bench.submit(rows=1, header="id", name="nightly", item_key="id")
    bench.tick(2)
    bench.executor.finish(AttemptId(job, 1, 1), Play())
    begin = bench.engine._parts.closer.begin

    def break_and_begin(*args):
        bench.engine._parts.closer.begin = begin
        bench.engine._parts.database.connection.execute("PRAGMA query_only = ON")
        begin(*args)

    bench.engine._parts.closer.begin = break_and_begin
    bench.tick(3)
    assert state(bench, job) is JobState.RUNNING
    bench.engine._parts.database.connection.execute("PRAGMA query_only = OFF")
    bench.tick(3, step_us=SECOND)
    assert state(bench, job) is JobState.SUCCEEDED
    assert bench.database.scalar("SELECT count(*) FROM done") == 1


def fail_writes_once(bench, begin):
    """From the moment the result files are made, the database takes no writes."""

    def begin_and_break(*args):
        bench.engine._parts.closer.begin = begin
        begin(*args)
        bench.engine._parts.database.connection.execute("PRAGMA query_only = ON")

    return begin_and_break


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "secrets.env"
    path.write_text("TOKEN=abcdefgh\n", encoding="utf-8")
    return path


def test_a_job_whose_env_file_is_gone_is_stopped_alone(tmp_path, secret_file):
    bench = Bench(tmp_path)
    job, other = bench.submit(rows=3, env_file=str(secret_file)), bench.submit(rows=3)
    secret_file.unlink()
    bench.work_off()
    assert (state(bench, job), state(bench, other)) == (JobState.FAILED, JobState.SUCCEEDED)
    assert bench.states(job) == "uuu"
    assert bench.job(job).stop_reason == f"--env-file {secret_file}: No such file or directory"
    secret_file.write_text("TOKEN=abcdefgh\n", encoding="utf-8")
    retry(bench.home, job, Selection(), now=bench.now)
    bench.work_off()
    assert state(bench, job) is JobState.SUCCEEDED


def test_an_env_file_must_be_there_when_items_start_and_not_before(tmp_path, secret_file):
    bench = Bench(tmp_path)
    job = bench.submit(rows=3, env_file=str(secret_file), hold=True)
    later = bench.submit(rows=3, env_file=str(secret_file), not_before_at=bench.now + 90 * SECOND)
    secret_file.unlink()
    bench.tick(3)
    assert bench.states(job) == bench.states(later) == "qqq"
    secret_file.write_text("TOKEN=abcdefgh\n", encoding="utf-8")
    pause.resume(bench.home, [job], now=bench.now)
    bench.tick(9)
    assert (state(bench, job), bench.states(later)) == (JobState.SUCCEEDED, "qqq")
    secret_file.unlink()
    bench.tick(3, step_us=60 * SECOND)
    assert (state(bench, later), bench.states(later)) == (JobState.FAILED, "uuu")


def test_running_items_without_their_env_file_end_and_no_secret_is_shown(tmp_path, secret_file):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=1)
    job = bench.submit(rows=3, env_file=str(secret_file))
    bench.tick(2)
    secret_file.unlink()
    bench.start(fresh=False)  # the one that knew the values has died
    bench.executor.finish(AttemptId(job, 1, 1), Play(code=65, err=b"wrong token abcdefgh\n"))
    bench.work_off()
    assert (state(bench, job), bench.states(job)) == (JobState.FAILED, "fuu")
    failed = (bench.home.job_results(job) / "failed.csv").read_text(encoding="utf-8")
    assert "abcdefgh" not in failed and ",***," in failed


@pytest.mark.parametrize("payload", ["one field", 7, 1e300, b"", b"\xff\0\xff\0\xff"])
def test_a_row_that_a_hand_has_changed_ends_at_its_item_and_not_the_engine(tmp_path, payload):
    bench = Bench(tmp_path)
    columns = ("id", "url")
    job = bench.submit(rows=3, header="a", command=("prog", "{a}"))
    other = bench.submit(rows=2)
    bench.database.execute(
        "UPDATE jobs SET columns = ?, command = ? WHERE id = ?", (*map(json.dumps, (columns, ["prog", "{url}"])), job)
    )
    bench.database.execute("UPDATE items SET payload = ? WHERE job = ?", (b"1\0x", job))
    bench.database.execute("UPDATE items SET payload = ? WHERE job = ? AND item = 2", (payload, job))
    bench.work_off()
    assert bench.states(other) == "ss"
    assert bench.states(job) in ("sfs", "sss")  # as far as the bytes have the columns they are a row
    if bench.states(job) == "sfs":
        assert "the row of the item in the database is damaged" in bench.database.scalar("SELECT message FROM failures")


@pytest.mark.parametrize(
    ("handler", "command"),
    [
        *(("command", command) for command in ([], [""], ["prog", "{nope}"], {"target": "a:b"})),
        *(("shell", command) for command in ("", "echo {nope}", ["prog"], {"target": "a:b"})),
        *(("call", command) for command in (["prog"], "text")),
        ("column", ["prog"]),
    ],
)
def test_a_job_with_work_of_which_nothing_can_be_made_ends_and_the_engine_does_not(tmp_path, handler, command):
    bench = Bench(tmp_path)
    job = bench.submit(rows=2, header="a", command=("prog", "{a}"))
    other = bench.submit(rows=2)
    bench.database.execute("UPDATE jobs SET handler = ?, command = ? WHERE id = ?", (handler, json.dumps(command), job))
    bench.start(fresh=False)
    bench.work_off()
    assert (bench.states(job), bench.states(other)) == ("uu", "ss")
    assert "damaged: nothing can be made of its command" in bench.job(job).stop_reason


@pytest.mark.parametrize("due_at", ["zz", b"\xff", None, -(1 << 63), (1 << 63) - 1, float("inf")])
def test_an_item_whose_due_time_is_damaged_is_due_when_the_next_engine_starts(tmp_path, due_at):
    bench = Bench(tmp_path, script=failing(1, code=1))
    job = bench.submit(rows=2, policy=Policy(attempts=2, backoff=Backoff(base_s=1000, cap_s=1000)))
    bench.tick(2)
    assert bench.states(job) == "ts"
    bench.database.execute("PRAGMA ignore_check_constraints=ON")
    bench.database.execute("UPDATE items SET due_at = ? WHERE job = ? AND item = 1", (due_at, job))
    bench.tick(1)  # this engine knows the time from before the damage
    bench.start(fresh=False)
    bench.work_off()
    assert bench.states(job) == "fs"


@pytest.mark.parametrize("column", ["items", "attempts", "samples", "code", "message", "retryable", "first_at"])
def test_a_damaged_cause_does_not_end_the_engine(tmp_path, column):
    bench = Bench(tmp_path, script=failing(1, 2))
    job = bench.submit(rows=2)
    bench.tick(1)
    bench.database.execute(f"UPDATE failures SET {column} = ?", ("[" * 5_000,))
    bench.start(fresh=False)
    for _ in range(50):
        bench.now += 60_000
        bench.engine.tick(bench.now)
    assert bench.states(job) == "ff"
