"""What runs again after an undo: rows that were taken back only when it is said, and no row in two undo jobs."""

from __future__ import annotations

import re

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.policy import Policy
from jobctl.domain.selection import Selection
from jobctl.errors import UsageError
from jobctl.services.control.retry import retry
from jobctl.services.control.undo import UndoRequest, undo
from jobctl.undo.work import UndoWords
from tests.engine.bench import Bench
from tests.executors.fake import Play

UNDONE = Selection(undone=True)


class Script:
    """Items of some jobs end as planned, all others succeed. ``seen`` has the (job, item, token) of every attempt."""

    def __init__(self):
        self.plays = {}
        self.seen = []

    def __call__(self, dispatch):
        tokens = [each for each in dispatch.env if each.startswith(b"JOBCTL_TOKEN=")]
        self.seen.append((dispatch.job, dispatch.item, *tokens))
        return self.plays.get((dispatch.job, dispatch.item), Play())


@pytest.fixture
def bench(tmp_path):
    script = Script()
    made = Bench(tmp_path, script=script, slots=1)
    made.script = script
    script.plays[1, 2] = Play(code=1)
    script.plays[1, 3] = Play(ending=Ending.TIMED_OUT, code=15)
    made.submit(rows=4, policy=Policy(attempts=1), undo=UndoWords(("refund",)))
    made.work_off()
    assert made.states(1) == "sffs"
    return made


def take_back(bench, selection=None):
    """Undo and wait: the number of the undo job."""
    job = undo(bench.home, UndoRequest(1, selection or Selection()), now=bench.now).job
    bench.work_off()
    return job


def rows(bench):
    """The rows that undo jobs have: by item, (undo job, its item)."""
    found = bench.database.execute("SELECT item, undo_job, undo_item FROM undone WHERE job = 1 ORDER BY item")
    return {item: (job, number) for item, job, number in found.fetchall()}


def test_a_row_that_was_taken_back_runs_again_only_when_it_is_said(bench):
    take_back(bench)
    retry(bench.home, 1, Selection(), now=bench.now)
    assert bench.states(1) == "sqqs"
    bench.work_off()
    retry(bench.home, 1, UNDONE, now=bench.now)
    assert bench.states(1) == "qffq"
    bench.work_off()
    assert bench.states(1) == "sffs" and rows(bench) == {}


def test_after_another_success_it_is_taken_back_again_with_another_token(bench):
    first = take_back(bench)
    retry(bench.home, 1, UNDONE, now=bench.now)
    bench.work_off()
    second = take_back(bench)
    assert rows(bench) == {1: (second, 2), 4: (second, 1)}
    tokens = [token for job, _, token in bench.script.seen if job in (first, second)]
    assert len(tokens) == len(set(tokens)) == 4


def test_of_some_rows_only_those_run_again(bench):
    take_back(bench)
    retry(bench.home, 1, Selection(undone=True, where="line == 'row 4'"), now=bench.now)
    assert bench.states(1) == "sffq"
    bench.work_off()
    with pytest.raises(UsageError, match="none of these rows was taken back"):
        retry(bench.home, 1, Selection.of_items([4]).__class__(undone=True, items=Selection.of_items([4]).items), now=1)


def test_a_row_whose_undo_is_not_done_does_not_run_again(bench):
    bench.script.plays[2, 1] = Play(code=1)
    take_back(bench)
    retry(bench.home, 1, UNDONE, now=bench.now)
    assert bench.states(1) == "qffs", "the undo of row 4 failed"


def test_a_row_of_unknown_outcome_that_was_taken_back_is_left_alone(bench, jobctl):
    take_back(bench, Selection(unknown=True))
    assert sorted(rows(bench)) == [1, 3, 4]
    assert jobctl("--home", bench.home.root, "status", 1, "--json").document["retry"]["items"] == 1
    retry(bench.home, 1, Selection(), now=bench.now)
    assert bench.states(1) == "sqfs"
    bench.work_off()
    retry(bench.home, 1, UNDONE, now=bench.now)
    assert bench.states(1) == "qfqq"


