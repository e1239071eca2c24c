"""Files whose fields are not separated by commas although the files are called CSV."""

import pytest

from jobctl.errors import UsageError

MARKS = {"semicolon": ";", "tab": "\t", "pipe": "|"}


def rows(mark, quoted=False):
    cell = '"{}"' if quoted else "{}"
    return "".join(
        mark.join(cell.format(v) for v in row) + "\n" for row in (("id", "v"), ("1", "a"), ("2", "b"))
    ).encode()


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("name", MARKS)
def test_a_table_read_as_one_column_is_refused_with_the_option(read, name, quoted):
    content = rows(MARKS[name], quoted)
    refusal = read.refused(content)
    assert f"line 1: the fields look separated by {name}s, and by commas there is one column" in refusal.details[0]
    assert refusal.hint.startswith(f"add --delimiter {name};")
    assert "--delimiter comma" in refusal.hint
    if not quoted:
        assert len(read(content, delimiter="comma").payloads) == 2
    assert read(content, delimiter=name).payloads == [b"1\0a", b"2\0b"]


def test_a_decimal_comma_does_not_hide_semicolons(read):
    assert "separated by semicolons" in read.refused(b"id;price\n1;2,50\n2;3,10\n").details[0]
    assert "separated by semicolons" in read(b"id;price;a,b\n1;2,50;x\n2;3,10;y\n").source.notices[0]
    assert "separated by semicolons" in read.refused(b"id;price;a,b\n1;2,50;x\n2;3;y\n").details[-1]


def test_a_notice_reports_commas_in_a_tsv_file(read):
    assert "separated by commas" in read.refused(b"id,v\n1,a\n", "x.tsv").details[0]
    assert read(b"Last, First\nDoe, John\n", "x.tsv").payloads == [b"Doe, John"]


def test_without_a_header_too(read):
    assert "separated by semicolons" in read.refused(b"1;a\n2;b\n", header=False).details[0]


@pytest.mark.parametrize(
    "content", [b"url\nhttp://x/?a;b\nhttp://x/?c;d\n", b"a;b\nx\ny;z\n", b"id,a;b\n1,x;y\n2,z;w\n", b"a|b\n1\n"]
)
def test_one_column_stays_one(read, content):
    assert read(content).payloads
    assert read(content).source.notices == []


@pytest.mark.parametrize("note", [b"sep=;\n", b'"sep=;"\r\n', b"SEP=;\r\n", b"\xef\xbb\xbfsep=;\n", b"sep=;;\n"])
def test_the_note_to_excel_is_honoured(read, note):
    result = read(note + b"id;v\n1;a,b\n")
    assert result.payloads == [b"1\0a,b"]
    assert result.source.columns == ("id", "v")
    assert result.source.dialect["delimiter"] == ";"
    assert read.refused(note + b"id;v\n1;a\n2\n").details[0].startswith("line 4, record 2")
    assert read(note + b"1;a\n", header=False).payloads == [b"1\0a"]


def test_an_explicit_delimiter_wins_over_the_note(read):
    assert read(b"sep=;\nid,v\n1,a;b\n", delimiter=",").payloads == [b"1\0a;b"]


@pytest.mark.parametrize(
    ("note", "mark"), [(b"sep=\t", b"\t"), (b"sep=\\t", b"\t"), (b"sep=|", b"|"), (b"sep=,", b",")]
)
def test_the_note_names_any_delimiter(read, note, mark):
    assert read(note + b"\nid" + mark + b"v\n1" + mark + b"a\n").payloads == [b"1\0a"]


def test_a_column_called_sep_is_one(read):
    assert read(b"sep=x\n1\n").source.columns == ("sep=x",)
    assert read.refused(b"sep=;").details == ("the file is empty",)


@pytest.mark.parametrize("name", ["x.yaml", "x.yml", "x.toml", "x.xml", "x.html"])
def test_other_kinds_of_text_say_how_rows_are_made_of_them(read, name):
    with pytest.raises(UsageError) as caught:
        read(b"- a\n", name)
    assert "--format lines" in caught.value.hint
    assert read(b"- a\n", name, format="lines").payloads == [b"- a"]
