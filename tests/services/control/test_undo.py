"""jobctl undo: which rows an undo job takes, in which order, with which columns; and that no row is in two."""

from __future__ import annotations

import json
import os
import signal

import pytest

from jobctl.domain.selection import Selection
from jobctl.domain.undo import Undo
from jobctl.errors import Busy, UsageError
from jobctl.services.control import undo as control
from jobctl.services.control.prune import prune
from jobctl.services.control.prune_choice import PruneOptions
from jobctl.services.control.undo import UndoRequest, undo
from jobctl.store import jobs
from jobctl.undo import make, rows
from jobctl.undo.work import UndoWords
from tests.factories import SECOND, SUBMITTED_AT

NOW = SUBMITTED_AT + 3600 * SECOND
WAY_BACK = Undo("command", ["./refund", "{id}"]).to_json()
DONE = {"finished_at": SUBMITTED_AT + 60 * SECOND, "undo": WAY_BACK, "state": "partial"}


def end(store, job, item, second, **values):
    """An item whose attempt ended at a second."""
    store.attempt(job, item, started_at=SUBMITTED_AT + second * SECOND, duration_us=0, **values)


def rows_of(store, job):
    """The values of the items of a job."""
    found = store.database.execute("SELECT payload FROM items WHERE job = ? ORDER BY item", (job,)).fetchall()
    return [payload.decode().split("\0") for (payload,) in found]


def taken(store, job):
    """The items of the job that each row of an undo job takes back, in order."""
    return [row[2] for row in rows_of(store, job)]


def finish(store, job, states):
    """Let the items of an undo job end with these states, and the job with them."""
    letters = {letter: number for number, letter in enumerate("qrtsfu")}
    with store.database.transaction():
        for item, letter in enumerate(states, 1):
            store.database.execute(
                "UPDATE items SET state = ?, attempt = 1 WHERE job = ? AND item = ?", (letters[letter], job, item)
            )
        counts = jobs.recount(store.database, job)
        jobs.update(store.database, job, **counts, state="partial", finished_at=NOW)


def test_the_rows_that_succeeded_come_newest_first(store, home):
    job = store.job("ssfsu", **DONE)
    end(store, job, 1, 20)
    end(store, job, 2, 30)
    end(store, job, 4, 10)
    answer = undo(home, UndoRequest(job), now=NOW)
    assert answer.counts.taken == 3
    assert taken(store, answer.job) == [f"{job}.2", f"{job}.1", f"{job}.4"]
    assert rows_of(store, answer.job)[0][:2] == ["2", "https://example.org/2"]
    made = jobs.load(store.database, answer.job)
    assert (made.undo_of, made.total, made.state, made.name) == (job, 3, "queued", f"undo-{job}")
    assert made.columns[-4:] == [
        "jobctl_undo_of",
        "jobctl_undo_attempt",
        "jobctl_undo_token",
        "jobctl_undo_result",
    ]


@pytest.mark.parametrize("parts", [False, True])
def test_no_row_is_taken_twice(store, home, monkeypatch, parts):
    if parts:
        monkeypatch.setattr(make, "AT_ONCE", 0)
        monkeypatch.setattr("jobctl.undo.rows.PAGE", 1)
    job = store.job("sss", **DONE)
    first = undo(home, UndoRequest(job, Selection.of_items([2])), now=NOW)
    second = undo(home, UndoRequest(job), now=NOW)
    assert taken(store, first.job) == [f"{job}.2"]
    assert taken(store, second.job) == [f"{job}.3", f"{job}.1"]
    assert second.counts.running == {first.job: 1}
    with pytest.raises(UsageError, match=f"1 row is being taken back by job {first.job}"):
        undo(home, UndoRequest(job), now=NOW)
    assert store.database.scalar("SELECT count(*) FROM undone WHERE job = ?", (job,)) == 3
    assert not store.database.execute("SELECT * FROM prunings").fetchall()


