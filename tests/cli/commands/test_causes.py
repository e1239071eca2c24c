"""All causes of failure of a job, in the words of the items."""

from __future__ import annotations

import pytest

from jobctl.render.causes import cause_lines
from jobctl.render.look import Look
from tests.factories import SECOND, SUBMITTED_AT
from tests.schemas import check


@pytest.fixture
def job(store):
    """A job whose items failed for three causes; two of them have the same code."""
    number = store.job("sffff", state="partial", started_at=1, finished_at=2)
    for item, host in ((2, 17), (3, 9)):
        store.attempt(number, item, code=7, message=f"curl: cannot reach host {host}", failure=1)
    store.failure(number, 2, code="exit_7", message="curl: cannot reach host <n>", samples="[2, 3]")
    store.attempt(number, 4, code=7, message="disk on fire", failure=2)
    store.failure(number, 1, code="exit_7", message="disk on fire", samples="[4]", retryable=0)
    store.attempt(number, 5, ending=2, code=15, message="stopped at its time limit after 9.0 s", failure=3)
    late = SUBMITTED_AT + 600 * SECOND
    store.failure(
        number, 1, code="timeout", message="stopped", samples="[5]", outcome="unknown", first_at=late, last_at=late
    )
    store.failure(number, 0, code="exit_9", message="long ago", samples="[]", attempts=4, first_at=SUBMITTED_AT)
    return number


def test_each_cause_in_the_words_of_its_items(job, jobctl):
    document = check("causes-1", jobctl("causes", "1", "--json").document)
    assert [(cause["cause"], cause["items"]) for cause in document["causes"]] == [
        ("exit_7:1", 2),
        ("exit_7:2", 1),
        ("timeout", 1),
        ("exit_9", 0),
    ]
    first = document["causes"][0]
    assert first["message"] == "curl: cannot reach host <n>"
    assert first["samples"] == [
        {"item": 2, "message": "curl: cannot reach host 17"},
        {"item": 3, "message": "curl: cannot reach host 9"},
    ]
    assert (document["failed"], document["causes_total"]) == (4, 4)


def test_the_command_of_a_cause_lists_its_items(job, jobctl):
    for cause in jobctl("causes", "1", "--json").document["causes"]:
        if cause["command"] is None:
            assert cause["items"] == 0
            continue
        _, *words = cause["command"].split()
        listed = jobctl(*words, "--json").document["items"]
        assert len(listed) == cause["items"]
        assert {item["message"] for item in listed} == {sample["message"] for sample in cause["samples"]}


def test_on_a_terminal_and_in_a_pipe(job, jobctl):
    header, *rows = jobctl("causes", "1").out.splitlines()
    assert header.split("\t")[:3] == ["items", "attempts", "cause"]
    assert rows[0].split("\t")[-2:] == ["2,3", "curl: cannot reach host 17"]
    for width in (40, 80, 120, 200):
        lines = list(cause_lines(jobctl("causes", "1", "--json").document, Look(width)))
        assert max(map(len, lines)) <= width
    shown = "\n".join(lines)
    assert "exit_7:1: 2 items" in shown
    assert "  curl: cannot reach host 9 (item 3)" in shown
    assert "timeout: 1 item, outcome unknown" in shown
    assert "exit_7:2: 1 item, a retry cannot help" in shown
    assert "  jobctl items 1 --cause exit_7:1" in shown
    assert "exit_9: no item now" in shown


@pytest.mark.parametrize(("sort", "first"), [("items", "exit_7:1"), ("first", "exit_9"), ("last", "timeout")])
def test_the_order_and_the_limit(job, jobctl, sort, first):
    done = jobctl("causes", "1", "--sort", sort, "--limit", "1", "--json")
    assert [cause["cause"] for cause in done.document["causes"]] == [first]
    assert done.document["causes_total"] == 4
    assert "there are 3 more causes: leave out --limit" in jobctl("causes", "1", "--limit", "1").err


