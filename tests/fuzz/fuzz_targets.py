"""What is fuzzed, and the laws that every input has to keep: an AssertionError or any error but ours is a bug.

A target takes bytes. Beside "no crash", the readers are held to a second parser of the standard library: what it reads
as strict JSON or as sound CSV has to come out the same, and what is refused has to be refused for a reason.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from books import SHEET, package, sheet_of
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
        *tables, key = _KEYS[line[0] % len(_KEYS)]
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


_KEYS = [*_keys()]
_KEYS += [
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


def _recipes() -> Iterator[bytes]:
    root = Path(__file__).parents[2] / "recipes"
    for path in sorted(root.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        yield text.encode()
        yield b"j" + json.dumps(tomllib.loads(text)).encode()
        yield b"k" + b"\n".join(_lines_of(tomllib.loads(text)))
    yield b'shape = "chat"\n[split]\nvalid = 0.2\nseed = 7\n[columns]\nprompt-template = "Item={a}, {{x}}"\n'
    yield b'j{"rules": {"select": ["IO"], "options": {"LEN101": {"limit": 3}}}, "columns": {"prompt": "a"}}'


def _lines_of(settings: dict[str, Any]) -> Iterator[bytes]:
    """Settings as `_settings` reads them."""
    for number, path in enumerate(_KEYS):
        value: Any = settings
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None and not isinstance(value, dict):
            yield bytes([number if number != 10 else number + len(_KEYS)]) + json.dumps(value).encode()


def _odd_values() -> Iterator[bytes]:
    """Each key with a value that fits few of them."""
    for value in (b"", b"true", b"7", b"-1e400", b"[]", b'["IO"]', b"{}", b'{"a": [{}]}', b"null", b"chat", b"none"):
        for number in range(len(_KEYS)):
            yield b"k" + bytes([number if number != 10 else number + len(_KEYS)]) + value


def _parts(book: bytes) -> Iterator[bytes]:
    """The parts of a workbook that are looked at, each as a seed."""
    if not zipfile.is_zipfile(io.BytesIO(book)):
        return
    with zipfile.ZipFile(io.BytesIO(book)) as package_of:
        for part in package_of.infolist():
            kind = next((kind for word, kind in _PART_KINDS.items() if word in part.filename), b"")
            if kind and part.file_size < 4000:
                with contextlib.suppress(*workbook_guard.BROKEN, RuntimeError):
                    yield kind + package_of.read(part)


_PART_KINDS = {"worksheets/": b"s", "xl/workbook.xml": b"w", "workbook.xml.rels": b"r", "sharedStrings": b"t"}


def seeds(target: str) -> list[bytes]:
    """Small inputs of many kinds to start from."""
    from twins import twins

    if target == "recipe":
        return [*_odd_values(), *20 * list(_recipes())]
    if target == "workbook":
        found = [twin.data for twin in twins() if twin.name.endswith(".xlsx") and len(twin.data) < 20_000]
        books = [seed for data in found for seed in (b"z" + data, *_parts(data))]
        cells = (
            '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="e"><v>#N/A</v></c></row><mergeCell ref="A1:B2"/>'
        )
        extra = b'<workbook><sheets><sheet name="S" sheetId="1" id="r1" state="hidden"/></sheets></workbook>'
        part = b'Target="../xl/worksheets/sheet1.xml"'
        link = b'<Relationships><Relationship Id="r1" Type="x/worksheet" ' + part + b"/></Relationships>"
        return [*books, b"s" + sheet_of(cells).encode(), b"w" + extra, b"r" + link]
    prefix = {"jsonl": (".jsonl",), "csv": (".csv", ".tsv")}[target]
    found = [twin.data for twin in twins() if twin.name.endswith(prefix)]
    return [data if len(data) < 2000 else data[:600] for data in found if data]


TOKENS = {
    "jsonl": [
        *b'" { } [ ] , : \\ null -0 \\u0022 \\ud83d 1e999 1.00000000000000000001 18446744073709551617'.split(),
        *(b"\n", b"\r\n", b"\xff", b"\0", b"\xef\xbb\xbf"),
        b'{"prompt": "a", "completion": "b"}',
        b'{"messages": [{"role": "user", "content": "x"}]}',
    ],
    "csv": [
        *b'" "" , ; "," # prompt,completion sep=;'.split(),
        *(b"\t", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b'"\n"', b"\xef\xbb\xbf", b"a,b\n"),
    ],
    "recipe": [
        *b'[ ] = " { } true -1 1e400 nan [columns] [rules] [split] [[x]] 1979-05-27'.split(),
        *(b"\n", b"valid = ", b"shape = ", b"target = ", b"model = ", b"\xff"),
    ],
    "workbook": [
        *b'</c> <f> <v> <!DOCTYPE r="A1" r="XFD1048576" r="99999999999" mergeCell &#0; <![CDATA['.split(),
        *(b'encoding="utf-16"', b"<c ", b"<row ", b"\0", b"PK\3\4", b"PK\5\6", b'hidden="1"'),
    ],
}
"""What mutations put in."""
