"""Documents against the JSON Schemas that ship with jobctl: every state, every block, made rows and real runs."""

from __future__ import annotations

import copy
import json

import pytest
from jsonschema import Draft202012Validator

from jobctl.domain.job_filter import JobList
from jobctl.domain.notify import NotifyOptions
from jobctl.domain.policy import Backoff, Policy
from jobctl.domain.selection import Selection
from jobctl.services.control.retry import retry
from jobctl.services.control.targets import Target
from jobctl.services.status.document import empty_list_document, job_document, list_document
from jobctl.services.why.explain import explain
from tests.engine.bench import SECOND as TICK
from tests.engine.bench import Bench
from tests.executors.fake import Play
from tests.factories import SECOND, SUBMITTED_AT
from tests.locks import held_lock
from tests.schemas import NAMES, PROMISED, check, keys, schema, validator

NOW = SUBMITTED_AT + 64 * SECOND
STARTED = {"started_at": SUBMITTED_AT + SECOND}
DONE = {**STARTED, "finished_at": SUBMITTED_AT + 60 * SECOND}
CORPUS = {
    "queued": {"states": "qq"},
    "held": {"states": "q", "state": "paused", "paused_at": SUBMITTED_AT, "pause_reason": "held at submit"},
    "after others": {"states": "q", "after": [[1, "ok"], [7, "any"]], "item_key": "id"},
    "not before": {"states": "q", "not_before_at": NOW + 60 * SECOND},
    "running": {"states": "qrrtssf", "state": "running", **STARTED, "attempts": 5, "rate_per_s": 3.0, "mean_us": 1e5},
    "retrying": {"states": "tts", "state": "running", **STARTED, "attempts": 3},
    "paused": {"states": "qs", "state": "paused", **STARTED, "paused_at": SUBMITTED_AT + 9 * SECOND},
    "cancelling": {"states": "rs", "state": "cancelling", **STARTED, "stop": "cancel", "stop_reason": "enough"},
    "stopping": {"states": "rsf", "state": "running", **STARTED, "stop": "failures", "stop_reason": "too many"},
    "succeeded": {"states": "ss", "state": "succeeded", **DONE, "attempts": 2},
    "partial": {"states": "sff", "state": "partial", **DONE, "attempts": 9},
    "failed": {"states": "ff", "state": "failed", **DONE, "attempts": 6},
    "stopped": {"states": "fu", "state": "failed", **DONE, "attempts": 1, "reason": "1 of 1 items failed"},
    "cancelled": {"states": "su", "state": "cancelled", **DONE},
    "cancelled at once": {"states": "u", "state": "cancelled", "finished_at": NOW},
    "expired": {"states": "su", "state": "expired", **DONE, "deadline_at": NOW},
    "empty": {"states": "", "state": "succeeded", **DONE, "skipped": 4},
    "second round": {"states": "sq", "state": "queued", "round": 2, "active_us": 5 * SECOND, "attempts": 3},
    "rows left out": {"states": "s", "state": "partial", **DONE, "rejected": 2},
    "shell": {"states": "q", "handler": "shell", "command": '"echo {id}"', "key": "k-1", "labels": {"team": "a"}},
    "column": {"states": "q", "handler": "column", "command": [], "input_format": "jsonl", "input_path": "-"},
    "call": {"states": "q", "handler": "call", "command": '{"target": "a.b:c", "style": "dict"}'},
    "all limits": {
        "states": "q",
        "policy": json.dumps(
            Policy(1, 2, 3.5, 4, Backoff(), (1,), (2,), "fail", 3, 60.0, "5%", 20, "now", "10/s", 1 << 20).to_json()
        ),
    },
    "of a file of a job that is gone": {"states": "q", "resubmit_of": "0193a5c2-7b1e-7cc3-9f6e-2f6f0c1d9a10"},
}


