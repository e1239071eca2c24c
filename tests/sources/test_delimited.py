"""CSV and TSV: the accepted content, and the place of every rejected part."""

import csv
import io

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from jobctl.domain.payload import Fault, RowRules
from jobctl.domain.template import compile
from jobctl.sources.stream import CHUNK

VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
HOSTILE = st.sampled_from(
    [
        ";",
        "$(id)",
        "`id`",
        "a\nb",
        "\r\n",
        '"',
        '""',
        "'",
        "-rf",
        "{}",
        "\x1b]0;x\a",
        "[red]",
        "=cmd|'/c'!A0",
        "",
        " ",
        "é,ü",
    ]
)
CELLS = st.one_of(VALUES, HOSTILE)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=8)
)
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t", "|", "§"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
        "lineterminator": st.sampled_from(["\n", "\r\n"]),
    }
)
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def written(rows, **dialect):
    text = io.StringIO(newline="")
    csv.writer(text, **dialect).writerows(rows)
    return text.getvalue().encode()


@relaxed
@given(rows=TABLES, dialect=DIALECTS, bom=st.booleans())
def test_rows_of_pythons_csv_writer_reach_argv_byte_equal(read, rows, dialect, bom):
    header = [f"c{number}" for number in range(len(rows[0]))]
    if dialect["lineterminator"] == "\n" and any("\r" in value for row in rows for value in row):
        dialect["quoting"] = csv.QUOTE_ALL  # the writer leaves a lone CR bare then, which no reader can read back
    assume(all("".join(row).strip(" \t") for row in rows))
    content = (b"\xef\xbb\xbf" if bom else b"") + written([header, *rows], **dialect)
    result = read(content, delimiter=dialect["delimiter"])
    template = compile(["x", *(f"{{{name}}}" for name in header)], result.source.columns)
    argvs = [template.render(payload.split(b"\0"), 1) for payload in result.payloads]
    assert argvs == [(b"x", *(value.encode() for value in row)) for row in rows]
    assert result.source.dialect["lineterminator"] == dialect["lineterminator"]


@relaxed
@given(text=st.text(st.sampled_from('ab",;\n\r é')), skip=st.booleans())
def test_the_same_files_are_accepted_as_by_the_csv_module(read, text, skip):
    """For any text, the quick ways, the slow way and Python's own reader agree."""
    try:
        expected = [row for row in csv.reader(io.StringIO(text, newline="\n"), strict=True) if row]
        valid = len({*map(len, expected)}) == 1 and all("".join(row).strip(" ") for row in expected)
    except csv.Error:
        valid = False
    if not valid or not expected:
        read.refused(text.encode(), header=False, delimiter=",")
        return
    payloads = ["\0".join(row).encode() for row in expected]
    assert read(text.encode(), header=False, delimiter=",").payloads == payloads
    # A check of every row that rejects none. If it rejected one, the slow way would read the block.
    picky = RowRules(lambda payload: Fault(None, "x", "no") if payload == payloads[0] else None)
    if skip and set(payloads) - {payloads[0]}:
        accepted = read(text.encode(), header=False, delimiter=",", rules=picky, invalid="skip").payloads
        assert accepted == [payload for payload in payloads if payload != payloads[0]]


def test_the_hash_of_rows_ignores_spelling_but_not_order_or_values(read):
    def rows_hash(content, **options):
        return read(content, **options).source.rows_sha256

    base = rows_hash(b"a,b\n1,2\n3,4\n")
    assert rows_hash(b'\xef\xbb\xbfa,b\r\n"1",2\r\n\r\n3,"4"') == base
    assert rows_hash(b"a\tb\n1\t2\n3\t4\n", name="x.tsv") == base
    assert rows_hash(b"a,b\n3,4\n1,2\n") != base
    assert rows_hash(b"a,b\n1,2\n3,5\n") != base
    assert rows_hash(b"a,b,c\n1,2,\n3,4,\n") != base


def test_the_hash_of_rows_does_not_depend_on_how_they_were_batched(read):
    row = b"1," + b"x" * 1000 + b"\n"
    plain = read(b"a,b\n" + row * 600)
    quoted = read(b"a,b\n" + row.replace(b"1,", b'"1",') * 600)
    assert len(plain.sizes) > 1
    assert plain.sizes != quoted.sizes
    assert plain.source.rows_sha256 == quoted.source.rows_sha256


