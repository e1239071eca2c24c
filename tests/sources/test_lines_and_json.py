"""Plain lines and JSON lines."""

import json

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from jobctl.domain.payload import MAX_DEPTH, RowRules
from jobctl.sources.stream import CHUNK, RECORD_LIMIT

relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@relaxed
@given(
    lines=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), min_size=1), min_size=1
    ),
    end=st.sampled_from(["\n", "\r\n", "\n\n"]),
)
def test_lines_are_values_byte_for_byte(read, lines, end):
    filled = [line for line in lines if line.strip(" \t")]  # lines of nothing but blanks are left out
    assume(filled)
    result = read(("\ufeff" + end.join(lines)).encode(), name="list.txt")
    if lines[0].startswith("\ufeff"):
        return  # a second BOM is a value, the first is dropped
    assert result.payloads == [line.encode() for line in filled]
    assert result.source.columns == ()


LINE_PROBLEMS = [
    (b"a\xffb", "line 4, record 2: is not valid UTF-8; if it has another encoding, add --encoding"),
    (b"a\0b", "line 4, record 2: contains a NUL character"),
    (b"a\rb", "line 4, record 2: a carriage return without a line feed; lines end in LF or CR LF"),
]


@pytest.mark.parametrize(("line", "sentence"), LINE_PROBLEMS)
def test_a_bad_line_is_named(read, line, sentence):
    content = b"good\n\r\n\n" + line + b"\r\nmore\n"
    assert read.refused(content, name="a.list").details == (sentence,)
    result = read(content, name="a.list", invalid="skip")
    assert result.payloads == [b"good", b"more"]
    assert result.rejects[0].raw == line


def test_a_line_over_the_limit_is_reported_and_its_neighbours_are_read(read):
    many = b"x\n" * CHUNK
    content = b"first\n" + many + b"y" * (RECORD_LIMIT + 1) + b"\n" + many + b"last"
    result = read(content, name="a.txt", invalid="skip")
    assert result.source.rows == 2 * CHUNK + 2
    assert result.payloads[-1] == b"last"
    (reject,) = result.rejects
    assert reject.problem.sentence() == (
        f"line {CHUNK + 2}, record {CHUNK + 2}: the line is longer than 16 MiB, the limit of one record"
    )
    assert set(reject.raw) == {ord("y")}
    assert read(b"a\n" + b"y" * RECORD_LIMIT + b"\n", name="a.txt").source.rows == 2


def test_an_overlong_line_at_the_end(read):
    result = read(b"a\n" + b"y" * (RECORD_LIMIT + CHUNK), name="a.txt", invalid="skip")
    assert (result.source.rows, result.source.rejected) == (1, 1)


def test_an_overlong_csv_line_refuses_the_file(read):
    error = read.refused(b"a,b\n1,2\n3," + b"y" * (RECORD_LIMIT + 1) + b"\n5,6\n", invalid="skip")
    assert error.details == ("line 3, record 2: the line is longer than 16 MiB, the limit of one record",)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)
KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


@relaxed
@given(
    rows=st.lists(st.dictionaries(KEYS, JSON, min_size=1, max_size=4), min_size=1, max_size=6), ascii_only=st.booleans()
)
def test_json_rows_keep_their_text(read, rows, ascii_only):
    assume(all(any(v.strip(" \t") if isinstance(v, str) else v is not None for v in row.values()) for row in rows))
    lines = [json.dumps(row, ensure_ascii=ascii_only).encode() for row in rows]
    result = read(b"\n \n".join(lines) + b"\r\n", name="a.jsonl")
    assert result.payloads == lines
    assert result.source.columns == tuple(rows[0])
    assert [orjson.loads(payload) for payload in result.payloads] == rows


JSON_PROBLEMS = [
    (b"{bad", "line 3, record 2: is not valid JSON at character 2: "),
    (b"[1]", 'line 3, record 2: is not a JSON object; each line must be like {"key": "value"}'),
    (b'{"a": NaN}', "line 3, record 2: is not valid JSON"),
    (b'{"a": "\xff"}', "line 3, record 2: is not valid JSON"),
    (b'{"a": "\\ud800"}', "line 3, record 2: is not valid JSON"),
    (b'{"a": 1, "b": ["x\\u0000"]}', "line 3, record 2, column 'b': contains a NUL character (\\u0000)"),
    (b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", "line 3, record 2: is nested more than 200 levels deep"),
]


@pytest.mark.parametrize(("line", "sentence"), JSON_PROBLEMS)
def test_a_bad_json_row_is_named(read, line, sentence):
    content = b'{"a": 1}\n\n' + line + b'\n{"a": 2}\n'
    (detail,) = read.refused(content, name="a.jsonl").details
    assert detail.startswith(sentence)
    result = read(content, name="a.ndjson", invalid="skip")
    assert result.payloads == [b'{"a": 1}', b'{"a": 2}']
    assert result.rejects[0].raw == line


def test_text_that_only_looks_like_a_nul_or_like_depth_is_accepted(read):
    rows = [b'{"a": "\\\\u0000"}', b'{"a": "' + b"[{" * 300 + b'"}', b'{"a": [' + b"[]," * 300 + b"1]}"]
    assert read(b"\n".join(rows), name="a.jsonl").payloads == rows


def test_a_missing_required_key_is_named(read):
    rules = RowRules(lambda payload: None, safe_length=1 << 30, required=frozenset({"a", "b"}))
    error = read.refused(b'{"a": 1, "b": null}\n{"b": 1}\n', name="a.jsonl", rules=rules)
    assert error.details == ("line 2, record 2, column 'a': the row has no such key, and every row needs it",)


@pytest.mark.parametrize("key", [b'"_jobctl": {"job": "uid-7", "item": 3}', b'"jobctl_job": "uid-7"'])
def test_keys_of_a_result_file_are_dropped_and_its_job_is_remembered(read, key):
    result = read(b'{"a": 1.50,' + key + b'}\n{"a": 2, ' + key + b"}\n", name="failed.jsonl")
    assert result.payloads == [b'{"a": 1.50}', b'{"a": 2}']
    assert result.source.columns == ("a",)
    assert result.source.resubmit_of == "uid-7"


def test_the_columns_are_those_of_the_first_good_row(read):
    assert read(b'oops\n{"x": 1}\n{"y": 2}\n', name="a.jsonl", invalid="skip").source.columns == ("x",)


def test_a_json_list_is_recognised(read):
    assert "jq -c '.[]'" in read.refused(b'[\n {"a": 1}\n]\n', name="a.json").details[0]
    assert "jq -c '.[]'" in read.refused(b'[{"a": 1}, {"a": 2}]\n', name="a.json").details[0]
    assert "jq -c ." in read.refused(b'{\n "a": 1\n}\n', name="a.json").details[0]


@pytest.mark.parametrize("invalid", ["reject", "skip"])
def test_a_file_without_any_json_names_its_first_lines(read, invalid):
    error = read.refused(b"id,url\n1,2\n", name="a.jsonl", invalid=invalid)
    assert error.details[0].startswith("line 1, record 1: is not valid JSON")
    assert error.details[-1] == "none of the first lines is a good row"


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_an_empty_file_is_refused(read, name):
    assert read.refused(b"\n\n", name=name).details == ("there are no rows",)
