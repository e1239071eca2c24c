"""The reasons why a job runs nothing: status shows the reason, and explain what to type."""

from __future__ import annotations

import json

import pytest

from jobctl.domain.policy import Policy
from jobctl.render.explain import explain_lines
from jobctl.render.look import Look
from jobctl.services.control.targets import Target
from jobctl.services.status.document import job_document, list_document
from jobctl.services.why.explain import explain
from tests.factories import SECOND, SUBMITTED_AT
from tests.locks import held_lock

NOW = SUBMITTED_AT + 100 * SECOND


@pytest.fixture
def ask(store, home):
    """(state reason, first hold) of a job while a daemon of two slots is up."""

    def answer(job):
        with held_lock(home) as pid:
            store.daemon(pid=pid, heartbeat_at=NOW, slots=2)
            document = job_document(store.database, home, job, NOW)
            listed = list_document(store.database, home, NOW)["jobs"]
            holds = explain(store.database, home, Target(job), NOW)["holds"]
        assert next(each for each in listed if each["job"] == job)["state_reason"] == document["state_reason"]
        return document["state_reason"], holds[0] if holds else None

    return answer


def test_another_job(store, ask):
    first = store.job("q", state="paused", paused_at=NOW)
    reason, hold = ask(store.job("qqq", after=[[first, "ok"]]))
    assert reason == "waits until job 1 (paused) succeeds; 3 items queued"
    assert hold["message"] == "waits until job 1 (paused) succeeds"
    assert (hold["code"], hold["action"]) == ("after", "jobctl status 1")
    assert ask(store.job("q", after=[[first, "any"]]))[0].startswith("waits until job 1 (paused) ends;")


def test_slots_that_others_use(store, ask):
    busy = store.job("rrq", state="running", started_at=SUBMITTED_AT)
    reason, hold = ask(store.job("qq"))
    assert reason == f"all 2 slots of the daemon are in use by job {busy}; 2 items queued"
    assert hold["code"] == "slots"
    reason, hold = ask(busy)
    assert reason == "2 items running, none failed so far"
    assert hold["message"] == "all 2 slots of the daemon are in use by this job; it may use 4"


def test_nothing_holds_back_an_item_that_runs_or_has_ended(store, home):
    job = store.job("srq", state="running", started_at=SUBMITTED_AT)
    found = [explain(store.database, home, Target(job, item), NOW)["holds"] for item in (1, 2, 3)]
    assert [bool(holds) for holds in found] == [False, False, True]


def test_one_slot_is_in_the_singular(store, ask):
    store.database.execute("INSERT INTO queues (name, slots) VALUES ('disk', 1)")
    store.job("r", state="running", started_at=SUBMITTED_AT, queue="disk")
    reason, hold = ask(store.job("q", queue="disk"))
    assert reason == "the 1 slot of queue disk is in use by job 1; 1 item queued"
    assert hold["action"] == "jobctl queue set disk slots=2"
    own = store.job("rq", state="running", policy=json.dumps(Policy(slots=1).to_json()), queue="other")
    assert ask(own)[1]["message"] == "its own 1 slot is in use"


@pytest.mark.parametrize(("left_s", "said"), [(0.0, "30s"), (20.0, "10s")])
def test_a_rate_of_its_own(store, ask, left_s, said):
    policy = json.dumps(Policy(rate="2/m").to_json())
    values = {"state": "running", "started_at": SUBMITTED_AT, "tokens": 0.0}
    job = store.job("sq", policy=policy, tokens_at=NOW - int(left_s * SECOND), **values)
    reason, hold = ask(job)
    assert reason == f"its rate of 2/m lets the next item start in {said}; 1 of 2 items processed"
    assert hold["action"] == f"jobctl set {job} rate=none"


def test_the_rate_of_its_queue(store, ask):
    store.database.execute("INSERT INTO queues (name, rate, tokens, tokens_at) VALUES ('q', '1/m', 0.5, ?)", (NOW,))
    reason, hold = ask(store.job("q", queue="q"))
    assert reason == "the rate of queue q of 1/m lets the next item start in 30s; 1 item queued"
    assert hold["action"] == "jobctl queue set q rate=none"


def test_nothing(store, ask):
    assert ask(store.job("qq")) == ("waits for its turn; 2 items queued", None)


def test_a_pause_is_mentioned_once(store, ask):
    paused = {"state": "paused", "paused_at": NOW}
    assert ask(store.job("q", **paused, pause_reason="held at submit"))[0] == "held at submit; 0 of 1 item processed"
    assert ask(store.job("q", **paused))[0] == "nothing starts until it is resumed; 0 of 1 item processed"


def test_a_cause_that_is_tried_again_has_attempts_and_an_item_that_never_ran_no_log(store, home):
    job = store.job("tq", state="running", started_at=SUBMITTED_AT, attempts=1)
    store.failure(job, 0, attempts=3)
    lines = list(explain_lines(explain(store.database, home, Target(job), NOW), Look(terminal=False)))
    assert (
        "  retrying, 3 attempts: exit_22: curl: (22) The requested URL returned error: <n> (item 17, 52, 90)" in lines
    )
    item = list(explain_lines(explain(store.database, home, Target(job, 1), NOW), Look(terminal=False)))
    assert any("exit_22 after 250ms" in line for line in item)
    assert f"  jobctl logs {job}.1" in item
    never_ran = explain_lines(explain(store.database, home, Target(job, 2), NOW), Look(terminal=False))
    assert not any("jobctl logs" in line for line in never_ran)


@pytest.mark.parametrize(
    ("items", "ended"), [("sf", "partial"), ("ff", "failed"), ("u", "cancelled"), ("uu", "expired")]
)
def test_a_job_after_one_that_did_not_succeed_will_not_start(store, ask, items, ended):
    first = store.job(items, state=ended, finished_at=NOW)
    reason, hold = ask(store.job("qqq", after=[[first, "ok"]]))
    assert reason.startswith(f"job {first} ended {ended}, and this one was to run only after its success")
    assert hold["code"] == "after"
    assert ask(store.job("qqq", after=[[first, "any"]]))[1] is None


def test_the_retry_of_a_job_that_was_cancelled_with_another_names_both(store, home):
    first = store.job("sf", state="partial", started_at=1, finished_at=NOW)
    good = store.job("s", state="succeeded", started_at=1, finished_at=NOW)
    second = store.job("uu", state="cancelled", finished_at=NOW, after=[[first, "ok"], [good, "ok"]])
    third = store.job("u", state="cancelled", finished_at=NOW, after=[[second, "ok"]])
    own = store.job("u", state="cancelled", finished_at=NOW, after=[[first, "any"]])
    documents = {job: job_document(store.database, home, job, NOW) for job in (first, second, third, own)}
    commands = {job: document["retry"]["command"] for job, document in documents.items()}
    assert commands == {
        first: f"jobctl retry {first}",
        second: f"jobctl retry {first} {second}",
        third: f"jobctl retry {first} {second} {third}",
        own: f"jobctl retry {own}",
    }
