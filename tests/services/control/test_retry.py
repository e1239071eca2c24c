"""Another round: which items get it, what stays, and that the command in the status does what it says."""

from __future__ import annotations

import shlex

import pytest

from jobctl.cli.edge import run
from jobctl.domain.endings import Ending
from jobctl.domain.policy import Policy
from jobctl.domain.selection import Selection
from jobctl.domain.spans import spans_of
from jobctl.domain.states import ItemState, JobState
from jobctl.domain.wording import plural
from jobctl.errors import NotFound, UsageError
from jobctl.services.control import pause
from jobctl.services.control.retry import Retried, begin_round, retry
from jobctl.services.status.document import job_document
from jobctl.store import requests
from jobctl.store.another_round import ItemCounts
from tests.engine.bench import SECOND, Bench, state
from tests.executors.fake import Play

#: By item: succeeds, fails for good, fails with exit 7, is killed by a signal, is lost.
PLAYS = {
    1: Play(),
    2: Play(code=65, err=b"bad row\n"),
    3: Play(code=7, err=b"no luck\n"),
    4: Play(ending=Ending.SIGNALLED, code=9),
    5: Play(lost=True),
}


class Script:
    """Plays for the items, until all is well."""

    def __init__(self, plays=PLAYS):
        self.plays = plays
        self.repaired = False

    def __call__(self, dispatch):
        return Play() if self.repaired else self.plays.get(dispatch.item, Play())


def worked_off(tmp_path, rows=5, **policy):
    script = Script()
    bench = Bench(tmp_path, script=script)
    bench.script = script
    job = bench.submit(rows=rows, policy=Policy(attempts=1, max_crashes=0, **policy))
    bench.work_off()
    return bench, job


@pytest.mark.parametrize(
    ("selection", "on_crash", "queued", "left_out"),
    [
        (Selection(), "requeue", "sqqqq", 0),
        (Selection((ItemState.FAILED,)), "requeue", "sqqqq", 0),
        (Selection(unknown=True), "requeue", "sffqq", 0),
        (Selection(causes=("exit_7",)), "requeue", "sfqff", 0),
        (Selection(causes=("exit_7", "sigkill")), "requeue", "sfqqf", 0),
        (Selection(items=spans_of([2, 5])), "requeue", "sqffq", 0),
        (Selection(items=spans_of([1, 2])), "requeue", "sqfff", 0),  # what succeeded never runs again
        (Selection((ItemState.FAILED,), items=spans_of([3])), "requeue", "sfqff", 0),
        (Selection(), "fail", "sqqff", 2),
        (Selection((ItemState.FAILED,)), "fail", "sqqff", 2),
        (Selection(unknown=True), "fail", "sffqq", 0),
        (Selection((ItemState.FAILED,), unknown=True), "fail", "sqqqq", 0),
        (Selection(items=spans_of([2, 5])), "fail", "sqfff", 1),  # of those that were named
        (Selection(causes=("exit_7",)), "fail", "sfqff", 0),
        (Selection(items=spans_of([5]), unknown=True), "fail", "sfffq", 0),
    ],
)
def test_which_items_get_another_round(tmp_path, selection, on_crash, queued, left_out):
    bench, job = worked_off(tmp_path, on_crash=on_crash)
    assert bench.states(job) == "sffff"
    assert retry(bench.home, job, selection, now=bench.now) == Retried(job, 2, queued.count("q"), left_out)
    assert bench.states(job) == queued
    bench.check()
    bench.script.repaired = True
    bench.work_off()
    assert bench.states(job) == queued.replace("q", "s")


def test_unprocessed_and_failed_items_are_distinguished(tmp_path):
    for chosen, queued in ((ItemState.UNPROCESSED, "sfqqqq"), (ItemState.FAILED, "squuuu")):
        bench = Bench(
            tmp_path / queued, script=lambda d: Play(code=65 if d.item == 2 and d.attempt == 1 else 0), slots=1
        )
        bench.root.mkdir(exist_ok=True)
        job = bench.submit(rows=6, policy=Policy(max_failures="0", slots=1))
        bench.work_off()
        assert bench.states(job) == "sfuuuu"
        retry(bench.home, job, Selection((chosen,)), now=bench.now)
        assert bench.states(job) == queued


