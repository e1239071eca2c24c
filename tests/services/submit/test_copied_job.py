"""A new job with rows of another one: which rows, what it takes over, and that it is accepted like any other job."""

from __future__ import annotations

import json
import threading

import pytest

from jobctl.domain.job_options import BY_NAME
from jobctl.domain.option_values import read_text
from jobctl.domain.policy import Policy
from jobctl.domain.selection import Selection
from jobctl.domain.spans import parse_spans
from jobctl.domain.states import ItemState, JobState
from jobctl.errors import InputRejected, KeyConflict, NotFound, UsageError
from jobctl.services.control.retry import retry
from jobctl.services.status.document import job_document, list_document
from jobctl.services.submit import feed
from jobctl.services.submit.copied_job import CopiedJob, CopyRequest
from jobctl.store import jobs
from tests.engine.bench import SECOND, Bench, state
from tests.executors.fake import Play
from tests.services.control.test_retry import PLAYS


def ended(tmp_path, script=lambda dispatch: PLAYS.get(dispatch.item, Play()), **options):
    """A bench with a job of five items: one succeeds, two fail, two have an unknown outcome."""
    bench = Bench(tmp_path, script=script)
    policy = options.pop("policy", Policy(attempts=1, max_crashes=0))
    job = bench.submit(rows=5, policy=policy, **options)
    bench.work_off()
    return bench, job


def copy(bench, job, selection=None, rules=None, **given):
    wanted = CopyRequest(job, selection or Selection(), rules or {}, given)
    return CopiedJob(bench.home, wanted, now=bench.now).accept()


def rows(bench, job):
    return [row[0] for row in bench.database.execute("SELECT payload FROM items WHERE job = ? ORDER BY item", (job,))]


def of_rows(bench, job, *numbers):
    return [rows(bench, job)[number - 1] for number in numbers]


def test_the_rows_are_those_that_did_not_succeed_and_the_job_stays_as_it_is(tmp_path):
    bench, job = ended(tmp_path)
    before = bench.job(job)
    made = copy(bench, job)
    assert rows(bench, made.job) == of_rows(bench, job, 2, 3, 4, 5)
    assert bench.job(job) == before
    bench.executor._script = lambda _: Play()
    bench.work_off()
    assert (state(bench, made.job), bench.states(made.job)) == (JobState.SUCCEEDED, "ssss")
    assert state(bench, job) == JobState.PARTIAL


@pytest.mark.parametrize(
    ("selection", "numbers"),
    [
        (Selection(states=(ItemState.SUCCEEDED,)), (1,)),
        (Selection(items=parse_spans("1-2", "--items", "item")), (1, 2)),
        (Selection(items=parse_spans("1-", "--items", "item")), (1, 2, 3, 4, 5)),
        (Selection(causes=("exit_7",)), (3,)),
        (Selection(where='cause == "exit_7" or cause == "exit_65"'), (2, 3)),
        (
            Selection(states=(ItemState.FAILED, ItemState.SUCCEEDED), items=parse_spans("1-3", "--items", "item")),
            (1, 2, 3),
        ),
    ],
    ids=str,
)
def test_any_row_can_be_selected(tmp_path, selection, numbers):
    bench, job = ended(tmp_path)
    assert rows(bench, copy(bench, job, selection).job) == of_rows(bench, job, *numbers)


def test_a_running_job_gives_its_failed_rows(tmp_path):
    bench = Bench(tmp_path, slots=1, script=lambda d: Play(code=65, hold=d.item > 2))
    job = bench.submit(rows=4, policy=Policy(attempts=1))
    bench.tick(4, step_us=SECOND)
    before = bench.states(job)
    assert before[:3] == "ffr"
    made = copy(bench, job)
    assert rows(bench, made.job) == of_rows(bench, job, 1, 2)
    assert bench.states(job) == before


