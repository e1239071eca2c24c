"""Rows as stored, and their values read back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.domain import payload as p

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=8), JSON, max_size=5)


@given(st.lists(st.binary().filter(lambda value: b"\0" not in value), min_size=1))
def test_fields_come_back_as_they_were(fields):
    assert p.fields_of("csv", p.join_fields(fields)) == fields


def test_a_line_is_one_value():
    assert p.fields_of("lines", b"a\tb,c") == [b"a\tb,c"]


def test_json_values_are_bytes_for_an_argument():
    row = b'{"s": "caf\\u00e9 \\"x\\"", "n": 1.10, "big": 123456789012345678901234567890, "e": 1E5,'
    row += b'"t": true, "f": false, "z": null}'
    values = p.json_values(row, ["s", "n", "big", "e", "t", "f", "z"])
    assert values == ['café "x"'.encode(), b"1.10", b"123456789012345678901234567890", b"1E5", b"true", b"false", b""]


def test_nested_values_are_compact_text_with_numbers_as_spelled():
    row = b'{"a": {"x" : [1.50, 2],  "y": "two  words: {, \\" }"}, "b": [ ]}'
    assert p.json_values(row, ["a", "b"]) == [b'{"x":[1.50,2],"y":"two  words: {, \\" }"}', b"[]"]


def test_of_a_repeated_key_the_last_value_counts():
    assert p.json_values(b'{"a": [1], "a": [2 ]}', ["a"]) == [b"[2]"]


def test_a_missing_key_is_named():
    with pytest.raises(KeyError, match="url"):
        p.json_values(b'{"a": 1}', ["a", "url"])


def test_a_row_that_is_not_an_object_is_refused():
    with pytest.raises(ValueError, match="object"):
        p.json_object(b"[1]")


@given(OBJECTS, st.sampled_from([None, 2]))
def test_members_hold_the_whole_text_of_an_object(row, indent):
    text = json.dumps(row, indent=indent)
    members = p.json_members(text)
    assert {m.key: json.loads(m.value) for m in members} == row
    assert json.loads("{" + ",".join(m.text for m in members) + "}") == row


@given(OBJECTS, st.booleans(), st.booleans())
def test_keys_that_jobctl_added_to_a_row_are_removed_again(row, spaced, escaped):
    original = {key: value for key, value in row.items() if not p.is_result_key(key)}
    text = json.dumps(original, separators=(", ", ": ") if spaced else (",", ":"), ensure_ascii=escaped)
    comma = "," if original else ""
    grown = f'{text[:-1]}{comma}"_jobctl":{{"item":1,"why":"}}{{,\\""}},"jobctl_job": [1]}}'
    assert p.without_result_keys(grown.encode()) == text.encode()


def test_a_row_without_added_keys_keeps_its_spelling():
    row = b'{ "a" : 1.0 , "b":2 }'
    assert p.without_result_keys(row) is row


@given(JSON)
def test_compact_text_means_the_same(value):
    text = p.compact_json(json.dumps(value, indent=3))
    assert json.loads(text) == value
    assert text == json.dumps(value, separators=(",", ":"))


@pytest.mark.parametrize(
    ("text", "depth"), [(b'{"a":1}', 1), (b'{"a":[{}]}', 3), (b'{"a":"[[[[\\"[["}', 1), (b'{"a":[],"b":[[]]}', 3)]
)
def test_depth_counts_only_real_brackets(text, depth):
    assert p.json_depth(text) == depth


def test_the_deepest_allowed_row_can_be_read():
    deep = b'{"a":' + b"[" * (p.MAX_DEPTH - 1) + b"]" * (p.MAX_DEPTH - 1) + b"}"
    assert p.json_depth(deep) == p.MAX_DEPTH
    assert p.json_values(deep, ["a"]) == [deep[5:-1]]
