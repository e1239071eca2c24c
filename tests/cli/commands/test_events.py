"""``jobctl events``: lines, records and JSON, its notes, and what it refuses."""

from __future__ import annotations

import json
import re

import pytest

from jobctl.render.events import event_lines, event_record, event_titles
from jobctl.render.look import Look
from jobctl.services.events import LAST_EVENTS
from jobctl.store import journal
from tests.factories import SUBMITTED_AT


def note(store, job, event, **words):
    with store.database.transaction():
        at = words.pop("at", SUBMITTED_AT)
        return journal.note(store.database, job, event, at=at, actor=words.pop("actor", "engine"), **words)


@pytest.fixture
def two(store):
    """Two jobs with events, and a queue with one."""
    for name, queue in (("first", "default"), ("second", "mail")):
        job = store.job("ss", name=name, queue=queue, state="succeeded", started_at=1, finished_at=2)
        note(store, job, journal.SUBMITTED, actor="alice", reason="2 items")
        note(store, job, "running", round=1)
        note(store, job, journal.FINISHED, reason="succeeded", round=1)
    with store.database.transaction():
        journal.note_of_store(
            store.database, journal.QUEUE_PAUSED, at=SUBMITTED_AT, actor="bob", reason="full", queue="mail"
        )
    return store


def test_a_pipe_gets_records_with_titles(two, jobctl):
    done = jobctl("events", 1)
    titles, first, *rest = done.out.splitlines()
    assert titles.split("\t") == ["timestamp", "id", "type", "job", "item", "actor", "message"]
    assert first.split("\t")[1:] == ["1", "job.submitted", "1", "", "alice", "submitted by alice: 2 items"]
    assert [line.split("\t")[2] for line in rest] == ["job.started", "job.succeeded"]
    assert done.err == ""


def test_json_is_a_line_for_each(two, jobctl):
    lines = [json.loads(line) for line in jobctl("events", "--since", "2", "--json").out.splitlines()]
    assert [line["id"] for line in lines] == [3, 4, 5, 6, 7]
    assert all(line["schema"] == "jobctl.event/1" for line in lines)


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["1"], "123"),
        (["1", "2"], "123456"),
        (["second"], "456"),
        (["--name", "f*"], "123"),
        (["--queue", "mail"], "4567"),
        (["--label", "a=b"], ""),
        (["--queue", "mail", "--name", "s*"], "456"),
        (["2", "--since", "5"], "6"),
        (["--since", "7"], ""),
        (["--since", "0s"], ""),
        (["--since", "2020-01-01"], "1234567"),
    ],
)
def test_which_events(two, jobctl, words, ids):
    done = jobctl("events", *words)
    assert "".join(line.split("\t")[1] for line in done.out.splitlines()[1:]) == ids
    assert ("no events" in done.err) == (not ids)


def test_without_a_job_or_an_id_the_last_are_shown_and_it_says_so(two, jobctl):
    for _ in range(LAST_EVENTS):
        note(two, 1, "paused")
    done = jobctl("events")
    assert len(done.out.splitlines()) == LAST_EVENTS + 1
    assert done.err == f"the last {LAST_EVENTS} events; all of them: jobctl events --since 0\n"
    assert jobctl("events", "-q").err == ""
    assert jobctl("events", "--since", 0).err == ""


def test_follow_ends_when_the_jobs_are_done(two, jobctl):
    done = jobctl("events", "first", "--follow")
    assert done.code == 0 and len(done.out.splitlines()) == 4
    assert jobctl("events", 1, "--follow", "--since", 3, "--json").out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "8"], "--since 8: the last event of this store has the id 7"),
        (["--since", "soon"], "--since: 'soon' is not a time"),
        (["--since", "9" * 40], "is too large for an id"),
        (["1.1"], "names items; this command takes whole jobs"),
        (["1", "--name", "x"], "JOB and --name at once"),
    ],
)
def test_what_it_refuses(two, jobctl, words, said):
    done = jobctl("events", *words)
    assert done.code == 2 and said in done.err and done.out == ""


def test_a_store_or_a_job_that_does_not_exist(jobctl, home):
    assert jobctl("events").code == 9
    assert not home.root.exists()


def event(**data):
    job = {"id": 42, "uid": "u", "name": "n", "key": None, "queue": "q", "actor": "engine", **data}
    return {"schema": "jobctl.event/1", "id": 1041, "type": "item.failed", "timestamp": "2020-01-02T03:04:05.678Z"} | {
        "data": job
    }


def test_lines_continue_below_their_sentence_and_hide_nothing():
    long = "failed at attempt 1 after 4ms: exit_7: " + "no such user " * 9
    lines = list(event_lines(event(item=17, message=long), Look(width=60, color=True)))
    assert len(lines) > 2 and all(len(re.sub("\x1b\\[[0-9;]*m", "", line)) <= 60 for line in lines)
    assert all(line.endswith("\x1b[0m") and "\x1b[31m" in line for line in lines)
    plain = list(event_lines(event(item=17, message=long), Look(width=60)))
    assert "\x1b" not in "".join(plain) and plain[0].split()[2:5] == ["1041", "42.17", "failed"]
    assert " ".join(plain[-1].split()).endswith("no such user")


def test_text_of_others_does_not_control_a_terminal():
    hostile = event(item=17, message="failed: \x1b[2Jgone\n\tfield")
    assert "\x1b" not in "".join(event_lines(hostile, Look(width=200)))
    assert event_record(hostile).count("\t") == event_titles().count("\t")
