"""What the campaign found, each as a test that needs no luck."""

import random
import time

import pytest

from jobctl.errors import NotFound
from jobctl.store.database import open_database, prepare_home
from tests.faults.rig import QUICK, Rig


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
    began = time.monotonic()
    rig.wait_done()
    assert time.monotonic() - began < 3, "it waited for the next heartbeat"


def test_a_job_that_comes_after_another_starts_when_that_one_ends(rig):
    rig.submit(4, mix=(("true", 1),))
    rig.submit(4, "--after", "1", mix=(("true", 1),))
    began = time.monotonic()
    rig.start()
    rig.wait_done()
    assert time.monotonic() - began < 4, "it waited for the next heartbeat"
