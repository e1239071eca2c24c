"""Items that a cluster may still run do not run a second time under an engine in another place."""

from contextlib import suppress

import pytest

from jobctl.engine.attempts.recovery import ClusterChoice
from jobctl.engine.writing import Writer
from jobctl.store import elsewhere
from jobctl.store.elsewhere import Elsewhere
from tests.engine.bench import Bench
from tests.executors.fake import FakeExecutor, Play

CLUSTER = ("cluster.scheduler=tcp://127.0.0.1:8786", "cluster.insecure=1")


def on(bench, identity, place):
    """From now on engines are of this place, and their executor holds nothing."""
    bench.executor = FakeExecutor(lambda _: Play(hold=True), clock=lambda: bench.now)
    bench.executor.identity = identity
    bench.options = type(bench.options)(slots=2, cluster=place)


@pytest.fixture
def bench(tmp_path):
    """Two items run on a cluster, whose daemon was killed."""
    bench = Bench(tmp_path)
    on(bench, "fence", ClusterChoice(CLUSTER))
    bench.submit(rows=3)
    bench.tick(3)
    assert bench.states(1) == "rrq"
    return bench


def rows_and_facts(bench):
    """The items and what the store knows of itself, without when an engine last looked at a clock."""
    facts = bench.database.execute("SELECT * FROM meta WHERE key NOT IN ('clock', 'down_since')").fetchall()
    return bench.database.execute("SELECT * FROM items").fetchall(), facts


def endings(bench):
    return bench.database.execute("SELECT item, ending FROM attempts WHERE ending IS NOT NULL ORDER BY item").fetchall()


@pytest.mark.parametrize("place", [ClusterChoice(), ClusterChoice(("cluster.scheduler=tcp://node9:8786",))])
def test_a_start_elsewhere_is_refused_and_changes_nothing(bench, place):
    before = rows_and_facts(bench)
    on(bench, "", place)
    with pytest.raises(Elsewhere, match=r"2 items .*127\.0\.0\.1:8786") as refused:
        bench.start()
    assert refused.value.exit_code == 75
    assert "jobctl daemon start --executor dask --scheduler tcp://127.0.0.1:8786 --insecure" in refused.value.hint
    assert rows_and_facts(bench) == before
    assert not bench.executor.collect(0)


def test_a_cluster_that_is_forgotten_leaves_its_items_interrupted(bench):
    on(bench, "", ClusterChoice(forgets_others=True))
    bench.start()
    assert endings(bench) == [(1, 4), (2, 4)]
    assert elsewhere.last_cluster(bench.database) == ()
    on(bench, "", ClusterChoice())
    bench.start()  # and it is not asked for again


def test_another_scheduler_at_the_same_address_is_the_same_cluster(bench):
    on(bench, "another fence", ClusterChoice(CLUSTER[:1]))
    bench.start()
    assert endings(bench) == [(1, 4), (2, 4)]


def test_the_same_scheduler_by_another_name_takes_its_items_up_again(bench):
    held = bench.executor
    bench.options = type(bench.options)(slots=2, cluster=ClusterChoice(("cluster.scheduler_file=/shared/sched.json",)))
    bench.start()
    assert bench.executor is held
    assert endings(bench) == []
    assert elsewhere.command(elsewhere.last_cluster(bench.database)).endswith("--scheduler-file /shared/sched.json")


def test_with_nothing_running_any_place_will_do(bench):
    with bench.database.transaction():
        bench.database.execute("UPDATE items SET state = 0 WHERE state = 1")
    elsewhere.check(bench.database)


def test_items_that_ran_here_are_interrupted_although_the_first_engine_on_the_cluster_dies(tmp_path, monkeypatch):
    bench = Bench(tmp_path)
    on(bench, "", ClusterChoice())
    bench.submit(rows=3)
    bench.tick(3)
    assert bench.states(1) == "rrq"
    on(bench, "fence", ClusterChoice(CLUSTER))
    with monkeypatch.context() as cut, suppress(KeyboardInterrupt):
        cut.setattr(Writer, "refresh", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        bench.start(fresh=False)
    assert endings(bench) == [], "it died between its first commit and its second"
    bench.start(fresh=False)
    assert endings(bench) == [(1, 4), (2, 4)]
    bench.tick(3)
    bench.start(fresh=False)
    assert endings(bench) == [(1, 4), (2, 4)], "and what its successor started on the cluster is its own"
