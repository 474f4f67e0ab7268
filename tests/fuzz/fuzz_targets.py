"""What is fuzzed, and the laws that every input has to keep: an AssertionError or any error but ours is a bug.

A target takes bytes. Beside "no crash", the readers are held to a second parser of the standard library: what it reads
as strict JSON or as sound CSV has to come out the same, and what is refused has to be refused for a reason.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from books import SHEET, package
from law_settings import FOLDER
from pydantic import BaseModel

from ftprep.errors import FtprepError
from ftprep.model import Chunk, Fault, Row
from ftprep.plan import make_plan
from ftprep.readers import base, sources, workbook_guard
from ftprep.readers.base import Options, Table
from ftprep.readers.delimited import DelimitedReader
from ftprep.readers.jsonl import JsonlReader
from ftprep.readers.workbook_cells import bad_cells
from ftprep.readers.workbook_guard import Refused
from ftprep.recipe import Recipe, read_settings, resolve
from ftprep.shapes.chat import ChatShape
from ftprep.shapes.completion import PairShape
from ftprep.shapes.lanes import lane_of
from ftprep.shapes.template import from_column

_LANES = [
    lane for s in (ChatShape(), PairShape(from_column("prompt"), from_column("completion"))) if (lane := lane_of(s))
]
_NOTES = {"IO102", "IO108"}


@contextlib.contextmanager
def in_memory(data: bytes, chunk: int = base.CHUNK_BYTES) -> Iterator[None]:
    """Every file that is opened holds these bytes, and chunks are of this size."""
    opened, size = sources.open_source, base.CHUNK_BYTES
    sources.open_source = lambda *_: io.BytesIO(data)
    base.CHUNK_BYTES = chunk
    try:
        yield
    finally:
        sources.open_source = opened
        base.CHUNK_BYTES = size


def _told(row: Row) -> tuple[Any, ...]:
    return row.line, repr(row.record), row.skipped, row.faults


def _rows(reader: JsonlReader | DelimitedReader, table: Table, chunks: list[Chunk]) -> list[Row]:
    assert not any(isinstance(chunk.payload, Fault) for chunk in chunks)
    return [row for chunk in chunks for row in reader.decode(table, chunk)]


def _however_cut(reader: JsonlReader | DelimitedReader, table: Table, data: bytes) -> tuple[list[Chunk], list[Row]]:
    """The chunks and rows of a table, which are the same however small its chunks are."""
    with in_memory(data):
        chunks = list(reader.chunks(table))
        rows = _rows(reader, table, chunks)
    with in_memory(data, 5 + zlib.crc32(data) % 60):
        tiny = _rows(reader, table, list(reader.chunks(table)))
    assert [_told(row) for row in rows] == [_told(row) for row in tiny]
    return chunks, rows


def jsonl(data: bytes) -> None:
    """JSON Lines: a row a line, each read as the standard library reads it or refused for a reason."""
    reader = JsonlReader()
    (table,) = reader.tables("f.jsonl", "f.jsonl", data[: sources.HEAD_BYTES], Options())
    if table.broken:
        assert table.faults
        return
    chunks, rows = _however_cut(reader, table, data)
    for lane in _LANES:
        fast = [row for chunk in chunks for row in reader.decode_fast(table, chunk, lane)]
        assert [row.line for row in fast] == [row.line for row in rows]
        for one, row in zip(fast, rows, strict=True):
            taken = one.example is not None
            assert (row.record is not None and not row.faults) if taken else _told(one) == _told(row)
    if table.encoding != "utf-8":
        return
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not lines[-1]:
        lines.pop()
    assert [row.line for row in rows] == list(range(1, len(lines) + 1))
    for line, row in zip(lines, rows, strict=True):
        _as_the_standard_library(line.removesuffix(b"\r").removeprefix(b"\xef\xbb\xbf"), row)


def _as_the_standard_library(line: bytes, row: Row) -> None:
    codes = {fault.code for fault in row.faults} - _NOTES
    if row.skipped:
        assert not line.strip()
        return
    assert (row.record is None) == bool(codes), row
    try:
        value = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        assert codes
        return
    if row.record is not None:
        assert repr(value) == repr(row.record)
    else:
        assert codes <= {"IO105", "IO106", "IO107", "IO114", "IO119"}, (codes, line)


def delimited(data: bytes) -> None:
    """CSV: each line is in a row; where the standard library finds nothing odd, the same cells come out."""
    reader = DelimitedReader()
    (table,) = reader.tables("f.csv", "f.csv", data[: sources.HEAD_BYTES], Options())
    if table.broken:
        assert table.faults
        return
    _, rows = _however_cut(reader, table, data)
    for row in rows:
        codes = {fault.code for fault in row.faults} - _NOTES
        assert row.skipped or codes or tuple(row.record) == table.header
        assert codes or row.skipped or all(type(cell) is str for cell in row.record.values())
    places = [row.line for row in rows]
    assert places == sorted(set(places))
    assert not places or places[0] > table.header_line
    if table.encoding != "utf-8" or b"\r" in data or any(f.code in ("IO101", "IO112") for r in rows for f in r.faults):
        return
    below = data.removeprefix(b"\xef\xbb\xbf").split(b"\n", table.header_line - 1)[-1].decode("utf-8")
    try:
        cells = list(csv.reader(io.StringIO(below, newline=""), delimiter=table.delimiter, strict=True))
    except csv.Error:
        return
    assert len(cells) - 1 == len(rows)
    header = list(table.header)
    want = [c for c in cells[1:] if len(c) == len(header) and any(c) and (c != header or len(header) == 1)]
    assert want == [list(row.record.values()) for row in rows if not row.skipped and not row.faults]


def recipe(data: bytes) -> None:
    """Recipes: whatever a file holds (TOML, j: JSON, k: a value for each key named by its number), it is a recipe or
    refused with one of our errors."""
    kind, body = data[:1], data[1:]
    path = Path(FOLDER.name) / ("r.json" if kind == b"j" else "r.toml")
    path.write_bytes(body if kind == b"j" else data)
    try:
        settings = _settings(body) if kind == b"k" else read_settings(path)
        make_plan([{"prompt": "a ->", "completion": " b"}], resolve(settings))
    except FtprepError:
        return


def _settings(body: bytes) -> dict[str, Any]:
    """Settings with a line for each: a byte that says which key, and a value as JSON, or a text."""
    settings: dict[str, Any] = {}
    for line in body.split(b"\n"):
        if not line:
            continue
        place = settings
        *tables, key = KEYS[line[0] % len(KEYS)]
        for table in tables:
            inner = place.setdefault(table, {})
            place = inner if isinstance(inner, dict) else {}
        try:
            place[key] = json.loads(line[1:])
        except (ValueError, RecursionError):
            place[key] = line[1:].decode("utf-8", "replace")
    return settings


def _keys(model: Any = Recipe, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where each key of a recipe stands, and each of its tables."""
    for name, field in model.model_fields.items():
        here = (*above, name.replace("_", "-"))
        yield here
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _keys(kind, here)


KEYS = [*_keys()]
KEYS += [
    ("rules", "options", "LEN101"),
    ("rules", "options", "DUP101"),
    ("keys", "roles", "client"),
    ("odd",),
]


def workbook(data: bytes) -> None:
    """The look into a workbook before it is parsed: a zip file as it is (z), or a part inside of a sound one."""
    kind, body = data[:1], data[1:]
    if kind == b"s":
        body = package("", **{SHEET: body})
    elif kind == b"w":
        body = package("", **{"xl/workbook.xml": body})
    elif kind == b"r":
        body = package("", **{"xl/_rels/workbook.xml.rels": body})
    elif kind == b"t":
        body = package("", **{"xl/sharedStrings.xml": body})
    path = Path(FOLDER.name) / "b.xlsx"
    path.write_bytes(body)
    workbook_guard._inspected.cache_clear()
    try:
        for sheet in workbook_guard.inspect(str(path)).sheets:
            bad_cells(str(path), sheet.part)
    except Refused:
        return


TARGETS: dict[str, Callable[[bytes], None]] = {
    "jsonl": jsonl, "csv": delimited, "recipe": recipe, "workbook": workbook
}  # fmt: skip
