"""The choice of rows by number, by condition and as a sample. Faults of the other rows do not matter."""

from __future__ import annotations

import pytest

from jobctl.domain.payload import Fault, RowRules
from jobctl.domain.spans import parse_spans
from jobctl.errors import InputRejected, UsageError

ROWS = b"id,size\n" + b"".join(b"%d,%d\n" % (n, n % 100) for n in range(1, 60_001))


def ids(read):
    return [int(payload.partition(b"\0")[0]) for payload in read.payloads]


def test_rows_by_number_across_blocks(read):
    found = read(ROWS, select="59999-,3,1-2,40000-40001,70000")
    assert len(found.sizes) > 1
    assert ids(found) == [1, 2, 3, 40_000, 40_001, 59_999, 60_000]
    assert (found.source.rows, found.source.rejected, found.source.not_selected) == (7, 0, 59_993)


def test_numbers_are_those_that_messages_name(read):
    content = b"id,size\n1,1\n\nbad\n3,3\n"
    assert ids(read(content, select="1,3")) == [1, 3]
    error = read.refused(content, select="2-3")
    assert error.details == ("line 4, record 2: 1 field where the header has 2",)


def test_faults_of_rows_that_are_not_selected_do_not_matter(read):
    content = b'id,size\n1,10\n2,too long\n3,30\n4,"x" y\n'
    picky = RowRules(lambda payload: Fault("size", "too_long", "is too long") if len(payload) > 5 else None)
    assert ids(read(content, rules=picky, select="1,3")) == [1, 3]
    error = read.refused(content, rules=picky, where="size > 5")
    assert [detail[:16] for detail in error.details] == ["line 5, record 4"]  # cannot be told, so it is said
    skipped = read(content, rules=picky, where="size > 5", invalid="skip")
    assert (ids(skipped), skipped.source.rejected, skipped.source.not_selected) == ([1, 3], 1, 1)


def test_an_empty_value_is_judged_by_the_condition_too(read):
    assert read(b'a,b\n"",1\nx,\n', where="a != ''").payloads == [b"x\0"]


def test_a_sample_is_the_same_every_time_in_order_and_from_all_over_the_file(read):
    first = ids(read(ROWS, sample=300))
    assert first == ids(read(ROWS, sample=300))
    assert first == sorted(set(first)) and len(first) == 300
    tenths = [sum(1 for n in first if part * 6000 < n <= (part + 1) * 6000) for part in range(10)]
    assert min(tenths) >= 10
    assert ids(read(ROWS, sample=5, where="size == 7", select="1-1000")) != []
    assert ids(read(b"a,b\n1,1\n2,2\n", sample=5)) == [1, 2]


def test_a_sample_judges_the_whole_file(read):
    assert "1 problem" in read.refused(ROWS + b"bad\n", sample=2).message


def test_json_rows_that_are_not_selected_need_no_keys(read):
    content = b'{"id": 1, "kind": "a"}\n{"kind": "b"}\n{"id": 3, "kind": "a"}\n'
    rules = RowRules(lambda payload: None, required=frozenset({"id"}))
    assert len(read(content, name="x.jsonl", rules=rules, where="kind == 'a'").payloads) == 2
    assert "record 2" in read.refused(content, name="x.jsonl", rules=rules).details[0]


def test_a_selection_of_no_rows_is_refused(read):
    with pytest.raises(InputRejected, match="--where 'size > 100' does not select any of its 60,000 rows") as caught:
        read(ROWS, where="size > 100")
    assert caught.value.hint == "columns: id, size"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"select": "1-2,x"}, "'x' is neither a number nor a range"),
        ({"select": "0-2"}, "first row is number 1"),
        ({"select": "9-2"}, "runs backwards"),
        ({"select": ""}, "is neither a number nor a range"),
        ({"where": "sise > 1"}, "no such column"),
        ({"sample": 0}, "less than 1"),
    ],
)
def test_an_invalid_selection_is_refused(read, options, message):
    with pytest.raises(UsageError, match=message):
        read(ROWS, **options)


def test_ranges_that_touch_are_joined():
    assert parse_spans("5-7,1-2,3,9-,8", "--select") == ((1, 3), (5, 1 << 63))
