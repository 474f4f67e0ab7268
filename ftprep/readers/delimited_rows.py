"""The rows of a chunk of delimited text: ordinary records by one pattern, others with care, none lost in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from ftprep.model import Fault, Row
from ftprep.readers.base import Table
from ftprep.readers.delimited_cut import Stretch, cutter
from ftprep.readers.delimited_head import Record, parse
from ftprep.readers.encoding import undecodable
from ftprep.readers.header import listed
from ftprep.readers.jsonl import blank, too_long

_LONG_CELL_LINES = 100
_TELLING_LINES = 10
_ODD_RECORDS = 64
"""Records that go to csv.reader together where odd ones abound."""
_SWAP_BACK = str.maketrans("\r\n", "\n\r")
_REST = re.compile(rb".*", re.DOTALL)
_WORDS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}


class Decoder:
    """Turns the bytes of one chunk into rows."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._header = list(table.header)
        self._width = len(table.header)
        self._cut = cutter(table.delimiter, self._width, table.longest)
        self._swap = table.line_end == "\r"

    def rows(self, data: bytes, line: int) -> Iterator[Row]:
        """The rows of whole stretches that start on a line."""
        if self._swap or not self._cut.ordinary:
            for stretch in self._cut.stretches(data, final=True):
                yield from self._stretch(data, stretch, line)
                line += data.count(b"\n", stretch.start, stretch.end)
            return
        at, most = 0, 1
        while True:
            rows, at, line = self._ordinary(self._cut.ordinary, data, at, line)
            yield from rows
            if at >= len(data):
                return
            most = 1 if len(rows) > most else min(2 * most, _ODD_RECORDS)
            stretch = self._cut.first(data, at, most)
            yield from self._stretch(data, stretch, line)
            line += data.count(b"\n", at, stretch.end)
            at = stretch.end

    def _ordinary(self, record: re.Pattern[bytes], data: bytes, at: int, line: int) -> tuple[list[Row], int, int]:
        """The rows of records with nothing odd about them, and where (byte, line) the first other one starts."""
        rows: list[Row] = []
        header, longest = self._header, self._table.longest
        for found in record.finditer(data, at):
            end = found.end()
            if not 0 < end - at <= longest:
                break
            try:
                cells = [cell.replace('""', '"') if '"' in cell else cell for cell in map(bytes.decode, found.groups())]
            except UnicodeDecodeError:
                break
            if cells == header or not any(cells):
                break
            lines = data.count(b"\n", at, end)
            if lines > _TELLING_LINES and self._has_swallowed(data[at : end - 1].decode().split("\n"), len(cells)):
                break
            rows.append(Row(0, line, dict(zip(header, cells, strict=True))))
            at, line = end, line + lines
        return rows, at, line

    def _stretch(self, data: bytes, stretch: Stretch, line: int) -> Iterator[Row]:
        """The rows of one stretch, whatever is wrong with it."""
        piece = data[stretch.start : stretch.end]
        if stretch.kind == "plain":
            yield from self._plain(piece, line)
        elif stretch.kind == "torn":
            yield self._torn(piece, line)
        else:
            yield _rejected(line, too_long(self._table))

    def _plain(self, piece: bytes, line: int) -> Iterator[Row]:
        """The rows of whole records."""
        try:
            text = piece.decode("utf-8")
        except UnicodeDecodeError:
            yield from self._partly_decodable(piece, line)
            return
        split: list[str] = []
        for record in parse(text, self._table.delimiter):
            if record.end - record.begin > _TELLING_LINES:
                split = split or text.split("\n")
                lines = split[record.begin : record.end]
                if self._has_swallowed(lines, len(record.cells)):
                    yield from self._swallowed(lines, line + record.begin)
                    continue
            yield self._row(record, line + record.begin)

    def _row(self, record: Record, line: int) -> Row:
        """One record, with the right number of cells or a fault that says it has another."""
        cells = [self._back(cell) for cell in record.cells] if self._swap else record.cells
        row = Row(0, line)
        if len(cells) == self._width and any(cells):
            if cells == self._header and self._width > 1:
                return _rejected(
                    line, Fault("IO113", "the header stands here again; were several files joined?"), cells
                )
            row.record = dict(zip(self._header, cells, strict=True))
        elif not any(cells) or (len(cells) == 1 and cells[0].strip(" \t") == ""):
            blank(row)
        else:
            row.record = cells
            row.faults.append(self._ragged(cells, record))
        return row

    def _ragged(self, cells: list[str], record: Record) -> Fault:
        """The fault of a row with more or fewer cells than the header."""
        word = _WORDS.get(self._table.delimiter, repr(self._table.delimiter))
        many = len(cells) > self._width
        advice = f"an unquoted {word}? put the cell in quotes" if many else f"a missing {word} or cell?"
        count = f"{len(cells)} cell{'s' * (len(cells) != 1)} where the header has {self._width}"
        lines = record.end - record.begin
        over = f" (the row takes {lines} lines)" if lines > 1 else ""
        return Fault("IO111", f"{count} ({listed(self._header)}){over}; {advice}", excerpt=_excerpt(" | ".join(cells)))

    def _torn(self, piece: bytes, line: int) -> Row:
        """A record with a misplaced quote and the lines up to the next whole one, set aside together."""
        trouble = self._cut.trouble(piece)
        lines = piece.count(b"\n") + (not piece.endswith(b"\n"))
        aside = f"lines {line}-{line + lines - 1} are set aside" if lines > 1 else "the line is set aside"
        if trouble.is_open:
            what = f"the quote that opens cell {trouble.cell} is never closed"
        else:
            what = f'text follows the closing quote of cell {trouble.cell}; write a quote inside a cell twice ("")'
        before = piece[: trouble.at].decode("utf-8", "replace")
        behind = piece[trouble.at :].decode("utf-8", "backslashreplace")
        column = len(before) - (before.rfind("\n") + 1) + 1 if "\n" not in before else 1
        return _rejected(line, Fault("IO112", f"{what}; {aside}", "", _excerpt(behind), column), self._shown(piece))

    def _has_swallowed(self, lines: list[str], cells: int) -> bool:
        """Whether a quoted cell over many lines has rows in it: its quotes look sound, but two are missing or stray."""
        mark = self._table.delimiter
        if (
            self._width == 1
            or cells != self._width
            or min(lines[0].count(mark), lines[-1].count(mark)) < self._width - 1
        ):
            return False
        whole = (self._cut.is_whole(line.encode()) for line in lines[1:-1])
        return sum(whole) * 2 > len(lines) if len(lines) > _LONG_CELL_LINES else all(whole)

    def _swallowed(self, lines: list[str], line: int) -> Iterator[Row]:
        """The row that opens the quote, rejected, and the rows that it holds."""
        message = (
            f"a quoted cell opened here runs to line {line + len(lines) - 1}, over lines that are rows of their own"
        )
        first = self._back(lines[0])
        yield _rejected(line, Fault("IO112", f"{message}; this line is set aside", "", _excerpt(first)), first)
        yield from self.rows(("\n".join(lines[1:]) + "\n").encode(), line + 1)

    def _partly_decodable(self, piece: bytes, line: int) -> Iterator[Row]:
        """The rows of records some of which hold bytes that are not in the encoding of the file."""
        at = 0
        while found := self._cut.record.match(piece, at) or _REST.match(piece, at):
            raw = found[0]
            if not raw:
                return
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError:
                yield self._undecodable(raw, line)
            else:
                yield from self._plain(raw, line)
            line += raw.count(b"\n")
            at = found.end()

    def _undecodable(self, raw: bytes, line: int) -> Row:
        """A record with bytes that are not in the encoding, which says on which of its lines."""
        for number, part in enumerate(raw.split(b"\n")):
            try:
                part.decode("utf-8")
            except UnicodeDecodeError:
                fault = undecodable(part, self._table.encoding)
                if number:
                    fault = msgspec.structs.replace(fault, message=f"on line {line + number}: {fault.message}")
                return _rejected(line, fault, self._shown(raw))
        raise AssertionError(raw)

    def _back(self, text: str) -> str:
        """A text with its line ends as they stand in the file."""
        return text.translate(_SWAP_BACK) if self._swap else text

    def _shown(self, raw: bytes) -> str:
        """What stands in the file where no record does, without its last line end."""
        return self._back(raw.decode("utf-8", "backslashreplace").rstrip("\r\n"))


def _rejected(line: int, fault: Fault, record: Any = None) -> Row:
    """A row that is no record, with what stands there."""
    row = Row(0, line, record)
    row.faults.append(fault)
    return row


def _excerpt(text: str) -> str:
    """The beginning of a text on one line."""
    return " ".join(text[:160].split())[:80]
