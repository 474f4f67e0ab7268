"""The reader of workbooks: cells as text as meant, oddities told, nothing unsafe parsed, no crash that reaches us."""

from __future__ import annotations

import datetime
import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from books import MAIN, PARTS, SHEET, sheet_of
from books import package as packed
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.errors import UsageError
from ftprep.model import Fault, Row
from ftprep.readers import base, workbook, workbook_guard
from ftprep.readers.base import Options, Table
from ftprep.readers.workbook import WorkbookReader
from ftprep.readers.workbook_child import duration, text

READER = WorkbookReader()


def package(folder: Path, rows: str = "", **more: str | bytes) -> Path:
    """A workbook of the columns a and b: the rows of its one sheet as XML, and parts to add or to replace."""
    path = folder / "t.xlsx"
    path.write_bytes(packed("", **{SHEET: sheet_of(rows, ("a", "b")), **more}))
    return path


def written(folder: Path, *sheets: tuple[str, list[list[Any]]]) -> tuple[openpyxl.Workbook, Path]:
    """A workbook with these sheets, and where to save it."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return book, folder / "t.xlsx"


def tables_of(path: Path, sheet: str = "") -> list[Table]:
    """The tables of a workbook."""
    return READER.tables(path.name, str(path), path.read_bytes()[:100], Options(sheet=sheet))


def rows_of(table: Table) -> list[Row]:
    """All rows of a table, through chunks."""
    chunks = list(READER.chunks(table))
    return [row for chunk in chunks for row in READER.decode(table, chunk)]


def only(path: Path, sheet: str = "") -> tuple[Table, list[Row]]:
    """The one table of a workbook, and its rows."""
    (table,) = tables_of(path, sheet)
    return table, [] if table.broken else rows_of(table)


def told(table: Table, code: str = "IO117") -> str:
    """What the faults of a table say."""
    return "\n".join(f"{line}: {fault.message}" for line, fault in table.faults if fault.code == code)


@pytest.mark.parametrize(
    ("cell", "want"),
    [
        (42.0, "42"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e15, "1000000000000000"),
        (1e21, "1e+21"),
        (1e-7, "1e-07"),
        (7, "7"),
        (True, "TRUE"),
        (False, "FALSE"),
        (datetime.date(2021, 6, 3), "2021-06-03"),
        (datetime.datetime(2021, 6, 3, 14, 5), "2021-06-03T14:05:00"),
        (datetime.time(14, 5), "14:05:00"),
        (datetime.timedelta(days=1, hours=2, minutes=30), "26:30:00"),
    ],
)
def test_a_cell_as_text(cell: Any, want: str) -> None:
    assert text(cell) == want


@pytest.mark.parametrize(("seconds", "want"), [(0, "0:00:00"), (-90, "-0:01:30"), (1.5, "0:00:01.500000")])
def test_a_duration_as_text(seconds: float, want: str) -> None:
    assert duration(datetime.timedelta(seconds=seconds)) == want


def test_every_kind_of_cell_as_text(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    percent, date = book.add_format({"num_format": "0%"}), book.add_format({"num_format": "yyyy-mm-dd"})
    time, span = book.add_format({"num_format": "yyyy-mm-dd hh:mm"}), book.add_format({"num_format": "[h]:mm:ss"})
    sheet.write_row(0, 0, ["text", "cell"])
    cells = [
        ("007", None, "007"),
        (" pad ", None, " pad "),
        ("NA", None, "NA"),
        ("=1+1", None, "=1+1"),
        (42, None, "42"),
        (0.1, None, "0.1"),
        (0.52, percent, "0.52"),
        (True, None, "TRUE"),
        (datetime.date(2021, 6, 3), date, "2021-06-03"),
        (datetime.datetime(2021, 6, 3, 14, 5), time, "2021-06-03T14:05:00"),
        (datetime.timedelta(hours=26, minutes=30), span, "26:30:00"),
    ]
    for row, (value, form, _) in enumerate(cells, 1):
        sheet.write_string(row, 0, "x")
        if isinstance(value, str):
            sheet.write_string(row, 1, value)
        else:
            sheet.write(row, 1, value, form)
    book.close()
    table, rows = only(path)
    assert (table.sheet, table.header, table.header_line, table.faults) == ("Sheet1", ("text", "cell"), 1, ())
    assert [(row.line, row.record["cell"]) for row in rows] == [(n, want) for n, (_, _, want) in enumerate(cells, 2)]


def test_formulas_without_a_value_and_errors_set_their_rows_aside(tmp_path: Path) -> None:
    rows = (
        '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><f>1+1</f></c></row>'
        '<row r="3"><c r="A3"><v>1</v></c><c r="B3"><f>1+1</f><v></v></c></row>'
        '<row r="4"><c r="A4"><v>1</v></c><c r="B4"><f>1+1</f><v>2</v></c></row>'
        '<row r="5"><c r="A5"><v>1</v></c><c r="B5" t="str"><f>""</f><v></v></c></row>'
        '<row r="6"><c r="A6" t="e"><v>#N/A</v></c><c r="B6"><v>1</v></c></row>'
        '<row r="8"><c r="A8"><f>1+1</f></c></row>'
        '<row><c t="e"><v>#REF!</v></c><c><v>5</v></c></row>'
        '<row r="10"><c r="A10"><v>1</v></c><c r="B10"><v>2</v></c></row>'
        '<row r="12"><c r="A12"><f>1+1</f></c></row>'
    )
    table, found = only(package(tmp_path, rows))
    assert [(row.line, row.record) for row in found if not row.faults] == [
        (4, {"a": "1", "b": "2"}),
        (5, {"a": "1", "b": ""}),
        (10, {"a": "1", "b": "2"}),
    ]
    bad = {row.line: row.faults[0].message for row in found if row.faults}
    assert list(bad) == [2, 3, 6, 8, 9, 12]
    assert "cell B2 has a formula without a value" in bad[2]
    assert "cell A6 is the error #N/A" in bad[6]
    assert "cell A9 is the error #REF!" in bad[9]
    assert {fault.code for row in found for fault in row.faults} == {"IO122"}
    assert told(table) == "7: 1 blank row skipped (7)"


def test_a_formula_that_openpyxl_wrote_has_no_value(tmp_path: Path) -> None:
    book, path = written(tmp_path, ("S", [["a", "b"], ["x", "=1+1"], ["y", "z"]]))
    book.save(path)
    _, rows = only(path)
    assert [(row.line, bool(row.faults)) for row in rows] == [(2, True), (3, False)]


def test_the_sheet_with_a_table_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    table_rows = [["text", "label"], ["x", "y"]]
    book, path = written(
        tmp_path, ("Readme", [["Do not edit"]]), ("Empty", []), ("Data", table_rows), ("Old", table_rows)
    )
    book["Old"].sheet_state = "hidden"
    book.save(path)
    table, rows = only(path)
    assert (table.sheet, [row.record for row in rows]) == ("Data", [{"text": "x", "label": "y"}])
    assert told(table) == "1: sheets not read: 'Readme', 'Old' (hidden); choose with --sheet NAME, or --sheet all"


@pytest.mark.parametrize(("asked", "sheets"), [("Two", ["Two"]), ("all", ["One", "Two"])])
def test_sheets_that_the_user_asks_for(asked: str, sheets: list[str], tmp_path: Path) -> None:
    book, path = written(tmp_path, ("One", [["a"], ["1"]]), ("Two", [["a"], ["2"]]), ("Empty", []))
    book["Two"].sheet_state = "veryHidden"
    book.save(path)
    tables = tables_of(path, asked)
    assert [table.sheet for table in tables] == sheets
    assert rows_of(tables[-1])[0].record == {"a": "2"}
    assert "'Two' is hidden" in told(tables[-1])


def test_a_sheet_that_is_not_there(tmp_path: Path) -> None:
    book, path = written(tmp_path, ("One", [["a"], ["1"]]))
    book.save(path)
    with pytest.raises(UsageError) as caught:
        tables_of(path, "two")
    assert "'One'" in caught.value.hint


def test_what_stands_around_the_table_is_told(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        [None, "Sales of 2021"],
        [],
        [None, "text", "label", None, "note", None],
        [None, "x", "y", None, None, "extra"],
        [],
        [],
        [None, "z", "w", None, "n", None],
    ]
    book, path = written(tmp_path, ("S", rows))
    sheet = book["S"]
    sheet.row_dimensions[4].hidden = True
    sheet.column_dimensions["C"].hidden = True
    sheet.merge_cells("B8:C8")
    sheet["B8"] = "last"
    book.save(path)
    table, found = only(path)
    assert (table.header, table.header_line) == (("text", "label", "note", "column 6"), 3)
    assert [(row.line, row.record) for row in found] == [
        (4, {"text": "x", "label": "y", "note": "", "column 6": "extra"}),
        (7, {"text": "z", "label": "w", "note": "n", "column 6": ""}),
        (8, {"text": "last", "label": "", "note": "", "column 6": ""}),
    ]
    said = told(table)
    assert "5: 2 blank rows skipped (5-6)" in said
    assert "left out: D" in said
    assert "1 hidden row," in said
    assert "1 hidden column range" in said
    assert "merged cells (B8:C8)" in said
    assert "passed over above it: line 1" in told(table, "IO121")


@pytest.mark.parametrize(
    ("rows", "code"),
    [([], "IO115"), ([["a", "b"]], "IO115"), ([["a", "a"], ["1", "2"]], "IO113")],
)
def test_sheets_that_hold_no_table(rows: list[list[Any]], code: str, tmp_path: Path) -> None:
    book, path = written(tmp_path, ("S", rows))
    book.save(path)
    (table,) = tables_of(path)
    assert table.broken
    assert [fault.code for _, fault in table.faults] == [code]


def test_only_hidden_sheets(tmp_path: Path) -> None:
    book, path = written(tmp_path, ("One", []), ("Two", [["a"], ["1"]]))
    book["Two"].sheet_state = "hidden"
    book.save(path)
    (table,) = tables_of(path)
    assert table.broken
    assert "hidden ('Two' (hidden)); name one with --sheet" in told(table, "IO115")


FAR = '<row r="1048576"><c t="inlineStr" r="XFD1048576"><is><t>far</t></is></c></row>'
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    ("rows", "more", "says"),
    [
        (FAR, {}, "spans A1:XFD1048576 with only 3 cells"),
        ("<row r = '1048576'><c\n r = 'XFD1048576'><v>1</v></c></row>", {}, "spans A1:XFD1048576"),
        ('<row r="16777216"><c r="A16777216"><v>1</v></c></row>', {}, "beyond the last one"),
        ('<row r="2"><c r="ZZZZ2"><v>1</v></c></row>', {}, "beyond the last one"),
        (
            "",
            {"xl/sharedStrings.xml": f'<sst xmlns="{MAIN}" count="1" uniqueCount="4000000000"/>'},
            "4000000000 texts",
        ),
        ("", {"xl/styles.xml": BOMB + "<styleSheet/>"}, "declares XML entities"),
        ("", {"xl/workbook.xml": BOMB + PARTS["xl/workbook.xml"]}, "declares XML entities"),
        ("", {"xl/worksheets/sheet1.xml": (BOMB + "<worksheet/>").encode("utf-16")}, "hides its text"),
        ("", {"xl/media/x.bin": bytes(5 << 20)}, "times its size"),
        ("", {"xl/_rels/workbook.xml.rels": " " * (5 << 20)}, "times its size"),
    ],
)
def test_what_would_be_unsafe_is_not_parsed(rows: str, more: dict[str, Any], says: str, tmp_path: Path) -> None:
    (table,) = tables_of(package(tmp_path, rows, **more))
    assert table.broken
    assert says in told(table, "IO114")


@pytest.mark.parametrize(("bound", "value"), [("MAX_BYTES", 1000), ("MAX_PARTS", 3), ("_SMALL_PART", 100)])
def test_bounds_on_what_is_unpacked(bound: str, value: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_guard, bound, value)
    (table,) = tables_of(package(tmp_path))
    assert table.broken
    assert told(table, "IO114")


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "IO120", ".xls"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "IO120", "password"),
        (b"\x1f\x8b\x08", "IO120", "gunzip"),
        (b"a,b\n1,2\n", "IO120", "not a workbook"),
        (b"PK\x03\x04", "IO116", "cut or damaged"),
    ],
)
def test_files_that_are_no_workbooks(data: bytes, code: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(data)
    (table,) = tables_of(path)
    assert table.broken
    assert says in told(table, code)


@pytest.mark.parametrize(
    ("part", "says"),
    [("mimetype", "OpenDocument"), ("xl/workbook.bin", "binary"), ("readme.txt", "no .xlsx workbook")],
)
def test_other_containers(part: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(part, "x")
    (table,) = tables_of(path)
    assert says in told(table, "IO120")


def test_a_workbook_cut_at_any_place_is_told(tmp_path: Path) -> None:
    path = package(tmp_path, '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row>')
    whole = path.read_bytes()
    for end in range(2, len(whole) - 1, 97):
        path.write_bytes(whole[:end])
        (table,) = tables_of(path)
        assert table.broken
        assert told(table, "IO116")


@pytest.mark.parametrize("place", range(0, 1500, 50))
def test_a_damaged_byte_never_breaks_more_than_the_workbook(place: int, tmp_path: Path) -> None:
    path = package(tmp_path, '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row>')
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 0xFF
    path.write_bytes(data)
    (table,) = tables_of(path)
    if table.broken:
        assert {fault.code for _, fault in table.faults} <= {"IO120", "IO114", "IO115", "IO116"}
    else:
        assert [row.record for row in rows_of(table)] == [{"a": "1", "b": "2"}]


def test_a_parser_that_aborts_takes_nothing_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_guard, "_check_range", lambda *_: None)
    (table,) = tables_of(package(tmp_path, FAR))
    assert table.broken
    assert {fault.code for _, fault in table.faults} <= {"IO114", "IO116"}


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("while True: pass", "the time for its size"),
        ("import time; time.sleep(60)", "the time for its size"),
        ("print('{\"filled\": [0')", "cannot be parsed"),
        ("raise SystemExit(3)", "status 3"),
        ('print(\'{"error": "PanicException: no"}\')', "PanicException: no"),
    ],
)
def test_a_child_that_fails(script: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = tmp_path / "child.py"
    child.write_text(script)
    monkeypatch.setattr(workbook, "_CHILD", child)
    monkeypatch.setattr(workbook, "SECONDS", 0.2)
    (table,) = tables_of(package(tmp_path))
    assert table.broken
    assert says in "\n".join(fault.message for _, fault in table.faults)


def test_a_child_that_dies_on_the_way_leaves_a_fault_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (table,) = tables_of(package(tmp_path, '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row>'))
    child = tmp_path / "child.py"
    child.write_text('print(\'{"filled": [0, 1]}\\n[[1, ["a", "b"]], [2, ["1", "2"]]]\')')
    monkeypatch.setattr(workbook, "_CHILD", child)
    first, last = READER.chunks(table)
    assert [row.record for row in READER.decode(table, first)] == [{"a": "1", "b": "2"}]
    assert isinstance(last.payload, Fault)
    assert (last.payload.code, last.first_line) == ("IO114", 3)
    assert list(READER.decode(table, last)) == []


def test_chunks_have_a_bounded_number_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book, path = written(tmp_path, ("S", [["a", "b"], *([str(n), "x"] for n in range(1300))]))
    book.save(path)
    (table,) = tables_of(path)
    whole = [(row.line, row.record) for row in rows_of(table)]
    assert whole == [(n + 2, {"a": str(n), "b": "x"}) for n in range(1300)]
    monkeypatch.setattr(base, "CHUNK_RECORDS", 100)
    assert [len(chunk.payload) for chunk in READER.chunks(table)] == [100] * 13
    assert [(row.line, row.record) for row in rows_of(table)] == whole


def test_a_path_that_is_no_utf8(tmp_path: Path) -> None:
    path = package(tmp_path, '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row>')
    odd = tmp_path / "a b\udcff.xlsx"
    try:
        path.rename(odd)
    except (OSError, UnicodeError):
        pytest.skip("the file system takes no such name")
    assert only(odd)[1][0].record == {"a": "1", "b": "2"}


# XML holds no U+FFFE and U+FFFF; all else xlsxwriter writes, control characters in Excel's own way (_x0001_).
TEXT = st.text(
    st.sampled_from('a"<>&\r\n\t\0\x01 \u2028_x041F') | st.characters(exclude_categories=["Cs", "Cn"]), max_size=40
)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(TEXT, min_size=3, max_size=3), min_size=1, max_size=40))
def test_what_xlsxwriter_writes_loads_back(cells: list[list[str]]) -> None:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet()
    for number, row in enumerate([["one", "two", "three"], *cells]):
        for column, cell in enumerate(row):
            sheet.write_string(number, column, cell)
    book.close()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.xlsx"
        path.write_bytes(file.getvalue())
        table, rows = only(path)
    want = [(n, dict(zip(("one", "two", "three"), row, strict=True))) for n, row in enumerate(cells, 2) if any(row)]
    assert table.broken is (not want)
    assert [(row.line, row.record) for row in rows] == want


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=60))
def test_numbers_load_back_as_the_same_number(numbers: list[float]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        book, path = written(Path(folder), ("S", [["n", "x"], *([n, "x"] for n in numbers)]))
        book.save(path)
        _, rows = only(path)
    said = [row.record["n"] for row in rows]
    assert [float(text) for text in said] == [float(f"{n:.16g}") for n in numbers]  # as many digits as openpyxl writes
    assert not any(text.endswith(".0") for text in said)
