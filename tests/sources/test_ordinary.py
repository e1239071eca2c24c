"""Ordinary rows and texts are read without the XML parser, with the same result."""

import random

import pytest

from jobctl.sources import package
from jobctl.sources.cells import SheetRow
from jobctl.sources.problems import Damaged
from jobctl.sources.xlsx import Strings
from jobctl.sources.xlsxbook import XlsxBook
from jobctl.sources.xlsxsheet import Sheet
from tests.sources.books import row, write_book

ATTRIBUTES = ("", ' s="1"', ' s="2"', ' s="99"', ' t="s"', ' t="n"', ' t="str"', ' t="b"', ' t="inlineStr"', ' t="e"')
ODD_ATTRIBUTES = (' t="s" s="1"', ' s="1" s="2"', ' cm="1"', ' t="d"', " s='1'", ' x:s="1"', "  s='1'", ' s="&#49;"')
VALUES = ("0", "1", "7", "007", "1.50", "-3", "45000.25", "1E5", " 2 ", "", "nan", "x", "_x0041_", "a&amp;lt;&#10;b")
ODD_VALUES = ("<![CDATA[5]]>", "<!--no--> 5", "é\r\n", "\x01", "&amp", "]]>", "5<?pi </row>?>", "\ufffe", "&no;", "😀>")
FORMULAS = (
    "",
    "<f>A1+1</f>",
    "<f/>",
    '<f aca="false">A1&amp;1</f>',
    '<f t="shared" si="0"/>',
    '<f t="shared" ref="A1:A9" si="0">A1</f>',
    '<f t="array" ref="A1">A1</f>',
)
FORMS = (
    "<v>{}</v>",
    "<v>{}</v>",
    "<is><t>{}</t></is>",
    '<is><t xml:space="preserve">{}</t></is>',
    "<is><r><t>a</t></r><r><t>{}</t></r><rPh><t>b</t></rPh></is>",
    "<v xml:space='preserve'>{}</v>",
    "<is><t>{}</t></is><v>3</v>",
    "<v>{}</t>",
    "{}",
)
ROWS = (
    "<row{r}>{}</row>",
    '<row{r} spans="1:3" x14ac:dyDescent="0.25">{}</row>',
    '\n <row{r} hidden="1" >{}</row>',
    "<row{r} hidden='true'>{}</row>",
    '<row{r} ht="1" ht="1">{}</row>',
    "<x:row{r}>{}</x:row>",
    "<row{r}>{}</row>text",
    "<row{r}>text{}\n</row>",
    "<row{r}><row>{}</row></row>",
    "<row{r}/>{}",
    "<row{r}>{}</row ><!-- <row></row> -->",
    "<!-- <row></row><row{r}>{}</row> -->",
    "<?pi <row></row><row{r}>{}</row> ?>",
    "<c><v><![CDATA[<row></row><row{r}>{}</row>]]></v></c>",
)

PLACES = (' r="A1"', ' r="B22"', ' r="C3"', ' r="AA4"')
ODD_PLACES = ("", ' r="ZZZZ1"', ' r="XFE1"', ' r="b2"', ' r="7"')
NUMBERS, ODD_NUMBERS = (' r="2"', ' r="17"'), ("", ' r="x"', ' r="12345678901"')
TEXTS = ("<si><t>{}</t></si>", '\n<si><t xml:space="preserve">{}</t></si>')
ODD_TEXTS = ("<si><r><t>{}</t></r><rPh><t>b</t></rPh></si>", "<si/>{}", "<si><t>{}</t>c</si>", "<x:si><t>{}</t></x:si>")
HEADS = ("", '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n', '<?xml version="1.0"?>')
ODD_HEADS = (
    "\ufeff",
    '<?xml version="1.0" encoding="iso-8859-1"?>',
    "<?xml version='1.0'?>",
    '<?xml version="2.0" x?>',
)


