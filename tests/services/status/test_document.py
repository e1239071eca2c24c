"""The status document: its keys, its figures, what it costs."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.job_filter import JobList
from jobctl.domain.policy import Policy
from jobctl.errors import NotFound
from jobctl.process import space
from jobctl.services.control.targets import Target
from jobctl.services.status.document import job_document, list_document
from jobctl.services.why.explain import explain
from tests.factories import SECOND, SUBMITTED_AT

NOW = SUBMITTED_AT + 64 * SECOND
EXAMPLE = json.loads((Path(__file__).parents[2] / "data" / "status.example.json").read_text())


@contextmanager
def held_lock(home):
    """The daemon's lock, held by another process, whose pid is yielded."""
    code = (
        "import fcntl, os, sys\n"
        "fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)\n"
        "fcntl.lockf(fd, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-c", code, str(home.lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        yield holder.pid
        holder.stdin.close()


@pytest.fixture
def running(store):
    """A job like that of the example, with its daemon's row."""
    job = store.counted_job(
        {"queued": 581, "running": 3, "retrying": 6, "succeeded": 400, "failed": 10},
        state="running",
        started_at=SUBMITTED_AT + 48_000,
        updated_at=NOW - SECOND,
        rate_per_s=6.8,
        attempts=430,
        key="nightly-2026-11-23",
    )
    store.failure(job, 8)
    store.failure(job, 1, code="timeout", message="stopped at its time limit after <n> s", outcome="unknown")
    store.failure(job, 1, code="exit_65", message="bad row", retryable=0)
    return job


def keys_of(value, path=""):
    """Every key of a document with its path; elements of lists and free mappings are not looked into."""
    if not isinstance(value, dict) or path == ".labels":
        return set()
    found = set()
    for key, inner in value.items():
        found |= {f"{path}.{key}"} | keys_of(inner, f"{path}.{key}")
    return found


def test_the_document_has_every_key_of_the_example(store, home, running):
    document = job_document(store.database, home, running, NOW)
    assert keys_of(EXAMPLE) <= keys_of(document)
    assert list(EXAMPLE) == list(document)[: len(EXAMPLE)]
    group, example = document["failures"]["groups"][0], EXAMPLE["failures"]["groups"][0]
    assert set(example) <= set(group)
    assert set(document["attention"][0]) == {"code", "message", "action"}


@pytest.mark.parametrize(
    "values",
    [
        {"states": "q"},
        {"states": "rrr", "state": "running", "started_at": SUBMITTED_AT},
        {"states": "t", "state": "running", "started_at": SUBMITTED_AT},
        {"states": "qs", "state": "paused", "started_at": SUBMITTED_AT, "paused_at": SUBMITTED_AT + SECOND},
        {"states": "rs", "state": "cancelling", "started_at": SUBMITTED_AT, "stop": "cancel"},
        {"states": "ss", "state": "succeeded", "started_at": SUBMITTED_AT, "finished_at": NOW},
        {"states": "sf", "state": "partial", "started_at": SUBMITTED_AT, "finished_at": NOW},
        {"states": "ff", "state": "failed", "started_at": SUBMITTED_AT, "finished_at": NOW},
        {"states": "su", "state": "cancelled", "finished_at": NOW},
        {"states": "u", "state": "expired", "finished_at": NOW},
    ],
    ids=lambda values: values.get("state", "queued"),
)
def test_every_state_has_all_keys_a_reason_and_something_to_type(store, home, values):
    job = store.job(**values)
    document = job_document(store.database, home, job, NOW)
    assert keys_of(EXAMPLE) <= keys_of(document)
    assert document["state_reason"]
    assert all(command.startswith("jobctl ") for command in document["next"])
    assert document["next"]
    counts = document["counts"]
    parts = ("queued", "running", "retrying", "succeeded", "failed", "unprocessed")
    assert counts["total"] == sum(counts[part] for part in parts)
    assert document["done"] == (document["ok"] is not None)
    json.dumps(document)


def test_figures_of_a_running_job(store, home, running):
    with held_lock(home) as pid:
        store.daemon(pid=pid, heartbeat_at=NOW - SECOND)
        document = job_document(store.database, home, running, NOW)
    assert document["daemon"] == {"state": "up", "pid": pid, "heartbeat_at": "2026-11-23T18:29:34.004Z", "slots": 4}
    assert document["state_reason"] == "3 items running, 10 failed so far"
    assert document["progress"]["processed"] == 410
    assert document["progress"]["fraction"] == 0.41
    assert document["progress"]["eta_s"] == pytest.approx(590 / 6.8, abs=0.1)
    assert document["time"]["active_s"] == pytest.approx(63.952)
    assert document["retry"] == {
        "available": False,
        "why_not": "job is not done",
        "items": 0,
        "failed_retryable": 8,
        "failed_permanent": 1,
        "outcome_unknown": 1,
        "unprocessed": 0,
        "command": None,
        "note": None,
    }
    assert [found["code"] for found in document["attention"]] == ["failure_rate_high"]


def test_attempts_handed_over_ahead_are_shown_as_queued(store, home):
    job = store.counted_job({"queued": 500, "running": 90}, state="running", started_at=SUBMITTED_AT)
    assert job_document(store.database, home, job, NOW)["counts"]["running"] == 4  # the job's own slots
    with held_lock(home) as pid:
        store.daemon(pid=pid, slots=2, heartbeat_at=NOW)
        counts = job_document(store.database, home, job, NOW)["counts"]
    assert (counts["queued"], counts["running"], counts["total"]) == (588, 2, 590)


def test_items_that_began_before_there_were_fewer_slots_continue(store, home):
    job = store.job("rrrrq", state="running", started_at=SUBMITTED_AT, policy=json.dumps(Policy(slots=1).to_json()))
    document = job_document(store.database, home, job, NOW)
    assert (document["counts"]["running"], document["counts"]["queued"], len(document["running"])) == (4, 1, 4)


@pytest.mark.parametrize(
    ("counts", "fraction"),
    [
        ({"succeeded": 999_999, "queued": 1}, 0.9999),
        ({"succeeded": 1_000_000}, 1.0),
        ({"succeeded": 1, "unprocessed": 2}, 0.3333),
        ({}, 1.0),  # all rows were done before
    ],
)
def test_the_fraction_is_one_only_when_everything_is_processed(store, home, counts, fraction):
    live = "queued" in counts
    state = "running" if live else "cancelled"
    job = store.counted_job({"queued": 0} | counts, state=state, finished_at=None if live else NOW)
    assert job_document(store.database, home, job, NOW)["progress"]["fraction"] == fraction


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({}, True),
        ({"succeeded": 9, "queued": 972}, False),  # too few to tell
        ({"started_at": NOW - 4 * SECOND}, False),  # too early
        ({"rate_per_s": None}, False),
        ({"state": "paused", "paused_at": NOW}, False),
        ({"state": "cancelling", "stop": "cancel"}, False),
    ],
)
def test_an_eta_is_null_while_it_would_be_a_guess(store, home, change, known):
    values = {
        "queued": 581,
        "succeeded": 400,
        "state": "running",
        "started_at": SUBMITTED_AT,
        "updated_at": NOW,
        "rate_per_s": 6.8,
    } | change
    counts = {name: values.pop(name) for name in ("queued", "succeeded")}
    job = store.counted_job(counts, **values)
    with held_lock(home) as pid:
        store.daemon(pid=pid, heartbeat_at=NOW)
        progress = job_document(store.database, home, job, NOW)["progress"]
    assert (progress["eta_s"] is not None) is known
    assert (progress["eta_at"] is not None) is known
    assert job_document(store.database, home, job, NOW)["progress"]["eta_s"] is None  # the daemon is gone