@pytest.mark.parametrize("parts", [False, True])
def test_a_row_whose_undo_failed_is_taken_again_with_the_same_token(store, home, monkeypatch, parts):
    if parts:
        monkeypatch.setattr(make, "AT_ONCE", 0)
    job = store.job("sss", **DONE)
    first = undo(home, UndoRequest(job), now=NOW)
    finish(store, first.job, "sfu")
    second = undo(home, UndoRequest(job), now=NOW)
    assert second.counts.undone == 1 and second.counts.taken == 2
    assert taken(store, second.job) == taken(store, first.job)[1:]
    assert store.database.scalar("SELECT undo_retaken FROM jobs WHERE id = ?", (first.job,)) == 2
    tokens = [token_of(store, first.job, 2), token_of(store, second.job, 1)]
    assert tokens[0] == tokens[1]
    assert tokens[0] != rows_of(store, first.job)[1][4], "the undo has a token of its own"
    finish(store, second.job, "ss")
    with pytest.raises(UsageError, match="3 rows were taken back before"):
        undo(home, UndoRequest(job), now=NOW)


def token_of(store, job, item):
    from jobctl.handlers.kinds import handler_for

    row = jobs.load(store.database, job)
    payload = store.database.scalar("SELECT payload FROM items WHERE job = ? AND item = ?", (job, item))
    environment = dict(each.split(b"=", 1) for each in handler_for(row).dispatch(job, item, 1, payload).env)
    assert environment[b"JOBCTL_UNDO_OF"].decode() == payload.decode().split("\0")[2]
    return environment[b"JOBCTL_TOKEN"]


def test_unknown_outcomes_are_left_out_unless_they_are_asked_for(store, home):
    job = store.job("sfff", **DONE)
    store.attempt(job, 2, ending=2, code=15)  # timed out
    store.attempt(job, 3, ending=0, code=1)
    store.attempt(job, 4, ending=4, code=9)  # interrupted
    counts = undo(home, UndoRequest(job), now=NOW).counts
    assert (counts.taken, counts.in_doubt) == (1, 2)
    answer = undo(home, UndoRequest(job, Selection(unknown=True)), now=NOW)
    assert sorted(taken(store, answer.job)) == [f"{job}.2", f"{job}.4"]
    assert "unknown" not in " ".join(answer.sentences)


def test_a_selection_narrows_the_rows(store, home):
    job = store.job("ssfs", **DONE)
    answer = undo(home, UndoRequest(job, Selection(where="id >= 2 and state == 'succeeded'")), now=NOW)
    assert sorted(taken(store, answer.job)) == [f"{job}.2", f"{job}.4"]


def test_the_change_of_another_command_between_choice_and_commit_is_seen(store, home, monkeypatch):
    monkeypatch.setattr(make, "AT_ONCE", 0)
    job = store.job("ss", **DONE)
    close = rows.UndoRows.close

    def close_while_another_command_writes(self):
        close(self)
        monkeypatch.setattr(rows.UndoRows, "close", close)
        store.database.execute("UPDATE jobs SET round = 2 WHERE id = ?", (job,))

    monkeypatch.setattr(rows.UndoRows, "close", close_while_another_command_writes)
    with pytest.raises(Busy, match="nothing was made"):
        undo(home, UndoRequest(job), now=NOW)
    for table in ("undone", "prunings"):
        assert not store.database.execute(f"SELECT * FROM {table}").fetchall()
    assert undo(home, UndoRequest(job), now=NOW).counts.taken == 2


def test_a_command_that_is_killed_leaves_nothing_that_counts(store, home, monkeypatch):
    monkeypatch.setattr(make, "AT_ONCE", 0)
    job = store.job("sss", **DONE)
    child = os.fork()
    if child == 0:  # all rows are written, and the transaction that makes the job is not
        make.StagedUndo.accept = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        undo(home, UndoRequest(job), now=NOW)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    ((left,),) = store.database.execute("SELECT job FROM prunings").fetchall()
    assert len(rows_of(store, left)) == 3
    assert not store.database.execute("SELECT * FROM undone WHERE job = ?", (job,)).fetchall()
    answer = undo(home, UndoRequest(job), now=NOW)
    assert answer.counts.taken == 3 and answer.job != left
    prune(home, PruneOptions(), now=NOW)
    assert rows_of(store, left) == [] and not store.database.execute("SELECT * FROM prunings").fetchall()
    assert store.database.scalar("SELECT count(*) FROM undone") == 3


