"""The outbox: one delivery per round and target, every attempt noted, nothing settled twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobctl.config import Home
from jobctl.domain.notify import DeliveryState, Reply, Verdict
from jobctl.store import outbox, sqlite
from jobctl.store.outbox import NewTarget, Sending
from jobctl.store.views import outbox as outbox_views
from tests.factories import SECOND, SUBMITTED_AT, JobMaker, enqueue_end, make_store

NOW = SUBMITTED_AT + 60 * SECOND
HOOK = NewTarget("webhook", "https://example.org/hook")
MAIL = NewTarget("command", "mail me")
RETRY = Verdict(DeliveryState.PENDING, NOW + 5 * SECOND, "HTTP 500")
OK = Verdict(DeliveryState.DELIVERED, None, "HTTP 200")
GONE = Verdict(DeliveryState.DISABLED, None, "HTTP 410")


@pytest.fixture
def maker(tmp_path: Path) -> JobMaker:
    return make_store(Home(tmp_path / "home"))


def finished_job(maker: JobMaker, *targets: NewTarget, states: str = "ssf", **values: object) -> int:
    row = {"state": "partial", "finished_at": NOW, "started_at": SUBMITTED_AT, "results": '{"dir": "/r/1"}'} | values
    job = maker.job(states, **row)
    with maker.database.transaction():
        outbox.add_targets(maker.database, job, targets)
    return job


def enqueue(maker: JobMaker, job: int) -> int:
    with maker.database.transaction():
        return enqueue_end(maker.database, job, NOW)


def begin(maker: JobMaker, now: int = NOW, limit: int = 9) -> list[Sending]:
    with maker.database.transaction():
        return outbox.begin_due(maker.database, now, limit)


def settle(maker: JobMaker, sending: Sending, verdict: Verdict, **reply: object) -> bool:
    with maker.database.transaction():
        return outbox.settle(maker.database, sending, Reply(**reply), verdict, NOW)  # type: ignore[arg-type]


def states(maker: JobMaker, job: int | None = None) -> list[str]:
    return [view.state for view in outbox_views.deliveries(maker.database, job)]


def test_a_job_without_targets_leaves_nothing(maker: JobMaker) -> None:
    assert enqueue(maker, finished_job(maker)) == 0
    assert states(maker) == []


def test_one_delivery_per_target_and_round_however_often_it_is_enqueued(maker: JobMaker) -> None:
    job = finished_job(maker, HOOK, MAIL)
    assert enqueue(maker, job) == 2
    assert enqueue(maker, job) == 0
    assert states(maker, job) == ["pending", "pending"]
    with maker.database.transaction():
        maker.database.execute("UPDATE jobs SET round = 2 WHERE id = ?", (job,))
    assert enqueue(maker, job) == 2
    ids = [view.id for view in outbox_views.deliveries(maker.database, job)]
    assert len(set(ids)) == 4
    assert all(one.startswith("msg_") for one in ids)


def test_a_transaction_that_fails_leaves_no_delivery(maker: JobMaker) -> None:
    job = finished_job(maker, HOOK)
    with pytest.raises(RuntimeError), maker.database.transaction():
        enqueue_end(maker.database, job, NOW)
        raise RuntimeError
    assert states(maker) == []


def test_the_body_is_made_of_the_row_as_it_is_in_the_same_transaction(maker: JobMaker) -> None:
    job = maker.job("ssf", name="nightly", key="k1")
    maker.failure(job, 1, message="boom", samples="[3]")
    maker.failure(job, 0, message="cured")
    with maker.database.transaction():
        outbox.add_targets(maker.database, job, [HOOK])
        maker.database.execute(
            "UPDATE jobs SET state = 'partial', finished_at = ?, results = '{\"dir\": \"/r/1\"}' WHERE id = ?",
            (NOW, job),
        )
        enqueue_end(maker.database, job, NOW)
    (sending,) = begin(maker)
    event = json.loads(sending.body)
    assert event["type"] == sending.event == "job.partial"
    data = event["data"]
    assert (data["id"], data["name"], data["key"], data["state"]) == (job, "nightly", "k1", "partial")
    assert [(g["message"], g["count"], g["sample_items"]) for g in data["failures"]["groups"]] == [("boom", 1, [3])]
    assert data["retry"] == {
        "available": True,
        "items": 1,
        "command": f"jobctl --home {maker.database.path.parent} retry {job}",
    }
    assert data["results"]["dir"] == "/r/1"


def test_a_job_that_must_run_nothing_twice_offers_unknown_items_only_by_name(maker: JobMaker) -> None:
    job = finished_job(maker, HOOK, states="sf", policy=json.dumps({"on_crash": "fail"}))
    maker.failure(job, 1, outcome="unknown")
    enqueue(maker, job)
    retry = json.loads(begin(maker)[0].body)["data"]["retry"]
    assert retry == {
        "available": True,
        "items": 1,
        "command": f"jobctl --home {maker.database.path.parent} retry {job} --unknown",
    }


def test_a_succeeded_job_offers_no_retry(maker: JobMaker) -> None:
    job = finished_job(maker, HOOK, states="ss", state="succeeded")
    enqueue(maker, job)
    assert json.loads(begin(maker)[0].body)["data"]["retry"] == {"available": False, "items": 0, "command": None}


def test_a_delivery_that_has_begun_does_not_begin_again_before_it_is_due(maker: JobMaker) -> None:
    enqueue(maker, finished_job(maker, HOOK))
    assert outbox.next_due(maker.database) == NOW
    (sending,) = begin(maker)
    assert (sending.attempt, sending.counted_attempts) == (1, 1)
    assert begin(maker) == []
    assert outbox.next_due(maker.database) is None
    assert settle(maker, sending, RETRY, status=500, duration_us=7)
    assert outbox.next_due(maker.database) == NOW + 5 * SECOND
    assert begin(maker, NOW + 5 * SECOND - 1) == []
    (second,) = begin(maker, NOW + 5 * SECOND)
    assert (second.delivery, second.body, second.attempt) == (sending.delivery, sending.body, 2)


def test_longest_overdue_first_and_no_more_than_asked_for(maker: JobMaker) -> None:
    first, second = finished_job(maker, HOOK), finished_job(maker, HOOK)
    with maker.database.transaction():
        enqueue_end(maker.database, second, NOW)
        enqueue_end(maker.database, first, NOW + 1)
    assert [s.job for s in begin(maker, NOW + 9, limit=1)] == [second]
    assert [s.job for s in begin(maker, NOW + 9, limit=1)] == [first]
    assert outbox.next_due(maker.database, first) is None


def test_every_try_is_recorded(maker: JobMaker) -> None:
    job = finished_job(maker, HOOK)
    enqueue(maker, job)
    settle(maker, begin(maker)[0], RETRY, status=500, duration_us=7, response="oh")
    settle(maker, begin(maker, NOW + 5 * SECOND)[0], OK, status=200, duration_us=8)
    (view,) = outbox_views.deliveries(maker.database, job)
    assert (view.state, view.attempts, view.next_at, view.settled_at, view.result) == (
        "delivered",
        2,
        None,
        NOW,
        "HTTP 200",
    )
    tries = outbox_views.delivery_attempts(maker.database, view.id)
    assert [(t.attempt, t.status, t.duration_us, t.response) for t in tries] == [(1, 500, 7, "oh"), (2, 200, 8, "")]


def test_a_try_is_settled_once_and_only_while_it_is_under_way(maker: JobMaker) -> None:
    enqueue(maker, finished_job(maker, HOOK))
    (sending,) = begin(maker)
    with maker.database.transaction():
        assert outbox.recover(maker.database, NOW + 1) == 1
    assert not settle(maker, sending, OK, status=200), "the reply of an engine that was given up for dead"
    (again,) = begin(maker, NOW + 1)
    assert settle(maker, again, OK, status=200)
    assert not settle(maker, again, RETRY, status=500)
    assert states(maker) == ["delivered"]


def test_recovery_repeats_attempts_that_were_cut_off_and_records_it(maker: JobMaker) -> None:
    job = finished_job(maker, HOOK, MAIL)
    enqueue(maker, job)
    cut, other = begin(maker)
    settle(maker, other, RETRY, status=500)
    with maker.database.transaction():
        assert outbox.recover(maker.database, NOW + SECOND) == 1
    assert outbox.next_due(maker.database) == NOW + SECOND
    (noted,) = outbox_views.delivery_attempts(maker.database, cut.delivery)
    assert noted.duration_us == SECOND
    assert "cut off" in noted.error


def test_a_target_that_is_gone_gets_no_more_notifications(maker: JobMaker) -> None:
    job = finished_job(maker, HOOK, MAIL)
    enqueue(maker, job)
    with maker.database.transaction():
        maker.database.execute("UPDATE jobs SET round = 2 WHERE id = ?", (job,))
        enqueue_end(maker.database, job, NOW + 1)
    hook = begin(maker, NOW, limit=1)[0]
    assert settle(maker, hook, GONE, status=410)
    with maker.database.transaction():
        maker.database.execute("UPDATE jobs SET round = 3 WHERE id = ?", (job,))
        enqueue_end(maker.database, job, NOW + 2)
    by_target: dict[str, list[str]] = {"webhook": [], "command": []}
    for view in outbox_views.deliveries(maker.database, job):
        by_target[view.kind].append(view.state)
    assert by_target == {"webhook": ["disabled"] * 3, "command": ["pending"] * 3}


@pytest.mark.parametrize("verdict", [OK, GONE, Verdict(DeliveryState.DEAD, None, "HTTP 400")])
def test_sent_again_with_the_same_id_on_a_new_schedule(maker: JobMaker, verdict: Verdict) -> None:
    job = finished_job(maker, HOOK)
    enqueue(maker, job)
    (first,) = begin(maker)
    settle(maker, first, verdict, status=1)
    with maker.database.transaction():
        outbox.send_again(maker.database, first.delivery, NOW + SECOND)
    (again,) = begin(maker, NOW + SECOND)
    assert (again.delivery, again.body, again.attempt, again.counted_attempts) == (first.delivery, first.body, 2, 1)
    assert settle(maker, again, OK, status=200)
    assert [t.status for t in outbox_views.delivery_attempts(maker.database, first.delivery)] == [1, 200]
    assert outbox_views.targets(maker.database, job)[0].disabled_at is None


def test_targets_show_the_newest_round(maker: JobMaker) -> None:
    job = finished_job(maker, HOOK, MAIL)
    assert [t.state for t in outbox_views.targets(maker.database, job)] == [None, None]
    enqueue(maker, job)
    for sending in begin(maker):
        settle(maker, sending, OK if sending.kind == "command" else RETRY, status=0)
    found = [(t.address, t.round, t.state, t.attempts, t.next_at) for t in outbox_views.targets(maker.database, job)]
    assert found == [
        ("https://example.org/hook", 1, "pending", 1, NOW + 5 * SECOND),
        ("mail me", 1, "delivered", 1, None),
    ]
    with maker.database.transaction():
        maker.database.execute("UPDATE jobs SET round = 2 WHERE id = ?", (job,))
        enqueue_end(maker.database, job, NOW)
    assert [(t.round, t.attempts) for t in outbox_views.targets(maker.database, job)] == [(2, 0), (2, 0)]


def test_found_by_the_beginning_of_its_id(maker: JobMaker) -> None:
    job = finished_job(maker, HOOK, MAIL)
    enqueue(maker, job)
    view = outbox_views.deliveries(maker.database, job)[0]
    assert [v.id for v in outbox_views.find(maker.database, view.id[:20])] == [view.id]
    assert len(outbox_views.find(maker.database, "msg_")) == 2
    assert outbox_views.find(maker.database, "msg_x") == []


def test_the_schema_refuses_impossible_rows(maker: JobMaker) -> None:
    job = finished_job(maker, HOOK)
    enqueue(maker, job)
    for change in ("state = 'lost'", "state = 'dead'", "round = NULL"):
        with pytest.raises(sqlite.IntegrityError), maker.database.transaction():
            maker.database.execute(f"UPDATE deliveries SET {change}")
    with pytest.raises(sqlite.IntegrityError), maker.database.transaction():
        outbox.add_targets(maker.database, job, [NewTarget("webhook", "https://x", "NAME", "/file")])


def test_a_message_calls_jobctl_so_that_it_finds_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOBCTL_HOME", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert outbox.program_for(tmp_path / "jobctl") == "jobctl"
    assert outbox.program_for(tmp_path / "a b") == f"jobctl --home '{tmp_path}/a b'"
    monkeypatch.setenv("JOBCTL_HOME", str(tmp_path / "other"))
    assert outbox.program_for(tmp_path / "other") == f"jobctl --home {tmp_path}/other"


@pytest.mark.parametrize("column", ["items", "attempts", "samples", "retryable", "message", "code", "outcome"])
def test_a_damaged_cause_does_not_keep_a_round_from_ending(maker: JobMaker, column: str) -> None:
    job = finished_job(maker, HOOK)
    maker.failure(job, 1, message="boom")
    maker.database.execute(f"UPDATE failures SET {column} = ? WHERE job = ?", ("zz", job))
    assert enqueue(maker, job) == 1
    assert json.loads(begin(maker)[0].body)["data"]["id"] == job


def test_a_damaged_manifest_does_not_keep_a_round_from_ending(maker: JobMaker) -> None:
    job = finished_job(maker, HOOK, results="{")
    assert enqueue(maker, job) == 1
    assert json.loads(begin(maker)[0].body)["data"]["results"]["dir"] is None
