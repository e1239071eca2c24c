"""Sheets of xlsx files: each cell has the value that people see, or a message reports it."""

import io

import pytest

from jobctl.errors import InputRejected, UsageError
from jobctl.sources import InputOptions, open_source
from jobctl.sources.sheets import SheetDecoder
from tests.sources.books import row, sheet_xml, text_cell, write_book

ERRORS = ("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#GETTING_DATA", "#SPILL!", "#CALC!")


@pytest.fixture
def book(tmp_path):
    return lambda *rows, **options: write_book(tmp_path / "book.xlsx", "".join(rows), **options)


def values(path, **options):
    """The rows, as submit takes them."""
    with open_source(InputOptions(str(path), **options), io.BytesIO()) as source:
        rows = [payload.decode().split("\0") for batch in source.batches() for payload in batch]
        return rows, source


def refused(path, **options):
    with pytest.raises(InputRejected) as caught:
        values(path, **options)
    return caught.value


def decoded(path, *, keep=False, header=True):
    """The rows, without a process."""
    with path.open("rb") as file:
        decoder = SheetDecoder(file, {"sheet": None, "header": header, "keep": keep})
        decoder.header()
        return [list(cells) for _, cells in decoder.rows()]


def one_column(write, *cells, **options):
    found = decoded(write(row("v"), *(row("x", cell) for cell in cells), **options), header=False)
    return [cells[1] for cells in found[1:]]


# --- cells without a value


def test_an_error_cell_refuses_the_file_and_is_named_as_people_see_it(book):
    path = book(row("id", "amount"), row("1", "<c><v>5</v></c>"), row("2", '<c t="e"><f>NA()</f><v>#N/A</v></c>'))
    error = refused(path)
    assert error.details == ("line 3, record 2, column 'amount': cell B3 is the error #N/A",)
    assert "--invalid skip" in error.hint
    assert "--invalid keep" in error.hint
    assert values(path, invalid="skip")[0] == [["1", "5"]]
    assert values(path, invalid="keep")[0] == [["1", "5"], ["2", "#N/A"]]


@pytest.mark.parametrize("text", ERRORS)
def test_every_kind_of_error_is_reported(book, text):
    (cell,) = one_column(book, f'<c t="e"><v>{text}</v></c>')
    assert (cell.place, cell.text, cell.message) == ("B2", text, f"is the error {text}")


def test_where_finds_error_cells_and_leaves_them_alone(book):
    path = book(row("id", "amount"), row("1", "5"), row("2", '<c t="e"><v>#N/A</v></c>'))
    assert values(path, where="amount != '#N/A'")[0] == [["1", "5"]]
    assert values(path, select="1")[0] == [["1", "5"]]
    assert values(path, where="amount == '#N/A'", invalid="keep")[0] == [["2", "#N/A"]]
    assert len(refused(path, where="amount == '#N/A'").details) == 1


@pytest.mark.parametrize("cell", ["<c><f>A1+B1</f></c>", "<c><f>A1</f><v></v></c>", "<c><f>A1</f><v/></c>"])
def test_a_formula_without_a_saved_value_is_reported(book, cell):
    path = book(row("id", "sum"), row("1", cell))
    assert "cell B2 is a formula without a saved value: open the file" in refused(path).details[0]
    assert values(path, invalid="keep")[0] == [["1", ""]]


def test_a_formula_that_gives_no_text_has_a_value(book):
    assert one_column(book, '<c t="str"><f>""</f><v></v></c>', "9") == ["", "9"]


def test_uncalculated_formulas_are_reported(tmp_path):
    xlsxwriter = pytest.importorskip("xlsxwriter", reason="needs the package xlsxwriter")
    written = xlsxwriter.Workbook(tmp_path / "w.xlsx")
    sheet = written.add_worksheet()
    sheet.write_row(0, 0, ["id", "sum"])
    sheet.write(1, 0, 1)
    sheet.write_formula(1, 1, "=A2+1")
    sheet.write(2, 0, 2)
    sheet.write_formula(2, 1, "=A3+1", value=3)
    written.close()
    rows, source = values(tmp_path / "w.xlsx")
    assert rows == [["1", "0"], ["2", "3"]]
    assert source.notices[0].startswith("2 formulas of the sheet may have outdated values")
    sheet = (written := xlsxwriter.Workbook(tmp_path / "v.xlsx")).add_worksheet()
    sheet.write_row(0, 0, ["id", "sum"])
    sheet.write_formula(1, 1, "=A2+1", value="")
    written.close()
    assert "formula without a saved value" in refused(tmp_path / "v.xlsx").details[0]


def test_keep_is_for_workbooks(tmp_path):
    (tmp_path / "a.csv").write_text("id\n1\n")
    with pytest.raises(UsageError, match="--invalid keep makes no sense for csv"):
        values(tmp_path / "a.csv", invalid="keep")


