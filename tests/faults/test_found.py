"""The faults that the campaign found, each as a test that does not depend on chance."""

import random

import pytest

from jobctl.engine.housekeeping import HEARTBEAT_US
from jobctl.errors import NotFound
from jobctl.store.opening.folder import prepare_home
from jobctl.store.opening.open import open_database
from tests.faults.check import violations
from tests.faults.recovery import interrupted_queue
from tests.faults.rig import QUICK, SLOTS, Rig, kill
from tests.stages import few
from tests.wait import wait_until


@pytest.fixture
def rig():
    made = Rig(random.Random(0))
    yield made
    made.close()


def test_a_first_submit_killed_before_its_schema_leaves_a_store_without_jobs(rig):
    prepare_home(rig.home)
    rig.home.database.touch(0o600)
    with pytest.raises(NotFound):
        open_database(rig.home)
    assert rig.jobctl("status").returncode == 0
    rig.submit(3, mix=QUICK)


def test_a_job_without_live_items_is_closed_at_once_by_the_next_engine(rig):
    rig.submit(4, mix=QUICK)
    database = open_database(rig.home)
    with database.transaction():
        database.execute("UPDATE items SET state = 5")
        database.execute("UPDATE jobs SET queued = 0, unprocessed = total, stop = 'cancel'")
    database.close()
    rig.start()
    rig.wait_done()
    ((waited,),) = rig.rows("SELECT jobs.finished_at - daemon.started_at FROM jobs, daemon")
    assert waited < HEARTBEAT_US * 0.9, "it waited for the next heartbeat"


def test_a_job_that_comes_after_another_starts_when_that_one_ends(rig):
    rig.submit(4, mix=(("true", 1),))
    rig.submit(4, "--after", "1", mix=(("true", 1),))
    rig.start()
    rig.wait_done()
    ((waited,),) = rig.rows("SELECT max(finished_at) - min(finished_at) FROM jobs")
    assert waited < HEARTBEAT_US * 0.9, "it waited for the next heartbeat"


def test_unstarted_items_lose_no_attempt_when_the_supervisor_dies(rig):
    """Short items are handed over ahead of their slots; five deaths must not exhaust those that only waited."""
    rig.submit(900, mix=(("true", 1),))
    for _ in range(5):
        before = rig.finished()
        supervisor = rig.start()
        wait_until(lambda before=before: rig.finished() > before + 30, 60, "some items to end")
        kill(supervisor)
    rig.start()
    rig.wait_done()
    assert violations(rig) == []
    begun = {(seen.item, seen.attempt) for seen in rig.witness() if seen.word == "start"}
    interrupted = set(rig.rows("SELECT item, attempt FROM attempts WHERE ending = 4"))
    assert len(interrupted - begun) <= 5 * SLOTS, "more than what could be on its way to its first line"
    assert rig.rows("SELECT count(*) FROM items WHERE state = 3") == [(900,)]


@pytest.mark.parametrize("victim", few(["engine", "both", "all"], ["engine"]))
def test_status_is_right_at_every_moment_of_a_recovery(rig, victim):
    """Status must not say that all is well before the next engine comes."""
    _, watch = interrupted_queue(rig, queued=200, in_flight=8, victim=victim)
    assert watch.complaints(victim) == []
    rig.jobctl("cancel", "1", "--now")
    rig.wait_done()
    assert violations(rig) == []