def test_the_new_job_takes_over_what_no_option_gives(tmp_path):
    policy = Policy(attempts=1, max_crashes=0, slots=1, timeout_s=60, timeouts_s=(30, 60), rate="50/s", nice=3)
    bench, job = ended(tmp_path, policy=policy, labels={"team": "web"}, priority=4, env=("COLOUR=red",), name="nightly")
    old, new = bench.job(job), bench.job(copy(bench, job).job)
    for name in ("name", "command", "handler", "cwd", "env", "env_names", "queue", "priority", "policy", "columns"):
        assert getattr(new, name) == getattr(old, name), name
    assert job_document(bench.database, bench.home, new.id, bench.now)["labels"] == {"team": "web"}
    assert (new.key, new.after, new.round, new.resubmit_of, new.root_uid) == (None, [], 1, old.uid, old.uid)


def test_options_win(tmp_path):
    bench, job = ended(tmp_path, labels={"team": "web"}, env=("COLOUR=red", "KEPT=1"))
    rules = {BY_NAME[name]: read_text(BY_NAME[name], text) for name, text in (("timeout", "5m,1h"), ("attempts", "7"))}
    given = {"name": "other", "command": ("false", "x"), "labels": {"n": "2"}, "env": ("COLOUR=blue",), "hold": True}
    new = bench.job(copy(bench, job, None, rules, **given).job)
    assert (new.name, new.command, new.state) == ("other", ["false", "x"], JobState.PAUSED)
    assert (new.policy.timeouts_s, new.policy.attempts) == ((300, 3600), 7)
    assert (new.env["COLOUR"], new.env["KEPT"]) == ("blue", "1")
    assert job_document(bench.database, bench.home, new.id, bench.now)["labels"] == {"team": "web", "n": "2"}


def test_both_jobs_name_the_other(tmp_path):
    bench, job = ended(tmp_path)
    first, second = copy(bench, job).job, copy(bench, job).job
    document = job_document(bench.database, bench.home, job, bench.now)
    assert document["input"]["resubmitted_as"] == [first, second]
    assert job_document(bench.database, bench.home, first, bench.now)["input"]["resubmit_of_job"] == job
    assert [
        each["input"]["resubmitted_as"] for each in list_document(bench.database, bench.home, bench.now)["jobs"]
    ] == [[]] * 3


def test_items_with_an_unknown_outcome_are_left_out_where_nothing_may_run_twice(tmp_path):
    bench, job = ended(tmp_path, policy=Policy(attempts=1, max_crashes=0, on_crash="fail"))
    made = copy(bench, job)
    assert rows(bench, made.job) == of_rows(bench, job, 2, 3)
    assert made.notices == ("2 items with an unknown outcome left out (--unknown takes them)",)
    assert rows(bench, copy(bench, job, Selection(unknown=True)).job) == of_rows(bench, job, 4, 5)
    with pytest.raises(UsageError, match="2 items failed with an unknown outcome"):
        copy(bench, job, Selection(items=parse_spans("4-5", "--items", "item")))


def test_nothing_selected_says_why_and_makes_no_job(tmp_path):
    bench, job = ended(tmp_path, script=lambda _: Play())
    with pytest.raises(UsageError, match="none of its 5 items is failed or unprocessed") as caught:
        copy(bench, job)
    assert f"jobctl retry {job} --as-new --items 1-" in caught.value.hint
    assert jobs.load(bench.database, job + 1) is None
    with pytest.raises(NotFound, match="no job 9"):
        copy(bench, 9)


def test_many_rows_are_written_in_parts_while_others_write(tmp_path, monkeypatch):
    monkeypatch.setattr(feed, "HEAD_BYTES", 500)
    monkeypatch.setattr(feed, "PART_BYTES", 500)
    monkeypatch.setattr("jobctl.services.submit.rows_of_job._PAGE", 50)
    bench = Bench(tmp_path, script=lambda _: Play(code=65))
    job = bench.submit(rows=1_000, policy=Policy(attempts=1, max_failures="5"))
    bench.work_off()
    made = copy(bench, job, Selection(items=parse_spans("1-", "--items", "item")))
    assert rows(bench, made.job) == rows(bench, job)
    assert bench.database.scalar("SELECT count(*) FROM prunings") == 0


def test_rows_that_another_command_cannot_take_are_refused_before_anything_is_made(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(code=65))
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": 1, "size": 2}\n{"id": 2}\n')
    job = _submit(bench, path, ("echo", "{id}"))
    bench.work_off()
    with pytest.raises(InputRejected) as caught:
        copy(bench, job, command=("echo", "{size}"))
    assert any("'size'" in line for line in caught.value.details)
    assert jobs.load(bench.database, job + 1) is None
    made = copy(bench, job, Selection(items=parse_spans("1", "--items", "item")), command=("echo", "{size}"))
    assert rows(bench, made.job) == [b'{"id": 1, "size": 2}']


