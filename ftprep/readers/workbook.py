"""Reads tables out of .xlsx workbooks, every cell as text as meant, in a child process that may die without harm.

Numbers lose nothing but a made-up `.0` (42, 0.1, 1e+21); a percentage or an amount of money is the number that is
stored (0.5, 1234.5), since how it looks is not data. Truth is TRUE or FALSE; dates and times are ISO 8601
(2021-06-03, 2021-06-03T14:05:00, 14:05:00), durations hours:minutes:seconds (26:30:00).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from ftprep.errors import ReadError, UsageError
from ftprep.foreign import words_of
from ftprep.model import Chunk, Fault, Row
from ftprep.readers import base, workbook_guard
from ftprep.readers.base import Options, Table
from ftprep.readers.child import Child, ended, folder_of, started
from ftprep.readers.header import Heading, HeadRow, find_heading, spans
from ftprep.readers.workbook_cells import bad_cells
from ftprep.readers.workbook_guard import Refused, Sheet, Workbook, letters

ALL = "all"
"""The name by which every worksheet is asked for."""

MEMORY = 1536 << 20
"""Bytes of addresses that the child may use (Linux and other systems that bound them)."""

SECONDS = 15
"""Processor time of the child, and one second more for each BYTES_A_SECOND of the unpacked workbook."""
BYTES_A_SECOND = 8 << 20

_CHILD = Path(__file__).with_name("workbook_child.py")
_SHOWN = 5

Cells = list[str]


class WorkbookReader:
    """Excel workbooks (.xlsx, .xlsm): the first visible sheet with a table, or the sheets that the user names."""

    def tables(self, name: str, path: str, head: bytes, options: Options) -> list[Table]:  # noqa: ARG002
        """A table a sheet; raises UsageError where the sheet asked for is not there."""
        table = Table(name, "workbook", path, limits=options.limits)
        try:
            book = workbook_guard.inspect(path, options.limits.cells)
            chosen = _chosen(book, options.sheet)
            return [_table(table, book, sheet, chosen) for sheet in chosen]
        except Refused as refused:
            return [msgspec.structs.replace(table, faults=((1, refused.fault),), broken=True)]

    def chunks(self, table: Table) -> Iterator[Chunk]:
        """Lists of (sheet row, cells by the table's header); behind the cells stand the faults of those that say
        nothing."""
        return _chunks(table)

    def decode(self, table: Table, chunk: Chunk) -> Iterator[Row]:
        """The rows of a chunk: a record is a dict of texts by column."""
        if isinstance(chunk.payload, Fault):
            return
        for offset, (line, cells) in enumerate(chunk.payload):
            row = Row(offset, line)
            row.faults = [cell for cell in cells if isinstance(cell, Fault)]
            if not row.faults:
                row.record = dict(zip(table.header, cells, strict=True))
            yield row


def _chosen(book: Workbook, asked: str) -> list[Sheet]:
    """The sheets to read: what the user asks for, else the first visible one with a table (two rows and columns)."""
    named = [sheet for sheet in book.sheets if sheet.name == asked]
    if named:
        return named
    filled = [sheet for sheet in book.sheets if sheet.values]
    if asked and asked != ALL:
        message = f"no sheet is called {asked!r}"
        raise UsageError(message, f"there are: {', '.join(repr(sheet.name) for sheet in book.sheets)}; or all")
    if not filled:
        raise Refused("IO115", "no sheet of the workbook has anything in it")
    if asked == ALL:
        return filled
    visible = [sheet for sheet in filled if not sheet.is_hidden]
    if not visible:
        raise Refused(
            "IO115", f"all sheets with anything in them are hidden ({_listed(filled)}); name one with --sheet"
        )
    return [next((sheet for sheet in visible if sheet.rows > 1 and sheet.columns > 1), visible[0])]


def _table(table: Table, book: Workbook, sheet: Sheet, chosen: Sequence[Sheet]) -> Table:
    """The table of one sheet, with what is odd about it."""
    table = msgspec.structs.replace(table, sheet=sheet.name)
    about, head = _looked(table, book, sheet)
    filled: list[int] = about["filled"]
    rows = [HeadRow(line, [cells[column] for column in filled]) for line, cells in head]
    numbers = [column + 1 for column in filled]
    heading = find_heading(_with_blanks(rows, len(filled)), about["rows"] <= len(head), numbers, table.limits.columns)
    faults = [*heading.faults, *_odd(about, sheet, heading)]
    if sheet is chosen[0] and (others := [s for s in book.sheets if s.values and s not in chosen]):
        message = f"sheets not read: {_listed(others)}; choose with --sheet NAME, or --sheet all"
        faults.append((1, Fault("IO117", message)))
    return msgspec.structs.replace(
        table, header=heading.names, header_line=heading.line, faults=tuple(faults), broken=heading.broken
    )


def _with_blanks(rows: list[HeadRow], width: int) -> list[HeadRow]:
    """The rows with one blank row wherever some are left out, by which a title is told from a header."""
    full = rows[:1]
    for above, row in pairwise(rows):
        if row.line > above.line + 1:
            full.append(HeadRow(above.line + 1, [""] * width))
        full.append(row)
    return full


def _odd(about: dict[str, Any], sheet: Sheet, heading: Heading) -> Iterator[tuple[int, Fault]]:
    """What somebody who looks at the sheet in Excel would see, and a reader of its rows would not."""
    first = heading.line or 1
    blank = [line for begin, end in about["blank"] for line in range(begin, end + 1) if line > first]
    if blank:
        message = f"{len(blank)} blank row{'s' * (len(blank) > 1)} skipped ({spans(blank)})"
        yield blank[0], Fault("IO117", message)
    used = range(min(about["filled"], default=0), max(about["filled"], default=0))
    if empty := [letters(column + 1) for column in used if column not in about["filled"]]:
        yield first, Fault("IO117", f"empty columns without a name left out: {', '.join(empty[:_SHOWN])}")
    if sheet.is_hidden:
        yield 1, Fault("IO117", f"the sheet {sheet.name!r} is hidden; it is read since it was asked for")
    for count, what in ((sheet.hidden_rows, "row"), (sheet.hidden_columns, "column range")):
        if count:
            yield 1, Fault("IO117", f"{count} hidden {what}{'s' * (count > 1)}, read like the others")
    if sheet.merged:
        shown = ", ".join(sheet.merged[:_SHOWN]) + (", …" if len(sheet.merged) > _SHOWN else "")
        message = f"merged cells ({shown}): only the first cell of each holds the value, the others are empty"
        yield first, Fault("IO117", message)


def _chunks(table: Table) -> Iterator[Chunk]:
    number, line = 0, table.header_line
    batch: list[tuple[int, list[str | Fault]]] = []
    trouble: Fault | None = None
    rows = _rows(table)
    while trouble is None:
        try:
            row = next(rows, None)
        except Refused as refused:
            row, trouble = None, refused.fault
        if row:
            batch.append(row)
        if batch and (row is None or len(batch) >= base.CHUNK_RECORDS):
            yield Chunk(number, 0, batch[0][0], batch)
            number, line, batch = number + 1, batch[-1][0], []
        if row is None:
            break
    if trouble:
        yield Chunk(number, 0, line + 1, trouble)


def _rows(table: Table) -> Iterator[tuple[int, list[str | Fault]]]:
    """The rows below the header, the cells of each by the table's columns; those that say nothing are faults."""
    book = workbook_guard.inspect(table.path, table.limits.cells)
    sheet = next((sheet for sheet in book.sheets if sheet.name == table.sheet), None)
    if sheet is None:
        raise Refused("IO118", f"the sheet {table.sheet!r} is gone; the file changed while it was read")
    bad = bad_cells(table.path, sheet.part) if sheet.is_suspect else {}
    lines = _child(table, book, "rows")
    filled: list[int] = next(lines)["filled"]
    silent = iter(sorted(line for line in bad if line > table.header_line))
    waiting = next(silent, None)
    for batch in lines:
        for line, cells in batch:
            while waiting is not None and waiting < line:  # a row of nothing but such cells
                yield waiting, [*bad[waiting]]
                waiting = next(silent, None)
            kept: list[str | Fault] = [cells[column] for column in filled]
            if line == waiting:
                kept += _shown(bad[line], cells)
                waiting = next(silent, None)
            if line > table.header_line:
                yield line, kept
    while waiting is not None:
        yield waiting, [*bad[waiting]]
        waiting = next(silent, None)


def _shown(faults: list[Fault], cells: Cells) -> list[Fault]:
    """The faults of a row that has other cells, too, with what these say."""
    shown = " | ".join(" ".join(cell[:80].split()) for cell in cells if cell)[:80]
    return [msgspec.structs.replace(fault, excerpt=shown) for fault in faults]


def _looked(table: Table, book: Workbook, sheet: Sheet) -> tuple[dict[str, Any], list[tuple[int, Cells]]]:
    """What the child says about a sheet, and its first rows; blank rows that hold bad cells are not blank."""
    lines = _child(table, book, "look")
    about = next(lines)
    head = [(line, cells) for batch in lines for line, cells in batch]
    if sheet.is_suspect:
        bad = bad_cells(table.path, sheet.part)
        about["blank"] = [(n, n) for begin, end in about["blank"] for n in range(begin, end + 1) if n not in bad]
        about["rows"] += len(bad)
    return about, head


def _child(table: Table, book: Workbook, mode: str) -> Iterator[Any]:
    """The lines that the child prints: about the sheet, then batches of rows; raises Refused where it fails."""
    seconds = (table.limits.seconds or SECONDS) + book.size // BYTES_A_SECOND
    arguments = (_folder(), table.path, table.sheet, mode, str(MEMORY), str(seconds))
    # Where the system cannot bound processor time, the clock does, until the sheet is parsed.
    with started(_CHILD, *arguments, seconds=2 * seconds) as (child, clock):
        for said in _said(child):
            clock.cancel()
            yield said


def _said(child: Child) -> Iterator[Any]:
    """What a child prints, decoded; complete, or Refused is raised."""
    for line in child.stdout or ():
        try:
            said = msgspec.json.decode(line)
        except msgspec.DecodeError:  # it died in the middle of a line
            break
        if said is None:
            return
        if isinstance(said, dict) and "error" in said:
            why = words_of(str(said["error"]))
            raise Refused("IO116", f"the workbook cannot be parsed ({why}); save it again in Excel or as CSV")
        yield said
    how = ended(child)
    message = f"the workbook cannot be parsed within {MEMORY >> 20} MiB of memory and the time for its size ({how})"
    raise Refused("IO114", f"{message}; save it again in Excel, or as CSV")


def _folder() -> str:
    """Where python-calamine is installed."""
    folder = folder_of("python_calamine")
    if not folder:
        raise ReadError("workbooks are read with python-calamine, which is missing", "pip install python-calamine")
    return folder


def _listed(sheets: Sequence[Sheet]) -> str:
    """Names of sheets, for a message."""
    return ", ".join(f"{s.name!r}{' (hidden)' * s.is_hidden}" for s in sheets)
