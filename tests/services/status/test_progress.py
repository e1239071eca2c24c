"""When a job will be done: what is counted in, and when nothing is said because it would be a guess."""

from __future__ import annotations

import json

import pytest

from jobctl.domain.policy import Policy
from jobctl.services.status.document import job_document
from tests.factories import SECOND, SUBMITTED_AT
from tests.locks import held_lock

NOW = SUBMITTED_AT + 100 * SECOND
RUNNING = {
    "state": "running",
    "started_at": SUBMITTED_AT,
    "updated_at": NOW - SECOND,
    "rate_per_s": 5.0,
    "mean_us": 400_000.0,
}


@pytest.fixture
def eta(store, home):
    """The estimate for a job with these counts and values, with a daemon up."""

    def ask(counts, daemon=None, **values):
        job = store.counted_job(counts, **(RUNNING | values))
        with held_lock(home) as pid:
            store.daemon(**({"pid": pid, "heartbeat_at": NOW} | (daemon or {})))
            return job_document(store.database, home, job, NOW)["progress"]["eta_s"]

    return ask


def test_everything_that_is_left_counts(eta):
    assert eta({"queued": 300, "running": 4, "succeeded": 500}) == pytest.approx(304 / 5, abs=0.1)
    assert eta({"queued": 290, "running": 4, "retrying": 10, "succeeded": 500}) == pytest.approx(304 / 5, abs=0.1)


def test_no_end_before_the_last_retry(store, home, eta):
    job = store.job("t" + "s" * 40, **RUNNING)  # due 90 s after the submit
    later = SUBMITTED_AT + 50 * SECOND
    with held_lock(home) as pid:
        store.daemon(pid=pid, heartbeat_at=later)
        document = job_document(store.database, home, job, later)
    assert document["progress"]["eta_s"] == pytest.approx(40 + 0.4, abs=0.1)
    assert document["progress"]["eta_at"] == "2026-11-23T18:30:01.404Z"


@pytest.mark.parametrize(
    ("values", "daemon"),
    [
        pytest.param({"updated_at": NOW - 31 * SECOND}, {}, id="nothing has happened for long"),
        pytest.param({"round": 2, "active_us": 95 * SECOND, "started_at": NOW - 4 * SECOND}, {}, id="new round"),
        pytest.param({"round": 2, "rate_per_s": 0.1}, {}, id="few items in this round"),
        pytest.param({}, {"pressure": "paused: disk: 3 MiB free"}, id="nothing may start"),
        pytest.param({}, {"state": "draining"}, id="the daemon stops"),
        pytest.param({}, {"scope": "999"}, id="the daemon works for another job"),
        pytest.param({"paused_at": NOW, "state": "paused"}, {}, id="paused"),
    ],
)
def test_a_guess_is_not_shown(eta, values, daemon):
    assert eta({"queued": 300, "succeeded": 500}, daemon, **values) is None


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"updated_at": NOW - 31 * SECOND, "mean_us": 60e6, "rate_per_s": 1 / 30}, id="slow items"),
        pytest.param({"round": 2, "active_us": 20 * SECOND}, id="another round that is well on its way"),
    ],
)
def test_an_estimate_is_shown_only_if_it_is_not_a_guess(eta, values):
    assert eta({"queued": 300, "succeeded": 500}, **values) is not None


def test_of_few_items_a_quarter_tells(store, eta):
    few = json.dumps(Policy(slots=3).to_json())
    assert eta({"queued": 5, "running": 3, "succeeded": 3}, policy=few, rate_per_s=0.1) == pytest.approx(80)
    assert eta({"queued": 6, "running": 3, "succeeded": 2}, policy=few, rate_per_s=0.1) is None
    assert eta({"queued": 1, "running": 0, "succeeded": 2}, policy=few, rate_per_s=0.1) is None
    many = json.dumps(Policy(slots=8).to_json())
    assert eta({"queued": 10, "running": 3, "succeeded": 7}, policy=many, rate_per_s=0.1) is not None
    assert eta({"queued": 1000, "running": 3, "succeeded": 19}, policy=few, rate_per_s=0.1) is None


def test_no_end_before_a_rate_lets_the_last_one_start(eta):
    policy = json.dumps(Policy(rate="1/s").to_json())
    assert eta({"queued": 300, "succeeded": 500}, policy=policy) == pytest.approx(300)


def test_a_paused_queue_has_no_end(store, eta):
    store.database.execute("INSERT INTO queues (name, paused_at) VALUES ('q', ?)", (NOW,))
    assert eta({"queued": 300, "succeeded": 500}, queue="q") is None
    assert eta({"queued": 300, "succeeded": 500}, queue="other") == pytest.approx(60)