def test_an_eta_waits_for_the_last_retry(store, home):
    job = store.job("t" + "s" * 30, state="running", started_at=SUBMITTED_AT, rate_per_s=100.0)
    with held_lock(home) as pid:
        store.daemon(pid=pid, heartbeat_at=NOW)
        document = job_document(store.database, home, job, NOW)
    assert document["progress"]["eta_s"] == pytest.approx(26.0)  # due 90 s after the submit, not 10 ms from now
    assert "retry_wait" in [found["code"] for found in document["attention"]]


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ({"state": "up"}, "up"),
        ({"state": "draining"}, "draining"),
        ({"state": "recovering"}, "recovering"),
        ({"state": "up", "heartbeat_at": NOW - 16 * SECOND}, "not_responding"),
        ({"state": "up", "pid": 1}, "recovering"),  # the row is of a predecessor
        ({"state": "up", "engine_pid": 1 << 30}, "recovering"),  # the engine is gone, the supervisor gets the next
        (None, "recovering"),
    ],
)
def test_the_state_of_the_daemon_follows_from_its_lock_and_its_row(store, home, row, state):
    job = store.job("q")
    with held_lock(home) as pid:
        if row is not None:
            store.daemon(**({"pid": pid, "heartbeat_at": NOW} | row))
        document = job_document(store.database, home, job, NOW)
    assert document["daemon"]["state"] == state
    assert document["daemon"]["pid"] == pid
    codes = [found["code"] for found in document["attention"]]
    assert codes == {"not_responding": ["daemon_not_responding"], "draining": ["daemon_down"]}.get(state, [])


