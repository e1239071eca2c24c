"""``jobctl cancel JOB`` with a selection, without a daemon: an engine is started for the job and carries it out."""

from __future__ import annotations

import pytest

from jobctl.services.control import targets
from tests.schemas import check

STATES = "SELECT group_concat(state, '') FROM (SELECT state FROM items WHERE job = ? ORDER BY item)"


@pytest.fixture
def job(store):
    """A job whose items have not run: four are queued, one waits for another attempt, one succeeded."""
    return store.job("qqqqts", state="paused", started_at=1, paused_at=2, attempts=2)


def states(store, job):
    """The states of the items, as numbers in a row."""
    return store.database.scalar(STATES, (job,))


@pytest.mark.parametrize(
    ("words", "after", "said"),
    [
        (("1", "--where", "id > 2"), "005543", "3 items cancelled: 1 failed, 2 unprocessed"),
        (("1", "--items", "2,4-"), "050543", "3 items cancelled: 1 failed, 2 unprocessed"),
        (("1", "--state", "queued"), "555523", "4 items cancelled: 4 unprocessed"),
        (("1", "--state", "retrying", "--where", "attempts == 1"), "000043", "1 item cancelled: 1 failed"),
        (("1.1-3", "--where", "id != 2"), "505023", "2 items cancelled: 2 unprocessed"),
    ],
)
def test_selected_items_end_and_the_job_stays(job, jobctl, store, words, after, said):
    done = jobctl("cancel", *words)
    assert (done.code, done.err.splitlines()[-1]) == (0, f"job 1: {said}")
    assert states(store, job) == after
    assert jobctl("status", "1").out.splitlines()[0].split()[-1] == "paused"


def test_the_document_has_the_states(job, jobctl):
    (block,) = check("cancel-1", jobctl("cancel", "1", "--where", "id > 2", "--json").document)["cancelled"]
    assert (block["item"], block["state"], block["cancelled"]) == (None, "paused", True)
    assert (block["items"]["selected"], block["items"]["unprocessed"], block["items"]["failed"]) == (3, 2, 1)


def test_the_reason_is_known_of_each_item(job, jobctl):
    assert jobctl("cancel", "1", "--items", "3", "--reason", "too large").code == 0
    assert "too large" in jobctl("explain", "1.3").out
    assert "1 item cancelled: too large" in jobctl("explain", "1").out


def test_a_range_of_any_length(job, jobctl, store, monkeypatch):
    monkeypatch.setattr(targets, "MAX_WRITTEN_OUT", 2)
    done = jobctl("cancel", "1.1-3")
    assert (done.code, states(store, job)) == (0, "555023")
    assert "job 1: 3 items cancelled: 3 unprocessed" in done.err


def test_a_selection_of_nothing_changes_nothing_and_says_why(job, jobctl, store):
    done = jobctl("cancel", "1", "--where", "id > 90")
    assert done.code == 0
    assert done.err.strip() == (
        "job 1: 5 of its 6 items are queued, running or retrying, none of them fit --where 'id > 90'"
    )
    assert states(store, job) == "000023"
    store.job("ss", state="succeeded", started_at=1, finished_at=2)
    assert jobctl("cancel", "2", "--items", "1").err.strip() == "job 2: it is done already (succeeded)"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("1", "--state", "failed"), "--state failed: cancel acts on items that are queued, running, retrying"),
        (("1", "--where", "ids > 1"), "'ids': there is no such column"),
        (("1.2", "--items", "3"), "1.N names items, and so does --items 3"),
        (("1", "1.2", "--where", "id > 1"), "a job and items of it cannot be cancelled together"),
        (("--where", "id > 1"), "--where selects items of a job, and JOB is missing"),
        (("1", "--name", "x*"), "JOB and --name at once"),
        (("1", "--state", "paused"), "there is no item state 'paused'"),
        ((), "cancel needs a JOB"),
    ],
)
def test_what_cannot_be_meant_is_refused(job, jobctl, store, words, message):
    done = jobctl("cancel", *words)
    assert done.code == 2
    assert message in done.err
    assert states(store, job) == "000023"
