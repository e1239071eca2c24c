"""Sheets of ods files, as LibreOffice writes them."""

import zipfile

import pytest

from jobctl.sources.cells import BadCell
from jobctl.sources.odsbook import OdsBook
from jobctl.sources.problems import Damaged
from jobctl.sources.sheets import SheetDecoder, choose_sheet

STYLES = """
<office:automatic-styles>
 <number:date-style style:name="N1"><number:year/></number:date-style>
 <number:date-style style:name="N2"><number:year/><number:hours/></number:date-style>
 <style:style style:name="day" style:data-style-name="N1"/><style:style style:name="moment" style:data-style-name="N2"/>
 <style:style style:name="away"><style:table-properties table:display="false"/></style:style>
 <style:style style:name="shown"><style:table-properties table:display="true"/></style:style>
</office:automatic-styles>"""


def cell(kind="string", shown="", **more):
    said = "".join(f' {name.replace("_", ":", 1).replace("_", "-")}="{value}"' for name, value in more.items())
    kind = f' office:value-type="{kind}"' if kind else ""
    return f"<table:table-cell{kind}{said}><text:p>{shown}</text:p></table:table-cell>"


def row(*cells, more=""):
    made = (each if each.startswith("<") else cell(shown=each) for each in cells)
    return f"<table:table-row{more}>{''.join(made)}</table:table-row>"


def table(name, *rows, style="shown"):
    return f'<table:table table:name="{name}" table:style-name="{style}">{"".join(rows)}</table:table>'


@pytest.fixture
def book(tmp_path):
    def write(*tables, manifest="<manifest/>"):
        names = "".join(f' xmlns:{name}="{name}"' for name in ("office", "table", "text", "style", "number", "calcext"))
        with zipfile.ZipFile(tmp_path / "b.ods", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            archive.writestr("META-INF/manifest.xml", manifest)
            archive.writestr(
                "content.xml", f"<office:doc{names}>{STYLES}<office:body>{''.join(tables)}</office:body></office:doc>"
            )
        return tmp_path / "b.ods"

    return write


def decoded(path, sheet=None):
    with path.open("rb") as file:
        decoder = SheetDecoder(file, {"sheet": sheet, "header": False, "keep": False})
        decoder.header()
        return [list(cells) for _, cells in decoder.rows()]


def one(book, made):
    return decoded(book(table("S", row("x", made))))[0][1]


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (cell("float", "1.5", office_value="1.50"), "1.5"),
        (cell("float", "1E19", office_value="1.2345678901234567E+019"), "12345678901234567000"),
        (cell("percentage", "50 %", office_value="0.5"), "0.5"),
        (cell("currency", "3 EUR", office_value="3"), "3"),
        (cell("boolean", "WAHR", office_boolean_value="true"), "true"),
        (cell("date", "x", office_date_value="2026-01-05", table_style_name="day"), "2026-01-05"),
        (cell("date", "x", office_date_value="2026-01-05T10:30:00", table_style_name="day"), "2026-01-05"),
        (cell("date", "x", office_date_value="2026-01-05", table_style_name="moment"), "2026-01-05T00:00:00"),
        (cell("date", "x", office_date_value="2026-01-05T10:30:00"), "2026-01-05T10:30:00"),
        (cell("time", "x", office_time_value="PT09H30M00S"), "09:30:00"),
        (cell("time", "x", office_time_value="PT26H00M00S"), "26:00:00"),
        (cell("time", "x", office_time_value="-PT01H30M00S"), "-1:30:00"),
        (cell(shown='a<text:s text:c="2"/>b<text:tab/><text:span>c</text:span></text:p><text:p>d'), "a  b\tc\nd"),
        (cell(shown="v</text:p><office:annotation><text:p>note</text:p></office:annotation><text:p>w"), "v\nw"),
    ],
)
def test_values_become_texts(book, made, text):
    assert one(book, made) == text


def test_errors_and_formulas_without_a_value_are_reported(book):
    error = cell(shown="#DIV/0!", table_formula="of:=1/0", calcext_value_type="error", office_string_value="")
    assert one(book, error) == BadCell("B1", "#DIV/0!", "is the error #DIV/0!")
    assert one(book, cell(shown="#N/A", table_formula="of:=NA()")).text == "#N/A"
    assert one(book, cell(shown="#N/A")) == "#N/A"  # a person typed it
    assert one(book, cell("", table_formula="of:=1")).message.startswith("is a formula without a saved value")


def test_repeated_cells_and_rows_have_the_places_that_programs_show(book):
    gap = '<table:table-cell table:number-columns-repeated="2"/>'
    far = row("", more=' table:number-rows-repeated="1048000"')
    path = book(
        table("S", row("a", gap, "b", '<table:table-cell table:number-columns-repeated="16000"/>'), far, row("c"))
    )
    assert decoded(path) == [["a", "", "", "b"], ["c", "", "", ""]]
    assert decoded(book(table("S", row("a", more=' table:number-rows-repeated="3"')))) == [["a"]] * 3


def test_a_row_that_expands_to_billions_of_values_is_refused(book):
    wide = cell(shown="x", table_number_columns_repeated="16384")
    path = book(table("S", row(wide, more=' table:number-rows-repeated="1048576"')))
    with pytest.raises(Damaged, match="16,384 values is repeated 1,048,576 times"):
        decoded(path)


def test_the_first_sheet_that_is_not_hidden_is_read(book):
    path = book(table("A", row("1"), style="away"), table("B", row("2")), table("C", row("3")))
    assert decoded(path) == [["2"]]
    assert decoded(path, sheet="A") == [["1"]]
    notices = []
    with path.open("rb") as file:
        choose_sheet(OdsBook(file).sheets, None, notices)
    assert "'A' (hidden), 'B', 'C'" in notices[0]


def test_a_workbook_with_a_password_is_refused(book):
    with pytest.raises(Damaged, match="encrypted with a password"):
        decoded(book(table("S", row("a")), manifest="<manifest><encryption-data/></manifest>"))