@pytest.mark.parametrize(
    ("selection", "on_crash", "message", "hint"),
    [
        (
            Selection(causes=("exit_99",)),
            "requeue",
            "job 1 has no failure 'exit_99'",
            "its causes of failure: ",
        ),
        (Selection(items=spans_of([1])), "requeue", "no such item to retry", "jobctl items 1"),
        (Selection((ItemState.UNPROCESSED,)), "requeue", "no such item to retry", "jobctl items 1"),
        (Selection(causes=("sigkill",)), "fail", "may have had their effect", "jobctl retry 1 --unknown"),
        (Selection(items=spans_of([4, 5])), "fail", "2 items failed with an unknown", "jobctl retry 1.4-5 --unknown"),
    ],
)
def test_a_selection_of_nothing_says_so_and_changes_nothing(tmp_path, selection, on_crash, message, hint):
    bench, job = worked_off(tmp_path, on_crash=on_crash)
    before = bench.job(job)
    with pytest.raises(UsageError) as caught:
        retry(bench.home, job, selection, now=bench.now)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert bench.job(job) == before
    assert bench.states(job) == "sffff"


def test_only_a_job_that_is_done_can_be_retried(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    job = bench.submit(rows=2)
    bench.tick(2)
    with pytest.raises(UsageError, match="job 1 is running, not done"):
        retry(bench.home, job, Selection(), now=bench.now)
    with pytest.raises(NotFound):
        retry(bench.home, 7, Selection(), now=bench.now)


def test_a_job_that_succeeded_has_nothing_to_retry(tmp_path):
    bench, job = worked_off(tmp_path, rows=1)
    with pytest.raises(UsageError, match="there is nothing to retry"):
        retry(bench.home, job, Selection(), now=bench.now)


def test_history_failures_files_and_journal_of_two_rounds(tmp_path):
    bench, job = worked_off(tmp_path)
    folder = bench.home.job_results(job)
    assert (folder / "failed.csv").read_text().count("\n") == 5
    retry(bench.home, job, Selection(causes=("exit_7",)), now=bench.now)
    row = bench.job(job)
    assert (row.round, row.state, row.finished_at) == (2, JobState.QUEUED, None)
    bench.script.repaired = True
    bench.work_off()
    assert (folder / "failed.csv").read_text().count("\n") == 4
    assert (folder / "succeeded.csv").read_text().count("\n") == 3
    attempts = bench.database.execute("SELECT attempt, round FROM attempts WHERE item = 3 ORDER BY 1").fetchall()
    assert attempts == [(1, 1), (2, 2)]
    assert bench.events(job).count("finished") == 2
    (who, why, data) = bench.database.execute(
        "SELECT actor, reason, data FROM journal WHERE event = 'retried'"
    ).fetchone()
    assert "(pid " in who
    assert why == "cause exit_7"
    assert '"items": 1' in data
    causes = dict(bench.database.execute("SELECT code, items FROM failures").fetchall())
    assert causes == {"exit_65": 1, "exit_7": 0, "sigkill": 1, "interrupted": 1}


def test_a_deadline_counts_from_the_new_round(tmp_path):
    bench, job = worked_off(tmp_path, deadline_s=60)
    bench.now += 3600 * SECOND
    retry(bench.home, job, Selection(), now=bench.now)
    assert bench.job(job).deadline_at == bench.now + 60 * SECOND
    bench.script.repaired = True
    bench.work_off()
    assert bench.states(job) == "sssss"


# ---- the command in the status ----


def ended(tmp_path, name):
    """A job that ended in some way; (bench, job, what of it may run again)."""
    if name == "succeeded":
        return *worked_off(tmp_path, rows=1), ""
    if name == "partial":
        return *worked_off(tmp_path), "2345"
    if name == "at most once":
        return *worked_off(tmp_path, on_crash="fail"), "23"
    bench = Bench(tmp_path, script=Script({2: Play(lost=True)} if name == "only unknown" else PLAYS), slots=1)
    if name == "only unknown":
        job = bench.submit(rows=2, policy=Policy(on_crash="fail", max_crashes=0))
        bench.work_off()
        return bench, job, "2"
    if name == "failures":
        job = bench.submit(rows=9, policy=Policy(attempts=1, max_failures="0"))
        bench.work_off()
        return bench, job, "23456789"
    job = bench.submit(rows=4, policy=Policy(deadline_s=60), hold=True)
    if name == "cancelled":
        bench.tick(1)
        requests.add(bench.database, requests.Request(job, None, "cancel", False, "test", ""), bench.now)
    else:
        bench.tick(3, step_us=40 * SECOND)
    bench.work_off()
    assert bench.states(job) == "uuuu"
    return bench, job, "1234"


ENDS = {
    "succeeded": JobState.SUCCEEDED,
    "partial": JobState.PARTIAL,
    "at most once": JobState.PARTIAL,
    "only unknown": JobState.PARTIAL,
    "failures": JobState.FAILED,
    "cancelled": JobState.CANCELLED,
    "expired": JobState.EXPIRED,
}


@pytest.mark.parametrize("name", ENDS)
def test_the_retry_command_of_the_status_works_when_it_is_pasted(tmp_path, capfd, name):
    bench, job, again = ended(tmp_path, name)
    assert state(bench, job) is ENDS[name]
    program = f"jobctl --home {shlex.quote(str(bench.home.root))}"
    said = job_document(bench.database, bench.home, job, bench.now, program=program)["retry"]
    assert said["available"] is bool(again)
    if not again:
        assert (said["command"], said["why_not"]) == (None, "every item succeeded")
        return
    words = shlex.split(said["command"])
    assert words[0] == "jobctl"
    assert run(words[1:]) == 0
    assert f"{plural(len(again), 'item')} queued again" in capfd.readouterr().err
    assert said["items"] == len(again)
    queued = [str(n) for n, letter in enumerate(bench.states(job), 1) if letter == "q"]
    assert "".join(queued) == again
    live = job_document(bench.database, bench.home, job, bench.now)["retry"]
    assert (live["available"], live["command"], live["why_not"]) == (False, None, "job is not done")


def test_after_a_retry_that_left_something_out_the_command_is_the_one_for_that(tmp_path):
    bench, job = worked_off(tmp_path, on_crash="fail")
    retry(bench.home, job, Selection(), now=bench.now)
    bench.script.repaired = True
    bench.work_off()
    assert bench.states(job) == "sssff"
    said = job_document(bench.database, bench.home, job, bench.now)["retry"]
    assert (said["command"], said["items"], said["outcome_unknown"]) == (f"jobctl retry {job} --unknown", 2, 2)


def test_a_paused_job_that_is_retried_is_not_paused_any_more(tmp_path):
    bench = Bench(tmp_path, script=lambda d: Play(code=65 if d.attempt == 1 else 0))
    job = bench.submit(rows=2)
    bench.tick(1)
    pause.pause(bench.home, [job], reason="", now=bench.now)
    bench.work_off()
    retry(bench.home, job, Selection(), now=bench.now)
    bench.work_off()
    assert bench.states(job) == "ss"


def test_a_count_of_another_revision_is_repeated(tmp_path):
    bench, job = worked_off(tmp_path)
    with bench.database.transaction():
        retried = begin_round(bench.database, job, Selection(), now=bench.now, counted=ItemCounts(-1, [], 0, None))
    assert (retried.items, bench.states(job)) == (4, "sqqqq")
    bench.check()
