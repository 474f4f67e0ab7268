"""Records and texts as two other parsers have them: where they differ, a finding explains it.

JSONL: json and pyarrow; CSV: csv and pandas (all cells as text); XLSX: openpyxl and the XML of the sheet itself.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.json
import pytest
from books import written_book
from hypothesis import given
from hypothesis import strategies as st
from law_settings import ODD, PAIRS, many
from parsers_here import parsers_here
from twins import Twin, twins

from ftprep.model import Row
from ftprep.readers import open_tables, reader_of
from ftprep.readers.base import Table

TWINS = twins()
DAMAGE = [b'"', b"'", b",", b"\\", b"{", b"}", b"\xff", b"\0", b"\n", b'"a":1,', b"1e999", b"\\ud800", b" "]
NOTES = {"IO102", "IO108", "IO109"}


def read(path: Path) -> tuple[Table, list[Row]]:
    (table,) = open_tables([path])
    reader = reader_of(table)
    return table, [] if table.broken else [row for c in reader.chunks(table) for row in reader.decode(table, c)]


def refused(row: Row) -> bool:
    return bool({fault.code for fault in row.faults} - NOTES)


def damaged(data: bytes, places: list[tuple[int, bytes]]) -> bytes:
    for place, piece in places:
        at = place % (len(data) + 1)
        data = data[:at] + piece + data[at:]
    return data


PLACES = st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(DAMAGE)), max_size=3)


def as_json_has_it(line: bytes) -> Any:
    """The value, None where the module refuses the line; it takes more than JSON is, so a difference needs a reason."""
    try:
        return json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def as_arrow_has_it(lines: list[bytes]) -> list[dict[str, Any]]:
    schema = pa.schema([("prompt", pa.string()), ("completion", pa.string())])
    options = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    got: list[dict[str, Any]] = pyarrow.json.read_json(
        io.BytesIO(b"\n".join(lines) + b"\n"), parse_options=options
    ).to_pylist()
    return got


def same_json(path: Path) -> None:
    table, rows = read(path)
    assert not table.broken
    assert table.format == "jsonl"
    lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    assert [row.line for row in rows] == list(range(1, len(lines) + bool(lines[-1])))
    texts: list[tuple[bytes, dict[str, Any]]] = []
    for row, line in zip(rows, lines, strict=False):
        if row.skipped or refused(row):
            continue
        body = line.removeprefix(b"\xef\xbb\xbf")
        assert repr(as_json_has_it(body)) == repr(row.record)
        if all(isinstance(row.record.get(key), str) for key in ("prompt", "completion")):
            texts.append((body, row.record))
    if texts:
        got = as_arrow_has_it([line for line, _ in texts])
        assert got == [{key: record[key] for key in ("prompt", "completion")} for _, record in texts]


@many
@given(PAIRS, PLACES, st.booleans())
def test_law_lines_of_json_are_what_json_and_arrow_read(
    tmp_path: Path, pairs: list[tuple[str, str]], places: list[tuple[int, bytes]], ascii_only: bool
) -> None:
    lines = [json.dumps({"prompt": p, "completion": c}, ensure_ascii=ascii_only) for p, c in pairs]
    data = b'{"prompt": "a", "completion": "b"}\n' * 5 + damaged("\n".join(lines).encode(), places)
    path = tmp_path / "f.jsonl"
    path.write_bytes(data)
    same_json(path)


JSON_TWINS = [t for t in TWINS if t.name.endswith(".jsonl") and not t.broken and not t.name.startswith("enc_utf-")]


@pytest.mark.parametrize("twin", [t for t in JSON_TWINS if "IO110" not in t.notes], ids=lambda twin: twin.name)
def test_twins_of_json_are_what_json_and_arrow_read(twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / twin.name
    path.write_bytes(twin.data)
    same_json(path)


def same_cells(path: Path) -> None:
    """Rows and cells as csv and pandas have them, or a finding says what is odd."""
    table, rows = read(path)
    if table.broken or table.faults or any(refused(row) for row in rows):
        assert all(fault.message for _, fault in table.faults)
        return
    if "\r" in path.read_bytes().decode().replace("\r\n", ""):
        return  # csv and pandas end rows at carriage returns inside of cells without quotes
    records = [row.record for row in rows if not row.skipped]
    with path.open(encoding="utf-8-sig", newline="") as file:
        # Blank lines may come before the header.
        header, *others = itertools.dropwhile(lambda cells: not any(cells), csv.reader(file, delimiter=table.delimiter))
    blank = [cells for cells in others if not any(cells) or (len(cells) == 1 and not cells[0].strip(" \t"))]
    assert len(blank) >= sum(row.skipped for row in rows)
    want = [dict(zip(header, cells, strict=True)) for cells in others if cells not in blank]
    assert (list(table.header), records) == (header, want)
    frame = pd.read_csv(
        path, sep=table.delimiter, dtype=str, keep_default_na=False, na_filter=False, skip_blank_lines=True, engine="c"
    )
    assert [r for r in frame.to_dict("records") if any(r.values())] == records


@many
@given(PAIRS, PLACES, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(["\n", "\r\n"]))
def test_law_cells_are_what_csv_and_pandas_read(
    tmp_path: Path, pairs: list[tuple[str, str]], places: list[tuple[int, bytes]], quoting: Any, ends: str
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator=ends, quoting=quoting)
    writer.writerows(
        [("prompt", "completion"), ("a", "b"), *((p.replace("\0", ""), c.replace("\0", "")) for p, c in pairs)]
    )
    path = tmp_path / "f.csv"
    path.write_bytes(damaged(file.getvalue().encode(), places[:1]))
    data = path.read_bytes()
    controls = sum(byte < 32 and byte not in b"\t\r\n" for byte in data)
    if b"\0" not in data and controls < 8:  # pandas cuts a cell at a NUL; and what is mostly controls is told as binary
        same_cells(path)


CSV_TWINS = [t for t in TWINS if t.name.startswith("csv_") and t.name.endswith((".csv", ".tsv")) and not t.broken]


@pytest.mark.parametrize(
    "twin", [t for t in CSV_TWINS if "nul" not in t.name and "returns" not in t.name], ids=lambda t: t.name
)
def test_twins_of_csv_are_what_csv_and_pandas_read(twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / twin.name
    path.write_bytes(twin.data)
    same_cells(path)


def as_openpyxl_has_it(path: Path) -> list[list[str]]:
    book = openpyxl.load_workbook(path)
    return [["" if cell is None else str(cell) for cell in row] for row in book.active.iter_rows(values_only=True)]


def as_its_xml_has_it(path: Path) -> list[list[str]]:
    """Cells of shared strings, by the XML alone."""
    with zipfile.ZipFile(path) as package:
        sheet = ElementTree.fromstring(package.read("xl/worksheets/sheet1.xml"))
        table = ElementTree.fromstring(package.read("xl/sharedStrings.xml"))
    space = {"x": sheet.tag[1:].partition("}")[0]}
    shared = ["".join(t.text or "" for t in si.iterfind(".//x:t", space)) for si in table.iterfind("x:si", space)]
    rows = []
    for row in sheet.iterfind(".//x:row", space):
        cells = {"A": "", "B": ""}
        for cell in row.iterfind("x:c", space):
            value = cell.find("x:v", space)
            cells[cell.get("r", "A")[0]] = shared[int(value.text or 0)] if value is not None else ""
        rows.append(list(cells.values()))
    return rows


_LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
_ODD = st.sampled_from([text for text in ODD if text.isprintable()])
CELL = (st.text(_LETTERS, max_size=9) | _ODD).filter(lambda text: "_x" not in text)
"""Without control characters, which XML has not, and without the escapes that stand for them."""


@many
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6))
def test_law_sheets_are_what_openpyxl_and_their_xml_say(tmp_path: Path, cells: list[tuple[str, str]]) -> None:
    rows = [["prompt", "completion"], ["a", "b"], *map(list, cells)]
    path = tmp_path / "f.xlsx"
    path.write_bytes(written_book(rows))
    with parsers_here():
        table, read_rows = read(path)
    got = [list(table.header), *(list(row.record.values()) for row in read_rows if not refused(row))]
    assert [row for row in as_its_xml_has_it(path) if any(row)] == got
    assert [row for row in as_openpyxl_has_it(path) if any(row)] == got
