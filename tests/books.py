"""Workbooks for the corpus, as bytes: whole ones, and packages written by hand."""

from __future__ import annotations

import io
import zipfile

import xlsxwriter

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
LINK = (
    f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{LINKS}/%s" Target="%s"/>'
    "</Relationships>"
)
PARTS = {
    "_rels/.rels": LINK % ("officeDocument", "xl/workbook.xml"),
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets><sheet name="S" sheetId="1" r:id="r1"/>'
    "</sheets></workbook>",
    "xl/_rels/workbook.xml.rels": LINK % ("worksheet", "worksheets/sheet1.xml"),
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
}
SHEET = "xl/worksheets/sheet1.xml"


def rows_of_cells(first: int, *rows: tuple[str, ...]) -> str:
    """Rows of text cells from a row number on, as XML."""
    return "".join(
        f'<row r="{first + n}">'
        + "".join(f'<c r="{chr(65 + c)}{first + n}" t="inlineStr"><is><t>{t}</t></is></c>' for c, t in enumerate(row))
        + "</row>"
        for n, row in enumerate(rows)
    )


def sheet_of(rows: str, columns: tuple[str, ...] = ("prompt", "completion")) -> str:
    """A worksheet with these columns."""
    head = rows_of_cells(1, columns)
    return f'<worksheet xmlns="{MAIN}"><sheetData>{head}{rows}</sheetData></worksheet>'


def package(rows: str, **more: str | bytes) -> bytes:
    """A workbook whose one sheet has these rows, and parts to add or to replace."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**PARTS, SHEET: sheet_of(rows), **more}.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def written_book(rows: list[list[str]]) -> bytes:
    """A workbook with one sheet of texts."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False})
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            sheet.write_string(number, column, text)
    book.close()
    return file.getvalue()
