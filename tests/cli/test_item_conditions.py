"""The options that select items: the same for every command, and what is said about those that select nothing."""

from __future__ import annotations

import json

import pytest

from tests.factories import SECOND


@pytest.fixture
def job(store):
    """A job: two succeeded, two failed with exit 22, one timed out, one never ran. Its rows have a size."""
    number = store.job("ssfffu", state="partial", started_at=1, finished_at=2, columns=json.dumps(["id", "size"]))
    for item in range(1, 7):
        store.database.execute(
            "UPDATE items SET payload = ? WHERE job = ? AND item = ?", (f"{item}\0{item * 10}".encode(), number, item)
        )
    store.attempt(number, 5, ending=2, code=15, message="stopped", duration_us=90 * SECOND)
    store.failure(number, 2, samples="[3, 4]")
    store.failure(number, 1, code="timeout", message="stopped", outcome="unknown", samples="[5]")
    return number


def listed(jobctl, *words):
    done = jobctl("items", "1", *words)
    assert done.code == 0, done.err
    return [int(line.split("\t")[0]) for line in done.out.splitlines()[1:]]


@pytest.mark.parametrize(
    ("words", "items"),
    [
        ((), [1, 2, 3, 4, 5, 6]),
        (("--state", "failed,unprocessed"), [3, 4, 5, 6]),
        (("-s", "failed", "--state", "succeeded", "--items", "2-3"), [2, 3]),
        (("--failed",), [3, 4, 5]),
        (("--failed", "--items", "5-"), [5]),
        (("--cause", "exit_22"), [3, 4]),
        (("--cause", "exit_22,timeout", "--items", "4-"), [4, 5]),
        (("--cause", "exit_22:1"), [3, 4]),
        (("--cause", "timeout", "--state", "unprocessed"), [5, 6]),
        (("--where", "size > 20 and size < 60"), [3, 4, 5]),
        (("--where", "size > 20 and duration > 60 and cause == 'timeout'"), [5]),
        (("--where", "duration > '1m' or attempts == 0"), [5, 6]),
        (("--where", "state == 'failed'", "--cause", "exit_22", "--items", "1,3"), [3]),
    ],
)
def test_items_lists_what_is_selected(job, jobctl, words, items):
    assert listed(jobctl, *words) == items
    document = jobctl("items", "1", "--json", *words).document
    assert [item["item"] for item in document["items"]] == items


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("--state", "lost"), "no item state 'lost'", "queued, running"),
        (("--cause", "timout"), "--cause: there is no cause 'timout'", "did you mean timeout?"),
        (("--cause", "timeout", "--state", "succeeded"), "items that are succeeded have no cause", "leave out --state"),
        (("--items", "5-1"), "--items: the range 5-1 runs backwards", "write 1-5"),
        (("--items", "0"), "--items: the first item is number 1", "for example --items 1-100"),
        (("--items", "x"), "--items: 'x' is neither", "for example --items 1-100"),
        (("--where", "size ="), "= is not a comparison", "write == for equal"),
        (("--where", "sice > 1"), "'sice': there is no such column", "did you mean size?"),
        (("--where", "duration > 'x'"), "'x' is not a duration", "write it like"),
        (("--items", "1", "--items", "2"), "--items is given more than once", "leave out"),
    ],
)
def test_a_selection_that_means_nothing_is_refused(job, jobctl, words, message, hint):
    done = jobctl("items", "1", *words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert hint in done.err


def test_items_are_named_once(job, jobctl):
    done = jobctl("items", "1.2", "--items", "3")
    assert done.code == 2
    assert "1.2 names items, and so does --items 3" in done.err


@pytest.mark.parametrize(
    ("words", "note"),
    [
        (("--state", "running"), "job 1: none of its 6 items are running"),
        (("--cause", "exit_7"), "job 1: none of its 6 items have the cause exit_7"),
        (
            ("--items", "2-4", "--state", "failed", "--cause", "timeout"),
            "job 1: 3 of its 6 items have the numbers 2-4, 2 of them are failed, none of them have the cause timeout",
        ),
        (("--where", "size > 99"), "job 1: none of its 6 items fit --where 'size > 99'"),
        (("--items", "90-"), "job 1: none of its 6 items have the numbers 90-"),
    ],
)
def test_a_selection_of_nothing_says_which_part_left_nothing(job, jobctl, words, note):
    done = jobctl("items", "1", *words)
    assert done.code == 0
    assert len(done.out.splitlines()) == 1
    assert done.err.strip() == note
    assert jobctl("-q", "items", "1", *words).err == ""


def test_retry_takes_the_same_selection(job, jobctl, store):
    done = jobctl("retry", "1", "--where", "duration > 60 or size == 30", "--items", "1-5")
    assert done.code == 0, done.err
    assert "job 1: round 2, 2 items queued again" in done.err
    states = store.database.execute("SELECT state FROM items WHERE job = 1 ORDER BY item").fetchall()
    assert [state for (state,) in states] == [3, 3, 0, 4, 0, 5]
    reason = store.database.scalar("SELECT reason FROM journal WHERE event = 'retried' OR event = 'retry'")
    assert reason == "items 1-5, where duration > 60 or size == 30"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--state", "succeeded"), "--state succeeded: retry acts on items that are failed, unprocessed"),
        (("--state", "failed", "--cause", "exit_9"), "has no failure 'exit_9'"),
        (("--where", "size > 1000"), "4 of its 6 items are failed or unprocessed, none of them fit --where"),
        (("--items", "1-2"), "4 of its 6 items are failed or unprocessed, none of them have the numbers 1-2"),
        (("--code", "tiemout"), "there is no cause 'tiemout'"),
    ],
)
def test_retry_refuses_what_it_cannot_run(job, jobctl, words, message):
    done = jobctl("retry", "1", *words)
    assert done.code == 2
    assert message in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("results", "1", "--state", "running"), "--state running: results acts on items that are succeeded, failed"),
        (("results", "1", "--failed", "--where", "sice > 1", "-o", "-"), "'sice': there is no such column"),
        (("export", "1", "--joblog", "--state", "unprocessed"), "export acts on items"),
        (("export", "1", "--joblog", "--where", "sice > 1"), "'sice': there is no such column"),
    ],
)
def test_results_and_export_refuse_what_they_do_not_have(job, jobctl, home, store, words, message):
    folder = home.job_results(1)
    folder.mkdir(parents=True)
    (folder / "failed.csv").write_text("id,size,jobctl_item\n")
    files = {"failed": {"path": str(folder / "failed.csv"), "rows": 0, "sha256": "00"}}
    store.database.execute("UPDATE jobs SET results = ?", (json.dumps({"files": files}),))
    done = jobctl(*words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("--items", ",".join(map(str, range(100_001, 110_001, 2)))),
        ("--where", " or ".join(f"item == {n}" for n in range(1_001, 1_400))),
        ("--cause", ",".join(f"exit_1:{n}" for n in range(2_000, 4_000))),
    ],
)
def test_a_long_selection_of_nothing_is_a_short_sentence(store, jobctl, words):
    store.job("sf")
    done = jobctl("items", 1, *words)
    assert done.code == 0 and "none of its 2 items" in done.err and "..." in done.err
    assert len(done.err) < 400
