"""One list of blockers: the reason of a state, the attention list and an explanation never disagree."""

from __future__ import annotations

import ast
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

import jobctl
from jobctl.domain import blocker_kinds
from jobctl.domain.blocker_kinds import BlockerKind
from jobctl.domain.cluster_workers import AWAY, ClusterWorkers, WorkersOffer
from jobctl.domain.policy import Policy
from jobctl.process import space
from jobctl.services.control.targets import Target
from jobctl.services.status.document import job_document, list_document
from jobctl.services.why.blockers import blockers_of
from jobctl.services.why.explain import explain
from jobctl.services.why.situation import situation_of, store_facts
from jobctl.store import daemon as daemon_rows
from jobctl.store.views import jobs as job_views
from tests.factories import SECOND, SUBMITTED_AT
from tests.locks import held_lock

NOW = SUBMITTED_AT + 64 * SECOND
STARTED = {"state": "running", "started_at": SUBMITTED_AT, "updated_at": NOW - SECOND}
KINDS = {name: kind for name, kind in vars(blocker_kinds).items() if isinstance(kind, BlockerKind)}
PACKAGE = Path(jobctl.__file__).parent


def policy(**rules):
    return {"policy": json.dumps(Policy(**rules).to_json())}


#: Name of a situation: the items and the row of a job, the row of the daemon (None: no daemon), the blockers.
SITUATIONS = {
    "nothing": ("qq", {}, {}, []),
    "nothing waits": ("rr", STARTED, {}, []),
    "done": ("ss", {"state": "succeeded", "finished_at": NOW}, None, []),
    "damaged": ("q", {"labels": "7"}, {}, ["DAMAGED"]),
    "damaged and done": ("s", {"state": "succeeded", "finished_at": NOW, "labels": "7"}, None, ["DAMAGED"]),
    "stopped": ("rq", STARTED | {"stop": "failures", "stop_reason": "too many"}, {}, ["STOPPED"]),
    "paused": ("qq", {"state": "paused", "paused_at": SUBMITTED_AT, "pause_reason": "lunch"}, {}, ["PAUSED"]),
    "paused, no daemon": ("q", {"state": "paused", "paused_at": SUBMITTED_AT}, None, ["PAUSED", "DAEMON_DOWN"]),
    "no daemon": ("qq", {}, None, ["DAEMON_DOWN"]),
    "started, no daemon": ("sq", STARTED, None, ["DAEMON_DOWN"]),
    "silent": ("qq", {}, {"heartbeat_at": NOW - 20 * SECOND}, ["DAEMON_SILENT"]),
    "stopping": ("rq", STARTED, {"state": "draining"}, ["DAEMON_STOPS"]),
    "for another job": ("q", {}, {"scope": "999"}, ["DAEMON_ELSEWHERE"]),
    "pressure": ("q", {}, {"pressure": "EMFILE: too many open files"}, ["PRESSURE"]),
    "disk, says the daemon": ("q", {}, {"pressure": f"{space.PAUSED}: 3 MiB free"}, ["DISK_FULL"]),
    "cluster away": ("q", {}, {"pressure": f"{AWAY}the scheduler cannot be reached"}, ["CLUSTER_AWAY"]),
    "queue paused": ("q", {"queue": "held"}, {}, ["QUEUE_PAUSED"]),
    "not before": ("q", {"not_before_at": NOW + 60 * SECOND}, {}, ["NOT_BEFORE"]),
    "after": ("q", {"after": [[1, "ok"], [2, "any"]]}, {}, ["AFTER", "AFTER"]),
    "never": ("q", {"after": [[3, "ok"]]}, {}, ["NEVER_STARTS"]),
    "no workers": ("q", {}, {"slots": 0, "cluster": ClusterWorkers("s")}, ["NO_WORKERS"]),
    "resources": (
        "q",
        policy(gpus=2),
        {"cluster": ClusterWorkers("s", (WorkersOffer(1, 4, ()),))},
        ["RESOURCES_MISSING"],
    ),
    "room": (
        "rq",
        STARTED | policy(gpus=1),
        {"cluster": ClusterWorkers("s", (WorkersOffer(1, 4, (("gpu", 1.0),)),))},
        ["NO_ROOM"],
    ),
    "rate": ("sq", STARTED | policy(rate="1/m") | {"tokens": 0.0, "tokens_at": NOW}, {}, ["RATE"]),
    "own slots": ("rq", STARTED | policy(slots=1), {}, ["OWN_SLOTS"]),
    "slots of the queue": ("rq", STARTED | {"queue": "one"}, {}, ["QUEUE_SLOTS"]),
    "slots": ("rq", STARTED, {"slots": 1}, ["SLOTS"]),
    "retry": ("ts", STARTED, {}, ["RETRY_WAIT"]),
    "retry, no daemon": ("ts", STARTED, None, ["DAEMON_DOWN", "RETRY_WAIT"]),
}


