"""Conditions on items: which column a name means, and what is said about names that mean two things or nothing."""

from __future__ import annotations

import pytest

from jobctl.domain.item_where import compile_item_where
from jobctl.errors import UsageError

COLUMNS = ("id", "duration", "Total Price", "state")
NOW = 1_795_458_511_004_000
FAILED, SUCCEEDED = 4, 3


def matches(text, payload=b"7\x00long\x0012\x00NY", input_format="csv", columns=COLUMNS, **cells):
    """Whether a condition is true of an item that took five seconds and failed."""
    facts = {
        "item": 3,
        "state": FAILED,
        "attempt": 2,
        "due_at": None,
        "retryable": 1,
        "ending": 2,
        "code": 15,
        "flags": 0,
        "slot": 1,
        "started_at": NOW,
        "duration_us": 5_000_000,
        "cpu_us": 200,
        "max_rss_kib": 4096,
        "message": "stopped",
        "value": '{"a": 1}',
        "host": None,
        "left_names": None,
        "payload": payload,
    } | cells
    condition = compile_item_where(text, input_format, columns, NOW)
    return condition.matches([facts[name] for name in condition.cells])


@pytest.mark.parametrize(
    "text",
    [
        "id == 7 and outcome.duration > 4.5 and outcome.duration <= '5s'",
        "row.duration == 'long' and row.{Total Price} == 12 and {Total Price} > 11",
        "row.state == 'NY' and outcome.state == 'failed'",
        "row . duration ~ 'on' and 'lo' in row.duration",
        "cause == 'timeout' and code == error_code and error_message == message",
        "signal == 'SIGTERM' and exit_code == '' and attempts == 2 and item == 3",
        "memory == '4M' and memory == 4194304 and max_rss_kib == 4096 and cpu < 1",
        "started == '2026-11-23T18:28:31.004Z' and finished > started and finished_at >= '2026-11-23T19:28:36+01:00'",
        "started > '2h ago' and started < 'in 2h' and started <= 'now' and started < 'tomorrow'",
        "due == '' and host == '' and left_behind == '' and slot == 1",
        "outcome.outcome == 'unknown' and retryable == 'true' and outcome == 'unknown'",
        "result ~ '\"a\"'",
        "cause in ('exit_7', 'timeout') and cause not in ('sigkill',)",
        "{} == 7",
    ],
)
def test_names_mean_columns_of_the_row_and_of_the_outcome(text):
    assert matches(text)
    assert not matches(f"not ({text})")


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("outcome.duration == '' and started == '' and finished == ''", {"duration_us": None, "started_at": None}),
        ("cause == '' and signal == '' and exit_code == ''", {"ending": None}),
        ("cause == '' and exit_code == 0", {"ending": 0, "code": 0, "state": SUCCEEDED}),
        ("result == 'words'", {"value": '"words"'}),
        ("result == ''", {"value": "broken"}),
        ("outcome.state == ''", {"state": -1}),
        ("id == '' and row.duration == ''", {"payload": b"only one field"}),
        ("id == ''", {"payload": b"\xff\x00\xff"}),
        ("not outcome.duration > 1 and not outcome.duration <= 1", {"duration_us": None}),
    ],
)
def test_what_an_item_does_not_have_is_empty(text, cells):
    assert matches(text, **cells)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("duration > 5", "duration is a column of the row, and the seconds", "row.duration or outcome.duration"),
        ("state == 'x'", "character 1, 'state'", "write row.state or outcome.state"),
        ("durations > 5", "there is no such column", "did you mean duration?"),
        ("row.cause == 'x'", "there is no such column", "columns of the row: id"),
        ("outcome.id == 'x'", "there is no such column", "of the outcome: item, state"),
        ("ID == 'x'", "there is no such column", "did you mean id?"),
        ("total.price == 1", "this is not a column", "possible are"),
        ("row.duration.x == 1", "this is not a column", "possible are"),
        ("outcome.state == 'faild'", "'faild' is not an item state", "did you mean failed?"),
        ("cause == 'timout'", "'timout' is not the code of a cause", "for example"),
        ("cause == 'exit_7:3'", "is not the code of a cause", "for example"),
        ("outcome.duration > 'long'", "'long' is not a duration", "write it like"),
        ("started > 'later'", "'later' is not a time", "write it like"),
        ("memory > 'much'", "'much' is not a size", "write it like"),
        ("outcome.duration ~ '5'", "duration is a number", "compare it"),
    ],
)
def test_names_that_mean_two_things_or_nothing_are_refused(text, message, hint):
    with pytest.raises(UsageError) as caught:
        matches(text)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_keys_of_json_rows():
    row = {"payload": b'{"n": 10, "d": {"x": 1}, "duration": "no"}', "input_format": "jsonl", "columns": ("n", "d")}
    assert matches("n == 10 and row.d == '{\"x\":1}' and duration == 5", **row)
    assert matches("row.duration == 'no' and row.other == ''", **row)
    with pytest.raises(UsageError) as caught:
        matches("other == 1", **row)
    assert "row.other for a key that only other rows have" in caught.value.hint
    assert matches("n == ''", **row | {"payload": b"{broken"})


def test_plain_lines():
    line = {"payload": b"a.png", "input_format": "lines", "columns": ()}
    assert matches("line ~ 'png$' and {} == 'a.png' and row.line == 'a.png' and state == 'failed'", **line)
    with pytest.raises(UsageError) as caught:
        matches("name == 1", **line)
    assert "columns of the row: line" in caught.value.hint