def _submit(bench, path, command, **options):
    import io

    from jobctl.services.submit.request import SubmitRequest
    from jobctl.services.submit.submit import submit
    from jobctl.sources.options import InputOptions

    request = SubmitRequest(InputOptions(str(path)), command=command, cwd=str(path.parent), **options)
    return submit(bench.home, request, now=bench.now, stdin=io.BytesIO()).job


def test_a_row_with_a_key_keeps_its_token_and_other_rows_get_new_ones(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(code=65))
    path = tmp_path / "rows.csv"
    path.write_text("id,size\na,1\nb,2\n")
    keyed = _submit(bench, path, ("echo", "{id}"), name="nightly", item_key="id")
    plain = _submit(bench, path, ("echo", "{size}"))
    bench.work_off()
    found = {}
    for job in (keyed, plain):
        made = copy(bench, job).job
        bench.work_off()
        for number in (job, made):
            (first, *_) = [each for each in bench.executor.dispatched if each.job == number]
            found[number] = next(pair for pair in first.env if pair.startswith(b"JOBCTL_TOKEN="))
        assert (found[job] == found[made]) is (job == keyed)


def test_a_key_makes_it_idempotent(tmp_path):
    bench, job = ended(tmp_path)
    first = copy(bench, job, key="again")
    second = copy(bench, job, key="again")
    assert (second.job, second.replayed) == (first.job, True)
    with pytest.raises(KeyConflict):
        copy(bench, job, Selection(items=parse_spans("2", "--items", "item")), key="again")


def test_a_preview_shows_the_first_commands_and_writes_nothing(tmp_path):
    bench, job = ended(tmp_path, command=("echo", "{}"))
    found = CopiedJob(bench.home, CopyRequest(job), now=bench.now).preview()
    assert (found.rows, len(found.commands)) == (4, 4)
    assert found.commands[0] == ("echo", of_rows(bench, job, 2)[0].decode())
    assert jobs.load(bench.database, job + 1) is None


def test_a_deadline_that_has_passed_is_not_taken_over(tmp_path):
    bench, job = ended(tmp_path)
    policy = Policy(attempts=1, deadline_at="2026-01-01T00:00:00Z").to_json()
    bench.database.execute("UPDATE jobs SET policy = ? WHERE id = ?", (json.dumps(policy), job))
    new = bench.job(copy(bench, job).job)
    assert (new.policy.deadline_at, new.deadline_at) == (None, None)


def test_a_retry_of_the_other_job_at_the_same_time_disturbs_neither(tmp_path):
    bench, job = ended(tmp_path)
    made = []
    every = Selection(items=parse_spans("1-", "--items", "item"))  # the retry may take all failed ones before the copy
    thread = threading.Thread(target=lambda: made.append(copy(bench, job, every)))
    thread.start()
    retry(bench.home, job, Selection(), now=bench.now)
    thread.join()
    bench.executor._script = lambda _: Play()
    bench.work_off()
    assert state(bench, job) == JobState.SUCCEEDED
    assert len(rows(bench, made[0].job)) == 5
    bench.check()


@pytest.mark.parametrize("input_format", ["lines", "csv", "jsonl"])
@pytest.mark.parametrize("payload", ["x'7bff'", "7", "x'5b5d'", "x'7b7d00'"])
def test_rows_that_were_damaged_in_the_database_are_problems_or_rows(store, home, jobctl, input_format, payload):
    """No damage ends a command with an error of ours; a row of another shape is a problem with its number."""
    job = store.job("ff", state="failed", input_format=input_format, started_at=1, finished_at=2, cwd="/")
    store.database.execute(f"UPDATE items SET payload = {payload} WHERE job = ? AND item = 2", (job,))
    for words in (["--dry-run"], ["--dry-run", "--", "true"], []):
        done = jobctl("retry", job, "--as-new", *words)
        assert done.code in (0, 7), done.err
    assert "bug in jobctl" not in jobctl("verify", job).err
