"""A job on a cluster that waits says for whom, wherever it is asked."""

from __future__ import annotations

import json

import pytest

from jobctl.domain.cluster_workers import AWAY, ClusterWorkers, WorkersOffer
from jobctl.domain.policy import Policy
from jobctl.render.daemon import lines
from jobctl.services.control.targets import Target
from jobctl.services.daemon.view import daemon_document
from jobctl.services.status.document import job_document
from jobctl.services.why.explain import explain
from jobctl.store import daemon, elsewhere
from tests.factories import SECOND, SUBMITTED_AT
from tests.locks import held_lock
from tests.schemas import check

NOW = SUBMITTED_AT + 64 * SECOND
WORKERS = (WorkersOffer(2, 2, ()), WorkersOffer(1, 2, (("gpu", 1.0), ("mem", 64.0))))

_FEW = "an item needs gpu=2, and of 3 workers the most that one has is gpu=1"


class Asked:
    """All that is said of a job while a daemon with these workers is up."""

    def __init__(self, store, home, cluster, pressure="", **policy):
        job = store.job("qqqq", policy=json.dumps(Policy(**policy).to_json()))
        with held_lock(home) as pid:
            slots = sum(offer.workers * offer.slots for offer in cluster.offers)
            store.daemon(pid=pid, heartbeat_at=NOW, slots=slots, pressure=pressure)
            daemon._save_cluster(store.database, cluster)
            elsewhere.remember(store.database, ("cluster.scheduler_file=/shared/sched.json",))
            self.status = check("status-1", job_document(store.database, home, job, NOW))
            self.explained = check("explain-1", explain(store.database, home, Target(job), NOW))
            self.daemon = daemon_document(store.database, home, NOW)
        self.reason = self.status["state_reason"]
        self.attention = {found["code"]: found for found in self.status["attention"]}
        self.holds = {hold["code"]: hold for hold in self.explained["holds"]}
        self.lines = "\n".join(lines(self.daemon, "jobctl"))


def test_no_worker_is_there(store, home):
    gone = ClusterWorkers("/shared/sched.json", (), left=3, last_host="node7", last_left_at=NOW - 90 * SECOND)
    asked = Asked(store, home, gone)
    assert asked.reason == "no worker is there; 3 have left, the last on node7 1m 30s ago; 4 items queued"
    join = "jobctl worker --scheduler-file /shared/sched.json"
    assert asked.attention["no_workers"]["action"] == asked.holds["no_workers"]["action"] == join
    assert list(asked.holds) == ["no_workers"]
    assert "cluster /shared/sched.json, 0 workers" in asked.lines
    assert "3 workers left, the last on node7" in asked.lines
    assert f"nothing runs: no worker is there; to start one: {join}" in asked.lines


@pytest.mark.parametrize(
    ("policy", "words", "wanted"),
    [
        (
            {"resources": (("gpu", 2.0),)},
            _FEW,
            "gpu=2",
        ),
        ({"gpus": 2}, _FEW, "gpu=2"),
        ({"resources": (("tpu", 1.0),)}, "an item needs tpu=1, and of 3 workers none has any tpu", "tpu=1"),
    ],
)
def test_no_worker_has_what_its_items_need(store, home, policy, words, wanted):
    asked = Asked(store, home, ClusterWorkers("s", WORKERS), **policy)
    assert asked.reason == f"{words}; 4 items queued"
    join = f"jobctl worker --scheduler-file /shared/sched.json --resources {wanted}"
    assert asked.attention["resources_missing"]["action"] == join
    assert asked.holds["resources_missing"]["message"] == words
    assert "cluster s, 3 workers with gpu=1,mem=64 together" in asked.lines
    assert asked.daemon["cluster"]["offers"][0] == {"workers": 2, "slots": 2, "resources": {}}


def test_not_all_of_it_in_one_place(store, home):
    apart = ClusterWorkers("s", (WorkersOffer(1, 1, (("gpu", 1.0),)), WorkersOffer(1, 1, (("mem", 8.0),))))
    asked = Asked(store, home, apart, resources=(("gpu", 1.0), ("mem", 8.0)))
    assert asked.reason.startswith("an item needs gpu=1,mem=8, and of 2 workers none has all of it")


def test_a_job_whose_resources_exist_waits_for_its_turn(store, home):
    asked = Asked(store, home, ClusterWorkers("s", WORKERS), gpus=1)
    assert asked.reason == "waits for its turn; 4 items queued"
    assert asked.attention == {}


def test_workers_that_are_not_used_say_why(store, home):
    asked = Asked(
        store, home, ClusterWorkers("s", (), unfit=("a worker on old has jobctl 0.0.1 instead of jobctl 0.1.0",))
    )
    assert "a worker on old has jobctl 0.0.1" in asked.reason
    assert "not used: a worker on old has jobctl 0.0.1 instead of jobctl 0.1.0" in asked.lines


def test_a_scheduler_that_is_away_is_not_a_problem_of_this_machine(store, home):
    asked = Asked(store, home, ClusterWorkers("s"), pressure=f"{AWAY}the scheduler cannot be reached")
    assert list(asked.attention) == ["cluster_away"]
    assert asked.attention["cluster_away"]["message"] == "the scheduler cannot be reached; jobctl keeps trying"
    assert asked.holds["cluster_away"]["message"] == "the scheduler cannot be reached; jobctl keeps trying"
    assert "no item starts: the scheduler cannot be reached" in asked.lines
    assert "machine" not in asked.lines


def test_workers_that_are_batch_jobs_are_not_started_by_hand(store):
    assert elsewhere.worker_command(("cluster.cluster=slurm", "cluster.workers=4")) == "jobctl daemon logs"
