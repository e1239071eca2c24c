"""Items that need more than a slot hold no slot that others could use."""

from __future__ import annotations

from jobctl.domain.cluster_workers import ClusterWorkers, WorkersOffer, needs_of, offers_of, room_for
from jobctl.domain.policy import Policy
from jobctl.store import daemon
from tests.engine.bench import Bench
from tests.executors.fake import Play

PLAIN = WorkersOffer(2, 2, ())
GPU = WorkersOffer(1, 2, (("gpu", 1.0), ("mem", 64.0)))


def held(_dispatch):
    return Play(hold=True)


def in_hand(bench, job):
    return bench.states(job).count("r")


def test_how_many_fit():
    offers = (PLAIN, GPU)
    assert room_for((), offers) == 6
    assert room_for((("gpu", 1.0),), offers) == 1
    assert room_for((("mem", 16.0),), offers) == 2, "no more than there are slots"
    assert room_for((("gpu", 2.0),), offers) == 0
    assert room_for((("licence", 1.0),), offers) == 0
    assert needs_of((("mem", 8.0), ("gpu", 1.0)), gpus=2) == (("gpu", 2.0), ("mem", 8.0))


def test_workers_with_equal_offers_are_listed_together():
    workers = [(2, {}), (2, {"mem": 64, "gpu": 1}), (2, {})]
    assert offers_of(workers) == (PLAIN, GPU)
    cluster = ClusterWorkers("sched.json", (PLAIN, GPU), left=1, last_host="a", last_left_at=7, unfit=("old",))
    assert ClusterWorkers.from_json(cluster.to_json() | {"later": 1}) == cluster
    assert (cluster.workers, cluster.total) == (3, {"gpu": 1, "mem": 64})


def test_items_that_need_more_than_any_worker_has_are_not_claimed(tmp_path):
    bench = Bench(tmp_path, slots=0, elastic=True)
    first = bench.submit(rows=20, policy=Policy(resources=(("gpu", 1.0),)))
    second = bench.submit(rows=20)
    bench.start()
    bench.executor.workers_seen(PLAIN)
    for _ in range(50):
        bench.tick()
    assert bench.states(first) == "q" * 20
    assert bench.states(second) == "s" * 20
    bench.executor.workers_seen(PLAIN, GPU)
    bench.work_off()
    assert bench.states(first) == "s" * 20, "a worker that comes later"


def test_jobs_that_need_the_same_hold_no_more_slots_than_there_is_of_it(tmp_path):
    bench = Bench(tmp_path, held, slots=0, elastic=True)
    needy = [bench.submit(rows=5, policy=Policy(gpus=1)) for _ in range(4)]
    other = bench.submit(rows=9)
    bench.start()
    bench.executor.workers_seen(PLAIN, GPU)
    bench.tick(10)
    assert sum(in_hand(bench, job) for job in needy) == 1
    assert in_hand(bench, other) == 5


def test_devices_of_this_machine_are_counted_too(tmp_path):
    bench = Bench(tmp_path, held, slots=4, devices=1)
    first = bench.submit(rows=5, policy=Policy(gpus=1))
    other = bench.submit(rows=9)
    bench.tick(10)
    assert (in_hand(bench, first), in_hand(bench, other)) == (1, 3)


def test_more_devices_than_this_machine_has_are_asked_for_and_fail(tmp_path):
    bench = Bench(tmp_path, lambda _: Play(code=1), slots=4, devices=1)
    job = bench.submit(rows=5, policy=Policy(gpus=2, attempts=1, resources=(("licence", 1.0),)))
    bench.work_off()
    assert bench.states(job) == "fffff"


def test_the_known_workers_are_kept_for_every_reader(tmp_path):
    bench = Bench(tmp_path, slots=0, elastic=True)
    bench.start()
    bench.executor.workers_seen(PLAIN, GPU)
    bench.tick()
    assert daemon.load_cluster(bench.database) == ClusterWorkers("fake", (PLAIN, GPU))
    again = Bench(tmp_path, slots=1)
    again.tick()
    assert daemon.load_cluster(again.database) is None, "this daemon has no cluster"
