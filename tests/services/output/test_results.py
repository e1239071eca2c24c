"""Handing out result files."""

from __future__ import annotations

import io
import json

import pytest

from jobctl.domain.selection import Selection
from jobctl.domain.spans import spans_of
from jobctl.domain.states import ItemState
from jobctl.errors import HomeError, InputRejected, NotFound, UsageError
from jobctl.services.output.results import chosen, copy_out, result_files, results_of, stream_out
from tests.services.finished_job import WorkedOff


@pytest.fixture
def files(store, home):
    folder = home.job_results(1)
    folder.mkdir(parents=True)
    rows = {"succeeded": 2, "failed": 1, "unprocessed": 0}
    stored = {
        name: {"path": str(folder / f"{name}.csv"), "rows": count, "sha256": "00"} for name, count in rows.items()
    }
    for name in stored:
        (folder / f"{name}.csv").write_text(f"{name}\n" * 3)
    text = json.dumps({"dir": str(folder), "manifest": "", "files": stored})
    job = store.job("ssf", state="partial", started_at=1, finished_at=2, results=text)
    return result_files(store.database, job)


def test_all_files_or_some(files):
    assert [(file.kind, file.rows) for file in files] == [("succeeded", 2), ("failed", 1), ("unprocessed", 0)]
    assert [file.kind for file in chosen(files, ["failed"])] == ["failed"]
    assert chosen(files, []) == files


def test_a_copy_is_whole_or_not_there(files, tmp_path):
    target = tmp_path / "copy.csv"
    target.write_text("older")
    copy_out(files[1], target)
    assert target.read_text() == "failed\n" * 3
    assert [path.name for path in tmp_path.iterdir() if "tmp" in path.name] == []
    with pytest.raises(HomeError, match="cannot write"):
        copy_out(files[1], tmp_path / "no" / "such" / "place.csv")
    with pytest.raises(UsageError, match="directory"):
        copy_out(files[1], tmp_path)


def test_to_a_stream(files):
    stream = io.BytesIO()
    stream_out(files[0], stream)
    assert stream.getvalue() == b"succeeded\n" * 3


def test_a_file_that_was_removed_and_a_job_that_runs(files, store):
    files[0].path.unlink()
    with pytest.raises(NotFound, match="was removed"):
        stream_out(files[0], io.BytesIO())
    job = store.job("q")
    with pytest.raises(NotFound, match="written when it is done") as caught:
        result_files(store.database, job)
    assert f"jobctl wait {job}" in caught.value.hint


@pytest.fixture
def bench(tmp_path):
    bench = WorkedOff(tmp_path)
    yield bench
    bench.database.close()


def copied(bench, job, selection):
    """The rows of a selection, and the file that they are copied from."""
    found = results_of(bench.home, str(job), selection, rejected=False, now=bench.now)
    stream = io.BytesIO()
    found.stream_out(stream)
    assert "".join(found.lines()).encode("utf-8", "surrogateescape") == stream.getvalue()
    target = bench.root / "copy"
    document = found.copied(str(target))
    assert target.read_bytes() == stream.getvalue()
    return document["files"][0]["rows"], stream.getvalue(), found.one().path.read_bytes()


HARD = 'id,name\n1,"a\nb"\n2,bad1\n3,"c""d, e"\n4,"ü\r\nf"\n5,\n6,"""\n"""\n7,plain\n'


@pytest.mark.parametrize(
    ("text", "options"),
    [(HARD, {}), (HARD.replace("\n", "\r\n"), {}), (HARD.replace(",", ";"), {"delimiter": ";"})],
)
def test_the_rows_of_a_selection_are_copied_byte_for_byte(bench, text, options):
    job = bench.finish("rows.csv", text, ("do", "{name}"), **options)
    succeeded = (ItemState.SUCCEEDED,)
    _, everything, whole = copied(bench, job, Selection(succeeded, where="id > 0"))
    assert everything == whole
    rows, header, _ = copied(bench, job, Selection(succeeded, items=spans_of([2])))
    assert rows == 0
    single = [copied(bench, job, Selection(succeeded, where=f"id == {item}")) for item in (1, 3, 4, 5, 6, 7)]
    assert [rows for rows, _, _ in single] == [1] * 6
    assert header + b"".join(copy.removeprefix(header) for _, copy, _ in single) == whole
    rows, some, _ = copied(bench, job, Selection(succeeded, items=spans_of([2, 3, 6])))
    assert (rows, some) == (2, single[1][1] + single[4][1].removeprefix(header))


def test_the_rows_of_json_lines_and_of_plain_lines(bench):
    job = bench.finish("rows.jsonl", '{"n": 1}\n{"n": 2, "x": "bad"}\n{ "n" : 3 }\n', ("do", "{n}"))
    rows, some, whole = copied(bench, job, Selection((ItemState.SUCCEEDED,), where="n > 1"))
    assert (rows, some) == (2, b"".join(whole.splitlines(keepends=True)[1:]))
    job = bench.finish("rows.txt", "a\nbad\nc\n")
    rows, some, whole = copied(bench, job, Selection(causes=("exit_65",)))
    assert (rows, some) == (1, whole)
    rows, some, whole = copied(bench, job, Selection((ItemState.SUCCEEDED,), where="line == 'c'"))
    assert (rows, some) == (1, b"".join(whole.splitlines(keepends=True)[::2]))


def test_a_selection_of_no_row_has_a_header_and_says_why(bench):
    job = bench.mixed()
    found = results_of(bench.home, str(job), Selection((ItemState.FAILED,), where="id > 99"), rejected=False)
    target = bench.root / "none.csv"
    assert found.copied(str(target))["files"][0]["rows"] == 0
    assert target.read_text().count("\n") == 1
    assert "none of them fit --where 'id > 99'" in found.note()


@pytest.mark.parametrize(
    ("selection", "rejected", "message"),
    [
        (Selection((ItemState.RUNNING,)), False, "results acts on items that are succeeded, failed, unprocessed"),
        (Selection(where="id > 1"), False, "several are chosen"),
        (Selection(where="id > 1"), True, "rows that were not accepted are not items"),
    ],
)
def test_a_selection_that_no_file_has_is_refused(bench, selection, rejected, message):
    job = bench.mixed()
    if rejected:
        bench.database.execute("UPDATE jobs SET rejected = 1")
    with pytest.raises(UsageError, match=message):
        results_of(bench.home, str(job), selection, rejected=rejected).stream_out(io.BytesIO())


def test_a_list_has_whole_files(bench):
    job = bench.mixed()
    with pytest.raises(UsageError, match="-o is missing"):
        results_of(bench.home, str(job), Selection(causes=("exit_65",)), rejected=False).document()


def test_a_file_that_somebody_has_changed_is_not_copied_in_part(bench):
    job = bench.mixed()
    found = results_of(bench.home, str(job), Selection((ItemState.FAILED,), items=spans_of([2])), rejected=False)
    found.one().path.write_text("something else\n")
    with pytest.raises(InputRejected, match="does not begin with the columns") as caught:
        found.copied(str(bench.root / "copy.csv"))
    assert "jobctl verify" in caught.value.hint
    assert not (bench.root / "copy.csv").exists()
