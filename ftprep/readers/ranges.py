"""Parts of a file of lines that workers read by themselves: a line belongs to the range in which it begins."""

from __future__ import annotations

from collections.abc import Iterator

import ftprep.readers.base as base
from ftprep.model import Chunk, Range
from ftprep.readers import sources

RANGE_BYTES = 4 << 20
"""Bytes of a range: a tenth of a second of work, so that no worker is left waiting long for the last one."""

MOST_RANGES = 1 << 15
"""A larger file gets larger ranges, so that places of rows stay small numbers."""


def can_range(table: base.Table) -> bool:
    """Whether the table's lines can be found from anywhere in the file."""
    plain = table.format == "jsonl" and not table.compression and table.encoding == "utf-8"
    return bool(plain and table.path and table.size > RANGE_BYTES)


def ranges_of(table: base.Table) -> Iterator[Range]:
    """The ranges of a table, from the first byte to the last."""
    step = max(RANGE_BYTES, -(-table.size // MOST_RANGES))
    for start in range(0, table.size, step):
        yield Range(start, min(table.size, start + step))


def most_chunks(table: base.Table, part: Range) -> int:
    """More chunks than a range can become: all but the last are full, and the last line may reach far beyond it."""
    return (part.stop - part.start + table.longest) // base.CHUNK_BYTES + 2


def chunks_of(table: base.Table, part: Range) -> Iterator[Chunk]:
    """The chunks of a range, numbered from 0, their lines counted from 1 at the first line that begins in it."""
    return sources.chunks_from(_blocks(table, part), table.longest)


def _blocks(table: base.Table, part: Range) -> Iterator[bytes]:
    """The bytes from the first line that begins in the range to the end of the last one that does."""
    # The byte before the range tells whether a line begins with it.
    at = max(0, part.start - 1)
    skipping = part.start > 0
    with sources.open_source(table.path) as stream:
        stream.seek(at)
        for block in sources.read_blocks(stream, table.name):
            end = at + len(block)
            begin = 0
            if skipping:
                begin = block.find(b"\n") + 1
                if not begin:
                    if end >= part.stop:
                        return
                    at = end
                    continue
                skipping = False
                if at + begin >= part.stop:
                    return
            elif at == 0:
                begin = 3 if block.startswith(b"\xef\xbb\xbf") else 0
            if end >= part.stop:
                stop = block.find(b"\n", max(begin, part.stop - 1 - at)) + 1
                if stop:
                    yield block[begin:stop]
                    return
            yield block[begin:]
            at = end