def test_a_quota_is_named_before_the_daemon_that_it_silences(store, home, monkeypatch):
    said = "the disk quota of user 7 is used up in /home"
    monkeypatch.setattr(space, "write_problem", lambda _place: said)
    job = store.job("q")
    with held_lock(home) as pid:
        store.daemon(pid=pid, heartbeat_at=NOW - 16 * SECOND)
        document = job_document(store.database, home, job, NOW)
    codes = [found["code"] for found in document["attention"]]
    assert codes == ["disk_low", "daemon_not_responding"]
    assert said in document["attention"][0]["message"]


def test_items_that_run_while_a_daemon_stops_belong_to_it(store, home):
    job = store.job("rrq", state="running", started_at=SUBMITTED_AT)
    with held_lock(home) as pid:
        store.daemon(pid=pid, heartbeat_at=NOW, state="draining")
        document = job_document(store.database, home, job, NOW)
    assert document["state_reason"] == "the daemon is stopping; 2 items running, none failed so far"
    # A start alone is refused while the daemon stops.
    assert document["attention"][0]["action"] == "jobctl daemon stop && jobctl daemon start"


def test_without_a_daemon_a_live_job_says_so(store, home):
    live, done = store.job("q"), store.job("s", state="succeeded", finished_at=NOW)
    store.daemon(heartbeat_at=NOW)  # what a daemon that was killed leaves behind
    document = job_document(store.database, home, live, NOW)
    assert document["daemon"]["state"] == "down"
    assert document["attention"][0] == {
        "code": "daemon_down",
        "message": "no daemon is running",
        "action": "jobctl daemon start",
    }
    assert document["next"][0] == "jobctl daemon start"
    assert job_document(store.database, home, done, NOW)["attention"] == []


def test_a_foreground_run_does_not_work_for_the_other_jobs(store, home):
    mine, other = store.job("q"), store.job("q")
    with held_lock(home) as pid:
        store.daemon(pid=pid, heartbeat_at=NOW, scope=str(mine))
        assert job_document(store.database, home, mine, NOW)["attention"] == []
        (found,) = job_document(store.database, home, other, NOW)["attention"]
    assert found["code"] == "daemon_down"
    assert f"process {pid} runs only job {mine}" in found["message"]


