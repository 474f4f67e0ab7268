"""JSON documents: an array of records, an array under a key, columns, or values one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

import ftprep.readers.base as base
import ftprep.readers.json_bounds as json_bounds
from ftprep.model import Chunk, Fault, Row
from ftprep.readers.encoding import settle
from ftprep.readers.json_bounds import Element, Trouble
from ftprep.readers.jsonl import not_a_row, too_long
from ftprep.readers.packed import SourceBroken
from ftprep.readers.sources import HEAD_BYTES, compression_of, read_all
from ftprep.readers.strict_json import BadJson, loads

_FIELDS = {"prompt", "completion", "instruction", "input", "output", "text", "question", "answer", "query", "response"}
_FIELDS |= {"messages", "conversations", "conversation", "chosen", "rejected", "history", "tools", "functions", "label"}
"""Fields of records: an object that has one is itself a record, whatever lists it holds."""

_TURN = frozenset(("role", "from", "speaker"))
"""A list of objects with one of these is a conversation, not a list of records."""


class _Plan(msgspec.Struct, frozen=True):
    """How a document holds its records: `array` (which starts at a byte offset), `columns` or `values`."""

    kind: str
    start: int = 0
    key: str = ""
    fault: Fault | None = None


class JsonReader:
    """Reads `.json`: every record keeps the physical line on which it starts."""

    def tables(self, name: str, path: str, head: bytes, options: base.Options) -> list[base.Table]:
        """The one table of the file; broken where its encoding is not known or there is nothing in it."""
        encoding = settle(head, name, options.encoding, whole=len(head) < HEAD_BYTES)
        table = base.Table(
            name, "json", path, compression_of(path), encoding.codec, faults=encoding.faults, limits=options.limits
        )
        if encoding.refused:
            return [msgspec.structs.replace(table, broken=True)]
        # An array says so in its first byte; where the records of an object are only the whole of it can tell.
        begin = encoding.glance(head).lstrip()
        if begin[:1] != "{":
            return [_with(table, Fault("IO115", "the array is empty")) if begin[1:].strip() == "]" else table]
        try:
            plan = _plan(read_all(table))
        except SourceBroken:
            return [table]
        table = msgspec.structs.replace(table, under=plan.key)
        return [_with(table, plan.fault) if plan.fault else table]

    def chunks(self, table: base.Table) -> Iterator[Chunk]:
        """Runs of records, as (line, column, bytes), or (line, column, record) where a document holds columns."""
        try:
            data = read_all(table)
        except SourceBroken as broken:
            yield Chunk(0, 0, 1, broken.fault)
            return
        for number, (line, payload) in enumerate(_payloads(_records(data, table))):
            yield Chunk(number, 0, line, payload)

    def decode(self, table: base.Table, chunk: Chunk) -> Iterator[Row]:
        """A row for every record."""
        if isinstance(chunk.payload, Fault):
            return
        for offset, (line, column, value) in enumerate(chunk.payload):
            yield _row(table, Row(offset, line), column, value)


def _row(table: base.Table, row: Row, column: int, value: Any) -> Row:
    """One element as a row: its record, or the fault that says why there is none."""
    if isinstance(value, bytes):
        row.said = value
        if len(value) > table.longest:
            row.faults.append(too_long(table))
            return row
        try:
            value = loads(value, row.line, column, table.limits.depth)
        except BadJson as bad:
            code, words = (
                ("IO116", f"the file ends inside a record: {bad.message}") if bad.cut else (bad.code, bad.message)
            )
            row.faults.append(Fault(code, words, "", bad.excerpt, bad.column if bad.line == row.line else column))
            return row
    if type(value) is dict:
        row.record = value
    else:
        row.faults.append(not_a_row(value))
    return row


def _with(table: base.Table, fault: Fault) -> base.Table:
    """The table, broken by a fault."""
    return msgspec.structs.replace(table, faults=(*table.faults, (1, fault)), broken=True)


def _payloads(parts: Iterator[Element | Trouble]) -> Iterator[tuple[int, Any]]:
    """Elements in runs of a chunk's size, and troubles in between as faults, each with the line it starts on."""
    run: list[tuple[int, int, Any]] = []
    size = 0
    for part in parts:
        if isinstance(part, Trouble) or len(run) >= base.CHUNK_RECORDS or size >= base.CHUNK_BYTES:
            if run:
                yield run[0][0], run
            run, size = [], 0
        if isinstance(part, Trouble):
            yield part.line, part.fault
        else:
            run.append((part.line, part.column, part.value))
            size += len(part.value)
    if run:
        yield run[0][0], run


