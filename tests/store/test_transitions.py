"""The transition table against the store: every verb on an item in every state does what the table says, or nothing."""

import pytest

from jobctl.config import Home
from jobctl.domain.endings import Ending
from jobctl.domain.ports import Finished
from jobctl.domain.states import TRANSITIONS, ItemState, Verb
from jobctl.store import items, jobs
from jobctl.store.items import Settlement, StaleAttempts
from jobctl.store.opening.open import open_database
from tests.factories import open_new

EPOCH = 7
NOW = 1_000_000


@pytest.fixture
def database(tmp_path):
    database = open_new(Home(tmp_path / "home"))
    yield database
    database.close()


def make_item(database, state, attempt=1):
    """A job of one item in the given state; a running one belongs to EPOCH."""
    counts = {s.word: int(s is state) for s in ItemState}
    terminal = counts["queued"] + counts["running"] + counts["retrying"] == 0
    job = jobs.insert(
        database,
        {
            "uid": f"uid-{state}", "name": "j", "queue": "default", "handler": "command", "command": ["true"],
            "cwd": "/", "umask": 18, "env": {}, "policy": {}, "input_path": "f", "input_format": "lines",
            "columns": [], "input_bytes": 1, "input_sha256": "", "fingerprint": "", "total": 1,
            "state": "failed" if terminal else "running", "finished_at": NOW if terminal else None,
            "submitted_at": NOW, "updated_at": NOW, "round_at": NOW, **counts,
        },
    )  # fmt: skip
    due = NOW if state is ItemState.RETRYING else None
    database.execute(
        "INSERT INTO items (job, item, state, attempt, epoch, due_at, payload) VALUES (?, 1, ?, ?, ?, ?, x'61')",
        (job, state, attempt, EPOCH, due),
    )
    return job


def finished(job, attempt=1):
    return Finished(job, 1, attempt, Ending.EXITED, 0, 1, NOW, 5, 0, 0, 1, 0, 0, 0, 0, 0, b"", b"")


def settle_as(state):
    def act(database, job):
        items.settle(database, job, EPOCH, [Settlement(1, 1, state, NOW if state == 2 else None, None, 0, 0)])

    return act


ACTIONS = {
    Verb.CLAIM: lambda db, job: items.claim(db, job, 1, 10, EPOCH) or items.claim_due(db, job, NOW, 10, EPOCH),
    Verb.SUCCEED: lambda db, job: items.succeed(db, job, EPOCH, [finished(job)]),
    Verb.RETRY_LATER: settle_as(ItemState.RETRYING),
    Verb.REQUEUE: settle_as(ItemState.QUEUED),
    Verb.RELEASE: lambda db, job: items.release(db, job, EPOCH, [(1, 1)]),
}


def state_of(database, job):
    return ItemState(database.scalar("SELECT state FROM items WHERE job = ?", (job,)))


@pytest.mark.parametrize("state", ItemState)
@pytest.mark.parametrize("verb", ACTIONS)
def test_every_verb_on_every_state(database, state, verb):
    job = make_item(database, state)
    try:
        ACTIONS[verb](database, job)
    except StaleAttempts:
        assert (state, verb) not in TRANSITIONS
    assert state_of(database, job) is TRANSITIONS.get((state, verb), state)


@pytest.mark.parametrize("state", ItemState)
def test_fail_from_running_by_outcome(database, state):
    job = make_item(database, state)
    if state is ItemState.RUNNING:
        settle_as(ItemState.FAILED)(database, job)
        assert state_of(database, job) is ItemState.FAILED
    else:
        with pytest.raises(StaleAttempts):
            settle_as(ItemState.FAILED)(database, job)
        assert state_of(database, job) is state


@pytest.mark.parametrize("state", ItemState)
@pytest.mark.parametrize("attempt", [0, 1])
def test_stopping_a_job_drops_items_that_never_ran_and_fails_the_others(database, state, attempt):
    job = make_item(database, state, attempt)
    items.drop_queued(database, job, 1, 1)
    items.fail_waiting(database, job, 1, 1)
    expected = state
    if state is ItemState.QUEUED:
        expected = ItemState.FAILED if attempt else ItemState.UNPROCESSED
    elif state is ItemState.RETRYING and attempt:
        expected = ItemState.FAILED
    assert state_of(database, job) is expected


@pytest.mark.parametrize("field", ["attempt", "epoch"])
def test_an_outcome_is_written_only_by_the_holder_of_the_attempt(database, field):
    job = make_item(database, ItemState.RUNNING)
    database.execute(f"UPDATE items SET {field} = {field} + 1")
    with pytest.raises(StaleAttempts):
        items.succeed(database, job, EPOCH, [finished(job)])
    with pytest.raises(StaleAttempts):
        settle_as(ItemState.FAILED)(database, job)
    assert items.release(database, job, EPOCH, [(1, 1)]) == []
    assert state_of(database, job) is ItemState.RUNNING


def test_two_connections_never_claim_the_same_item(tmp_path):
    home = Home(tmp_path / "home")
    first = open_database(home, create=True)
    second = open_database(home)
    job = make_item(first, ItemState.QUEUED, 0)
    items.enqueue(first, job, 2, [b"x"] * 99)
    claimed = []
    for turn in range(20):
        database = (first, second)[turn % 2]
        with database.transaction():
            claimed += [c[0] for c in items.claim(database, job, 1, 7, EPOCH)]
    assert sorted(claimed) == list(range(1, 101))
    first.close()
    second.close()


def test_release_gives_the_attempt_number_back(database):
    job = make_item(database, ItemState.RUNNING, 1)
    assert items.release(database, job, EPOCH, [(1, 1)]) == [(1, 0)]
    assert items.claim(database, job, 1, 1, EPOCH)[0][1] == 1