def test_an_item_of_an_undo_job_that_has_lost_its_row_does_not_run_again(bench):
    bench.script.plays[2, 1] = bench.script.plays[2, 2] = Play(code=1)
    first = take_back(bench)
    second = take_back(bench, Selection.of_items([4]))
    assert rows(bench) == {1: (first, 2), 4: (second, 1)}
    bench.script.plays.clear()
    retry(bench.home, first, Selection(), now=bench.now)
    assert bench.states(first) == "fq"
    bench.work_off()
    with pytest.raises(UsageError):
        retry(bench.home, first, Selection(), now=bench.now)
    tokens = [token for job, _, token in bench.script.seen if job in (first, second)]
    assert len(tokens) == 4 and len(set(tokens)) == 2, "every undo of one success has one token"


def test_the_command_line_says_it(bench, home, jobctl):
    take_back(bench)
    answer = jobctl("--home", bench.home.root, "retry", 1, "--undone", "--failed")
    assert answer.code == 0 and "4 items queued again" in answer.err, answer.err
    assert bench.states(1) == "qqqq"


def undone_file(bench):
    path = bench.home.job_results(1) / "undone.csv"
    return [line.split(",") for line in path.read_text().splitlines()] if path.exists() else None


def test_the_rows_that_were_taken_back_are_in_a_file_of_the_job(bench, jobctl):
    bench.script.plays[2, 1] = Play(code=1)
    first = take_back(bench)
    (header, row) = undone_file(bench)
    assert header[:5] == ["line", "jobctl_job", "jobctl_item", "jobctl_undo_job", "jobctl_undo_item"]
    assert (row[0], row[1], row[2], row[3], row[4]) == ("row 1", bench.job(1).uid, "1", bench.job(first).uid, "2")
    take_back(bench)
    assert [row[2] for row in undone_file(bench)[1:]] == ["1", "4"]
    home = ("--home", bench.home.root)
    listed = jobctl(*home, "results", 1, "--json").document["files"]
    assert [(file["kind"], file["rows"]) for file in listed][-1] == ("undone", 2)
    assert jobctl(*home, "results", 1, "--undone").out == f"{bench.home.job_results(1)}/undone.csv\n"
    assert "rows taken back" in jobctl(*home, "verify", 1, "--json").document["checked"]
    assert jobctl(*home, "verify", first, "--json").document["checked"][-1] == "input rows"


def test_a_changed_file_of_them_is_found(bench, jobctl):
    take_back(bench)
    path = bench.home.job_results(1) / "undone.csv"
    path.write_text(path.read_text().replace("row 4", "row 7"))
    found = jobctl("--home", bench.home.root, "verify", 1, "--json").document["findings"]
    assert [each["code"] for each in found] == ["checksum", "row_differs"]


def test_rows_that_run_again_leave_the_file(bench, jobctl):
    take_back(bench)
    retry(bench.home, 1, Selection(undone=True, where="line == 'row 4'"), now=bench.now)
    bench.work_off()
    assert [row[2] for row in undone_file(bench)[1:]] == ["1"]
    retry(bench.home, 1, UNDONE, now=bench.now)
    bench.work_off()
    assert undone_file(bench) is None
    answer = jobctl("--home", bench.home.root, "results", 1, "--undone")
    assert answer.code == 9 and "no row of job 1 was taken back" in answer.err
    assert jobctl("--home", bench.home.root, "verify", 1).code == 0


def test_every_document_tells_the_story(bench, jobctl):
    home = ("--home", bench.home.root)
    document = jobctl(*home, "status", 1, "--json").document
    before = document["undo"]
    assert before["command"] in document["next"], "the job is partial, so a person may want to take its rows back"
    assert before["available"] and before["command"].endswith("undo 1") and before["jobs"] == []
    bench.script.plays[2, 1] = Play(code=1)
    take_back(bench)
    undo = jobctl(*home, "status", 1, "--json").document["undo"]
    assert (undo["jobs"], undo["undone"], undo["failed"], undo["running"], undo["left"]) == ([2], 1, 1, 0, 0)
    assert undo["file"]["rows"] == 1
    assert jobctl(*home, "status", 2, "--json").document["undo"]["of"] == 1
    shown = jobctl(*home, "status", 1).out
    assert "1 of 2 rows taken back, 1 failed (job 2)" in shown and "undone.csv  1 row taken back" in shown
    assert "takes back rows of job 1" in jobctl(*home, "status", 2).out
    assert re.search(r"input\s+\d+ rows? of job 1\n", jobctl(*home, "status", 2).out)
    items = jobctl(*home, "items", 1, "--json").document["items"]
    assert [item["undo"] for item in items] == [
        {"job": 2, "item": 2, "state": "succeeded"},
        None,
        None,
        {"job": 2, "item": 1, "state": "failed"},
    ]
    explained = jobctl(*home, "explain", "1.1", "--json").document
    assert explained["item_undo"] == {"job": 2, "item": 2, "state": "succeeded"}
    assert jobctl(*home, "explain", "2.2", "--json").document["item_undo_of"] == {"job": 1, "item": 1}
    assert "it was taken back by item 2.2" in jobctl(*home, "explain", "1.1").out
    assert "its undo is failed: item 2.1" in jobctl(*home, "explain", "1.4").out
    assert "undo: 1 of 2 rows taken back, 1 failed (job 2)" in jobctl(*home, "explain", 1).out


