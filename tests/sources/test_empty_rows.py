"""Empty rows must not run: the command would get an empty text where it expects a name."""

import pytest

from jobctl.sources.problems import EMPTY_ROW

EMPTY_ROWS = [
    ("input.csv", b"a,b,c\n", b"1,2,3\n", b",,\n", {}),
    ("input.csv", b"a,b,c\n", b"1,2,3\n", b'"","",""\n', {}),
    ("input.csv", b"a,b,c\n", b'"1",2,3\n', b",,\n", {}),
    ("input.csv", b"a,b,c\n", b"1,2,3\n", b" ,\t, \n", {}),
    ("input.csv", b"a,b,c\n", b"1,2,3\n", b'" ",," "\n', {}),
    ("input.csv", b"a,b,c\r\n", b"1,2,3\r\n", b",,\r\n", {}),
    ("input.csv", b"a,b,c\n", b"1,2,3\n", b",,,,,\n", {}),  # Excel, where another sheet was wider
    ("input.csv", b"a,b,c\n", b"1,2,3\n", b"   \n", {}),
    ("input.csv", b"a;b;c\n", b"1;2;3\n", b";;\n", {"delimiter": ";"}),
    ("input.csv", b"", b"1,2,3\n", b",,\n", {"header": False}),
    ("input.csv", b"a\n", b"1\n", b'""\n', {}),
    ("input.csv", b"a\n", b"1\n", b"  \n", {}),
    ("input.tsv", b"a\tb\n", b"1\t2\n", b"\t\n", {}),
    ("input.csv", b"a,b,jobctl_job,jobctl_item\n", b"1,2,7,1\n", b",,7,2\n", {}),
    ("input.jsonl", b"", b'{"a":1}\n', b"{}\n", {}),
    ("input.jsonl", b"", b'{"a":1}\n', b'{"a":null,"b":""}\n', {}),
    ("input.jsonl", b"", b'{"a":1}\n', b'{"a":" "}\n', {}),
    ("input.jsonl", b"", b'{"a":1}\n', b'{"a":null,"_jobctl":{"job":1}}\n', {}),
]


@pytest.mark.parametrize(("name", "header", "good", "empty", "options"), EMPTY_ROWS)
def test_an_empty_row_is_refused_or_skipped(read, name, header, good, empty, options):
    content = header + good + empty + good
    number = content[: -len(empty + good)].count(b"\n") + 1
    refusal = read.refused(content, name, **options)
    assert refusal.details == (f"line {number}, record 2: every field is empty",)
    assert "--invalid skip" in refusal.hint
    assert "spreadsheets" in refusal.hint
    result = read(content, name, invalid="skip", **options)
    assert len(result.payloads) == 2
    assert [row.problem.code for row in result.rejects] == [EMPTY_ROW]


def test_rows_with_one_value_run_whatever_its_column(read):
    content = b"a,b,c\n,,x\n,0,\n-,,\n"
    assert read(content).payloads == [b"\0\0x", b"\x000\0", b"-\0\0"]
    values = b'{"a":0}\n{"a":false}\n{"a":[]}\n{"a":null,"b":"x"}\n'
    assert len(read(values, "a.jsonl").payloads) == 4


def test_empty_rows_that_are_not_selected_are_not_reported(read):
    content = b"a,b\n1,2\n,\n3,4\n"
    assert read(content, where="a != ''").payloads == [b"1\x002", b"3\x004"]
    assert read(content, select="1,3").payloads == [b"1\x002", b"3\x004"]
    assert read(b'a\n1\n""\n', where="a != ''").payloads == [b"1"]


@pytest.mark.parametrize("content", [b"a\n\n \nb\n\t \n", b"a\r\n \r\nb\r\n", b"a\n \nb"])
def test_lines_of_blanks_are_not_values(read, content):
    assert read(content, "list.txt").payloads == [b"a", b"b"]


def test_blanks_around_a_line_belong_to_it(read):
    assert read(b" a \n\tb\n", "list.txt").payloads == [b" a ", b"\tb"]