#: Keys that a document has only if they were asked for.
OPTIONAL = {
    "status-1": {"undo", "links"},
    "event-1": {"schema", "id"},
    "explain-1": {"rounds", "undo", "item_undo", "item_undo_of"},
    "config_trust-1": {"sha256", "was_trusted"},
    "output-1": {"stdout", "stderr"},
    "problem-1": {"errors", "errors_total"},
    "report_file-1": {"html"},
    "results-1": {"lines"},
    "status_list-1": {"jobs_selected", "more"},
    "unit-1": {"text", "socket"},
}


def made(store, values):
    values = dict(values)
    job = store.job(values.pop("states"), **values)
    failed = values.get("attempts", 0) and store.database.scalar("SELECT failed FROM jobs WHERE id = ?", (job,))
    if failed:
        store.failure(job, failed)
        store.failure(job, 0, code="sigkill", message="killed", outcome="unknown", retryable=0)
    return job


@pytest.mark.parametrize("name", CORPUS)
def test_every_state_is_as_the_schema_says(store, home, name):
    job = made(store, CORPUS[name])
    check("status-1", job_document(store.database, home, job, NOW))
    check("explain-1", explain(store.database, home, Target(job), NOW))
    with held_lock(home) as pid:
        for state in ("up", "draining", "recovering"):
            store.daemon(pid=pid, state=state, heartbeat_at=NOW, pressure="EMFILE")
            check("status-1", job_document(store.database, home, job, NOW))
        late = NOW + 3600 * SECOND
        check("status-1", job_document(store.database, home, job, late))  # the daemon is silent
        check("explain-1", explain(store.database, home, Target(job), late))


def test_the_list_of_all_of_them(store, home):
    check("status_list-1", empty_list_document(NOW))
    for values in CORPUS.values():
        made(store, values)
    document = check("status_list-1", list_document(store.database, home, NOW, JobList(everything=True)))
    assert {job["state"] for job in document["jobs"]} == set(schema("status-1")["properties"]["state"]["enum"])


def test_the_corpus_has_every_code_of_attention_but_those_of_other_tests(store, home):
    """disk_low and notify_dead need a disk and a delivery: tests/engine/test_waiting.py and below.

    Those of a cluster are in tests/services/why/test_workers.py, those of processes left behind in
    tests/services/status/test_process_waits.py, damaged is in tests/services/test_damage.py.
    """
    of_a_cluster = {"cluster_away", "no_workers", "resources_missing"}
    of_processes = {"damaged", "leftovers_running", "leftovers_ended", "cannot_end", "barred"}
    found = set()
    for values in CORPUS.values():
        job = made(store, values)
        found |= {a["code"] for a in job_document(store.database, home, job, NOW)["attention"]}
        with held_lock(home) as pid:
            for at, words in ((NOW, {"pressure": "ENOMEM"}), (NOW - 40 * SECOND, {}), (NOW + 200 * SECOND, {})):
                store.daemon(pid=pid, heartbeat_at=at, **words)
                later = NOW + 100 * SECOND if at == NOW + 200 * SECOND else NOW
                document = job_document(store.database, home, job, later)
                found |= {a["code"] for a in document["attention"]}
                check("status-1", document)
    known = set(schema("status-1")["properties"]["attention"]["items"]["properties"]["code"]["examples"])
    assert (
        known - found
        <= {
            "disk_low",
            "notify_dead",
            "stalled",
            "failure_rate_high",
        }
        | of_a_cluster
        | of_processes
    )
    assert found <= known


def test_a_clock_that_went_back_is_noticed(store, home):
    job = store.job("s", state="succeeded", finished_at=NOW, updated_at=NOW + 90 * SECOND)
    (found,) = job_document(store.database, home, job, NOW)["attention"]
    assert (found["code"], found["action"]) == ("clock_skew", "date -u")
    assert "the job last changed 1m 30s in the future" in found["message"]
    fine = store.job("s", state="succeeded", finished_at=NOW, updated_at=NOW + SECOND)
    assert job_document(store.database, home, fine, NOW)["attention"] == []
    store.daemon(heartbeat_at=NOW + 3600 * SECOND)
    live = store.job("q")
    messages = {a["code"]: a["message"] for a in job_document(store.database, home, live, NOW)["attention"]}
    assert messages["clock_skew"].startswith("the daemon last wrote 1h 00m in the future")


