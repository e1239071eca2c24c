"""The number of items of a new job that will run at once, and the limits below the slots that it asks for."""

import json

import pytest

from jobctl.domain.policy import Backoff, Policy
from jobctl.services.submit import forecast
from tests.locks import held_lock

NOW = 1_700_000_000_000_000
EIGHT = Policy(slots=8, timeout_s=10, attempts=1, grace_s=0, backoff=Backoff(base_s=0))
ITEMS = 80


def expected(home, policy=EIGHT, *, queue="default", planned=8, foreground=False):
    return forecast.expected(home, policy, queue, ITEMS, now=NOW, planned=lambda: planned, foreground=foreground)


@pytest.fixture
def daemon(home, store):
    """A daemon that is up, with what its row says."""
    with held_lock(home) as pid:
        yield lambda **values: store.daemon(pid=pid, heartbeat_at=NOW, **values)


def test_the_slots_of_the_daemon_that_is_up_count(home, daemon):
    daemon(slots=2)
    found = expected(home)
    assert "6m 40s for the job with 2 at once" in found.bounds
    assert found.fewer == "the daemon has 2 slots: at most 2 items of this job run at once, not 8"


def test_a_run_that_follows_a_daemon_has_the_slots_of_the_daemon(home, daemon):
    daemon(slots=1)
    found = expected(home, planned=8, foreground=True)
    assert "13m 20s for the job with 1 at once" in found.bounds
    assert found.fewer == "the daemon has 1 slot: at most 1 item of this job runs at once, not 8"


def test_a_job_that_asks_for_no_number_has_all_that_there_are(home, daemon):
    daemon(slots=4)
    found = expected(home, EIGHT.changed(slots=None))
    assert "3m 20s for the job with 4 at once" in found.bounds
    assert found.fewer == ""


def test_a_daemon_with_more_slots_is_not_mentioned(home, daemon):
    daemon(slots=64)
    found = expected(home)
    assert "1m 40s for the job with 8 at once" in found.bounds
    assert found.fewer == ""


def test_without_a_daemon_the_one_that_would_be_started_counts(home, store):
    found = expected(home, planned=2)
    assert "6m 40s for the job with 2 at once" in found.bounds
    assert found.fewer == (
        "a daemon started now has 2 slots: at most 2 items of this job run at once, not 8;"
        " for more: jobctl daemon start --slots 8"
    )
    assert "1m 40s for the job with 8 at once" in expected(home, planned=8, foreground=True).bounds
    assert "no limit for the job" in expected(home, planned=0).bounds  # the workers of a cluster that is not there


def test_a_store_that_does_not_exist_yet_is_not_an_obstacle(home):
    assert "2 at once" in expected(home, planned=2).bounds
    assert not home.root.exists()


def test_the_limits_of_the_queue_count(home, store):
    with store.database.transaction():
        store.database.execute("INSERT INTO queues (name, slots, rate) VALUES ('narrow', 3, '1/s')")
    found = expected(home, queue="narrow")
    assert "5m 50s for the job with 3 at once" in found.bounds  # 27 times 10 s, and 80 starts
    assert found.fewer == "queue 'narrow' has 3 slots: at most 3 items of this job run at once, not 8"


def test_the_workers_of_a_cluster_count(home, store, daemon):
    daemon(slots=6)
    cluster = {"place": "tcp://10.0.0.1:8786", "offers": [[3, 2, [["gpu", 1.0]]]], "left": 0}
    with store.database.transaction():
        store.database.execute("INSERT INTO meta (key, value) VALUES ('crew', ?)", (json.dumps(cluster),))
    found = expected(home)
    assert "with 6 at once" in found.bounds
    assert found.fewer == "the workers have 6 slots: at most 6 items of this job run at once, not 8"
    of_devices = expected(home, EIGHT.changed(gpus=1))
    assert "with 3 at once" in of_devices.bounds
    assert of_devices.fewer.startswith("the workers have room for 3 such items: at most 3 items of this job run")


def test_devices_of_an_unknown_number_are_not_a_bound(home, daemon):
    daemon(slots=8)
    assert "it is not known how many" in expected(home, EIGHT.changed(gpus=1)).bounds
