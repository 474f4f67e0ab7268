"""Plain text: one record a line, of which the only field is `text`."""

from __future__ import annotations

from collections.abc import Iterator

import ftprep.readers.base as base
from ftprep.model import Chunk, Row
from ftprep.readers.encoding import settle, undecodable
from ftprep.readers.jsonl import blank, line_ends, lines_of, too_long
from ftprep.readers.sources import HEAD_BYTES, line_chunks


class TextReader:
    """Reads `.txt`: {"text": line} for every line that is not blank."""

    def tables(self, name: str, path: str, head: bytes, options: base.Options) -> list[base.Table]:
        """The one table of the file; broken where its encoding is not known."""
        encoding = settle(head, name, options.encoding, whole=len(head) < HEAD_BYTES)
        if encoding.refused:
            return [base.Table(name, "text", path, faults=encoding.faults, broken=True)]
        faults = (*encoding.faults, *line_ends(encoding.glance(head)))
        return [base.Table(name, "text", path, encoding=encoding.codec, header=("text",), faults=faults)]

    def chunks(self, table: base.Table) -> Iterator[Chunk]:
        """Runs of whole lines."""
        return line_chunks(table)

    def decode(self, table: base.Table, chunk: Chunk) -> Iterator[Row]:
        """A row for every line."""
        for offset, line, _ in lines_of(chunk):
            row = Row(offset, chunk.first_line + offset)
            if not line or line.isspace():
                yield blank(row)
                continue
            row.said = line
            if len(line) > table.longest:
                row.faults.append(too_long(table))
            else:
                try:
                    row.record = {"text": line.decode("utf-8")}
                except UnicodeDecodeError:
                    row.faults.append(undecodable(line, table.encoding))
            yield row