def test_other_faults_are_refused_also_when_errors_are_kept(book):
    path = book(row("id"), row("1", "stray"), row('<c t="e"><v>#REF!</v></c>'))
    assert refused(path, invalid="keep").details == ("line 2, record 1: 'stray' is in a column without a name",)


# --- numbers, dates and times


@pytest.mark.parametrize(
    ("saved", "text"),
    [
        ("12", "12"),
        ("-3", "-3"),
        ("0.5", "0.5"),
        ("9007199254740993", "9007199254740993"),
        ("9.00719925474099E+15", "9007199254740990"),
        ("1.2345678901234567E+19", "12345678901234567000"),
        ("1E+22", "10000000000000000000000"),
        ("-1.5E+20", "-150000000000000000000"),
        ("1E-7", "1e-07"),
        ("-0", "0"),
    ],
)
def test_numbers_are_plain_digits(book, saved, text):
    assert one_column(book, f"<c><v>{saved}</v></c>") == [text]


@pytest.mark.parametrize(
    ("code", "saved", "text"),
    [
        ("yyyy\\-mm\\-dd", "45000", "2023-03-15"),
        ("yyyy-mm-dd", "45000.5", "2023-03-15"),
        ("d.m.yyyy h:mm", "45000", "2023-03-15T00:00:00"),
        ("d.m.yyyy h:mm", "45000.4375", "2023-03-15T10:30:00"),
        ('[$-409]d" of "mmmm, yyyy;@', "45000", "2023-03-15"),
        ("mmm", "45000", "2023-03-15"),
        ("ge.m.d", "45000", "2023-03-15"),
        ("h:mm AM/PM", "0.75", "18:00:00"),
        ("mm:ss.0", "0.5", "12:00:00"),
        ("h:mm", "-0.0625", "-1:30:00"),
        ("[h]:mm:ss", "-0.0625", "-1:30:00"),
        ("[hh]:mm", "1.5", "36:00:00"),
        ("yyyy-mm-dd", "1", "1900-01-01"),
        ("yyyy-mm-dd", "61", "1900-03-01"),
        ("0.00E+00", "45000", "45000"),
        ('0 "days"', "5", "5"),
        ("[Red]#,##0.00;General", "5", "5"),
        ("0.00%", "0.5", "0.5"),
        ("@", "5", "5"),
    ],
)
def test_the_format_says_whether_a_number_is_a_date_a_time_or_both(book, code, saved, text):
    assert one_column(book, f'<c s="1"><v>{saved}</v></c>', formats=(code,)) == [text]


def test_dates_of_the_system_of_1904(book):
    options = {"formats": ("yyyy-mm-dd",), "settings": '<workbookPr date1904="1"/>'}
    assert one_column(book, '<c s="1"><v>0</v></c>', '<c s="1"><v>43538</v></c>', **options) == [
        "1904-01-01",
        "2023-03-15",
    ]


@pytest.mark.parametrize("saved", ["-5", "0", "60", "2958466", "1e400"])
def test_a_number_outside_the_calendar_is_not_a_date(book, saved):
    (cell,) = one_column(book, f'<c s="1"><v>{saved}</v></c>', formats=("yyyy-mm-dd",))
    assert (cell.place, cell.text) == ("B2", saved)
    assert "not a date, although it is formatted as one" in cell.message


def test_texts_of_every_kind(book):
    strings = "<si><t>a</t></si><si><r><t>b</t></r><r><t xml:space='preserve'> c</t></r><rPh><t>x</t></rPh></si>"
    cells = (
        '<c t="s"><v>0</v></c>',
        '<c t="s"><v>1</v></c>',
        text_cell("_x000D_|_x005F_x000D_|007"),
        '<c t="b"><v>1</v></c>',
    )
    assert one_column(book, *cells, '<c t="d"><v>2023-03-15T10:30:00</v></c>', strings=strings) == [
        *("a", "b c", "\r|_x000D_|007", "true", "2023-03-15T10:30:00"),
    ]


def test_prefixes_of_names_do_not_matter(book):
    xml = '<x:worksheet xmlns:x="y"><x:sheetData><x:row><x:c><x:v>7</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    assert decoded(book(sheets=[("S", "visible", xml)]), header=False) == [["7"]]


# --- the used range


def test_a_stray_cell_in_the_last_corner_costs_nothing(book):
    far = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>{}</t></is></c></row>'
    path = book(row("id", "v"), row("1", "2"), far.format("stray"))
    assert refused(path).details == ("line 1048576, record 2: 'stray' is in a column without a name",)
    assert values(path, invalid="skip")[0] == [["1", "2"]]
    assert values(book(row("id", "v"), row("1", "2"), far.format("")))[0] == [["1", "2"]]


def test_a_table_may_begin_anywhere_and_its_dimension_may_lie(book):
    cells = '<row r="3"><c r="C3"><v>1</v></c><c r="E3"><v>2</v></c></row><row r="5"><c r="D5"><v>3</v></c></row>'
    path = book(sheets=[("S", "visible", sheet_xml(cells, before='<dimension ref="A1"/>'))])
    assert decoded(path, header=False) == [["1", "", "2"], ["", "3", ""]]


