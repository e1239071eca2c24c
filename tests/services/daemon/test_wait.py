"""Waiting for jobs: woken by the commit, not by a clock."""

from __future__ import annotations

import threading
import time

import pytest

from jobctl.errors import Exit, NotFound
from jobctl.services.daemon.changes import StoreWatch
from jobctl.services.daemon.wait import exit_code_of, wait
from jobctl.store.opening.open import open_database


def finish(home, job, state="succeeded"):
    """Finish a job from another connection, as the engine does."""
    database = open_database(home)
    with database.transaction():
        database.execute(
            "UPDATE jobs SET state = ?, finished_at = 9, queued = 0, succeeded = 1 WHERE id = ?", (state, job)
        )
    database.close()


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["succeeded"], Exit.OK),
        (["succeeded", "partial"], Exit.PARTIAL),
        (["partial", "cancelled"], Exit.CANCELLED),
        (["cancelled", "expired"], Exit.EXPIRED),
        (["expired", "failed", "partial"], Exit.FAILED),
        (["running"], Exit.OK),
    ],
)
def test_the_exit_code_is_that_of_the_worst(states, code):
    assert exit_code_of(states) == code


def test_a_job_that_is_done_is_reported_at_once(store, home):
    job = store.job("s", state="succeeded", finished_at=5)
    told = []
    assert wait(store.database, home, [job], None, lambda *done: told.append(done)) == {job: "succeeded"}
    assert told == [(job, "succeeded")]


def test_a_wait_ends_with_the_last_job(store, home):
    first, second = store.job("q"), store.job("q")
    told = []

    def done(job, state):
        told.append((job, state))
        if job == first:
            threading.Thread(target=finish, args=(home, second, "cancelled")).start()

    threading.Thread(target=finish, args=(home, first)).start()
    began = time.monotonic()
    states = wait(store.database, home, [first, second], 50, done)
    assert states == {first: "succeeded", second: "cancelled"}
    assert told == [(first, "succeeded"), (second, "cancelled")]
    assert time.monotonic() - began < 20  # woken, and not by the end of the time


def test_a_timeout_leaves_the_job_alone(store, home):
    job = store.job("q")
    assert wait(store.database, home, [job], 0.05, lambda *_: None) == {job: "queued"}
    assert wait(store.database, home, [job], 0, lambda *_: None) == {job: "queued"}


def test_a_job_that_is_removed_meanwhile(store, home):
    job = store.job("q")
    other = open_database(home)

    def remove():
        with other.transaction():
            other.execute("DELETE FROM jobs")

    with pytest.raises(NotFound, match=f"job {job} was removed"):
        remove()
        wait(store.database, home, [job], 50, lambda *_: None)


def test_a_commit_is_seen_although_its_event_comes_before_it(store, home):
    """The event is made when the log is written; what was written can be read only after it was flushed."""
    job = store.job("q")
    for _ in range(25):
        with StoreWatch(store.database, home) as watch:
            writer = threading.Thread(target=touch, args=(home, job))
            began = time.monotonic()
            writer.start()
            assert watch.wait(60)
            assert time.monotonic() - began < 30  # the event woke it, and not the end of the time
            writer.join()


def touch(home, job):
    database = open_database(home)
    with database.transaction():
        database.execute("UPDATE jobs SET priority = priority + 1 WHERE id = ?", (job,))
    database.close()


def test_own_writes_wake_no_watch(store, home):
    with StoreWatch(store.database, home) as watch:
        store.job("q")
        assert not watch.wait(0.05)


@pytest.mark.parametrize("again", [False, True])
def test_no_wait_for_a_store_that_was_removed(store, home, again):
    job = store.job("q")
    with StoreWatch(store.database, home) as watch:
        home.root.rename(home.root.with_name("away"))
        if again:
            open_database(home, create=True).close()
        with pytest.raises(NotFound, match="was removed, or another one put in its place"):
            watch.wait(None)
    with pytest.raises(NotFound):
        wait(store.database, home, [job], None, print)