class Writer:
    """Writes XML that is mostly ordinary; a larger ``oddness`` makes more of it unusual."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self._oddness = self._random.choice((0, 0.01, 0.1))

    def one(self, ordinary, odd):
        return self._random.choice(odd if self._random.random() < self._oddness else ordinary)

    def several(self, make):
        return "".join(make() for _ in range(self._random.randrange(8)))

    def cell(self):
        head = self.one(PLACES, ODD_PLACES) + self.one(ATTRIBUTES[:-1], ATTRIBUTES + ODD_ATTRIBUTES)
        if not self._random.randrange(8):
            return f"<c{head}/>"
        formula = self._random.choice(FORMULAS) if self._random.random() < 0.1 else ""
        return f"<c{head}>{formula}{self.one(FORMS[:4], FORMS).format(self.one(VALUES, ODD_VALUES))}</c>"

    def row(self):
        return self.one(ROWS[:2], ROWS).replace("{r}", self.one(NUMBERS, ODD_NUMBERS)).format(self.several(self.cell))

    def text(self):
        return self.one(TEXTS, ODD_TEXTS).format(self.one(VALUES, ODD_VALUES))

    def book(self, path):
        rows, texts = self.several(self.row), [self.text() for _ in range(8)]
        is_uncalculated = self._random.random() < 0.2
        return book_of(path, rows, texts, self.one(HEADS, ODD_HEADS), is_uncalculated=is_uncalculated)


def book_of(path, rows, texts=TEXTS, head="", *, is_uncalculated=False):
    columns = '<cols><col min="2" max="2" hidden="1"/></cols>'
    return write_book(
        path,
        sheets=[("S", "visible", f"{head}<worksheet>{columns}<sheetData>{rows}</sheetData></worksheet>")],
        formats=("yyyy-mm-dd", "h:mm"),
        settings='<calcPr fullCalcOnLoad="1"/>' if is_uncalculated else "",
        parts={"xl/sharedStrings.xml": f"{head}<sst>{''.join(texts)}</sst>"},
    )


def one_by_one():
    """Rows and shared texts that each have one unusual element."""
    cell = '<c r="A1"{}>{}</c>'
    found = [cell.format("", form.format(value)) for form in FORMS for value in VALUES + ODD_VALUES]
    found += [cell.format(kind, f"<v>{value}</v>") for value in VALUES for kind in ATTRIBUTES]
    found += [cell.format(kind, "<v>1</v>") for kind in ODD_ATTRIBUTES]
    found += [cell.format("", formula + value) for formula in FORMULAS for value in ("<v>1</v>", "<v></v>", "")]
    found += [cell.format("", f"<f>{value}</f><v>1</v>") for value in ODD_VALUES]
    found += [f"<c{place}><v>1</v></c>" for place in PLACES + ODD_PLACES]
    rows = [f'<row r="2">{each}</row>' for each in found]
    rows += [form.replace("{r}", number).format(found[0]) for form in ROWS for number in NUMBERS + ODD_NUMBERS]
    texts = [form.format(value) for form in TEXTS + ODD_TEXTS for value in VALUES + ODD_VALUES]
    return [(each, "") for each in rows] + [('<row r="2"><c r="A1" t="s"><v>1</v></c></row>', text) for text in texts]


def read(path):
    """All rows and notices, or the problem of the file without its place in the XML."""
    found = []
    with path.open("rb") as file:
        book = XlsxBook(file)
        try:
            for _, several in book.rows(book.sheets[0]):
                found += several
        except Damaged as damage:
            # The number of rows before the problem depends on the size of a piece.
            return damage.problem.message.partition(": line ")[0], damage.problem.line
        return found, book.notices()


def read_by_the_parser(path):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Sheet, "ending", b"")
        patched.setattr(Strings, "ending", b"")
        return read(path)


@pytest.mark.parametrize("piece", [7, 100, 64 << 10])
def test_rows_are_the_same_with_and_without_the_parser(tmp_path, monkeypatch, piece):
    monkeypatch.setattr(package, "_PIECE", piece)
    for seed in range(100):
        path = Writer(seed).book(tmp_path / "book.xlsx")
        assert read(path) == read_by_the_parser(path), f"seed {seed}"


@pytest.mark.slow
def test_each_unusual_element_is_read_as_the_parser_reads_it(tmp_path):
    for row_, text in one_by_one():
        path = book_of(tmp_path / "book.xlsx", row("title") + row_, ["<si><t>0</t></si>", text])
        assert read(path) == read_by_the_parser(path), row_ + text


def test_the_parser_never_gets_ordinary_rows(tmp_path, monkeypatch):
    cells = '<c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>4.5</v></c><c r="C1" s="1"/>'
    formula = '<c r="D1" t="str"><f aca="false">A1&amp;B1</f><v>&lt;x&gt;</v></c>'
    inline = '<c r="E1" t="inlineStr"><is><t xml:space="preserve"> y </t></is></c>'
    begin, told = Sheet._begin_cell, []
    monkeypatch.setattr(Sheet, "_begin_cell", lambda sheet, found: (told.append(sheet._row), begin(sheet, found)))
    rows = f'<row r="3" spans="1:5" ht="15.5" hidden="false" x14ac:dyDescent="0.25">{cells}{formula}{inline}</row>'
    path = write_book(tmp_path / "book.xlsx", row("title") + rows, strings="<si><t>a &amp; b</t></si>")
    assert read(path)[0][1:] == [SheetRow(3, {1: "a & b", 2: "4.5", 4: "<x>", 5: " y "})]
    assert told == [1]  # what comes before a row is looked at together with it