def test_counts_and_the_hash_of_the_file_are_of_the_raw_bytes(read):
    content = b"\xef\xbb\xbfa,b\r\n1,2\r\n"
    source = read(content).source
    assert (source.bytes, source.size, source.rows, source.rejected) == (len(content), len(content), 1, 0)
    import hashlib

    assert source.sha256 == hashlib.sha256(content).hexdigest()


def test_columns_of_a_file_without_header_are_numbers(read):
    result = read(b"1,2\n3,4\n", header=False)
    assert result.source.columns == ("1", "2")
    assert result.payloads == [b"1\x002", b"3\x004"]


def test_tsv_may_quote(read):
    result = read(b'a\tb\n1\t"x\ty"\n', name="input.TSV")
    assert result.payloads == [b"1\0x\ty"]
    assert result.source.format == "tsv"


def test_records_across_many_blocks_stay_whole(read):
    rows = [[str(number), "line\n" * (number % 50) + '"'] for number in range(20_000)]
    content = written([["a", "b"], *rows])
    assert len(content) > 4 * CHUNK
    result = read(content)
    assert result.payloads == ["\0".join(row).encode() for row in rows]


def test_one_field_larger_than_many_blocks(read):
    big = 'x\n"\n' * (CHUNK // 2)
    result = read(written([["a", "b"], ["1", big], ["2", "z"]]))
    assert result.payloads == [b"1\0" + big.encode(), b"2\0z"]


def test_the_line_numbers_of_later_blocks_are_physical(read):
    good = b'1,"x\ny"\n' * 50_000
    error = read.refused(b"a,b\n" + good + b"bad\n" + good + b"bad,too,far\n")
    assert error.details == (
        "line 100002, record 50001: 1 field where the header has 2",
        "line 200003, record 100002: 3 fields where the header has 2",
    )


PROBLEMS = [
    (b"1,2\n3\n", "line 3, record 2: 1 field where the header has 2"),
    (b"1,2\n\n\n3,4,5\n", "line 5, record 2: 3 fields where the header has 2"),
    (b'"1\n1",2\n3\n', "line 4, record 2: 1 field where the header has 2"),
    (
        b'1,2\n3,"x" y\n',
        "line 3, record 2: text follows a closing quote; a quote inside a quoted field is written twice",
    ),
    (
        b"1,2\n3,caf\xe9\n",
        "line 3, record 2, column 'url': is not valid UTF-8; if it has another encoding, add --encoding",
    ),
    (
        b'1,2\n"\xff",4\n',
        "line 3, record 2, column 'id': is not valid UTF-8; if it has another encoding, add --encoding",
    ),
    (b"1,2\n3,a\0b\n", "line 3, record 2, column 'url': contains a NUL character"),
    (b"1,2\n3,a\rb\n", "line 3, record 2: a carriage return without a line feed; lines end in LF or CR LF"),
]


@pytest.mark.parametrize(("rows", "sentence"), PROBLEMS)
def test_a_bad_row_is_refused_with_its_place(read, rows, sentence):
    error = read.refused(b"id,url\n" + rows)
    assert error.details == (sentence,)
    assert "1 problem, nothing was accepted" in error.message
    assert "--invalid skip" in error.hint


@pytest.mark.parametrize(("rows", "sentence"), PROBLEMS)
def test_a_bad_row_can_be_skipped_and_is_handed_over(read, rows, sentence):
    result = read(b"id,url\n" + rows + b"8,9\n", invalid="skip")
    (reject,) = result.rejects
    assert reject.problem.sentence() == sentence
    assert reject.raw in rows
    assert result.payloads[-1] == b"8\x009"
    assert (result.source.rows, result.source.rejected) == (len(result.payloads), 1)


def test_a_rejected_row_keeps_its_fields_and_its_text(read):
    result = read(b'a,b\r\n1,"x\r\ny",z\r\n1,2\r\n', invalid="skip")
    (reject,) = result.rejects
    assert reject.fields == ("1", "x\r\ny", "z")
    assert reject.raw == b'1,"x\r\ny",z'


WHOLE = [
    (b"", "the file is empty"),
    (b"\n\r\n\n", "the file is empty"),
    (b"\xef\xbb\xbf", "the file is empty"),
    (b"id,url\n", "there is no row after the header"),
    (b"id,url", "there is no row after the header"),
    (b"id,,url,\n1,2,3,4\n", "line 1: columns 2, 4 have no name"),
    (b"id,url,id\n1,2,3\n", "line 1: column 'id' appears more than once"),
    (b"id,caf\xe9\n1,2\n", "line 1: the header is not valid UTF-8; if it has another encoding, add --encoding"),
    (b"id,a\0b\n1,2\n", "line 1: the header contains a NUL character"),
    (b"id,url\r1,2\r", "line 1: a carriage return without a line feed; lines end in LF or CR LF"),
    (b'id,"url\n1,2\n', "line 1: a quoted field is opened and never closed"),
    (b'id,url\n1,2\n3,"x\n5,6\n', "line 3, record 2: a quoted field is opened and never closed"),
    ("id,url\n1,é\n".encode("utf-16"), "line 1: this is utf-16 text: add --encoding utf-16"),
    ("id,url\n1,é\n".encode("utf-16-le"), "line 1: this looks like utf-16-le text: add --encoding utf-16-le"),
    ("id,url\n1,é\n".encode("utf-16-be"), "line 1: this looks like utf-16-be text: add --encoding utf-16-be"),
    ("id,url\n1,é\n".encode("utf-32"), "line 1: this is utf-32 text: add --encoding utf-32"),
    (b"jobctl_item,jobctl_job\n1,2\n", "line 1: there are only columns of jobctl itself (jobctl_...)"),
]


@pytest.mark.parametrize("invalid", ["reject", "skip"])
@pytest.mark.parametrize(("content", "sentence"), WHOLE)
def test_a_file_that_is_wrong_as_a_whole_is_refused_in_any_case(read, content, sentence, invalid):
    error = read.refused(content, invalid=invalid)
    assert error.details[-1] == sentence


def test_all_rows_bad_is_a_refusal_too(read):
    error = read.refused(b"a,b\n1\n2\n", invalid="skip")
    assert len(error.details) == 2


def test_the_first_twenty_problems_are_described_and_all_are_counted(read):
    error = read.refused(b"a,b\n" + b"1\n" * 1234)
    assert "1,234 problems" in error.message
    assert len(error.details) == 21
    assert error.details[19] == "line 21, record 20: 1 field where the header has 2"
    assert error.details[20] == "... and 1,214 more"


def test_no_rows_follow_a_problem_that_refuses_the_file(read):
    good = b"1,2\n" * 100_000
    seen = []
    rules = RowRules(lambda payload: seen.append(payload))
    read.refused(b"a,b\n" + b"bad\n" + good, rules=rules)
    assert len(seen) == 100_000  # all are looked at, so that the problems are complete


def test_the_handlers_check_refuses_rows_with_their_column(read):
    rules = RowRules(lambda payload: Fault("b", "too_long", "is too long") if len(payload) > 5 else None, safe_length=5)
    error = read.refused(b"a,b\n1,2\n3,long\n", rules=rules)
    assert error.details == ("line 3, record 2, column 'b': is too long",)


def test_rows_within_the_safe_length_are_not_checked(read):
    def check(payload):
        raise AssertionError(payload)

    assert read(b"a,b\n1,2\n", rules=RowRules(check, safe_length=3)).payloads == [b"1\x002"]


def test_columns_of_a_result_file_are_dropped_and_its_job_is_remembered(read):
    result = read(b'id,jobctl_job,url,jobctl_message\n1,uid-7,x,"a\nb"\n2,uid-7,y,\n')
    assert result.source.columns == ("id", "url")
    assert result.payloads == [b"1\0x", b"2\0y"]
    assert result.source.resubmit_of == "uid-7"
    plain = read(b"id,url\n1,x\n2,y\n").source
    assert plain.rows_sha256 == result.source.rows_sha256
    assert plain.resubmit_of is None


def test_a_result_file_of_one_column(read):
    result = read(b"line,jobctl_job,jobctl_item\na b,u,1\n")
    assert result.payloads == [b"a b"]
    error = read.refused(b"line,jobctl_job\n\xff,u\n")
    assert error.details[0].startswith("line 2, record 1, column 'line'")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_header_of_a_result_file_tells_its_delimiter(read, delimiter):
    text = 'id,v,jobctl_job,jobctl_item,jobctl_attempts\n7,"a\nb",uid-7,1,1\n'.replace(",", delimiter)
    result = read(text.encode())
    assert result.payloads == [b"7\0a\nb"]
    assert (result.source.columns, result.source.resubmit_of) == (("id", "v"), "uid-7")
    assert result.source.dialect["delimiter"] == delimiter
    assert read(text.encode(), delimiter=delimiter).payloads == result.payloads
