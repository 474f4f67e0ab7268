"""What a reader is: bytes or records in, chunks and rows out. Every reader of every format keeps this one contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import msgspec

from ftprep.model import Chunk, Fault, Row

CHUNK_BYTES = 1 << 18
"""Payload of a chunk of a line format, before it is rounded to the next record: small enough to keep many workers
busy, large enough that one batch call for tokens pays (measured: 8 % less CPU than 512 KiB with two workers that share
a cache)."""

CHUNK_RECORDS = 2048
"""Records of a chunk whose records the parent has already decoded (workbooks, frames, JSON columns)."""

MAX_RECORD_BYTES = 16 << 20
"""A longer record is a fault (IO114): no trainer takes one, and it would cost memory in every worker."""

MAX_DEPTH = 64
"""Deeper nesting is a fault (IO114): no fine-tuning format nests more than a dozen levels."""


class Limits(msgspec.Struct, frozen=True):
    """The bounds that a user sets, 0 where the built-in one holds: bytes of a `record`, levels of nesting (`depth`),
    `columns` of a table, `cells` that a sheet may span, bytes of a JSON `document`, times that compressed data may
    unpack to (`expansion`), processor `seconds` for a workbook or until a Parquet file says something."""

    record: int = 0
    depth: int = 0
    columns: int = 0
    cells: int = 0
    document: int = 0
    expansion: int = 0
    seconds: int = 0


class Options(msgspec.Struct, frozen=True):
    """What a user says about the inputs; every value left out is found out from the content.

    `stdin_name` is what standard input is called; it tells the format where the content does not.
    """

    encoding: str = ""
    sheet: str = ""
    delimiter: str = ""
    format: str = ""
    stdin_name: str = ""
    limits: Limits = Limits()


class Table(msgspec.Struct, frozen=True):
    """One readable table: a file, one sheet of a workbook, a frame. Small and picklable: workers get it once.

    `name` is what findings call it (the path as the user gave it); `path` is "" for what lives in memory, and then
    `records` holds the data in the parent only. `header` is the names of the columns of a delimited file or sheet,
    `line_end` the character that ends the lines of a delimited file (a carriage return in old Mac files),
    `faults` what is wrong with the source as a whole as (physical line, fault); a table with `broken` has no rows.
    """

    name: str
    format: str
    path: str = ""
    compression: str = ""
    encoding: str = "utf-8"
    sheet: str = ""
    delimiter: str = ""
    line_end: str = "\n"
    header: tuple[str, ...] = ()
    header_line: int = 0
    under: str = ""
    size: int = 0
    faults: tuple[tuple[int, Fault], ...] = ()
    broken: bool = False
    records: Any = None
    limits: Limits = Limits()

    @property
    def longest(self) -> int:
        """Bytes that a record may have."""
        return self.limits.record or MAX_RECORD_BYTES


def numbered(payloads: Iterable[tuple[int, Any]]) -> Iterator[Chunk]:
    """Chunks of payloads that come with the number of their records, whose places are counted from 1."""
    line = 1
    for number, (rows, payload) in enumerate(payloads):
        yield Chunk(number, 0, line, payload)
        line += rows


def rows_of(records: Iterable[Any], first_line: int) -> Iterator[Row]:
    """A row for each record or, in the place of one, its fault; a place is the number of the record."""
    for offset, record in enumerate(records):
        row = Row(offset, first_line + offset)
        if isinstance(record, Fault):
            row.faults.append(record)
        else:
            row.record = record
        yield row


class Lane(Protocol):
    """A short cut from a line of JSON to an example, for lines that are just that (`shapes.lanes`)."""

    @property
    def decode(self) -> Callable[[bytes], Any]:
        """What a line says; raises msgspec.MsgspecError for a line that must go the ordinary way."""

    @property
    def enter(self) -> Callable[[list[Row], list[Any]], int]:
        """Sets the examples of rows to what was decoded (None: nothing), and returns how many quotation marks JSON
        needs to say these examples, each key written once, without those in texts."""


class Reader(Protocol):
    """One container format. `tables` looks at the head, `chunks` cuts, `decode` turns a chunk into rows.

    The law that all readers keep: however the chunks are cut, decoding them gives the same rows with the same places.
    """

    def tables(self, name: str, path: str, head: bytes, options: Options) -> list[Table]:
        """The tables that the file holds; raises ReadError where nothing can be read at all."""

    def chunks(self, table: Table) -> Iterator[Chunk]:
        """Neighbouring records, undecoded, in order; numbers count from 0. A payload that is a Fault is a fault of the
        source at that line (a truncated gzip, say)."""

    def decode(self, table: Table, chunk: Chunk) -> Iterator[Row]:
        """The rows of a chunk with their physical lines; what cannot be decoded is a row with faults and no record."""