def test_an_order_that_does_not_exist_is_refused(job, jobctl):
    done = jobctl("causes", "1", "--sort", "latest")
    assert done.code == 2
    assert "--sort: there is no order 'latest'" in done.err
    assert "did you mean last?" in done.err


def test_a_job_without_failures_says_so(store, jobctl):
    store.job("ss", state="succeeded", started_at=1, finished_at=2)
    done = jobctl("causes", "1")
    assert (done.code, done.out, done.err.strip()) == (0, "", "no item of job 1 has failed")
    assert jobctl("causes", "2").code == 9


def test_more_causes_than_the_status_shows(store, jobctl):
    number = store.job("f" * 1200, state="failed", started_at=1, finished_at=2)
    store.database.execute("UPDATE items SET failure = NULL")
    with store.database.transaction():
        store.database.executemany(
            "INSERT INTO failures (job, code, message, outcome, retryable, items, attempts, first_at, last_at, samples)"
            " VALUES (?, 'exit_22', ?, 'known', 1, 1, 1, 1, 1, ?)",
            [(number, f"message {item}", f"[{item}]") for item in range(1, 1201)],
        )
        store.database.execute("UPDATE items SET failure = item WHERE job = ?", (number,))
        store.database.execute("UPDATE attempts SET failure = item WHERE job = ?", (number,))
    assert len(jobctl("causes", number, "--json").document["causes"]) == 1200
    assert len(jobctl("causes", number).out.splitlines()) == 1201
    command = f"jobctl causes {number}"
    for words in (("status", number), ("explain", number)):
        assert f"1190 more causes: {command}" in jobctl(*words).out
    document = jobctl("status", number, "--json").document
    assert document["failures"]["command"] == command
    assert document["next"][0] == command
    assert f"1190 more causes: {command}" in jobctl("report", number, "-o", "-").out


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE failures SET samples = 'broken', first_at = 'x', last_at = -1e300",
        "UPDATE failures SET code = X'ff00' || id, message = X'ff1b' || id, items = 'many'",
        "UPDATE failures SET outcome = 'perhaps' || id, retryable = 'x', attempts = -1",
        "UPDATE attempts SET message = X'ff1b5b', failure = 'x'",
        "UPDATE attempts SET message = X'ff1b5b'",
    ],
)
def test_damaged_rows_end_no_list(job, jobctl, store, damage):
    store.database.execute(damage)
    for words in (("causes", "1"), ("causes", "1", "--json"), ("causes", "1", "--sort", "last"), ("items", "1")):
        done = jobctl(*words)
        assert (done.code, done.err) == (0, "")


def test_the_causes_of_selected_items(job, store, jobctl):
    with store.database.transaction():
        for item, cause in ((2, 1), (3, 1), (4, 2), (5, 3)):
            store.database.execute("UPDATE items SET failure = ? WHERE job = ? AND item = ?", (cause, job, item))
    document = check("causes-1", jobctl("causes", "1", "--items", "3-4", "--json").document)
    assert [(cause["cause"], cause["items"]) for cause in document["causes"]] == [("exit_7:1", 1), ("exit_7:2", 1)]
    assert document["causes"][0]["samples"] == [{"item": 3, "message": "curl: cannot reach host 9"}]
    assert document["causes"][0]["command"].endswith("items 1 --cause exit_7:1 --items 3-4")
    assert (document["failed"], document["causes_total"], document["ungrouped"]) == (2, 2, 0)
    by_condition = jobctl("causes", "1", "--where", "cause == 'timeout'", "--json").document
    assert [cause["cause"] for cause in by_condition["causes"]] == ["timeout"]
    assert [cause["cause"] for cause in jobctl("causes", "1", "--cause", "exit_7", "--json").document["causes"]] == [
        "exit_7:1",
        "exit_7:2",
    ]
    assert "no selected item of job 1 has failed" in jobctl("causes", "1", "--items", "1").err
    assert jobctl("causes", "1", "--where", "sice > 1").code == 2