def test_pressure_and_a_stall_are_reported(store, home):
    job = store.job("r" + "s" * 30, state="running", started_at=SUBMITTED_AT, mean_us=200_000)
    later = SUBMITTED_AT + 700 * SECOND
    with held_lock(home) as pid:
        store.daemon(pid=pid, heartbeat_at=later, pressure="EMFILE: too many open files")
        attention = {a["code"]: a for a in job_document(store.database, home, job, later)["attention"]}
    assert "EMFILE" in attention["spawn_pressure"]["message"]
    assert "item 1 has been running for 11m 38s, usual is 200ms" in attention["stalled"]["message"]
    assert attention["stalled"]["action"] == f"jobctl logs {job}.1"


@pytest.mark.parametrize(
    ("states", "on_crash", "items", "command"),
    [
        ("sffu", "requeue", 3, "jobctl retry 1"),
        ("sffu", "fail", 2, "jobctl retry 1"),  # one of them may have had its effect
        ("sf", "fail", 1, "jobctl retry 1 --unknown"),
        ("ss", "requeue", 0, None),
    ],
)
def test_retry_says_what_it_would_do(store, home, states, on_crash, items, command):
    failed = states.count("f")
    job = store.job(
        states,
        state="partial" if failed else "succeeded",
        finished_at=NOW,
        policy=json.dumps(Policy(on_crash=on_crash).to_json()),
        attempts=4,
    )
    if failed:
        store.failure(job, 1, outcome="unknown", code="sigkill")
    if failed > 1:
        store.failure(job, failed - 1)
    document = job_document(store.database, home, job, NOW)
    retry = document["retry"]
    assert [words for words in document["next"] if "retry" in words] == ([command] if command else [])
    assert (retry["available"], retry["items"], retry["command"]) == (command is not None, items, command)
    if command is None:
        assert retry["why_not"] == "every item succeeded"


def test_results_are_those_the_engine_wrote_and_only_when_done(store, home):
    files = {name: {"path": f"/r/{name}.csv", "rows": 1, "sha256": "00"} for name in ("succeeded", "failed")}
    files["unprocessed"] = {"path": "/r/unprocessed.csv", "rows": 0, "sha256": "00"}
    stored = json.dumps({"dir": "/r", "manifest": "/r/manifest.json", "files": files})
    job = store.job("sf", state="partial", finished_at=NOW, results=stored)
    results = job_document(store.database, home, job, NOW)["results"]
    assert results["available"] and results["manifest"] == "/r/manifest.json"
    assert results["files"] == files
    live = store.job("s" * 2 + "q", results=stored, state="running", started_at=SUBMITTED_AT)
    assert not job_document(store.database, home, live, NOW)["results"]["available"]


def test_causes_that_are_being_retried_are_shown_until_the_round_is_over(store, home):
    job = store.job("ts", state="running", started_at=SUBMITTED_AT, attempts=2)
    store.failure(job, 0)
    assert job_document(store.database, home, job, NOW)["failures"]["groups"] == []
    store.database.execute("UPDATE failures SET attempts = 1")
    (group,) = job_document(store.database, home, job, NOW)["failures"]["groups"]
    assert (group["count"], group["attempts"]) == (0, 1)
    done = store.job("ss", state="succeeded", finished_at=NOW, attempts=3)
    store.failure(done, 0, attempts=1)
    assert job_document(store.database, home, done, NOW)["failures"]["groups_total"] == 0


