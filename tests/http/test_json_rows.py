"""A JSON body becomes lines, however it is cut into pieces."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.http.intake import json_rows
from jobctl.http.intake.json_rows import JsonRows
from jobctl.http.problems import Refused

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(['"', "\\", "}{", "]", "\\u0000"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=4)


def lines_of(text, pieces):
    reader = JsonRows()
    found = b""
    for start in range(0, len(text), pieces):
        found += reader.feed(text[start : start + pieces])
    return found + reader.finish(), reader.options


@given(ROWS, st.none() | st.dictionaries(st.text(max_size=3), VALUES, max_size=3), st.integers(1, 50), st.booleans())
def test_rows_are_the_same_however_a_body_arrives(rows, options, pieces, ascii_only):
    document = rows if options is None else {"rows": rows, "options": options}
    text = json.dumps(document, ensure_ascii=ascii_only, indent=1).encode("utf-8", "surrogatepass")
    lines, found = lines_of(text, pieces)
    assert [json.loads(line) for line in lines.split(b"\n")[:-1]] == rows
    assert found == (options or {})


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:\\ ab1', max_size=60).map(str.encode), st.integers(1, 9))
def test_any_bytes_are_rows_or_refused(text, pieces):
    try:
        lines, _ = lines_of(text, pieces)
    except Refused as refused:
        assert refused.status in (400, 422)
    else:
        assert lines.count(b"\n") == text.count(b"{") or lines.startswith(b"{") or not lines


def test_a_long_string_is_not_searched_again_for_every_piece(monkeypatch):
    searched = []

    class Counting:
        def search(self, buffer, start):
            searched.append(len(buffer) - start)
            return pattern.search(buffer, start)

    pattern = json_rows._TOKEN
    monkeypatch.setattr(json_rows, "_TOKEN", Counting())
    text = b'[{"a": "' + b"x" * 2_000_000 + b'"}]'
    lines, _ = lines_of(text, 10_000)
    assert lines == text[1:-1] + b"\n"
    assert sum(searched) < 6 * len(text)


def test_a_row_is_bounded(monkeypatch):
    monkeypatch.setattr(json_rows, "RECORD_LIMIT", 1_000)
    with pytest.raises(Refused, match="row 2 has more than"):
        lines_of(b'[{"a": 1}, {"a": [' + b"1," * 2_000, 100)


def test_blanks_between_rows_are_not_kept():
    reader = JsonRows()
    lines = reader.feed(b'[{"a": 1} ')
    for _ in range(50):
        lines += reader.feed(b" \n" * 10_000)
        assert len(reader._buffer) <= 1
    lines += reader.feed(b",")
    lines += reader.feed(b" " * 100_000)
    assert len(reader._buffer) == 1
    assert lines + reader.feed(b'{"a": 2}]') + reader.finish() == b'{"a": 1}\n{"a": 2}\n'


@pytest.mark.parametrize("pieces", [1, 2, 3, 7])
def test_what_is_between_rows_is_a_comma(pieces):
    for text in (b'[x{"a":1}]', b'[{"a":1}{"a":1}]', b'[{"a":1},,{"a":1}]', b'[{"a":1},]', b'[,{"a":1}]', b"[,]"):
        with pytest.raises(Refused):
            lines_of(text, pieces)


def test_options_are_bounded():
    with pytest.raises(Refused, match="more than 64 KiB"):
        lines_of(b'{"options": {"a": [' + b"1," * 200_000, 100)
