"""What the first bytes of a delimited file tell: line ends, delimiter, and the rows among which the header is."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from ftprep.errors import UsageError
from ftprep.model import Fault
from ftprep.readers.base import MAX_RECORD_BYTES
from ftprep.readers.delimited_cut import cutter
from ftprep.readers.header import HeadRow

DELIMITERS = (",", "\t", ";", "|")
SWAP = bytes.maketrans(b"\r\n", b"\n\r")
"""Makes line feeds of the carriage returns that end the lines of an old Mac file, and the reverse."""

_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_ROWS = 200
_SAYS = re.compile(rb'"?sep=([^"\r\n\0\x80-\xff])"?\r?(?:\n|\Z)', re.IGNORECASE)
_QUOTED = re.compile(rb'"[^"]*"')
_ENDS = re.compile(rb"\r?\n|\r")
_LONE_RETURN = re.compile("\r(?!\n)")
_PRIVATE_USE = range(0xE000, 0x110000)


class Dialect(NamedTuple):
    """How a delimited file is written: delimiter, the character that ends lines, the header's line and the rows."""

    delimiter: str
    line_end: str
    rows: list[HeadRow]
    faults: tuple[tuple[int, Fault], ...]


class Record(NamedTuple):
    """One record of a run of whole ones: lines before it and behind it (counted from the run's start), and cells."""

    begin: int
    end: int
    cells: list[str]


def look(head: bytes, whole: bool, delimiter: str, is_tab_first: bool) -> Dialect:
    """The dialect of a file by its first bytes as UTF-8; `delimiter` is what the user says ("" for nothing),
    `is_tab_first` what the file's name suggests. Raises UsageError for what cannot be a delimiter."""
    line_end = _line_end(head)
    if line_end == "\r":
        head = head.translate(SWAP)
    asked = _meant(delimiter)
    said = _SAYS.match(head)
    faults: tuple[tuple[int, Fault], ...] = ()
    first = 1
    if said:
        asked = asked or said[1].decode("utf-8", "replace")
        faults = ((1, Fault("IO121", f"line 1 ({said[0].decode().strip()}) names the delimiter and is no row")),)
        head, first = head[said.end() :], 2
    candidates = ("\t", ",", ";", "|") if is_tab_first else DELIMITERS
    read = {mark: _rows(head, mark, first, whole) for mark in ((asked,) if asked else candidates)}
    chosen = asked or _best(read)
    return Dialect(chosen, line_end, read[chosen], faults)


def parse(text: str, delimiter: str) -> Iterator[Record]:
    """The records of a text of whole records as csv.reader has them, but for carriage returns alone, which are text.

    Raises nothing: whatever the cells hold, a run of plain records can be parsed.
    """
    mark = ""
    if "\r" in text and _LONE_RETURN.search(text):
        # csv.reader ends a record at each carriage return, so they wait under a character that the text has not.
        mark = next(c for c in map(chr, _PRIVATE_USE) if c not in text)
        text = _LONE_RETURN.sub(mark, text)
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)
    begin = 0
    for cells in reader:
        yield Record(begin, reader.line_num, [c.replace(mark, "\r") for c in cells] if mark else cells)
        begin = reader.line_num


def _line_end(head: bytes) -> str:
    """A carriage return where the first line ends in one alone and most do, a line feed otherwise."""
    bare = _QUOTED.sub(b"", head)
    first = _ENDS.search(bare)
    returns = bare.count(b"\r") - bare.count(b"\r\n")
    return "\r" if first and first[0] == b"\r" and returns > bare.count(b"\n") else "\n"


def _meant(delimiter: str) -> str:
    """The character that the user's word for a delimiter means."""
    mark = _NAMES.get(delimiter.lower(), delimiter)
    if mark and (len(mark) != 1 or mark in '"\r\n\0'):
        message = f"{delimiter!r} cannot be a delimiter"
        raise UsageError(message, "give one character, or tab")
    return mark


def _rows(head: bytes, delimiter: str, first: int, whole: bool) -> list[HeadRow]:
    """The first rows under one delimiter; a line with a misplaced quote is one row without cells that count."""
    record = cutter(delimiter, 1, MAX_RECORD_BYTES).record
    if not head.endswith(b"\n"):
        head = head + b"\n" if whole else head[: head.rfind(b"\n") + 1] or head + b"\n"
    rows: list[HeadRow] = []
    at, line = 0, first
    while at < len(head) and len(rows) < _ROWS:
        found = record.match(head, at)
        end = found.end() if found else head.index(b"\n", at) + 1
        text = head[at:end].decode("utf-8", "replace")
        rows.append(
            HeadRow(line, next(parse(text, delimiter)).cells) if found else HeadRow(line, [text.rstrip()], True)
        )
        line += head.count(b"\n", at, end)
        at = end
    return rows


def _best(read: dict[str, list[HeadRow]]) -> str:
    """The delimiter that gives the most even rows; the first one where none gives more than one column."""
    scores = {mark: _evenness(rows) for mark, rows in read.items()}
    best = max(scores, key=lambda mark: scores[mark])
    if scores[best] >= 0.5:
        return best
    return max(read, key=lambda mark: max((len(row.cells) for row in read[mark][:1]), default=0))


def _evenness(rows: list[HeadRow]) -> float:
    """The share of rows with the commonest number of cells above one; less where the first row has another."""
    counts = [len(row.cells) for row in rows if any(row.cells)]
    wide = Counter(count for count in counts if count > 1)
    if not wide:
        return 0.0
    width, times = wide.most_common(1)[0]
    share = times / len(counts)
    if counts[0] == width:
        return share
    return share * (0.7 if counts[0] == 1 else 0.6)
