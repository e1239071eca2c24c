"""Verify finds nothing in what the engine wrote, and every single thing that was changed afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobctl.domain.selection import Selection
from jobctl.errors import NotFound
from jobctl.services.control.retry import retry
from jobctl.services.output.verify import FINDINGS_SHOWN, Verification, verify
from tests.services.finished_job import WorkedOff

JSON_ROWS = (
    '{"id": 1, "name": "a"}\n'
    '{"id": 2.50, "name": "bad1", "nested": {"_jobctl": 1, "x": [1, 2]}}\n'
    '  {"name":"ü","id":1e3 }  \n'
    '{"id": 4, "name": "say \\"_jobctl\\": {}"}\n'
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[WorkedOff]:
    bench = WorkedOff(tmp_path)
    yield bench
    bench.database.close()


def results(bench: WorkedOff, job: int, name: str) -> Path:
    return bench.home.job_results(job) / name


def codes(report: Verification) -> list[str]:
    return [finding.code for finding in report.findings]


def change(path: Path, edit: Callable[[list[str]], list[str]]) -> None:
    """Edit the lines of a file."""
    path.write_text("".join(edit(path.read_text().splitlines(keepends=True))))


def sql(bench: WorkedOff, text: str, *values: object) -> None:
    with bench.database.transaction():
        bench.database.execute(text, values)


@pytest.mark.parametrize(
    ("name", "text", "command", "options"),
    [
        ("rows.csv", 'id,name\r\n1,"a,b"\r\n2,"x\r\ny"\r\n3,bad\r\n4,\r\n', ("do", "{name}"), {}),
        ("rows.csv", "1;2\n3;4\n", ("do", "{1}"), {"delimiter": ";", "header": False}),
        ("rows.csv", "only\n=1+1\n-bad\n", ("do", "{only}"), {}),
        ("rows.tsv", "id\tname\n1\ta\n2\tbad\n", ("do", "{name}"), {}),
        ("rows.jsonl", JSON_ROWS, ("do", "{name}"), {}),
        ("rows.txt", 'a\n  bad, "line"  \nü\n"\n', ("do", "{}"), {}),
    ],
)
def test_files_that_the_engine_wrote_have_no_findings(
    bench: WorkedOff, name: str, text: str, command: tuple[str, ...], options: dict[str, object]
) -> None:
    job = bench.finish(name, text, command, **options)
    report = verify(bench.home, job)
    assert report.findings == []
    assert report.ok
    assert report.checked == ["counters", "checksums", "every row once", "input rows"]
    assert (report.files, report.file_rows, report.unchecked) == (3, report.items, [])
    assert report.items == bench.job(job).total > 0


@pytest.mark.parametrize("stored", ["{", "{}", '{"files": {}}', "7"])
def test_a_damaged_manifest_in_the_database_is_a_finding(bench: WorkedOff, stored: str) -> None:
    job = bench.mixed()
    sql(bench, "UPDATE jobs SET results = ? WHERE id = ?", stored, job)
    assert codes(verify(bench.home, job)) == ["manifest"]


def test_all_three_files_are_compared_with_the_input(bench: WorkedOff) -> None:
    job = bench.mixed()
    report = verify(bench.home, job)
    assert (report.ok, report.items, report.file_rows) == (True, 12, 12)
    document = json.loads(json.dumps(report.document()))
    assert (document["schema"], document["ok"], document["job"], document["findings"]) == (
        "jobctl.verify/1",
        True,
        job,
        [],
    )


def test_another_round_is_verified_against_its_own_files(bench: WorkedOff) -> None:
    job = bench.mixed()
    retry(bench.home, job, Selection(), now=bench.now)
    report = verify(bench.home, job)
    assert (report.ok, report.state, report.files) == (True, "queued", 0)
    assert report.checked == ["counters", "input rows"]
    assert report.unchecked == ["result files: they are written when the job is done"]
    bench.work_off()
    report = verify(bench.home, job)
    assert (report.findings, report.file_rows) == ([], 12)


def test_a_row_lost(bench: WorkedOff) -> None:
    job = bench.mixed()
    change(results(bench, job, "succeeded.csv"), lambda lines: lines[:2] + lines[3:])
    report = verify(bench.home, job)
    assert codes(report) == ["checksum", "row_missing"]
    assert (report.findings[1].item, report.findings[1].message) == (3, "succeeded.csv has no row of item 3")


def test_a_row_twice(bench: WorkedOff) -> None:
    job = bench.mixed()
    change(results(bench, job, "failed.csv"), lambda lines: [*lines[:3], lines[2], *lines[3:]])
    report = verify(bench.home, job)
    assert codes(report) == ["checksum", "row_surplus"]
    assert report.findings[1].item == 4


def test_a_row_in_the_wrong_file(bench: WorkedOff) -> None:
    job = bench.mixed()
    moved: list[str] = []
    change(results(bench, job, "unprocessed.csv"), lambda lines: moved.append(lines[-1]) or lines[:-1])
    change(results(bench, job, "succeeded.csv"), lambda lines: [*lines, moved[0].rstrip() + "," * 6 + "\n"])
    report = verify(bench.home, job)
    assert [(f.code, f.item) for f in report.findings] == [
        ("checksum", None),
        ("checksum", None),
        ("row_missing", 12),
        ("row_surplus", 12),
    ]


def test_rows_out_of_order(bench: WorkedOff) -> None:
    job = bench.mixed()
    change(results(bench, job, "failed.csv"), lambda lines: [lines[0], lines[2], lines[1], *lines[3:]])
    assert set(codes(verify(bench.home, job))) == {"checksum", "row_missing", "row_surplus"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("4,bad2,", "4,bad7,", "row_differs"),
        ("no luck", "no lack", None),  # a column of ours: only the checksum can tell
        ("id,name", "id,nome", "unreadable"),
        ("jobctl_item", "jobctl_itme", "unreadable"),
        ("4,bad2,", '4,bad2,"', "unreadable"),
        ("4,bad2,", "4,bad2,x,", "unreadable"),
    ],
)
def test_anything_else_changed_in_a_file(bench: WorkedOff, old: str, new: str, code: str | None) -> None:
    job = bench.mixed()
    path = results(bench, job, "failed.csv")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    report = verify(bench.home, job)
    assert set(codes(report)) == {"checksum", code} - {None}
    assert all(finding.file == str(path) for finding in report.findings)


def test_a_file_that_is_gone(bench: WorkedOff) -> None:
    job = bench.mixed()
    results(bench, job, "failed.csv").unlink()
    report = verify(bench.home, job)
    assert codes(report) == ["file"]
    assert report.findings[0].message == "failed.csv cannot be read: No such file or directory"
    assert report.file_rows == 8


@pytest.mark.parametrize(
    ("old", "new"),
    [('"round": 1', '"round": 2'), ('"rows": 4', '"rows": 5'), ('"sha256": "', '"sha256": "0'), ("{", "")],
)
def test_a_manifest_that_was_changed(bench: WorkedOff, old: str, new: str) -> None:
    job = bench.mixed()
    path = results(bench, job, "manifest.json")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert set(codes(verify(bench.home, job))) == {"manifest"}


def test_json_rows_changed(bench: WorkedOff) -> None:
    job = bench.finish("rows.jsonl", JSON_ROWS, ("do", "{name}"))
    path = results(bench, job, "succeeded.jsonl")
    text = path.read_text()
    path.write_text(text.replace('"id":1e3', '"id":1000'))
    report = verify(bench.home, job)
    assert [(f.code, f.item) for f in report.findings] == [("checksum", None), ("row_differs", 3)]
    path.write_text(text.replace('"_jobctl":{"job"', '"_jobctl":["job"', 1))
    assert codes(verify(bench.home, job)) == ["checksum", "unreadable"]


def test_counters_that_do_not_match_the_items(bench: WorkedOff) -> None:
    job = bench.mixed()
    sql(bench, "UPDATE jobs SET succeeded = succeeded + 1, failed = failed - 1 WHERE id = ?", job)
    report = verify(bench.home, job)
    assert codes(report)[:2] == ["counter", "counter"]
    assert report.findings[0].message == "succeeded: the counter says 6, there are 5"


def test_a_cause_that_counts_wrong(bench: WorkedOff) -> None:
    job = bench.mixed()
    sql(bench, "UPDATE failures SET items = items + 1 WHERE job = ?", job)
    assert codes(verify(bench.home, job)) == ["failures"]


def test_rows_in_the_database_that_are_not_those_accepted(bench: WorkedOff) -> None:
    job = bench.mixed()
    sql(bench, "UPDATE items SET payload = ? WHERE job = ? AND item = 1", b"1\0z", job)
    report = verify(bench.home, job)
    assert [(f.code, f.item) for f in report.findings] == [("row_differs", 1), ("input", None)]


def test_an_item_that_is_gone(bench: WorkedOff) -> None:
    job = bench.mixed()
    sql(bench, "DELETE FROM items WHERE job = ? AND item = 3", job)
    assert set(codes(verify(bench.home, job))) == {"counter", "item_missing", "row_surplus", "input"}


def test_many_findings_are_counted_and_the_first_are_listed(bench: WorkedOff) -> None:
    job = bench.finish("rows.txt", "".join(f"row {n}\n" for n in range(200)))
    sql(bench, "UPDATE items SET payload = x'41' WHERE job = ?", job)
    report = verify(bench.home, job)
    assert report.findings_total == 201
    assert len(report.findings) == FINDINGS_SHOWN


def test_of_a_job_at_work_the_counters_are_checked(bench: WorkedOff) -> None:
    job = bench.submit(rows=3, hold=True)
    report = verify(bench.home, job)
    assert (report.ok, report.items, report.checked) == (True, 3, ["counters", "input rows"])


def test_no_such_job(bench: WorkedOff) -> None:
    with pytest.raises(NotFound):
        verify(bench.home, 1)