def test_an_undo_that_is_not_done_is_counted(bench, jobctl):
    undo(bench.home, UndoRequest(1), now=bench.now)
    found = jobctl("--home", bench.home.root, "status", 1, "--json").document["undo"]
    assert (found["undone"], found["running"], found["left"], found["command"]) == (0, 0, 2, None)


def test_rows_that_run_again_do_not_count_as_taken_back(bench, jobctl):
    take_back(bench)
    retry(bench.home, 1, UNDONE, now=bench.now)
    found = jobctl("--home", bench.home.root, "status", 1, "--json").document["undo"]
    assert (found["undone"], found["failed"], found["left"]) == (0, 0, 0)


@pytest.mark.parametrize("undone", ["7", '"text"', "[1]", '{"path": "x"}'])
def test_a_damaged_description_of_the_file_ends_no_command(bench, jobctl, undone):
    take_back(bench)
    bench.database.execute("UPDATE jobs SET results = json_set(results, '$.undone', json(?)) WHERE id = 1", (undone,))
    assert jobctl("--home", bench.home.root, "status", 1, "--json").document["undo"]["file"] is None
    for command in ("status", "results", "verify"):
        answer = jobctl("--home", bench.home.root, command, 1)
        assert "bug in jobctl" not in answer.err


def test_after_all_rows_ran_again_no_row_is_taken_back(bench, jobctl):
    home = ("--home", bench.home.root)
    take_back(bench)
    retry(bench.home, 1, UNDONE, now=bench.now)
    bench.work_off()
    assert "no row is taken back now (job 2)" in jobctl(*home, "status", 1).out
    assert "undo: no row is taken back now (job 2)" in jobctl(*home, "explain", 1).out


def test_a_question_about_the_undone_rows_of_an_undo_job_names_the_other_job(bench, jobctl):
    home = ("--home", bench.home.root)
    take_back(bench)
    done = jobctl(*home, "results", 2, "--undone")
    assert (done.code, "job 2 takes back rows of job 1" in done.err) == (9, True)
    assert "results 1 --undone" in done.err and "undo 2" not in done.err
    done = jobctl(*home, "retry", 2, "--undone")
    assert done.code == 2
    assert "retry 1 --undone" in done.err and "undo 2" not in done.err


def test_no_message_about_an_undo_job_suggests_a_new_job_of_its_rows(bench, jobctl):
    home = ("--home", bench.home.root)
    take_back(bench)
    for words in (("retry", 2), ("set", 2, "slots=1")):
        refused = jobctl(*home, *words)
        assert refused.code == 2 and "jobctl" in refused.err and "--as-new" not in refused.err
    bench.database.execute("UPDATE items SET state = 4 WHERE job = 2")
    bench.database.execute("UPDATE jobs SET failed = succeeded, succeeded = 0, state = 'failed' WHERE id = 2")
    bench.database.execute(
        "INSERT INTO failures (job, outcome, code, message, retryable, items, attempts, samples, first_at, last_at)"
        " VALUES (2, 'known', 'exit_127', 'not found', 0, 2, 2, '[1, 2]', 0, 0)"
    )
    note = jobctl(*home, "status", 2, "--json").document["retry"]["note"]
    assert "jobctl undo 1 -- COMMAND" in note and "--as-new" not in note