@pytest.fixture
def bench(tmp_path):
    """Five rows, one of which fails for good and one runs again, and a target to notify."""
    script = {1: Play(), 2: Play(code=65, err=b"bad row 17\n"), 3: Play(code=1, err=b"no luck\n")}
    bench = Bench(tmp_path, script=lambda d: script.get(d.item, Play()))
    notify = NotifyOptions(urls=("http://127.0.0.1:9/hook",), commands=("true",))
    bench.submit(rows=5, policy=Policy(attempts=2, backoff=Backoff(0.01, 1, 0.01)), notify=notify, key="k")
    return bench


def documents(bench, job=1):
    database, home, now = bench.database, bench.home, bench.now
    check("status-1", job_document(database, home, job, now))
    check("explain-1", explain(database, home, Target(job), now))
    for item in range(1, bench.job(job).total + 1):
        check("explain-1", explain(database, home, Target(job, item), now))


def test_a_real_job_at_every_step_of_two_rounds(bench):
    documents(bench)
    for _ in range(2):
        while bench.job(1).finished_at is None:
            bench.tick()
            documents(bench)
        manifest = json.loads((bench.home.job_results(1) / "manifest.json").read_bytes())
        check("manifest-1", manifest)
        retry(bench.home, 1, Selection(), now=bench.now)
        documents(bench)
    bench.work_off()
    bodies = [row[0] for row in bench.database.execute("SELECT body FROM deliveries ORDER BY round, target")]
    assert len(bodies) == 6
    for body in bodies:
        event = check("event-1", json.loads(body))
        assert event["type"] == "job.partial"


def test_a_notification_that_was_given_up_is_shown_also_for_a_job_that_is_done(bench):
    bench.work_off()
    before = check("status-1", job_document(bench.database, bench.home, 1, bench.now))
    assert before["attention"] == []
    assert [n["state"] for n in before["notify"]] == ["pending", "pending"]
    with bench.database.transaction():
        bench.database.execute(
            "UPDATE deliveries SET state = 'dead', next_at = NULL, attempts = 7, result = 'HTTP 500', settled_at = ?"
            " WHERE target = 1",
            (bench.now,),
        )
    after = check("status-1", job_document(bench.database, bench.home, 1, bench.now, program="jobctl --home /q"))
    (found,) = after["attention"]
    assert found["code"] == "notify_dead"
    assert "HTTP 500" in found["message"]
    assert found["action"].startswith("jobctl --home /q notify resend msg_")
    assert after["notify"][0]["state"] == "dead"
    assert bench.now > TICK


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_are_schemas_and_say_that_they_only_grow(name):
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["additionalProperties"] is True
    optional = set(schema(name)["properties"]) - set(schema(name)["required"])
    assert optional == OPTIONAL.get(name, set())
    assert "only add" in schema(name)["$comment"]


def test_no_key_of_a_document_goes_away_and_none_gets_another_type():
    missing = set(PROMISED.read_text(encoding="utf-8").splitlines()) - set(keys())
    assert not missing, "documents only grow: " + "; ".join(sorted(missing))


def test_the_schema_can_say_no(store, home):
    document = check("status-1", job_document(store.database, home, made(store, CORPUS["partial"]), NOW))
    assert validator("status-1").is_valid(document | {"added_later": 1})
    for path in (("state",), ("counts", "skipped"), ("retry", "command"), ("failures", "groups", 0, "outcome")):
        broken = copy.deepcopy(document)
        inner = broken
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]
        assert not validator("status-1").is_valid(broken), path
    for change in (
        {"state": "running"},
        {"state": "unheard of"},
        {"ok": None},
        {"job": 0},
        {"schema": "jobctl.status/2"},
    ):
        assert not validator("status-1").is_valid(document | change), change