def test_the_rows_that_are_written_are_counted(store, home, monkeypatch):
    monkeypatch.setattr(make, "AT_ONCE", 0)
    monkeypatch.setattr(rows, "PAGE", 2)
    told = []
    undo(home, UndoRequest(store.job("sfsss", **DONE)), now=NOW, watch=lambda *figures: told.append(figures))
    assert told == [(0, 4), (2, 4), (4, 4)]


def test_lists_in_a_pipe_say_at_their_end_what_was_taken_back(store, home, jobctl):
    job = store.job("sssf", **DONE)
    for item, second in ((1, 30), (2, 20), (3, 10), (4, 5)):
        end(store, job, item, second)
    made = undo(home, UndoRequest(job), now=NOW).job
    finish(store, made, "sfu")
    titles, *items = [line.split("\t") for line in jobctl("items", job).out.splitlines()]
    assert titles[-3:] == ["result", "undo_item", "undo_state"]
    undone = [(f"{made}.1", "succeeded"), (f"{made}.2", "failed"), (f"{made}.3", "unprocessed"), ("", "")]
    assert [tuple(fields[-2:]) for fields in items] == undone
    titles, *found = [line.split("\t") for line in jobctl("status").out.splitlines()]
    assert titles[-3:] == ["submitted_at", "undone", "undo_of"]
    assert {fields[0]: fields[-2:] for fields in found} == {str(job): ["1", ""], str(made): ["", str(job)]}
    assert all(len(fields) == len(titles) for fields in found)


@pytest.mark.parametrize("at_once", [0, 1000])
@pytest.mark.parametrize("place", ["the rows", "just before the commit", "just after the commit"])
def test_ctrl_c_says_whether_rows_are_taken_back(store, jobctl, monkeypatch, at_once, place):
    monkeypatch.setattr(make, "AT_ONCE", at_once)
    job = store.job("sss", **DONE)
    owner, name = {
        "the rows": (rows.UndoRows, "write"),
        "just before the commit": (make, "accept"),
        "just after the commit": (control._Making, "at_once" if at_once else "in_parts"),
    }[place]
    work = getattr(owner, name)

    def interrupted(*words):
        work(*words)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, interrupted)
    answer = jobctl("undo", job)
    assert answer.code == 130 and answer.out == ""
    ((taken, left),) = store.database.execute("SELECT count(*), (SELECT count(*) FROM prunings) FROM undone").fetchall()
    made = store.database.scalar("SELECT id FROM jobs WHERE undo_of = ?", (job,))
    if place == "just after the commit":
        assert f"job {made} takes back rows of job {job} nevertheless: jobctl status {made}" in answer.err
        assert (taken, left) == (3, 0)
    else:
        assert f"no undo job was made, and nothing of job {job} is taken back" in answer.err
        assert (taken, left, made) == (0, 0, None)


