"""A column whose name looks like the word that was typed is named, with what is different about it."""

import io

import pytest

from jobctl.domain.braces import Names
from jobctl.domain.content import counted_columns
from jobctl.domain.lookalike import lookalike
from jobctl.domain.payload import RowRules, key_reader
from jobctl.domain.row_where import compile_where
from jobctl.domain.template import compile
from jobctl.errors import InputRejected, UsageError
from jobctl.sources import InputOptions, open_source

PAIRS = [
    ("First Name", "First\u00a0Name", "no-break space (U+00A0)"),
    ("id", "id\u200b", "zero width space (U+200B)"),
    ("id", "\ufeffid", "zero width no-break space (U+FEFF)"),
    ("id", "id ", "a blank at its end"),
    ("id", " id", "a blank at its beginning"),
    ("id", "ID", "capital and small letters count"),
    ("na\u00efve", "nai\u0308ve", "its accents are characters of their own"),
    ("nai\u0308ve", "na\u00efve", "its accents are part of the letters"),
    ("id", "\uff49\uff44", "other characters that look the same"),
]


@pytest.mark.parametrize(("typed", "column", "difference"), PAIRS)
def test_every_option_that_takes_a_column_names_the_one_that_looks_the_same(typed, column, difference):
    columns = ("x", column)
    for use in (
        lambda: compile(["x", f"{{{typed}}}"], columns),
        lambda: key_reader("csv", columns, typed),
        lambda: counted_columns("csv", columns, (typed,)),
        lambda: compile_where(f"{{{typed}}} == 'a'", "csv", columns),
    ):
        with pytest.raises(UsageError) as caught:
            use()
        assert difference in str(caught.value.hint)
    with pytest.raises(UsageError) as caught:
        compile(["x", f"{{{typed}}}"], columns)
    assert "or {2}, its number" in str(caught.value.hint)


def test_a_key_of_json_rows_that_looks_the_same_is_named(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"id":1}\n{"ID":2}\n', encoding="utf-8")
    with (
        pytest.raises(InputRejected) as caught,
        open_source(InputOptions(str(path)), io.BytesIO()) as source,
    ):
        list(source.batches(RowRules(lambda _payload: None, required=frozenset({"id"}))))
    assert "did you mean 'ID'? capital and small letters count" in caught.value.details[0]


def test_the_name_is_given_as_a_shell_takes_it():
    found = lookalike("it's", ["it's\u00a0", "b"])
    assert found.for_shell == "$'it\\'s\\u00a0'"


def test_a_name_that_is_only_similar_is_none():
    assert lookalike("id", ["ide", "di", ""]) is None
    assert lookalike("", [" "]) is None
    assert Names(("id",)).find("id") is not None
