"""``jobctl.Store``: what it accepts, from where, and what it says about mistakes."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas
import pytest

import jobctl
from jobctl.domain.job_options import BY_NAME, OPTIONS
from jobctl.library.given import options_of, texts_of
from tests.trusted import write_trusted


def rows_of(job: jobctl.Job) -> list[Any]:
    return [item.row for item in job.items()]


def test_a_file_is_accepted_as_by_the_command(library: jobctl.Store) -> None:
    Path("orders.csv").write_text("id,name\n1,a\n2,b\n")
    job = library.submit("orders.csv", command=["echo", "{id}"], slots=4, timeout="5m", label={"team": "billing"})
    status = job.status()
    assert (status.name, status.counts.total, status.policy.slots, status.policy.timeout_s) == ("orders", 2, 4, 300)
    assert status.labels == {"team": "billing"}
    assert status.state == "queued" and not job.replayed
    assert library.submit(Path("orders.csv"), command=["echo", "{id}"]).id == job.id + 1


def test_rows_come_from_lists_generators_frames_and_streams(library: jobctl.Store) -> None:
    rows = [{"id": 1}, {"id": 2}]
    given: list[dict[str, Any]] = [
        {"rows": rows},
        {"rows": (row for row in rows)},
        {"rows": pandas.DataFrame(rows)},
        {"file": io.BytesIO(b'{"id": 1}\n{"id": 2}\n'), "format": "jsonl"},
    ]
    assert [rows_of(library.submit(**each, command=["echo", "{id}"])) for each in given] == [rows] * len(given)
    assert rows_of(library.submit(rows=["a", "b"], command=["echo"])) == ["a", "b"]


def test_a_stream_with_a_name_tells_its_format(library: jobctl.Store) -> None:
    Path("orders.csv").write_text("id\n1\n")
    with open("orders.csv", "rb") as file:
        assert library.submit(file, command=["echo", "{id}"]).status().name == "orders"
    with pytest.raises(jobctl.UsageError, match="the name of stream does not tell its format"):
        library.submit(io.BytesIO(b"id\n1\n"), command=["echo"])


def test_a_bad_row_refuses_all_of_them_and_leaves_no_store(library: jobctl.Store) -> None:
    def rows() -> Any:
        yield {"id": 1}
        yield {"id": {1, 2}}

    with pytest.raises(jobctl.InputRejected, match="row 2, column 'id': a set is not JSON"):
        library.submit(rows=rows(), command=["echo", "{id}"])
    assert not library.home.exists()


def test_a_key_gives_the_same_job(library: jobctl.Store) -> None:
    first = library.submit(rows=[{"id": 1}], command=["echo", "{id}"], key="k")
    again = library.submit(rows=iter([{"id": 1}]), command=["echo", "{id}"], key="k")
    assert first == again and again.replayed and not first.replayed
    assert again.uid == first.uid == first.status().uid
    with pytest.raises(jobctl.KeyConflict) as caught:
        library.submit(rows=[{"id": 2}], command=["echo", "{id}"], key="k")
    assert (caught.value.code, int(caught.value.exit_code)) == ("key_conflict", 8)


def test_a_dry_run_changes_nothing(library: jobctl.Store) -> None:
    found = library.submit(rows=[{"id": 1}, {"id": 2}], command=["echo", "{id}"], dry_run=True)
    assert (found.rows, found.commands) == (2, [["echo", "1"], ["echo", "2"]])
    assert not library.home.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slotz": 3}, "no such option: slotz; did you mean slots?"),
        ({"slots": "x"}, "--slots: 'x' is not a whole number"),
        ({"slots": True}, "--slots: 'True' is not possible"),
        ({"slots": 0}, "--slots: 0"),
        ({"hold": 1}, "--hold: '1' is not possible"),
        ({"timeout": -5}, "--timeout: '-5' is not a duration"),
        ({"timeout": object}, "--timeout: "),
        ({"invalid": "maybe"}, "--invalid 'maybe' is not known"),
        ({"queue": "other"}, "there is no queue 'other'"),
        ({"after": [99]}, "there is no job 99"),
        ({"format": "csv"}, "--format csv: these rows are jsonl"),
        ({"shell": "echo"}, "--shell and a COMMAND at once"),
        ({"recycle": 3}, "--recycle is for --call"),
        ({"command": "echo {id}"}, "command='echo {id}' is not a list of words"),
        ({"file": "x.csv"}, "file and rows at once"),
    ],
)
def test_mistakes_have_the_messages_of_the_command_line(
    library: jobctl.Store, options: dict[str, Any], message: str
) -> None:
    library.submit(rows=[{"id": 0}], command=["true"])
    with pytest.raises(jobctl.JobctlError) as caught:
        library.submit(**{"rows": [{"id": 1}], "command": ["echo", "{id}"], **options})
    assert caught.value.message.startswith(message) and caught.value.hint
    assert len(library.jobs(all=True)) == 1, "nothing was accepted"


@pytest.mark.parametrize(
    ("file", "message"), [(None, "there are no rows"), ([{"id": 1}], "file: this is of type list")]
)
def test_without_a_file_the_message_says_what_to_give(library: jobctl.Store, file: object, message: str) -> None:
    with pytest.raises(jobctl.UsageError, match=message) as caught:
        library.submit(file, command=["echo"])
    assert "rows=[" in (caught.value.hint or "")


def test_values_mean_what_they_mean_on_the_command_line() -> None:
    given = options_of(
        {
            "timeout": timedelta(minutes=5),
            "grace": 2.5,
            "deadline": datetime(2030, 1, 2, 6, tzinfo=UTC),
            "retry_on": [1, 75],
            "undo": ["./refund", "a b"],
            "env": {"A": "1", "B": None},
            "after": [7, "nightly"],
            "cwd": Path("/x"),
            "slots": "none",
            "max_failures": 3,
            "hold": True,
            "name": None,
        },
        OPTIONS,
    )
    expected = {
        "timeout": "300.0s",
        "grace": "2.5",
        "deadline": "2030-01-02 06:00:00+00:00",
        "retry_on": "1,75",
        "undo": "./refund 'a b'",
        "env": ("A=1", "B"),
        "after": ("7", "nightly"),
        "cwd": "/x",
        "slots": "none",
        "max_failures": "3",
        "hold": True,
        "name": None,
    }
    assert {key: given[key] for key in expected} == expected
    assert given.keys() == {option.key for option in OPTIONS}
    assert texts_of({"slots": 4}, [BY_NAME["slots"]]) == {"slots": "4"}


def test_settings_recipes_and_trust_are_those_of_the_command_line(
    library: jobctl.Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("JOBCTL_SUBMIT_ATTEMPTS", "7")
    project = tmp_path / "project"
    project.mkdir()
    text = (
        '[submit]\npriority = 5\non-done = ["true"]\n[recipe.nightly]\ncommand = ["echo", "{id}"]\nname = "by-recipe"\n'
    )
    (project / "jobctl.toml").write_text(text)
    store = jobctl.Store(library.home, project=project)
    with caplog.at_level(logging.INFO, "jobctl"):
        policy = store.submit(rows=[{"id": 1}], command=["true"]).status()
    assert (policy.policy.attempts, policy.priority) == (7, 5)
    assert "ignored: submit.on-done" in caplog.text and "jobctl config trust" in caplog.text
    with pytest.raises(jobctl.UsageError, match="the recipe 'nightly' is not used"):
        store.recipe("nightly", rows=[{"id": 1}])
    write_trusted(project / "jobctl.toml", text)
    status = store.recipe("nightly", rows=[{"id": 1}], attempts=2).status()
    assert (status.name, status.command, status.policy.attempts) == ("by-recipe", ["echo", "{id}"], 2)
    assert status.cwd == str(project)


def test_the_home_is_that_of_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBCTL_HOME", str(tmp_path / "a"))
    assert jobctl.Store().home == tmp_path / "a"
    assert jobctl.Store(tmp_path / "b").home == tmp_path / "b"
    with pytest.raises(jobctl.UsageError, match="must be an absolute path"):
        jobctl.Store("relative")
    with pytest.raises(jobctl.UsageError, match="there is no folder"):
        jobctl.Store(project=tmp_path / "none")
    with pytest.raises(jobctl.NotFound):
        jobctl.Store().job("last")


def test_hints_name_the_store(library: jobctl.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    job = library.submit(rows=[{"id": 1}], command=["true"])
    with pytest.raises(jobctl.WaitTimeout) as caught:
        job.wait(timeout=0)
    assert caught.value.hint == f"jobctl --home {library.home} status 1"
    with pytest.raises(jobctl.NotFound) as missing:
        library.recipe("x", rows=[{"id": 1}])
    assert "--home --home" not in (missing.value.hint or "")
    monkeypatch.setenv("JOBCTL_HOME", str(library.home))
    with pytest.raises(jobctl.WaitTimeout) as plain:
        jobctl.Store().job(1).wait(timeout=0)
    assert plain.value.hint == "jobctl status 1"


def test_jobs_are_listed_by_conditions(library: jobctl.Store) -> None:
    first = library.submit(rows=[{"id": 1}], command=["true"], name="nightly-1", label={"team": "a"})
    second = library.submit(rows=[{"id": 1}], command=["true"], name="other", hold=True)
    assert library.jobs(name="night*") == library.jobs(label={"team": "a"}) == [first]
    assert library.jobs(state="paused") == library.jobs(state=["paused", "failed"]) == [second]
    assert library.jobs(since=timedelta(hours=1), sort="name") == [first, second]
    assert library.job("last") == second and library.job("nightly-1") == library.job(first.id) == first
    assert len({first, library.job(first.id)}) == 1
    with pytest.raises(jobctl.UsageError, match="--since"):
        library.jobs(since="never")


def test_a_wait_ends_after_its_time_and_the_job_continues(library: jobctl.Store) -> None:
    job = library.submit(rows=[{"id": 1}], command=["true"])
    began = time.monotonic()
    with pytest.raises(jobctl.WaitTimeout) as caught:
        job.wait(timeout=0.05)
    assert time.monotonic() - began >= 0.05
    assert caught.value.code == "wait_timeout" and job.status().state == "queued"
    with pytest.raises(jobctl.WaitTimeout):
        job.wait(timeout=0)
    assert job.cancel(reason="not needed").state == "cancelled"
    assert job.wait(timeout="1m").state == "cancelled"


def test_rules_pause_and_undo_of_a_job(library: jobctl.Store) -> None:
    job = library.submit(rows=[{"id": 1}], command=["true"], hold=True)
    assert job.set(slots=8, timeout=timedelta(minutes=5), rate="none").policy.slots == 8
    with pytest.raises(jobctl.UsageError, match="no such option: slot; did you mean slots"):
        job.set(slot=1)  # type: ignore[arg-type]
    assert job.resume().changed and job.pause(reason="disk").changed
    with pytest.raises(jobctl.UsageError, match="not done"):
        job.undo(["true"])
    with pytest.raises(jobctl.UsageError, match="not done"):
        job.retry()


def test_events_begin_after_an_id_or_at_a_time(library: jobctl.Store) -> None:
    job = library.submit(rows=[{"id": 1}], command=["true"])
    job.cancel()
    types = [event.type for event in job.events()]
    assert types[0] == "job.submitted" and types[-1] == "job.cancelled"
    first = next(iter(job.events()))
    assert [event.type for event in job.events(since=first.id)] == types[1:]
    assert [event.type for event in library.events(job, since=timedelta(hours=1))] == types
    assert list(library.events(since=datetime.now(UTC) + timedelta(seconds=-0.0), name="other")) == []
    with pytest.raises(jobctl.UsageError, match="--since 9999"):
        list(job.events(since=9999))


def test_importing_jobctl_imports_nothing_else() -> None:
    import subprocess

    code = (
        "import sys; before = set(sys.modules); import jobctl; new = set(sys.modules) - before;"
        " assert new == {'jobctl'}, new; assert 'Store' in dir(jobctl)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": ""}, timeout=60)


def test_rows_of_results_are_dictionaries(ran: jobctl.Job, tmp_path: Path) -> None:
    failed = ran.results("failed")
    (row,) = failed
    assert row["id"] == 2 and row["_jobctl"]["exit_code"] == 1
    assert failed.rows == 1 and json.loads(Path(failed).read_text()) == row
    assert failed.copy(tmp_path / "copy.jsonl").files[0].rows == 1
    assert list(ran.results("failed", cause="timeout")) == []
    with pytest.raises(jobctl.NotFound, match="every row of job 1 was accepted"):
        ran.results("rejected")
    with pytest.raises(jobctl.NotFound, match="has no item 3"):
        ran.item(3)


def test_items_are_read_page_by_page(library: jobctl.Store) -> None:
    job = library.submit(rows=({"id": number} for number in range(2_500)), command=["true"])
    assert [item.item for item in job.items()] == list(range(1, 2_501))
    assert [item.item for item in job.items(after=2_498)] == [2_499, 2_500]
    assert [item.item for item in job.items(limit=2, items=range(7, 2_000))] == [7, 8]
    assert [item.item for item in job.items(where="id > 2497")] == [2_499, 2_500]
    with pytest.raises(jobctl.UsageError, match="no item state 'nonsense'"):
        job.items(state="nonsense")


def test_a_finished_job_can_be_removed(library: jobctl.Store) -> None:
    for _ in range(2):
        library.submit(rows=[{"id": 1}], command=["true"], name="twice").cancel()
    with pytest.raises(jobctl.UsageError, match="2 jobs that are done have the name 'twice'"):
        library.prune("twice")
    assert [job.job for job in library.prune(1, dry_run=True).jobs] == [1]
    assert library.prune(library.job(1)).jobs[0].job == 1
    assert [job.job for job in library.prune(name="tw*", all=True).jobs] == [2]


@pytest.mark.slow
def test_rows_of_a_generator_are_never_all_in_memory(tmp_path: Path) -> None:
    import subprocess

    code = (
        "import resource, sys, jobctl\n"
        "store = jobctl.Store(sys.argv[1])\n"
        'def rows(count): return ({"id": row, "text": "x" * 200} for row in range(count))\n'
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        'store.submit(rows=rows(50_000), command=["true", "{id}"])\n'
        "before = peak()\n"
        'job = store.submit(rows=rows(400_000), command=["true", "{id}"])\n'
        "print(sum(1 for _ in job.items(after=399_000)), peak() - before)\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "state")]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=110)
    count, grown_kib = map(int, done.stdout.split())
    assert count == 1_000
    assert grown_kib < 30 << 10, "80 MB of rows went through"


def test_a_wrong_kind_of_results_is_refused_with_all_kinds(ran: jobctl.Job) -> None:
    for kind in ("bogus", "queued", "all"):
        with pytest.raises(jobctl.UsageError) as caught:
            ran.results(kind)  # type: ignore[arg-type]
        assert caught.value.hint == "one of succeeded, failed, unprocessed, rejected, undone"


def test_a_negative_id_of_events_is_refused(ran: jobctl.Job) -> None:
    for begin in (ran.events, ran.store.events):
        with pytest.raises(jobctl.UsageError, match="--since -1"):
            begin(since=-1)


def test_negative_numbers_of_items_are_refused(ran: jobctl.Job) -> None:
    for wrong in ({"limit": -1}, {"after": -1}):
        with pytest.raises(jobctl.UsageError, match="negative"):
            ran.items(**wrong)


def test_a_removed_job_has_no_events(library: jobctl.Store) -> None:
    job = library.submit(rows=[{"id": 1}], command=["true"])
    job.cancel()
    library.prune(job)
    with pytest.raises(jobctl.NotFound):
        job.events()


def test_the_lists_of_rules_are_lists_as_their_types_say(library: jobctl.Store) -> None:
    policy = library.submit(rows=[{"id": 1}], command=["true"], retry_on=[1, 2]).status().policy
    assert policy.retry_on == [1, 2]
    assert policy.no_retry_on == []


def test_the_states_in_answers_to_cancel_are_texts(library: jobctl.Store) -> None:
    job = library.submit(rows=[{"id": 1}, {"id": 2}], command=["true"], hold=True)
    assert [type(job.cancel(items=1).state), type(job.cancel().state), type(job.cancel().state)] == [str, str, str]
