"""Writes xlsx files cell by cell, including files that no spreadsheet program would write."""

import zipfile
from xml.sax.saxutils import escape, quoteattr

_RELATIONS = "<Relationships>{}</Relationships>"
_LINK = '<Relationship Id="{}" Type="http://x/relationships/{}" Target="{}"/>'


def text_cell(text):
    """A cell with a text of its own."""
    return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def row(*cells, attributes=""):
    """A row of XML cells; plain texts become cells."""
    made = (cell if cell.startswith("<c") else text_cell(cell) for cell in cells)
    return f"<row{attributes}>{''.join(made)}</row>"


def sheet_xml(rows, before=""):
    return f"<worksheet>{before}<sheetData>{rows}</sheetData></worksheet>"


def write_book(path, rows="", *, sheets=None, formats=(), strings=None, settings="", parts=None):
    """``sheets`` are (name, state, XML); without them ``rows`` are the only sheet. Returns the path.

    Cells refer to ``formats`` by s="1" and following; ``parts`` are further files of the archive, or replace some.
    """
    sheets = sheets or [("Orders", "visible", sheet_xml(rows))]
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" state="{state}" r:id="r{number}"/>'
        for number, (name, state, _) in enumerate(sheets, 1)
    )
    links = "".join(
        _LINK.format(f"r{number}", "worksheet", f"worksheets/{number}.xml") for number, _ in enumerate(sheets, 1)
    )
    codes = "".join(f'<numFmt numFmtId="{200 + n}" formatCode={quoteattr(code)}/>' for n, code in enumerate(formats))
    used = "".join(f'<xf numFmtId="{200 + n}"/>' for n, _ in enumerate(formats))
    content = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook xmlns:r="r">{settings}<sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _RELATIONS.format(links),
        "xl/styles.xml": f"<styleSheet><numFmts>{codes}</numFmts><cellXfs><xf/>{used}</cellXfs></styleSheet>",
        **{f"xl/worksheets/{number}.xml": xml for number, (_, _, xml) in enumerate(sheets, 1)},
        **({"xl/sharedStrings.xml": f"<sst>{strings}</sst>"} if strings is not None else {}),
        **(parts or {}),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, xml in content.items():
            archive.writestr(name, xml)
    return path