@pytest.fixture
def asked(store, home):
    """The job of a situation, its blockers, its status document and its explanation, all of one moment."""

    def ask(name):
        items, values, daemon, _ = SITUATIONS[name]
        store.database.execute("INSERT INTO queues (name, paused_at) VALUES ('held', ?)", (SUBMITTED_AT,))
        store.database.execute("INSERT INTO queues (name, slots) VALUES ('one', 1)")
        store.job("q", state="paused", paused_at=SUBMITTED_AT)
        store.job("q")
        store.job("f", state="failed", finished_at=NOW)
        job = store.job(items, **(policy(slots=4) | values))
        if daemon is None:
            return look(job)
        with held_lock(home) as pid:
            cluster = daemon.get("cluster")
            row = {name: value for name, value in daemon.items() if name != "cluster"}
            store.daemon(**({"pid": pid, "heartbeat_at": NOW} | row))
            if cluster is not None:
                daemon_rows._save_cluster(store.database, cluster)
            return look(job)

    def look(job):
        database = store.database
        with database.snapshot():
            found = blockers_of(situation_of(store_facts(database, home, NOW, "jobctl"), job_views.job(database, job)))
        return found, job_document(database, home, job, NOW), explain(database, home, Target(job), NOW)

    return ask


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_three_views_show_one_list(asked, name):
    found, document, explained = asked(name)
    assert [each.kind for each in found] == [KINDS[wanted] for wanted in SITUATIONS[name][3]]
    for held in explained["holds"]:
        assert (held["code"], held["message"], held["action"]) in [(b.kind.code, b.message, b.remedy) for b in found]
    if explained["holds"]:
        assert len(explained["holds"]) == len(found)
    noticed = [(b.kind.notice, b.message, b.remedy) for b in found if b.kind.notice]
    attention = [(each["code"], each["message"], each["action"]) for each in document["attention"]]
    assert attention == noticed
    assert explained["attention"] == document["attention"]
    assert explained["state_reason"] == document["state_reason"]
    if found and not document["counts"]["running"]:
        assert document["state_reason"].startswith(found[0].brief)


def test_every_kind_is_in_a_situation_or_needs_more_than_rows():
    """Rows of another job are in tests/engine/rounds/test_followed_rows.py, the blocker of an item is below."""
    shown = {wanted for *_, situation in SITUATIONS.values() for wanted in situation}
    assert set(KINDS) - shown == {"OPEN_ELSEWHERE", "ITEM_RETRY_WAIT"}


def test_a_blocker_has_its_facts(asked):
    (found,) = asked("retry")[0]
    assert found.until == SUBMITTED_AT + 90 * SECOND
    assert found.message == "1 item waits for another attempt, the next in 26s, at 2026-11-23T18:30:01.004Z"
    assert found.remedy == "jobctl items 4 --state retrying"


def test_the_blocker_of_an_item_is_its_reason(store, home):
    job = store.job("tq", **STARTED)
    waits, queued = (explain(store.database, home, Target(job, item), NOW) for item in (1, 2))
    assert [hold["code"] for hold in waits["holds"]] == ["daemon_down", "retry_wait"]
    assert waits["holds"][-1]["message"] == waits["item_reason"]
    assert waits["item_reason"].endswith("the next is due in 26s, at 2026-11-23T18:30:01.004Z")
    assert [hold["code"] for hold in queued["holds"]] == ["daemon_down"]


def test_a_full_disk_comes_before_the_daemon_that_it_stops(asked, monkeypatch):
    monkeypatch.setattr(space, "shortage", lambda *_: "3 MiB free")
    found, document, _ = asked("no daemon")
    assert [each.kind for each in found] == [blocker_kinds.DISK_FULL, blocker_kinds.DAEMON_DOWN]
    assert document["state_reason"].startswith("the disk is nearly full: 3 MiB free; ")


@pytest.mark.parametrize(
    ("name", "statements"), [("no daemon", 10), ("slots", 14), ("rate", 13), ("retry", 12), ("done", 9)]
)
def test_the_documents_need_few_statements(store, home, asked, name, statements):
    """Statements for a status, with those that only begin and end a snapshot; an explanation adds the journal alone."""
    asked(name)
    job = job_views.newest_job(store.database)
    seen = []
    store.database.connection.set_trace_callback(seen.append)
    job_document(store.database, home, job, NOW)
    assert len(seen) <= statements
    for_status = len(seen)
    explain(store.database, home, Target(job), NOW)
    assert len(seen) == 2 * for_status + 1


def test_a_list_reads_the_shared_facts_once(store, home, monkeypatch):
    looks = []
    monkeypatch.setattr(space, "shortage", lambda *_: looks.append(1) or "")
    for _ in range(5):
        store.job("rq", **STARTED)
    list_document(store.database, home, NOW)
    assert len(looks) == 1


# ---- the words ----


def _texts(path):
    """The constant texts of a module, f-strings in pieces; docstrings are left out, because no user sees them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


def _longest_piece(sentence):
    return max(re.split(r"\{\w+\}", sentence), key=len)


def test_each_sentence_is_written_once():
    said = [text for path in PACKAGE.rglob("*.py") if "documents" not in path.parts for text in _texts(path)]
    pieces = {piece for kind in KINDS.values() if len(piece := _longest_piece(kind.sentence)) > 15}
    assert len(pieces) >= 15
    texts = [text for kind in KINDS.values() for text in (kind.sentence, kind.brief)]
    own = {piece: sum(piece in text for text in texts) for piece in pieces}
    assert {piece: sum(piece in text for text in said) for piece in pieces} == own


def test_every_text_can_be_filled():
    for kind in KINDS.values():
        assert kind.sentence and not kind.sentence.endswith((".", " "))
        assert kind.notice == "" or kind.remedy, "a notice has a command to type"
        names = re.findall(r"\{(\w+)\}", kind.sentence + kind.brief + kind.remedy)
        assert all(one.isidentifier() for one in names)
    codes = [kind.code for kind in KINDS.values()]
    assert all(re.fullmatch("[a-z_]+", code) for code in codes)
    assert all(first is not second for first, second in pairwise(KINDS.values()))
