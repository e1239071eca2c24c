"""Conditions on rows: what they mean, and what is said about those that mean nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.domain.row_where import compile_where
from jobctl.domain.where import number_of
from jobctl.errors import UsageError

COLUMNS = ("country", "size", "Total Price", "größe")
ROWS = (b"DE\x00150\x009\x001", b"FR\x0099\x0012\x002", b"de\x00\x00x\x003")


def chosen(text, rows=ROWS, input_format="csv", columns=COLUMNS):
    condition = compile_where(text, input_format, columns)
    return [number for number, row in enumerate(rows) if condition(row)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('country == "DE" and size > 100', [0]),
        ("size < 100", [1]),  # an empty value spells no number
        ("size <= 99 or size >= 150", [0, 1]),
        ("size == 150.0", [0]),
        ("size != 150", [1, 2]),
        ("not (size > 100)", [1, 2]),
        ("size > -5", [0, 1]),
        ("100 > size > 5", [1]),
        ("größe >= size", [2]),  # both spell a number, or both are texts
        ("größe < size", [0, 1]),
        ("country != 'DE'", [1, 2]),
        ("country < 'E'", [0]),
        ("size == ''", [2]),
        ("country in ('DE', 'FR') and größe in [2, 3]", [1]),
        ("country not in ('DE', 'FR')", [2]),
        ("'e' in country", [2]),
        ("{Total Price} < 10", [0]),
        ("{} == 'FR'", [1]),
        (r"country ~ '\bFR\b' or country ~ '^d'", [1, 2]),
        ("  country == 'DE'\n and size > 1 ", [0]),
        ("größe == 2 and country ~ 'F'", [1]),
    ],
)
def test_the_meaning_of_conditions(text, expected):
    assert chosen(text) == expected


def test_strings_are_taken_as_they_stand():
    assert chosen(
        r"a == 'C:\new' or a == 'it\'s' or a == '{b}~'", [rb"C:\new", b"it's", b"{b}~", b"n"], "csv", ("a",)
    ) == [
        0,
        1,
        2,
    ]


def test_values_of_json_rows_and_lines():
    rows = [b'{"n": 10, "ok": true}', b'{"n": "9"}', b'{"n": null, "ok": false, "d": {"x": 1}}']
    assert chosen("n < 10 or ok == 'false'", rows, "jsonl", ("n", "ok")) == [1, 2]
    assert chosen("ok == ''", rows, "jsonl", ("n", "ok")) == [1]
    assert chosen("""d == '{"x":1}'""", rows, "jsonl", ("n",)) == [2]
    assert chosen("line ~ '[.]png$' or {} == 'b'", [b"a.png", b"b", b"c"], "lines", ()) == [0, 1]


def test_columns_without_header_are_numbers_in_braces():
    assert chosen("{2} == 'x'", [b"x\0y", b"y\0x"], "csv", ("1", "2")) == [1]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("foo == 1", "character 1, 'foo'"),
        ("country == DE", "character 12, 'DE'"),
        ("größe == f(1)", "character 10, 'f(1)'"),
        ("size", "a value alone"),
        ("__import__('os').system('x')", "not possible"),
        ("country.upper() == 'DE'", "'country.upper()'"),
        ("[x for x in country] == 1", "character 1"),
        ("(lambda: 1)() == 1", "character"),
        ("country = 'DE'", "= is not a comparison"),
        ("country == 'DE' AND size > 1", "character 17, 'AND'"),
        ("country == 'DE", "character 12"),
        ("country is 'DE'", "is not mean nothing"),
        ("country ~ '('", "character 11"),
        ("country == None", "values are texts"),
        ("country == 'a' 'b'", "character 12"),
        ("country == f'{size}'", "character 12"),
        ("1 if size else 2", "not possible"),
        ("(" * 300 + "1", "cannot be read"),
        ("not " * 3000 + "size", "longer than"),
        ("", "at its end"),
    ],
)
def test_a_text_that_is_not_a_condition_is_refused_with_its_place(text, place):
    with pytest.raises(UsageError) as caught:
        chosen(text)
    assert place in caught.value.message
    assert caught.value.hint


@given(st.text(st.sampled_from("abc{}'\"~=<>!()[],.1 \\andornti")))
def test_any_text_is_a_condition_or_a_usage_error(text):
    try:
        compile_where(text, "csv", ("a", "b"))(b"1\0x")
    except UsageError as error:
        assert error.message.startswith("--where")


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), (" -1.5e3 ", -1500.0), (".5", 0.5), ("1_0", None), ("nan", None), ("٣", None), ("", None)],
)
def test_texts_that_spell_numbers(text, number):
    assert number_of(text) == number


def test_long_whole_numbers_are_compared_exactly():
    assert chosen("a == 12345678901234567891", [b"12345678901234567890", b"12345678901234567891"], "csv", ("a",)) == [1]