def _records(data: bytes, table: base.Table) -> Iterator[Element | Trouble]:
    """The records of a document, in order."""
    plan = _plan(data)
    if plan.kind == "columns":
        yield from _rows_of_columns(data, table)
    elif plan.kind == "array":
        yield from json_bounds.elements(data, plan.start, table.longest, alone=not plan.key)
    else:
        yield from json_bounds.values(data, table.longest)


def _plan(data: bytes) -> _Plan:
    """What kind of document the bytes are."""
    start = json_bounds.after_blank(data, 0)
    if data[start : start + 1] == b"[":
        return _Plan("array", start)
    if data[start : start + 1] != b"{":
        return _Plan("values")
    members, end = json_bounds.members(data, start)
    if not members or (end >= 0 and json_bounds.after_blank(data, end) < len(data)):
        return _Plan("values")
    if end >= 0 and (plan := _columns(data, members)):
        return plan
    if _FIELDS & {member.key for member in members}:
        return _Plan("values")
    lists = [member for member in members if _is_list_of_records(data, member)]
    if len(lists) > 1:
        names = ", ".join(member.key for member in lists)
        return _Plan("values", fault=Fault("IO120", f"several lists of records ({names}); keep one list a file"))
    return _Plan("array", lists[0].start, lists[0].key) if lists else _Plan("values")


def _is_list_of_records(data: bytes, member: json_bounds.Member) -> bool:
    """Whether a member's value is a list whose first element is an object, and no turn of a conversation."""
    start = json_bounds.after_blank(data, member.start + 1)
    if data[member.start : member.start + 1] != b"[" or data[start : start + 1] != b"{":
        return False
    return not _TURN & {inner.key for inner in json_bounds.members(data, start)[0]}


def _columns(data: bytes, members: list[json_bounds.Member]) -> _Plan | None:
    """The plan of a document whose every member is a list of plain values, or (as pandas writes) an object whose keys
    are row numbers; None where it is no such document."""
    first = {data[member.start : member.start + 1] for member in members}
    if first not in ({b"["}, {b"{"}):
        return None
    sizes: dict[str, Any] = {}
    for member in members:
        size = _index(data, member) if first == {b"{"} else _count(data, member)
        if not size:
            return None
        sizes[member.key] = size
    if all(size == sizes[members[0].key] for size in sizes.values()):
        return _Plan("columns")
    shown = ", ".join(f"{key} {len(n) if isinstance(n, list) else n}" for key, n in sizes.items())
    return _Plan("columns", fault=Fault("IO120", f"columns that do not have the same rows ({shown})"))


def _index(data: bytes, member: json_bounds.Member) -> list[str]:
    """The row numbers that are the keys of a column, [] where they are none."""
    index = [cell.key for cell in json_bounds.members(data, member.start)[0]]
    return index if all(key.isdigit() for key in index) else []


def _count(data: bytes, member: json_bounds.Member) -> int:
    """The number of cells of a column, 0 where it holds objects or cannot be read."""
    count = 0
    for part in json_bounds.elements(data, member.start, base.MAX_RECORD_BYTES):
        if isinstance(part, Trouble) or part.value[:1] == b"{":
            return 0
        count += 1
    return count


def _rows_of_columns(data: bytes, table: base.Table) -> Iterator[Element | Trouble]:
    """The rows of a document of columns, each on the line on which its first cell stands."""
    try:
        columns = loads(data, depth=table.limits.depth)
    except BadJson as bad:
        yield Trouble(bad.line, Fault(bad.code, f"{bad.message}; no row can be read", "", bad.excerpt, bad.column))
        return
    first = next(iter(columns))
    start = json_bounds.members(data, json_bounds.after_blank(data, 0))[0][0].start
    cells = (
        json_bounds.elements(data, start, table.longest)
        if isinstance(columns[first], list)
        else json_bounds.cells(data, start)
    )
    names = list(columns)
    rows = zip(*(c.values() if isinstance(c, dict) else c for c in columns.values()), strict=True)
    for cell, row in zip(cells, rows, strict=True):
        if isinstance(cell, Element):
            yield Element(cell.line, cell.column, dict(zip(names, row, strict=True)))
