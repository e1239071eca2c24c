"""The commands that look: what they print into a pipe, what as JSON, how they exit."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from jobctl.services.status.document import job_document
from tests.factories import SECOND, SUBMITTED_AT

DONE = {"started_at": SUBMITTED_AT, "finished_at": SUBMITTED_AT + 9 * SECOND}


@pytest.fixture
def logged(store, home):
    """A finished job of three items with outputs, result files and a cause of failure."""
    folder = home.job_results(1)
    folder.mkdir(parents=True)
    files = {}
    for name, rows in (("succeeded", 2), ("failed", 1), ("unprocessed", 0)):
        (folder / f"{name}.csv").write_text(f"of {name}\n")
        files[name] = {"path": str(folder / f"{name}.csv"), "rows": rows, "sha256": "00"}
    results = json.dumps({"dir": str(folder), "manifest": str(folder / "manifest.json"), "files": files})
    job = store.job("sfs", state="partial", results=results, attempts=4, **DONE)
    store.failure(job, 1, samples="[2]")
    logs = home.job_logs(job)
    logs.mkdir(parents=True)
    (logs / "1.out").write_bytes(b"one\ntwo\xff\nthree")
    (logs / "1.err").write_bytes(b"oops\n")
    store.attempt(job, 1, log=1, out_off=0, out_len=4)
    store.attempt(job, 2, log=1, out_off=4, out_len=5, err_len=5, code=22, message="oops")
    store.attempt(job, 3, log=1, out_off=9, out_len=5)
    return job


def test_status_in_a_pipe_is_a_table_of_tabs(store, jobctl, logged):
    store.job("q" * 3, name="later\tone")
    done = jobctl("status")
    assert [line.split("\t")[:7] for line in done.out.splitlines()] == [
        ["job", "name", "state", "total", "succeeded", "failed", "left"],
        ["2", "later^Ione", "queued", "3", "0", "0", "3"],
        ["1", "nightly-invoices", "partial", "3", "2", "1", "0"],
    ]
    assert "no daemon is running" in done.err
    assert jobctl("status", "-q").err == ""
    assert jobctl().out == done.out  # jobctl alone is status


def test_status_as_json_is_the_document(store, home, jobctl, logged):
    document = jobctl("status", "1", "--json").document
    expected = job_document(store.database, home, 1, SUBMITTED_AT)
    assert document.keys() == expected.keys()
    assert document["counts"] == expected["counts"]
    listed = jobctl("--json", "status").document
    assert listed["schema"] == "jobctl.status_list/1"
    assert listed["jobs"][0]["job"] == 1
    store.job("q")
    several = jobctl("status", "1-2", "--json").document
    assert (several["schema"], [job["job"] for job in several["jobs"]]) == ("jobctl.status_list/1", [1, 2])


def test_status_of_a_job_is_a_page_without_padding_or_colour(jobctl, logged):
    page = jobctl("status", "last").out
    assert "\x1b" not in page
    assert all(line == line.rstrip() for line in page.splitlines())
    for text in (
        "job 1  nightly-invoices  partial",
        "jobctl retry 1",
        "failed.csv  1 row",
        "curl -fsS -o 'out/{id}.pdf'",
    ):
        assert text in page


@pytest.mark.parametrize(("state", "code"), [("partial", 3), ("failed", 4), ("cancelled", 5), ("expired", 6)])
def test_exit_codes_follow_the_state_when_asked(store, jobctl, state, code):
    store.job("sfu", state=state, **DONE)
    assert jobctl("status", "1", "--exit-code").code == code
    assert jobctl("status", "1").code == 0
    waited = jobctl("wait", "1")
    assert (waited.code, waited.out, waited.err) == (code, "", f"job 1 {state}\n")


def test_wait_gives_up_in_time_and_says_so(store, jobctl):
    store.job("q")
    done = jobctl("wait", "1", "--timeout", "10ms")
    assert done.code == 124
    assert "no daemon is running" in done.err
    assert "not done after 10ms: job 1; no daemon is running" in done.err
    document = jobctl("wait", "1", "--timeout", "0", "--json")
    assert (document.code, document.document["state"]) == (124, "queued")


def test_items_in_a_pipe_and_as_json(jobctl, logged):
    lines = jobctl("items", "1").out.splitlines()
    assert lines[0].split("\t")[:4] == ["item", "state", "attempts", "exit_code"]
    assert lines[2].split("\t") == [
        *("2", "failed", "1", "22", "", "0.25", "2026-11-23T18:28:33.004Z", "exit_22", "oops"),
        *("2, https://example.org/2", "", "", ""),
    ]
    document = jobctl("items", "1.2", "--json").document
    assert (document["schema"], document["job"], document["next"]) == ("jobctl.items/1", 1, None)
    (item,) = document["items"]
    assert (item["item"], item["state"], item["exit_code"], item["message"]) == (2, "failed", 22, "oops")
    assert item["row"] == {"id": "2", "url": "https://example.org/2"}


def test_items_continue_where_they_were_cut(jobctl, logged):
    first = jobctl("items", "1", "--limit", "2")
    assert len(first.out.splitlines()) == 3
    assert "add --after 2" in first.err
    assert [line.split("\t")[0] for line in jobctl("items", "1", "--after", "2").out.splitlines()] == ["item", "3"]
    assert jobctl("items", "1", "--state", "queued").out.count("\n") == 1


def test_one_item_writes_to_the_streams_it_wrote_to_byte_for_byte(home, logged):
    words = [sys.executable, "-m", "jobctl", "--home", str(home.root), "logs", "1.2"]
    done = subprocess.run(words, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"two\xff\n", b"oops\n")


def test_logs_of_several_items_have_headings(jobctl, logged):
    assert jobctl("logs", "1", "--failed", "--stderr").out == "==> 1.2 failed (exit 22), attempt 1, 250ms <==\noops\n"
    assert jobctl("logs", "1", "--stdout").out.splitlines() == [
        "==> 1.1 succeeded, attempt 1, 250ms <==",
        "one",
        "==> 1.2 failed (exit 22), attempt 1, 250ms <==",
        "two\ufffd",
        "==> 1.3 succeeded, attempt 1, 250ms <==",
        "three",
    ]
    documents = jobctl("logs", "1.1-2", "--json").document["outputs"]
    assert [(d["item"], d["stdout"], d["stderr"]) for d in documents] == [
        (1, "one\n", ""),
        (2, "two\ufffd\n", "oops\n"),
    ]


def test_logs_say_why_there_are_none(store, home, jobctl, logged):
    assert jobctl("logs", "1.1", "--stderr").err == "item 1.1 wrote nothing to standard error\n"
    store.job("qs", state="running", started_at=1)
    assert jobctl("logs", "2.1").err == "item 2.1 has not run yet, it is queued\n"
    assert jobctl("logs", "2", "--failed").err == "job 2: no item has failed\n"
    (home.job_logs(1) / "1.out").unlink()
    assert "is gone" in jobctl("logs", "1.1").err


def test_following_a_job_that_is_done_ends(jobctl, logged):
    done = jobctl("logs", "1", "--follow", "--stdout")
    assert done.code == 0
    assert done.out.startswith("==> 1.1 <==\none\n==> 1.2 <==\ntwo")
    assert jobctl("logs", "1", "--follow", "--failed", "--stderr").out.endswith("<==\noops\n")
    assert jobctl("logs", "1.1-2", "--follow").code == 2


def test_results(home, jobctl, logged, tmp_path):
    folder = home.job_results(1)
    assert jobctl("results", "1").out.splitlines()[1] == f"failed\t1\t{folder / 'failed.csv'}"
    assert jobctl("results", "1", "--failed").out == f"{folder / 'failed.csv'}\n"
    assert jobctl("results", "1", "--failed", "-o", "-").out == "of failed\n"
    assert "1 row written" in jobctl("results", "last", "--failed", "-o", tmp_path / "again.csv").err
    assert (tmp_path / "again.csv").read_text() == "of failed\n"
    assert jobctl("results", "1", "-o", "-").code == 2
    assert [file["rows"] for file in jobctl("results", "1", "--json").document["files"]] == [2, 1, 0]


def test_daemon_status_answers_without_a_daemon_and_without_a_store(jobctl, home):
    document = jobctl("daemon", "status", "--json").document
    assert (document["schema"], document["state"], document["pid"], document["jobs"]) == (
        "jobctl.daemon/1",
        "down",
        None,
        0,
    )
    said = jobctl("daemon", "status").out
    assert "the daemon is down" in said and "jobctl daemon start" in said
    assert not home.root.exists()  # looking makes nothing
    done = jobctl("daemon", "stop")
    assert (done.code, done.err) == (0, "no daemon is running\n")


def test_watching_a_job_that_is_done_prints_a_line_and_ends(store, jobctl, logged):
    done = jobctl("status", "1", "--watch")
    assert (done.code, done.out) == (3, "job 1 partial: 3 of 3 items, 1 failed\n")
    document = json.loads(jobctl("status", "1", "--watch", "--json").out)
    assert document["jobs"][0]["state"] == "partial"


def test_logs_of_several_jobs_leave_none_out(store, jobctl, logged):
    store.job("qq", state="queued", name="waits")
    done = jobctl("logs", "1", "2", "--stdout")
    assert done.out.startswith("==> 1.1 ")
    assert done.err == "job 2: nothing has run yet\n"
    done = jobctl("logs", "2", "1", "--failed")
    assert "==> 1.2 failed" in done.out
    assert done.err == "job 2: no item has failed\n"
    assert jobctl("logs", "2.1-2", "1.1", "--stdout").err == "items 2.1, 2.2 have not run yet\n"


def test_logs_of_items_apply_the_other_options(jobctl, logged):
    done = jobctl("logs", "1.1-3", "--failed", "--stderr")
    assert (done.out.count("==>"), done.err) == (1, "items 1.1, 1.3 have not failed\n")
    assert jobctl("logs", "1.1", "--failed").err == "item 1.1 has not failed, it is succeeded\n"
    assert jobctl("logs", "1", "--attempt", "7").err == "job 1: no item has attempt 7\n"
