"""Durations and throughput in the status document: what was kept, at a cost that does not grow with the job."""

import pytest

from jobctl.services.status.document import job_document, list_document
from jobctl.store import figures
from jobctl.store.pruning import candidates, remove_job
from tests.factories import SECOND, SUBMITTED_AT
from tests.figures import some_course, some_durations

BEGAN = SUBMITTED_AT + SECOND
NOW = BEGAN + 100 * SECOND


@pytest.fixture
def job(store):
    """A running job whose items came through in its first twenty seconds, the failed ones last."""
    number = store.job("s" * 30 + "f" * 10 + "q", state="running", started_at=BEGAN, attempts=40)
    with store.database.transaction():
        figures.save(store.database, number, some_durations(40), some_course(30, 10, at=BEGAN))
    return number


def test_durations_are_those_of_the_attempts(store, home, job):
    durations = job_document(store.database, home, job, NOW)["durations"]
    exact = sorted(0.25 * 1.1 ** (n % 30) for n in range(40))
    assert durations["attempts"] == 40
    assert durations["p50_s"] == pytest.approx(exact[19], rel=0.025)
    assert durations["p95_s"] == pytest.approx(exact[37], rel=0.025)
    assert durations["max_s"] == pytest.approx(exact[-1], rel=0.001)
    assert durations["mean_s"] == pytest.approx(sum(exact) / 40, rel=0.001)


def test_throughput_extends_to_this_moment_so_that_a_standstill_is_visible(store, home, job):
    found = job_document(store.database, home, job, NOW)["throughput"]
    assert (sum(found["succeeded"]), sum(found["failed"])) == (30, 10)
    assert (found["round"], found["from_at"]) == (1, "2026-11-23T18:28:32.004Z")
    assert found["until_at"] == "2026-11-23T18:30:12.004Z"
    assert len(found["failed"]) == len(found["succeeded"]) == int(100 / found["bucket_s"]) + 1
    busy = int(20 / found["bucket_s"])
    assert not any(found["succeeded"][busy:])
    assert not any(found["failed"][busy:])
    assert found == job_document(store.database, home, job, NOW)["throughput"]  # reading changes nothing


def test_of_a_finished_job_it_goes_to_its_end(store, home, job):
    store.database.execute(
        "UPDATE jobs SET state = 'partial', finished_at = ?, queued = 0, unprocessed = 1", (BEGAN + 20 * SECOND,)
    )
    assert job_document(store.database, home, job, NOW)["throughput"]["until_at"] == "2026-11-23T18:28:52.004Z"


def test_another_round_has_no_throughput_yet_and_keeps_the_durations(store, home, job):
    store.database.execute("UPDATE jobs SET round = 2")
    document = job_document(store.database, home, job, NOW)
    assert document["throughput"] is None
    assert document["durations"]["attempts"] == 40


def test_a_job_that_has_not_begun_has_neither(store, home):
    document = job_document(store.database, home, store.job("qq"), NOW)
    assert document["throughput"] is None
    assert document["durations"] == {
        "attempts": 0,
        "p50_s": None,
        "p95_s": None,
        "max_s": None,
        "mean_s": None,
        "slowest": [],
    }


def test_a_list_has_durations_but_not_hundreds_of_numbers(store, home, job):
    (document,) = list_document(store.database, home, NOW)["jobs"]
    assert document["job"] == job
    assert document["throughput"] is None
    assert document["durations"]["attempts"] == 40


def test_they_go_with_their_job(store, job):
    store.database.execute("UPDATE jobs SET state = 'partial', finished_at = ?, queued = 0, unprocessed = 1", (NOW,))
    with store.database.transaction():
        remove_job(store.database, candidates(store.database, NOW)[0], NOW)
    assert store.database.scalar("SELECT count(*) FROM figures") == 0


def test_running_items_are_shown_with_their_rows_and_long_rows_are_cut(store, home):
    running = store.job("rr", state="running", started_at=NOW)
    with store.database.transaction():
        store.database.execute(
            "UPDATE items SET payload = ? WHERE job = ? AND item = 2", ("ü".encode() * 5_000, running)
        )
    first, second = job_document(store.database, home, running, NOW)["running"]
    assert first["row_text"] == "1, https://example.org/1"
    assert second["row_text"] == "ü" * 100
