"""Which row of a table names its columns, what the names are, and what is wrong with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ftprep.model import Fault

MAX_COLUMNS = 10_000
"""A wider table is refused (IO114): it is another kind of file, and each row would cost memory in every worker."""

_LOOKS_AT = 200
_TITLE_ROWS = 20
_NAME_LENGTH = 64
_NUMBER = re.compile(r"[-+]?[\d.,]*\d%?")
_SHOWN = 5


class HeadRow(NamedTuple):
    """One of the first rows of a table: its line (or sheet row), its cells, and whether a misplaced quote tore it."""

    line: int
    cells: Sequence[str]
    is_torn: bool = False


class Heading(NamedTuple):
    """What was found: the header's line (0 where there is none), its names, and faults as (line, fault)."""

    line: int
    names: tuple[str, ...]
    faults: tuple[tuple[int, Fault], ...]
    broken: bool


def find_heading(rows: Sequence[HeadRow], whole: bool = True, numbers: Sequence[int] = (), most: int = 0) -> Heading:
    """The header among the first rows of a table; `whole` says that these rows are all there are, `numbers` which
    columns the cells are of where some are left out, `most` how many there may be (MAX_COLUMNS where it is 0)."""
    most = most or MAX_COLUMNS
    rows = rows[:_LOOKS_AT]
    filled = [row for row in rows if any(row.cells)]
    if not filled:
        return Heading(0, (), ((1, Fault("IO115", "the table has no rows")),), broken=True)
    at = _header_at(filled, {row.line for row in rows if not any(row.cells)})
    header, below = filled[at], filled[at + 1 :]
    if header.is_torn:
        fault = Fault("IO112", f"a quote in the header is misplaced or never closed ({_short(header.cells[0])})")
        return Heading(header.line, (), ((header.line, fault),), broken=True)
    if len(header.cells) > most:
        fault = Fault("IO114", f"the header has {len(header.cells)} columns; at most {most} are read")
        return Heading(header.line, (), ((header.line, fault),), broken=True)
    if any("\ufffd" in cell for cell in header.cells):
        fault = Fault("IO101", f"the header has bytes that could not be decoded ({listed(header.cells)})")
        return Heading(header.line, (), ((header.line, fault),), broken=True)
    numbers = numbers or range(1, len(header.cells) + 1)
    names = _names(header.cells, numbers)
    faults = [*_above(filled[:at], header), *_unnamed(header, names)]
    doubled = _doubled(names, numbers, header.line)
    if not doubled and _is_data(header, below):
        shown = ", ".join(_short(cell) for cell in header.cells[:_SHOWN])
        message = f"the first row looks like data, not like the names of columns ({shown}); add a header above it"
        faults.append((header.line, Fault("IO113", message)))
    empty = whole and not below
    if empty:
        faults.append((header.line, Fault("IO115", "there is a header and no row below it")))
    return Heading(header.line, names, (*faults, *doubled), broken=empty or bool(doubled))


def listed(names: Sequence[str]) -> str:
    """The first few names of columns, for a message."""
    shown = ", ".join(_short(name) for name in names[:_SHOWN])
    return f"{shown}, …" if len(names) > _SHOWN else shown


def spans(numbers: Sequence[int]) -> str:
    """Ascending numbers as `3, 5-7, 9`; a long list is cut."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs[:_SHOWN])
    return f"{shown}, …" if len(runs) > _SHOWN else shown


def _header_at(filled: Sequence[HeadRow], blank_lines: set[int]) -> int:
    """The position of the header among the rows that are not blank: below comments and a title, if any."""
    widths = Counter(len(row.cells) for row in filled if not row.cells[0].startswith("#"))
    width = max(widths, key=lambda cells: (widths[cells], cells), default=1)
    at = 0
    while at < min(len(filled) - 1, _TITLE_ROWS):
        row, next_row = filled[at], filled[at + 1]
        is_comment = row.cells[0].startswith("#") and len(row.cells) != width
        if not is_comment and not (width > 1 and _is_title(row, row.line + 1 in blank_lines)):
            break
        at += 1
        if not is_comment and not _is_title(next_row, True) and not _may_be_names(next_row.cells):
            return 0
    return at


def _is_title(row: HeadRow, blank_below: bool) -> bool:
    """One lone cell that is no plain word, or has a blank line below it; `prompt` alone is a header."""
    said = [cell for cell in row.cells if cell]
    return len(said) == 1 and (blank_below or not re.fullmatch(r"\w+", said[0]))


def _may_be_names(cells: Sequence[str]) -> bool:
    """Whether the cells can be the names of several columns: short and trimmed, no sentences and no numbers."""
    named = [cell for cell in cells if cell]
    return len(named) > 1 and all(cell == cell.strip() and not _is_value(cell) for cell in named)


def _is_value(cell: str) -> bool:
    """Whether a cell is a number or a stretch of text rather than a name."""
    return (
        bool(_NUMBER.fullmatch(cell)) or len(cell) > _NAME_LENGTH or cell.rstrip().endswith((".", "?", "!", "。", "？"))
    )


def _is_data(header: HeadRow, below: Sequence[HeadRow]) -> bool:
    """Whether each cell of the header is a value, or stands in its column again further down."""
    again = [row.cells for row in below if list(row.cells) != list(header.cells)]
    for column, cell in enumerate(header.cells):
        if not cell or _is_value(cell):
            continue
        if not any(len(cells) > column and cells[column] == cell for cells in again):
            return False
    return True


def _names(cells: Sequence[str], numbers: Sequence[int]) -> tuple[str, ...]:
    """The names exactly as they stand; a blank one becomes `column 3`."""
    taken = set(cells)
    names = []
    for number, cell in zip(numbers, cells, strict=True):
        name = cell or f"column {number}"
        while not cell and name in taken:
            name += "'"
        names.append(name)
    return tuple(names)


def _above(skipped: Sequence[HeadRow], header: HeadRow) -> list[tuple[int, Fault]]:
    """What was passed over to reach the header."""
    if not skipped:
        return []
    shown = " / ".join(_short(" ".join(c for c in row.cells if c)) for row in skipped[:_SHOWN])
    message = f"the header stands on line {header.line}; passed over above it: line {spans([r.line for r in skipped])}"
    return [(skipped[0].line, Fault("IO121", message, excerpt=shown))]


def _unnamed(header: HeadRow, names: Sequence[str]) -> list[tuple[int, Fault]]:
    """The columns whose name is blank."""
    blank = [name for name, cell in zip(names, header.cells, strict=True) if not cell]
    if not blank:
        return []
    called = listed(blank)
    message = f"{len(blank)} of {len(header.cells)} columns without a name, called: {called}; name them in the header"
    return [(header.line, Fault("IO121", message))]


def _doubled(names: Sequence[str], numbers: Sequence[int], line: int) -> list[tuple[int, Fault]]:
    """The names that stand twice: such columns cannot be told apart."""
    places: dict[str, list[int]] = {}
    for number, name in zip(numbers, names, strict=True):
        places.setdefault(name, []).append(number)
    faults = []
    for name, same in places.items():
        if len(same) > 1:
            each = " and ".join(map(str, same[:_SHOWN]))
            message = f"columns {each} are {'both' if len(same) == 2 else 'all'} called {_short(name)!r}; rename them"
            faults.append((line, Fault("IO113", message)))
    return faults[:_SHOWN]


def _short(text: str) -> str:
    """A cell on one line and not too long, for a message."""
    text = " ".join(text.split())
    return f"{text[:37]}…" if len(text) > 40 else text
