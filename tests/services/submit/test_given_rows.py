"""Rows that a program gives: what becomes of each kind of value, and the messages for those that are refused."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import io
import itertools
import json
import math
import tracemalloc
import uuid
from pathlib import Path
from typing import Any

import pandas
import pyarrow
import pytest

from jobctl.errors import InputRejected, JobctlError, UsageError
from jobctl.services.submit.given_rows import stream_of

Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Order:
    id: int
    price: float


def lines(rows: Any) -> list[Any]:
    stream, format_ = stream_of(rows)
    text = io.BufferedReader(stream).read()
    return [json.loads(line) if format_ == "jsonl" else line.decode() for line in text.splitlines()]


def refused(rows: Any) -> JobctlError:
    with pytest.raises(JobctlError) as caught:
        lines(rows)
    return caught.value


def test_values_keep_their_meaning() -> None:
    moment = datetime.datetime(2026, 11, 30, 21, 5, tzinfo=datetime.UTC)
    row = {
        "text": "é",
        "none": None,
        "nan": math.nan,
        "date": datetime.date(2026, 1, 2),
        "at": moment,
        "id": uuid.UUID(int=5),
        "path": Path("/x"),
        "nested": {"list": [1, 2.5, True]},
    }
    assert lines([row]) == [
        {
            "text": "é",
            "none": None,
            "nan": None,
            "date": "2026-01-02",
            "at": "2026-11-30T21:05:00+00:00",
            "id": "00000000-0000-0000-0000-000000000005",
            "path": "/x",
            "nested": {"list": [1, 2.5, True]},
        }
    ]


def test_numbers_keep_their_digits() -> None:
    stream, _ = stream_of([{"price": decimal.Decimal("1.50"), "big": 1 << 80, "none": decimal.Decimal("nan")}])
    assert io.BufferedReader(stream).read() == b'{"price":1.50,"big":1208925819614629174706176,"none":null}\n'


def test_rows_are_mappings_named_tuples_dataclasses_or_texts() -> None:
    assert lines([Point(1, 2)]) == [{"x": 1, "y": 2}]
    assert lines([Order(1, 2.5)]) == [{"id": 1, "price": 2.5}]
    assert lines(iter([collections.ChainMap({"a": 1})])) == [{"a": 1}]
    assert lines(["a", "b c"]) == ["a", "b c"]
    assert lines([]) == []


def test_a_table_of_pandas() -> None:
    frame = pandas.DataFrame(
        {
            "id": [1, 2],
            "size": [1.5, None],
            "at": pandas.to_datetime(["2026-01-01", None]),
            "count": pandas.array([1, None], dtype="Int64"),
            7: ["x", None],
        }
    )
    assert lines(frame) == [
        {"id": 1, "size": 1.5, "at": "2026-01-01T00:00:00", "count": 1, "7": "x"},
        {"id": 2, "size": None, "at": None, "count": None, "7": None},
    ]
    assert lines(frame.iloc[:0]) == []
    doubled = pandas.DataFrame([[1, 2]], columns=["a", "a"])
    assert "two columns have the name 'a'" in refused(doubled).message


def test_a_table_of_pyarrow() -> None:
    table = pyarrow.table({"a": [1, None], "b": ["x", "y"]})
    assert lines(table) == [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]
    assert lines(table.to_batches()[0]) == lines(table)


def test_a_frame_with_rows_by_name_as_polars_has() -> None:
    class Frame:
        columns = ("a",)

        def iter_rows(self, *, named: bool) -> Any:
            assert named
            return iter([{"a": 1}])

    assert lines(Frame()) == [{"a": 1}]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.inf, "an infinite number is not JSON"),
        ({"deep": [-math.inf]}, "an infinite number is not JSON"),
        (decimal.Decimal("Infinity"), "an infinite number is not JSON"),
        (b"bytes", "a bytes is not JSON"),
        ({1, 2}, "a set is not JSON"),
        (datetime.timedelta(1), "a timedelta is not JSON"),
        ({1: 2}, "the key 1 is an int, not text"),
        ("\ud800", "it is not JSON: str is not valid UTF-8"),
    ],
)
def test_a_value_that_is_not_json_is_refused_with_its_place(value: Any, reason: str) -> None:
    error = refused([{"id": 1, "amount": 0}, {"id": 2, "amount": value}])
    assert isinstance(error, InputRejected)
    assert error.message.startswith(f"row 2, column 'amount': {reason}")
    assert error.hint


def test_a_value_that_is_nested_without_end_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert refused([{"a": endless}]).message.startswith("row 1, column 'a': ")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"id": [1, 2]}, "rows: this is one dictionary, not rows"),
        ("orders.csv", "rows: this is a text, not rows"),
        (Path("orders.csv"), "rows: this is a text, not rows"),
        (5, "rows: an int cannot be iterated"),
    ],
)
def test_something_else_than_rows_is_refused_with_the_form_to_write(rows: Any, message: str) -> None:
    error = refused(rows)
    assert isinstance(error, UsageError) and error.message == message
    assert error.hint


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, 2)], "row 1: a tuple has no names of columns"),
        ([{"a": 1}, 5], "row 2: an int has no names of columns"),
        ([{1: 2}], "row 1: the name 1 of a column is an int, not text"),
        (["a", {"a": 1}], "row 2: a dict, and the first row is text"),
        (["a", "b\nc"], "row 2 has a line break, and a text is one line"),
        (["\ud800"], "row 1 is not text that UTF-8 can hold"),
    ],
)
def test_a_row_of_another_kind_is_refused_with_its_number(rows: Any, message: str) -> None:
    assert refused(rows).message == message


def test_an_error_of_the_rows_themselves_reaches_the_caller() -> None:
    def rows() -> Any:
        yield {"id": 1}
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lines(rows())


def test_an_endless_generator_is_read_as_far_as_is_needed() -> None:
    stream, _ = stream_of({"id": number, "text": "x" * 100} for number in itertools.count())
    reader = io.BufferedReader(stream, 1 << 18)
    tracemalloc.start()
    try:
        for _ in range(40):
            assert len(reader.read(1 << 18)) == 1 << 18
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
