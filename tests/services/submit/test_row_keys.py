"""Rows with a name of their own: unique in the file, and not run again when they are done."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from jobctl.config import Home
from jobctl.domain.policy import Policy
from jobctl.domain.selection import Selection
from jobctl.domain.states import JobState
from jobctl.errors import InputRejected, KeyConflict, UsageError
from jobctl.services.control.prune import prune
from jobctl.services.control.prune_choice import PruneOptions
from jobctl.services.control.retry import retry
from jobctl.services.status.document import job_document
from jobctl.services.submit import feed
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import preview, submit
from jobctl.sources import stream
from jobctl.sources.options import InputOptions
from jobctl.store import done
from tests.engine.bench import SECOND, Bench, state
from tests.executors.fake import Play
from tests.schemas import check
from tests.stages import few

DAY = 86_400 * SECOND


class Nightly(Bench):
    """A bench on which a file is submitted night after night."""

    def night(self, rows, *, kind="csv", command=("load", "{id}"), **options):
        """Submit rows of (id, value), work them off; (job, number of rows that ran, number skipped)."""
        text = {
            "csv": "id,v\n" + "".join(f"{key},{value}\n" for key, value in rows),
            "jsonl": "".join(f'{{"id":"{key}","v":"{value}"}}\n' for key, value in rows),
        }[kind]
        path = self.root / f"export.{kind}"
        path.write_text(text, encoding="utf-8")
        asked = {"name": "nightly", "item_key": "id", "only_new": True, "policy": Policy(attempts=1)} | options
        request = SubmitRequest(input=InputOptions(str(path)), command=command, cwd=str(self.root), **asked)
        accepted = submit(self.home, request, now=self.now, stdin=io.BytesIO())
        self.work_off()
        return accepted.job, accepted.items, accepted.skipped


@pytest.fixture(params=["csv", "jsonl"])
def kind(request):
    return request.param


def rows(count, value="a"):
    return [(f"k{n}", value) for n in range(count)]


def test_only_new_and_changed_rows_run(tmp_path, kind):
    bench = Nightly(tmp_path)
    assert bench.night(rows(5), kind=kind) == (1, 5, 0)
    assert bench.night(rows(5), kind=kind) == (2, 0, 5)
    changed = [("k0", "a"), ("k1", "B"), *rows(7)[2:]]
    assert bench.night(changed, kind=kind) == (3, 3, 4)
    assert bench.night(changed, kind=kind) == (4, 0, 7)


def test_skipped_rows_are_counted_outside_the_total(tmp_path):
    bench = Nightly(tmp_path)
    bench.night(rows(5))
    job, _, _ = bench.night(rows(8))
    document = check("status-1", job_document(bench.database, bench.home, job, bench.now))
    assert (document["counts"]["total"], document["counts"]["skipped"], document["input"]["rows"]) == (3, 5, 8)
    assert document["state_reason"] == "3 succeeded, 5 skipped"
    nothing, _, _ = bench.night(rows(8))
    document = job_document(bench.database, bench.home, nothing, bench.now)
    assert (document["state"], document["counts"]["total"]) == ("succeeded", 0)
    assert document["state_reason"] == "nothing to do: 8 rows done already in an earlier job of that name"


def test_a_row_that_failed_runs_again_until_it_succeeds(tmp_path, kind):
    bad = {2, 3}
    bench = Nightly(tmp_path, script=lambda d: Play(code=65 if d.job == 1 and d.item in bad else 0))
    bench.night(rows(4), kind=kind)
    assert bench.states(1) == "sffs"
    assert bench.night(rows(4), kind=kind)[1:] == (2, 2)
    assert bench.night(rows(4), kind=kind)[1:] == (0, 4)


def test_a_row_that_succeeded_in_a_retry_is_done(tmp_path):
    bench = Nightly(tmp_path, script=lambda d: Play(code=65 if d.attempt == 1 and d.item == 2 else 0))
    bench.night(rows(3))
    retry(bench.home, 1, Selection(), now=bench.now)
    bench.work_off()
    assert bench.night(rows(3))[1:] == (0, 3)


def test_a_row_that_was_changed_and_changed_back_runs_again(tmp_path):
    bench = Nightly(tmp_path)
    for value, ran in (("a", 1), ("b", 1), ("a", 1), ("a", 0)):
        assert bench.night([("k", value)])[1] == ran


def test_a_row_whose_new_content_failed_runs_again_with_its_old_one(tmp_path):
    bench = Nightly(tmp_path, script=lambda d: Play(code=65 if d.job == 2 else 0))
    assert [bench.night([("k", value)])[1] for value in ("a", "b", "a")] == [1, 1, 1]


@pytest.mark.parametrize(
    "other", [{"command": ("load", "--fast", "{id}")}, {"name": "weekly"}, {"only_new": False}], ids=str
)
def test_another_command_or_name_is_other_work(tmp_path, other):
    bench = Nightly(tmp_path)
    bench.night(rows(3))
    assert bench.night(rows(3), **other)[1:] == (3, 0)


def test_done_rows_survive_prune_for_the_stated_time(tmp_path):
    bench = Nightly(tmp_path)
    bench.night(rows(3))
    bench.now += DAY
    prune(bench.home, PruneOptions(older_than_s=0), now=bench.now)
    assert bench.database.scalar("SELECT count(*) FROM jobs") == 0
    assert bench.night(rows(3))[1:] == (0, 3)
    bench.now += (done.KEPT_DAYS - 2) * DAY
    prune(bench.home, PruneOptions(older_than_s=0), now=bench.now)
    assert bench.night(rows(3))[1:] == (0, 3)
    bench.now += (done.KEPT_DAYS + 1) * DAY
    prune(bench.home, PruneOptions(older_than_s=0), now=bench.now)
    assert bench.night(rows(3))[1:] == (3, 0)


def test_two_rows_with_one_key_are_refused_with_both_lines(tmp_path, kind):
    bench = Nightly(tmp_path)
    with pytest.raises(InputRejected) as caught:
        bench.night([("x", 1), ("y", 2), ("x", 3), ("z", 4), ("y", 5)], kind=kind)
    first = 2 if kind == "csv" else 1
    assert caught.value.details == (
        f"key 'x': line {first} and line {first + 2}",
        f"key 'y': line {first + 1} and line {first + 4}",
    )
    assert "2 rows have the key of an earlier row, nothing was accepted" in caught.value.message
    assert bench.database.scalar("SELECT count(*) FROM jobs") == 0


def test_keys_are_unique_also_without_only_new_and_in_a_big_file(tmp_path):
    bench = Nightly(tmp_path)
    many = rows(20_000)
    many[15_000] = ("k7", "again")
    with pytest.raises(InputRejected) as caught:
        bench.night(many, only_new=False)
    assert caught.value.details == ("key 'k7': line 9 and line 15002",)


def test_a_row_without_a_key_is_refused(tmp_path):
    bench = Nightly(tmp_path)
    path = tmp_path / "x.jsonl"
    path.write_text('{"id":"1"}\n{"other":"2"}\n', encoding="utf-8")
    request = SubmitRequest(input=InputOptions(str(path)), command=("true",), item_key="id", cwd=str(tmp_path))
    with pytest.raises(InputRejected) as caught:
        submit(bench.home, request, now=bench.now, stdin=io.BytesIO())
    assert caught.value.details == ("line 2, record 2, column 'id': the row has no such key, and every row needs it",)
    assert bench.database.scalar("SELECT count(*) FROM jobs") == 0


def judged_both_ways(bench, request):
    """Return the result of a dry run of an input, and of its submission."""
    looked = preview(bench.home, request, stdin=io.BytesIO())
    accepted = submit(bench.home, request, now=bench.now, stdin=io.BytesIO())
    assert (looked.rows, looked.rejected) == (accepted.items, accepted.rejected)
    return accepted


@pytest.mark.parametrize("options", [{}, {"where": "id != '9'"}, {"select": "2-"}], ids=str)
def test_the_lines_are_those_of_the_file_whatever_else_is_left_out_of_it(tmp_path, options):
    bench = Nightly(tmp_path)
    path = tmp_path / "x.csv"
    path.write_text('id,v\n9,a\n1,"x\ny"\n1,zz\n8,q\n8,r\n', encoding="utf-8")
    request = SubmitRequest(
        input=InputOptions(str(path), **options), command=("true",), item_key="id", cwd=str(tmp_path)
    )
    for judged in (
        lambda: submit(bench.home, request, now=1, stdin=io.BytesIO()),
        lambda: preview(bench.home, request, stdin=io.BytesIO()),
    ):
        with pytest.raises(InputRejected) as caught:
            judged()
        assert caught.value.details == ("key '1': line 3 and line 5", "key '8': line 6 and line 7")
        assert "--invalid skip" in caught.value.hint


def rejected_of(accepted):
    with open(accepted.rejected_path, newline="", encoding="utf-8") as file:
        return [row[:5] for row in csv.reader(file)][1:]


@pytest.mark.parametrize(
    ("options", "left"),
    [({}, [7, 9]), ({"where": "id != '9'"}, [7, 9]), ({"select": "3-"}, [7, 9]), ({"select": "1-4"}, [])],
    ids=str,
)
def test_the_first_row_of_a_key_wins_where_bad_rows_may_be_left_out(tmp_path, options, left):
    bench = Nightly(tmp_path)
    path = tmp_path / "x.csv"
    path.write_text('id,v\n9,a\nbad\n1,"x\ny"\nbad\n1,zz\n8,q\n8,r\n', encoding="utf-8")
    request = SubmitRequest(
        input=InputOptions(str(path), invalid="skip", **options), command=("true",), item_key="id", cwd=str(tmp_path)
    )
    accepted = judged_both_ways(bench, request)
    doubled = [row for row in rejected_of(accepted) if "already" in row[3]]
    assert [int(row[0]) for row in doubled] == left
    if left:
        assert doubled[0] == ["7", "5", "id", "record 3 has the key '1' already", "1"]
        assert doubled[1] == ["9", "7", "id", "record 6 has the key '8' already", "8"]


KEYED = {
    "csv": ("id,v\n", "{},a\n", "x.csv"),
    "quoted": ("id,v\n", '"{}","a"\n', "x.csv"),
    "jsonl": ("", '{{"id":"{}","v":"a"}}\n', "x.jsonl"),
}


@pytest.mark.parametrize("head_bytes", [1 << 20, 20_000], ids=["at once", "in parts"])
@pytest.mark.parametrize("kind", KEYED)
@pytest.mark.parametrize("only_new", few([False, True], [True]))
def test_the_first_row_of_a_key_wins_in_inputs_of_all_sizes(tmp_path, monkeypatch, kind, head_bytes, only_new):
    monkeypatch.setattr(feed, "HEAD_BYTES", head_bytes)
    monkeypatch.setattr(feed, "PART_BYTES", head_bytes)
    monkeypatch.setattr(stream, "CHUNK", 10_000)
    bench = Nightly(tmp_path)
    header, row, name = KEYED[kind]
    keys = [f"k{n}" for n in range(6_000)]
    keys[4_000], keys[5_000], keys[5_001] = "k7", "k7", "k4999"
    (tmp_path / name).write_text(header + "".join(row.format(key) for key in keys), encoding="utf-8")
    asked = {"name": "nightly", "only_new": only_new, "command": ("true", "{v}"), "cwd": str(tmp_path)}
    request = SubmitRequest(input=InputOptions(str(tmp_path / name), invalid="skip"), item_key="id", **asked)
    accepted = judged_both_ways(bench, request)
    assert (accepted.items, accepted.rejected, accepted.skipped) == (5_997, 3, 0)
    assert [(row[1], row[3]) for row in rejected_of(accepted)] == [
        ("4001", "record 8 has the key 'k7' already"),
        ("5001", "record 8 has the key 'k7' already"),
        ("5002", "record 5000 has the key 'k4999' already"),
    ]


@pytest.mark.parametrize("empty", ["", " "])
def test_a_row_whose_key_is_empty_has_no_name(tmp_path, kind, empty):
    bench = Nightly(tmp_path)
    with pytest.raises(InputRejected) as caught:
        bench.night([("x", 1), (empty, 2)], kind=kind)
    assert "column 'id': the key of the row is empty" in caught.value.details[0]
    request = SubmitRequest(
        input=InputOptions(str(tmp_path / f"export.{kind}"), invalid="skip"),
        command=("true",),
        item_key="id",
        cwd=str(tmp_path),
    )
    accepted = judged_both_ways(bench, request)
    assert (accepted.items, accepted.rejected) == (1, 1)


def test_a_row_that_is_left_out_for_another_reason_does_not_take_its_key(tmp_path):
    bench = Nightly(tmp_path)
    (tmp_path / "x.jsonl").write_text('{"id":"1"}\n{"id":"1","v":"a"}\n', encoding="utf-8")
    request = SubmitRequest(
        input=InputOptions(str(tmp_path / "x.jsonl"), invalid="skip"),
        command=("true", "{id}", "{v}"),
        item_key="id",
        cwd=str(tmp_path),
    )
    (tmp_path / "x.jsonl").write_text('{"id":"2","v":"a"}\n{"id":"1"}\n{"id":"1","v":"a"}\n', encoding="utf-8")
    accepted = judged_both_ways(bench, request)
    assert (accepted.items, accepted.rejected) == (2, 1)


def test_a_sample_is_taken_of_rows_with_keys_of_their_own(tmp_path):
    bench = Nightly(tmp_path)
    (tmp_path / "x.csv").write_text("id\n" + "1\n" * 50 + "2\n" * 50, encoding="utf-8")
    request = SubmitRequest(
        input=InputOptions(str(tmp_path / "x.csv"), invalid="skip", sample=5),
        command=("true", "{id}"),
        item_key="id",
        cwd=str(tmp_path),
    )
    assert judged_both_ways(bench, request).items == 2


def test_a_dry_run_judges_as_the_submission_does_and_writes_nothing(tmp_path):
    bench = Nightly(tmp_path)
    bench.night(rows(3), key="k-1")
    before = bench.database.scalar("PRAGMA data_version")
    asked = {"name": "nightly", "item_key": "id", "only_new": True, "cwd": str(tmp_path)}
    request = SubmitRequest(input=InputOptions(str(tmp_path / "export.csv")), command=("load", "{id}"), **asked)
    looked = preview(bench.home, request, stdin=io.BytesIO())
    assert (looked.rows, looked.skipped, looked.replay_of) == (0, 3, None)
    assert preview(bench.home, replace(request, key="k-1"), stdin=io.BytesIO()).replay_of == 1
    with pytest.raises(KeyConflict, match="other work"):
        preview(bench.home, replace(request, key="k-1", command=("drop", "{id}")), stdin=io.BytesIO())
    with pytest.raises(KeyConflict, match="was used already"):
        preview(bench.home, replace(request, key="k-1", on_duplicate="fail"), stdin=io.BytesIO())
    bench.submit(rows=2)
    with pytest.raises(KeyConflict, match="the same work is queued already"):
        preview(
            bench.home,
            SubmitRequest(InputOptions(str(tmp_path / "rows.txt")), ("true",), cwd=str(tmp_path), unique=True),
            stdin=io.BytesIO(),
        )
    assert bench.database.scalar("PRAGMA data_version") == before + 1  # that of the second job
    nowhere = Home(tmp_path / "nowhere")
    assert preview(nowhere, request, stdin=io.BytesIO()).rows == 3
    assert not nowhere.root.exists()


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"item_key": "nr"}, "--item-key 'nr': there is no such column", "columns: id, v"),
        ({"item_key": None}, "--only-new needs --name and --item-key", "--only-new"),
        ({"name": None}, "--only-new needs --name and --item-key", "--only-new"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, options, message, hint):
    bench = Nightly(tmp_path)
    with pytest.raises(UsageError) as caught:
        bench.night(rows(2), **options)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert bench.database.scalar("SELECT count(*) FROM jobs") == 0


def test_a_row_that_was_never_tried_keeps_what_it_was(tmp_path):
    bench = Nightly(tmp_path, slots=1, script=lambda d: Play(code=65 if d.job == 2 else 0))
    bench.night([("k0", "a"), ("k1", "a")])
    job, ran, _ = bench.night([("k0", "new"), ("k1", "new")], policy=Policy(attempts=1, max_failures="0"))
    assert (ran, bench.states(job), state(bench, job)) == (2, "fu", JobState.FAILED)
    assert bench.night([("k0", "a"), ("k1", "a")])[1:] == (1, 1)  # k0 failed, k1 was not touched
