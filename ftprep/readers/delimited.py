"""Reads tables of text with a delimiter (CSV, TSV and their kin): every cell as it stands, no row lost in silence."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ftprep.bulk import count_lines
from ftprep.model import Chunk, Fault, Row
from ftprep.readers import sources
from ftprep.readers.base import Options, Table
from ftprep.readers.delimited_cut import Pieces, cutter
from ftprep.readers.delimited_head import SWAP, look
from ftprep.readers.delimited_rows import Decoder
from ftprep.readers.encoding import settle
from ftprep.readers.header import find_heading
from ftprep.readers.packed import SourceBroken


class DelimitedReader:
    """Comma, tab, semicolon and other separated values as RFC 4180 and csv.reader have them; the first row names the
    columns. Cells are text exactly as they stand."""

    def tables(self, name: str, path: str, head: bytes, options: Options) -> list[Table]:
        """The one table of the file; broken where its encoding is refused or its header cannot be used."""
        whole = len(head) < sources.HEAD_BYTES
        encoding = settle(head, name, options.encoding, whole)
        table = Table(name, "delimited", path, encoding=encoding.codec, faults=encoding.faults)
        if encoding.refused:
            return [msgspec.structs.replace(table, broken=True)]
        is_tab_first = any(part in ("tsv", "tab") for part in name.lower().split(".")[1:])
        dialect = look(encoding.glance(head).encode(), whole, options.delimiter, is_tab_first)
        heading = find_heading(dialect.rows, whole, most=options.limits.columns)
        return [
            msgspec.structs.replace(
                table,
                delimiter=dialect.delimiter,
                line_end=dialect.line_end,
                header=heading.names,
                header_line=heading.line,
                faults=(*encoding.faults, *dialect.faults, *heading.faults),
                broken=heading.broken,
            )
        ]

    def chunks(self, table: Table) -> Iterator[Chunk]:
        """Bytes cut where a record ends and its quotes are closed; where the source breaks, a chunk with the fault."""
        return _chunks(table)

    def decode(self, table: Table, chunk: Chunk) -> Iterator[Row]:
        """The rows of a chunk: a record is a dict of cells by column, in the header's order."""
        if isinstance(chunk.payload, Fault):
            return
        data = chunk.payload.translate(SWAP) if table.line_end == "\r" else chunk.payload
        for offset, row in enumerate(Decoder(table).rows(data, chunk.first_line)):
            row.offset = offset
            yield row


def _chunks(table: Table) -> Iterator[Chunk]:
    swap = table.line_end == "\r"
    number = 0
    body = _Body(table)
    broken: Fault | None = None
    source = sources.blocks(table)
    while True:
        try:
            block = next(source, None)
        except SourceBroken as error:
            block, broken = None, error.fault
        piece = body.rest() if block is None else body.take(block.translate(SWAP) if swap else block)
        if piece:
            yield Chunk(number, 0, body.line, piece.translate(SWAP) if swap else piece)
            number += 1
            body.line += count_lines(piece)
        if block is None:
            break
    if broken:
        yield Chunk(number, 0, body.line, broken)


class _Body:
    """What stands below the header, in runs of whole stretches; `line` is where the next run starts."""

    def __init__(self, table: Table) -> None:
        self._cut = cutter(table.delimiter, len(table.header), table.longest)
        self._pieces = Pieces(self._cut)
        self._above = table.header_line - 1
        self._held: bytes | None = b""
        self.line = table.header_line

    def take(self, block: bytes) -> bytes:
        """The whole stretches that the block completes."""
        if self._held is None:
            return self._pieces.take(block)
        self._held += block
        return self._enter(self._held)

    def rest(self) -> bytes:
        """What is left at the end."""
        return self._pieces.rest()

    def _enter(self, held: bytes) -> bytes:
        """What follows the header, as soon as all of the header is there."""
        at = 0
        for _ in range(self._above):
            at = held.find(b"\n", at) + 1
            if not at:
                return b""
        found = self._cut.record.match(held, at)
        if not found:
            return b""
        self._held = None
        self.line += found[0].count(b"\n")
        return self._pieces.take(held[found.end() :])
