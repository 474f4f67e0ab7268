"""JSON Lines: one record a line, lines cut at line feeds and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

import ftprep.readers.base as base
from ftprep.bulk import count_quotes
from ftprep.model import Chunk, Fault, Row
from ftprep.readers.encoding import settle, undecodable
from ftprep.readers.sources import HEAD_BYTES, line_chunks
from ftprep.readers.strict_json import BadJson, loads

_BOM = b"\xef\xbb\xbf"
_KINDS = {list: "an array", str: "a string", int: "a number", float: "a number", bool: "true or false"}


class JsonlReader:
    """Reads `.jsonl` and `.ndjson`: a row for every line, with faults where the line is no record."""

    def tables(self, name: str, path: str, head: bytes, options: base.Options) -> list[base.Table]:
        """The one table of the file; broken where its encoding is not known."""
        encoding = settle(head, name, options.encoding, whole=len(head) < HEAD_BYTES)
        if encoding.refused:
            return [base.Table(name, "jsonl", path, faults=encoding.faults, broken=True)]
        text = encoding.glance(head)
        faults = (*encoding.faults, *line_ends(text), *_spread(text))
        return [base.Table(name, "jsonl", path, encoding=encoding.codec, faults=faults)]

    def chunks(self, table: base.Table) -> Iterator[Chunk]:
        """Runs of whole lines."""
        return line_chunks(table)

    def decode(self, table: base.Table, chunk: Chunk) -> Iterator[Row]:
        """A row for every line."""
        for offset, line, ended in lines_of(chunk):
            yield _row(table, Row(offset, chunk.first_line + offset), line, ended)

    def decode_fast(self, table: base.Table, chunk: Chunk, lane: base.Lane) -> Iterator[Row]:
        """The same rows, those that the lane takes with their examples; `record` is not set for these."""
        payload = chunk.payload
        if len(payload) > table.longest or table.encoding != "utf-8":
            return self.decode(table, chunk)
        lines = [line for _, line, _ in lines_of(chunk)] if b"\r" in payload else _split(payload)
        try:
            said = list(map(lane.decode, lines))  # nearly always; a loop with a try in it takes a tenth longer
        except (msgspec.MsgspecError, UnicodeDecodeError):
            said = [_said(lane, line) for line in lines]
        first = chunk.first_line
        rows = [Row(offset, first + offset, None, line) for offset, line in enumerate(lines)]
        marks, slow = lane.enter(rows, said), [row for row, what in zip(rows, said, strict=True) if what is None]
        for row in slow:
            line = row.raw or b""
            row.raw = None
            marks += count_quotes(line)
            ended = row.offset < len(lines) - 1 or payload.endswith(b"\n")
            _row(table, row, line, ended)
        # A key that stands twice has more quotation marks than its line needs: then each line is looked at closely.
        return iter(rows) if marks == count_quotes(payload) else self.decode(table, chunk)


def _split(payload: bytes) -> list[bytes]:
    lines = payload.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _said(lane: base.Lane, line: bytes) -> Any:
    try:
        return lane.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def lines_of(chunk: Chunk) -> Iterator[tuple[int, bytes, bool]]:
    """The lines of a chunk's payload without their ends, each with its offset and whether a line feed ended it."""
    if isinstance(chunk.payload, Fault):
        return
    lines = chunk.payload.split(b"\n")
    last = lines.pop()
    for offset, line in enumerate(lines):
        yield offset, line.removesuffix(b"\r"), True
    if last:
        yield len(lines), last.removesuffix(b"\r"), False


def blank(row: Row) -> Row:
    """The row of a line with nothing in it: no record, but counted."""
    row.skipped = True
    row.faults.append(Fault("IO108", "a blank line", fixable=True))
    return row


def too_long(table: base.Table) -> Fault:
    """The fault of a record beyond the bound."""
    return Fault("IO114", f"the record is longer than {told(table.longest)}")


def told(size: int) -> str:
    """A number of bytes, in MiB where it is some."""
    return f"{size >> 20} MiB" if size and not size % (1 << 20) else f"{size:,} bytes"


def not_a_row(value: Any) -> Fault:
    """The fault of a JSON value that is no object."""
    return Fault("IO119", f"{_KINDS.get(type(value), 'null')}, not an object with named fields")


def line_ends(text: str) -> tuple[tuple[int, Fault], ...]:
    """The fault of a file with carriage returns at its line ends, if its head shows any."""
    at = text.find("\r\n")
    if at < 0:
        return ()
    return ((text.count("\n", 0, at) + 1, Fault("IO109", "lines end in CR LF, as on Windows", fixable=True)),)


def _row(table: base.Table, row: Row, line: bytes, ended: bool) -> Row:
    """One line as a row: record and raw bytes, or the fault that says why there is none."""
    if not line or line.isspace():
        return blank(row)
    body = row.said = line.removeprefix(_BOM)
    if len(line) > table.longest:
        row.faults.append(too_long(table))
        return row
    try:
        record = loads(body, depth=table.limits.depth)
    except BadJson as bad:
        row.faults.append(_fault(table, bad, body, ended))
        return row
    if type(record) is not dict:
        row.faults.append(not_a_row(record))
        return row
    row.record = record
    if body is not line:
        row.faults.append(Fault("IO102", "a byte-order mark at the start of the line", fixable=True))
    elif table.encoding == "utf-8":
        row.raw = line
    return row


def _fault(table: base.Table, bad: BadJson, line: bytes, ended: bool) -> Fault:
    """What a line's fault is for its file: the end of an unfinished last line is the file's."""
    if bad.code == "IO101":
        return undecodable(line, table.encoding)
    if bad.cut and not ended:
        return Fault("IO116", f"the file ends inside a record: {bad.message}", "", bad.excerpt, bad.column)
    return Fault(bad.code, bad.message, "", bad.excerpt, bad.column)


def _spread(text: str) -> tuple[tuple[int, Fault], ...]:
    """The fault of a file whose records are spread over several lines, by its first line."""
    lines = (line.strip() for line in text.split("\n"))
    number, first = next(((n, line) for n, line in enumerate(lines, 1) if line), (1, ""))
    if first not in ("{", "["):
        return ()
    message = "records are spread over several lines; JSONL has one record a line (rename to .json, or use jq -c .)"
    return ((number, Fault("IO120", message)),)
