"""Workbooks and Parquet: every kind of value becomes a text in one way, and the rest is as with a CSV file."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import sys

import pytest

from jobctl.errors import InputRejected, UsageError
from jobctl.sources import InputOptions, open_source
from jobctl.sources.table import BATCH, text_of

UTC = dt.UTC


def read_file(path, **options):
    with open_source(InputOptions(str(path), **options), io.BytesIO()) as source:
        rejects = []
        rows = [payload.decode().split("\0") for batch in source.batches(reject=rejects.append) for payload in batch]
        return source, rows, rejects


@pytest.fixture
def workbook(tmp_path):
    xlsxwriter = pytest.importorskip("xlsxwriter", reason="needs the package xlsxwriter")
    pytest.importorskip("python_calamine", reason="needs the extra xlsx")
    path = tmp_path / "book.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Orders")
    sheet.write_row(1, 1, ["id", "name", "when", "jobctl_item"])
    day, minute, hours = (
        book.add_format({"num_format": text}) for text in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm", "[h]:mm:ss")
    )
    sheet.write_row(3, 1, [1, "a\nb"])
    sheet.write_datetime(3, 3, dt.datetime(2026, 1, 5), day)  # noqa: DTZ001
    sheet.write_row(4, 1, [2.5, "é,ü"])
    sheet.write_datetime(4, 3, dt.datetime(2026, 1, 5, 10, 30), minute)  # noqa: DTZ001
    sheet.write_row(5, 1, [True, "007", None, 9])
    sheet.write_datetime(5, 3, dt.timedelta(hours=26), hours)
    other = book.add_worksheet("Other")
    other.write_row(0, 0, ["x", "y", "", ""])
    other.write_row(1, 0, [1, 2, None, "stray"])
    other.write_row(2, 0, [3, 4])
    book.add_worksheet("Empty")
    book.close()
    return path


def test_a_workbook_is_its_first_sheet_or_the_one_named(workbook):
    source, rows, _ = read_file(workbook)
    assert (source.format, source.columns) == ("csv", ("id", "name", "when"))
    assert rows == [["1", "a\nb", "2026-01-05"], ["2.5", "é,ü", "2026-01-05T10:30:00"], ["true", "007", "26:00:00"]]
    assert (source.bytes, len(source.sha256)) == (workbook.stat().st_size, 64)
    assert source.dialect["delimiter"] == ","
    assert read_file(workbook, sheet="Orders", where="name ~ '^0'")[1] == [rows[2]]


def test_rows_of_a_sheet_are_judged_with_their_line(workbook):
    with pytest.raises(InputRejected) as caught:
        read_file(workbook, sheet="Other")
    assert caught.value.details == ("line 2, record 1: 'stray' is in a column without a name",)
    source, rows, rejects = read_file(workbook, sheet="Other", invalid="skip")
    assert (rows, rejects[0].fields[:2], source.rejected) == ([["3", "4"]], ("1", "2"), 1)


def test_without_header_columns_are_numbers(workbook):
    source, rows, _ = read_file(workbook, sheet="Other", header=False, select="1")
    assert (source.columns, rows) == (("1", "2", "3", "4"), [["x", "y", "", ""]])


def test_a_missing_workbook_or_sheet_is_reported(workbook, tmp_path):
    with pytest.raises(UsageError, match="no such sheet") as caught:
        read_file(workbook, sheet="Orderz")
    assert "'Orders', 'Other', 'Empty'" in caught.value.hint
    with pytest.raises(InputRejected) as refused:
        read_file(workbook, sheet="Empty")
    assert refused.value.details == ("the sheet 'Empty' is empty",)
    (tmp_path / "no.xlsx").write_text("id\n1\n")
    with pytest.raises(InputRejected) as refused:
        read_file(tmp_path / "no.xlsx")
    assert "this is not a workbook" in refused.value.details[0]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.csv", {"sheet": "x"}, "--sheet makes no sense for csv"),
        ("a.xlsx", {"delimiter": ";"}, "--delimiter makes no sense"),
        ("a.xlsx", {"encoding": "cp1252"}, "--encoding makes no sense"),
        ("a.parquet", {"header": False}, "--no-header makes no sense"),
    ],
)
def test_options_that_do_not_fit(tmp_path, name, options, message):
    (tmp_path / name).write_text("x")
    with pytest.raises(UsageError, match=message):
        read_file(tmp_path / name, **options)


def test_a_table_cannot_come_through_a_pipe():
    with pytest.raises(UsageError, match="cannot be read from a pipe"):
        open_source(InputOptions("-", format="xlsx"), io.BytesIO(b"PK"))


@pytest.mark.parametrize(("name", "package"), [("a.xlsx", "python_calamine"), ("a.parquet", "pyarrow")])
def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch, name, package):
    (tmp_path / name).write_text("x")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match="not installed") as caught:
        read_file(tmp_path / name)
    assert f"pip install 'jobctl[{name[2:]}]'" in caught.value.hint


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (3.0, "3"),
        (-0.5, "-0.5"),
        (1e300, "1e+300"),
        (2**70, str(2**70)),
        (decimal.Decimal("1E+2"), "100"),
        (False, "false"),
        (dt.date(2026, 1, 5), "2026-01-05"),
        (dt.datetime(2026, 1, 5, tzinfo=UTC), "2026-01-05T00:00:00+00:00"),
        (dt.time(10, 5), "10:05:00"),
        (-dt.timedelta(hours=1, milliseconds=500), "-1:00:00.5"),
        ("é".encode(), "é"),
        ([1, None, {"a": dt.date(2026, 1, 5)}], '[1,null,{"a":"2026-01-05"}]'),
    ],
)
def test_values_become_texts(value, text):
    assert text_of(value) == text


@pytest.fixture
def parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra parquet")
    import pyarrow.parquet as writer

    def write(columns, **options):
        path = tmp_path / "table.parquet"
        writer.write_table(pyarrow.table(columns), path, **options)
        return path

    return write


def test_parquet_in_batches_across_row_groups(parquet):
    count = 3 * BATCH + 7
    path = parquet({"id": list(range(count)), "name": [None, *(["x"] * (count - 1))]}, row_group_size=4_000)
    source, rows, _ = read_file(path)
    assert source.columns == ("id", "name")
    assert (len(rows), rows[0], rows[-1]) == (count, ["0", ""], [str(count - 1), "x"])


def test_the_values_of_parquet(parquet):
    import pyarrow

    moment = dt.datetime(2026, 1, 5, 10, 30, 0, 5, UTC)
    path = parquet(
        {
            "whole": pyarrow.array([1, None], pyarrow.int64()),
            "float": pyarrow.array([7.0, 0.25]),
            "at": pyarrow.array([moment, None], pyarrow.timestamp("ns", "UTC")),
            "tags": [["a", "b"], []],
        }
    )
    rows = read_file(path)[1]
    assert rows == [["1", "7", "2026-01-05T10:30:00.000005+00:00", '["a","b"]'], ["", "0.25", "", "[]"]]


def test_damaged_parquet_is_refused(parquet, tmp_path):
    content = parquet({"id": list(range(1000))}).read_bytes()
    for number, broken in enumerate((b"PAR1" + content[4:200], b"x" * 100, content[:40] + bytes(400) + content[440:])):
        path = tmp_path / f"broken{number}.parquet"
        path.write_bytes(broken)
        with pytest.raises(InputRejected):
            read_file(path)


def test_a_parquet_row_without_values_is_refused_or_skipped(parquet):
    path = parquet({"id": ["1", None, "3"], "name": [None, "", "x"]})
    with pytest.raises(InputRejected) as caught:
        read_file(path)
    assert caught.value.details == ("record 2: every field is empty",)
    source, rows, rejects = read_file(path, invalid="skip")
    assert (rows, source.records) == ([["1", ""], ["3", "x"]], 3)
    assert (rejects[0].problem.code, rejects[0].fields) == ("empty_row", ("", ""))
    assert read_file(path, select="3")[1] == [["3", "x"]]
