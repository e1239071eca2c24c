"""Rows are read back exactly as they were written."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from jobctl.domain.csvtext import row_writer

VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(
    rows=st.lists(st.lists(VALUES, min_size=2, max_size=4), min_size=1, max_size=4),
    terminator=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from([",", ";", "\t"]),
)
def test_rows_survive_a_round_trip(rows, terminator, delimiter):
    buffer = io.StringIO(newline="")
    row_writer(buffer.write, terminator, delimiter=delimiter).writerows(rows)
    buffer.seek(0)
    assert list(csv.reader(buffer, delimiter=delimiter, strict=True)) == rows


def test_a_lone_carriage_return_is_quoted():
    buffer = io.StringIO(newline="")
    row_writer(buffer.write, "\n").writerow(["a\rb", "x"])
    assert buffer.getvalue() == '"a\rb",x\n'