@pytest.mark.parametrize(
    ("values", "said", "hint"),
    [
        ({"state": "running"}, "is running, not done", "jobctl cancel {job}; then jobctl undo {job}"),
        ({**DONE, "undo": None}, "has no way back", "jobctl undo {job} -- COMMAND"),
        ({**DONE, "undo_of": 7}, "an undo cannot be taken back", "jobctl retry 7 --undone"),
    ],
)
def test_a_job_that_cannot_be_taken_back_says_what_to_type(store, jobctl, values, said, hint):
    job = store.job("s", **values)
    answer = jobctl("undo", job)
    assert answer.code == 2
    assert said in answer.err and hint.format(job=job) in answer.err
    assert not store.database.execute("SELECT * FROM undone").fetchall()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--", "sh", "-c", "rm {url}"], "url"),
        (["--", "true", "{colour}"], "unknown placeholder {colour}"),
        (["--shell", "true", "--", "true"], "--shell and a COMMAND at once"),
        (["--call", "shop"], "--call: 'shop' is not MODULE:FUNCTION"),
        (["--timeout", "never", "--", "true"], "--timeout"),
        (["--", "no-such-program-at-all"], "no-such-program-at-all"),
    ],
)
def test_a_wrong_way_back_is_refused(store, jobctl, tmp_path, words, said):
    job = store.job("s", **DONE | {"cwd": str(tmp_path)})
    answer = jobctl("undo", job, *words)
    assert answer.code == 2 and said in answer.err


def test_rules_and_command_are_those_of_the_options(store, jobctl, tmp_path):
    policy = {"attempts": 7, "timeout_s": 3.0, "max_failures": "1", "retry_on": [9], "deadline_s": 5.0}
    job = store.job("s", **DONE | {"cwd": str(tmp_path), "policy": json.dumps(policy)})
    answer = jobctl("undo", job, "--timeout", "1m", "--rate", "5/s", "--", "true", "{url}", "--json")
    assert answer.code == 0, answer.err
    made = jobs.load(store.database, int(answer.out))
    assert made.command == ["true", "{url}", "--json"]
    policy = made.policy
    assert (policy.attempts, policy.timeout_s, policy.rate) == (7, 60.0, "5/s")
    assert (policy.max_failures, policy.retry_on, policy.deadline_s) == (None, (), None)


def test_a_document_says_what_was_made(store, jobctl):
    job = store.job("ssf", **DONE)
    answer = jobctl("undo", job, "--json")
    assert json.loads(answer.out) == {
        "schema": "jobctl.undo/1",
        "job": job + 1,
        "undo_of": job,
        "items": 2,
        "unknown": 0,
        "undone": 0,
        "running": 0,
    }


@pytest.mark.parametrize(
    ("input_format", "payload", "values"),
    [
        ("lines", b"a b", ["a b", "1.1", "2"]),
        ("tsv", b"a\0b", ["a", "b", "1.1", "2"]),
        ("jsonl", b'{"id": 1} ', {"id": 1, "jobctl_undo_of": "1.1", "jobctl_undo_attempt": 2}),
        ("jsonl", b"{}", {"jobctl_undo_of": "1.1", "jobctl_undo_attempt": 2}),
    ],
)
def test_the_row_keeps_its_columns_and_gets_ours(input_format, payload, values):
    from jobctl.domain.undo import Taken, payload_of

    row = payload_of(input_format, payload, Taken("1.1", 2, "t", {"n": 1}))
    if input_format == "jsonl":
        assert json.loads(row) == values | {"jobctl_undo_token": "t", "jobctl_undo_result": {"n": 1}}
    else:
        assert row.decode().split("\0") == [*values, "t", '{"n": 1}']


def test_a_command_for_lines_gets_the_line(store, home):
    job = store.job("s", **DONE | {"input_format": "lines", "columns": []})
    answer = undo(home, UndoRequest(job, words=UndoWords(("echo",))), now=NOW)
    made = jobs.load(store.database, answer.job)
    assert (made.input_format, made.columns[0], made.command) == ("csv", "line", ["echo", "{}"])


def test_undo_takes_the_state_of_the_rows_that_it_acts_on(store, jobctl, tmp_path):
    job = store.job("ssf", **DONE | {"cwd": str(tmp_path)})
    refused = jobctl("undo", job, "--state", "failed")
    assert refused.code == 2
    assert "--state failed: undo acts on items that are succeeded" in refused.err and "--unknown" in refused.err
    made = jobctl("undo", job, "--state", "succeeded")
    assert made.code == 0 and "takes back 2 rows" in made.err