def test_the_list_has_live_jobs_and_the_newest_others(store, home):
    old_live = store.job("q")
    for _ in range(25):
        store.job("s", state="succeeded", finished_at=NOW)
    job = store.job("f" * 9, state="failed", finished_at=NOW, attempts=9)
    for n in range(5):
        store.failure(job, 2 - n // 4, code=f"exit_{n + 1}")
    document = list_document(store.database, home, NOW)
    numbers = [each["job"] for each in document["jobs"]]
    assert document["schema"] == "jobctl.status_list/1"
    assert numbers == [27, *range(26, 7, -1), old_live]
    assert document["jobs_total"] == 27
    assert len(document["jobs"][0]["failures"]["groups"]) == 3
    assert document["jobs"][0]["failures"]["groups_total"] == 5
    assert len(list_document(store.database, home, NOW, JobList(everything=True))["jobs"]) == 27


def test_commands_work_on_the_same_store(store, home):
    job = store.job("q")
    document = job_document(store.database, home, job, NOW, program="jobctl --home /srv/q")
    commands = [*document["next"], *(found["action"] for found in document["attention"])]
    assert commands and all(command.startswith("jobctl --home /srv/q ") for command in commands)


def test_a_job_that_does_not_exist(store, home):
    with pytest.raises(NotFound, match="no job 3"):
        job_document(store.database, home, 3, NOW)


def test_no_query_looks_at_every_item(store, home):
    """The plan of each statement, and the work SQLite does, is the same for ten items and for fifty thousand."""

    def steps(job):
        count = 0

        def tick():
            nonlocal count
            count += 1

        store.database.connection.set_progress_handler(tick, 10)
        job_document(store.database, home, job, NOW)
        store.database.connection.set_progress_handler(None, 0)
        return count

    small = store.job("qrtf" + "s" * 6, state="running", started_at=SUBMITTED_AT, attempts=9)
    large = store.job("qrtf" + "s" * 6, state="running", started_at=SUBMITTED_AT, attempts=9)
    with store.database.transaction():
        store.database.executemany(
            "INSERT INTO items (job, item, state, payload) VALUES (?, ?, ?, '')",
            [(large, item, item % 2 * 3) for item in range(11, 50_000)],
        )
        store.database.execute(
            "UPDATE jobs SET total = total + 49989, queued = queued + 24994, succeeded = succeeded + 24995"
            " WHERE id = ?",
            (large,),
        )
    job_document(store.database, home, small, NOW)
    assert steps(large) <= steps(small) + 5


def test_an_item_that_may_have_had_its_effect_is_retried_only_by_saying_so(store, home):
    job = store.job("sff", state="partial", finished_at=NOW, policy=json.dumps(Policy(on_crash="fail").to_json()))
    store.attempt(job, 3, ending=Ending.SIGNALLED, code=9)
    words = [explain(store.database, home, Target(job, item), NOW)["next"][-1] for item in (2, 3)]
    assert words == [f"jobctl retry {job}.2", f"jobctl retry {job}.3 --unknown"]


def test_the_jobs_that_a_job_comes_after_are_in_its_reason(store, home):
    first = store.job("r", state="running", started_at=SUBMITTED_AT)
    job = store.job("qq", after=[[first, "ok"], [first + 100, "any"]])
    with held_lock(home) as pid:
        store.daemon(pid=pid, heartbeat_at=NOW)
        document = job_document(store.database, home, job, NOW)
    assert document["state_reason"] == f"waits until job {first} (running) succeeds; 2 items queued"
    assert document["after"] == [
        {"job": first, "condition": "ok", "state": "running", "done": False},
        {"job": first + 100, "condition": "any", "state": None, "done": None},
    ]


def test_a_deadline_that_passed_without_a_daemon_is_shown(store, home):
    job = store.job("qq", deadline_at=NOW - SECOND)
    reason = job_document(store.database, home, job, NOW)["state_reason"]
    assert reason == "its deadline passed; no daemon is running; 2 items queued"


def test_attempts_ahead_of_slots_of_other_jobs_do_not_count_as_running(store, home):
    first, second = store.job("rrqq", state="running", started_at=1), store.job("rrrr", state="running", started_at=1)
    store.database.execute("DELETE FROM attempts WHERE job = ?", (second,))
    with held_lock(home) as pid:
        store.daemon(pid=pid, slots=2, heartbeat_at=NOW)
        documents = [job_document(store.database, home, job, NOW) for job in (first, second)]
    assert [(found["counts"]["running"], found["counts"]["queued"]) for found in documents] == [(2, 2), (0, 4)]
    assert documents[1]["state_reason"].startswith("all 2 slots of the daemon are in use by job 1; 0 of 4 items")