def test_empty_cells_are_read_with_signs_of_progress(book):
    blank = "<row>" + '<c s="0"/>' * 10_000 + "</row>"
    path = book(row("id"), row("1"), blank * 60, row("2"))
    told = []
    with open_source(InputOptions(str(path)), io.BytesIO()) as source:
        source.watch = lambda found: told.append(found.bytes)
        assert sum(map(len, source.batches())) == 2
    assert len(told) > 10
    assert told == sorted(told)
    assert (told[-1], source.bytes) == (path.stat().st_size, path.stat().st_size)


# --- which sheet


def sheets_of(*states):
    return [(f"S{n}", state, sheet_xml(row("id") + row(str(n)))) for n, state in enumerate(states, 1)]


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_first_sheet_is_not_read_unless_it_is_named(book, state):
    path = book(sheets=sheets_of(state, "visible"))
    rows, source = values(path)
    assert rows == [["2"]]
    assert source.notices == [
        "sheet 'S2' is read, the first that is not hidden of: 'S1' (hidden), 'S2'; --sheet NAME takes another one"
    ]
    rows, source = values(path, sheet="s1")
    assert (rows, source.notices) == ([["1"]], [])


def test_a_notice_names_the_sheet_if_there_are_several(book):
    assert (
        values(book(sheets=sheets_of("visible", "visible")))[1]
        .notices[0]
        .startswith("sheet 'S1' is read, the first of")
    )
    assert values(book(sheets=sheets_of("visible", "hidden")))[1].notices == []
    error = refused(book(sheets=sheets_of("hidden", "hidden")))
    assert (error.details, error.hint) == (
        ("all its sheets are hidden",),
        "--sheet NAME takes one of them: 'S1' (hidden), 'S2' (hidden)",
    )


def test_a_sheet_that_is_a_chart_is_passed_over(book):
    kinds = "".join(
        f'<Relationship Id="r{number}" Type="http://x/{kind}" Target="worksheets/{number}.xml"/>'
        for number, kind in ((1, "chartsheet"), (2, "worksheet"))
    )
    parts = {"xl/_rels/workbook.xml.rels": f"<Relationships>{kinds}</Relationships>"}
    path = book(sheets=sheets_of("visible", "visible"), parts=parts)
    assert values(path)[0] == [["2"]]
    with pytest.raises(UsageError, match="is a chart"):
        values(path, sheet="S1")


def test_hidden_rows_and_columns_are_read_with_a_notice(book):
    rows = row("id", "v") + row("1", "2", attributes=' hidden="1"')
    path = book(sheets=[("S", "visible", sheet_xml(rows, before='<cols><col min="2" max="3" hidden="1"/></cols>'))])
    found, source = values(path)
    assert found == [["1", "2"]]
    assert source.notices == [
        "1 row hidden in the sheet (perhaps by a filter) was read, too",
        "hidden in the sheet, and read, too: column B, C",
    ]


# --- files from attackers


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        ('<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>', "declares a document type"),
        ("<worksheet>" + "<a>" * 1_000, "nested too deeply"),
        ("<worksheet><sheetData><row>" + "<c>" * 1_000, "nested too deeply"),
        (f'<worksheet><c r="{" " * (9 << 20)}"', "a tag that is too long"),
        ("<worksheet><sheetData><row>", "is damaged"),
        (
            '<worksheet><sheetData><row><c r="ZZZZ1"><v>1</v></c></row></sheetData></worksheet>',
            "which no sheet can have",
        ),
    ],
)
def test_xml_of_attackers_is_refused(book, xml, said):
    assert said in refused(book(sheets=[("S", "visible", xml)])).details[0]


def test_texts_that_take_too_much_memory_are_refused(book, monkeypatch):
    from jobctl.sources import xlsx
    from jobctl.sources.problems import Damaged

    monkeypatch.setattr(xlsx, "_STRING_BYTES", 1 << 20)
    with pytest.raises(Damaged, match="texts take more than 1 MiB of memory"):
        decoded(book(row("id"), strings="<si/>" * 200_000))


def test_a_part_that_is_unpacked_to_gigabytes_is_refused(book, monkeypatch):
    from jobctl.sources import package
    from jobctl.sources.problems import Damaged

    monkeypatch.setattr(package, "_MOST_UNPACKED", 1 << 20)
    with pytest.raises(Damaged, match="is too large"):
        decoded(book(row("id"), " " * (4 << 20)))


def test_a_shared_text_longer_than_any_cell_is_reported(book):
    strings = f"<si><t>{'a' * 32_767}</t></si><si><t>{'b' * 40_000}</t></si>"
    good, bad = one_column(book, '<c t="s"><v>0</v></c>', '<c t="s"><v>1</v></c>', strings=strings)
    assert good == "a" * 32_767
    assert (len(bad.text), bad.place) == (32_767, "B3")
    assert "has a text of 40,000 characters" in bad.message
