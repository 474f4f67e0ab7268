"""The doors for data: what a user names becomes tables, and every table has a reader for its format."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from typing import BinaryIO, cast

import msgspec

from ftprep.addresses import is_remote
from ftprep.model import Fault
from ftprep.readers.base import Options, Reader, Table
from ftprep.readers.encoding import is_wide, settle
from ftprep.readers.formats import (
    ZIP_MAGIC,
    Found,
    asked_format,
    name_format,
    not_text,
    packed_fault,
    packed_format,
    refuse_foreign,
    text_format,
    zip_format,
)
from ftprep.readers.inputs import Input, expand, spool
from ftprep.readers.packed import MAGIC_BYTES, SourceBroken, Unpacked, compression_in
from ftprep.readers.sources import HEAD_BYTES, MAX_DOCUMENT_BYTES, open_source, size_of

__all__ = ["open_tables", "reader_of"]

READERS = {
    "jsonl": ("ftprep.readers.jsonl", "JsonlReader"),
    "json": ("ftprep.readers.json_document", "JsonReader"),
    "delimited": ("ftprep.readers.delimited", "DelimitedReader"),
    "workbook": ("ftprep.readers.workbook", "WorkbookReader"),
    "parquet": ("ftprep.readers.parquet", "ParquetReader"),
    "text": ("ftprep.readers.text", "TextReader"),
    "records": ("ftprep.readers.records", "RecordsReader"),
}
"""The reader of each format, imported when it is first needed."""


def open_tables(inputs: Sequence[str | os.PathLike[str]], options: Options | None = None) -> list[Table]:
    """The tables of files, folders, patterns and - (standard input), in order; what is wrong with a table's source as
    a whole stands in its faults. Raises ReadError for what cannot be read, UsageError for wrong options."""
    chosen = options or Options()
    asked_format(chosen.format)
    return [table for one in expand(inputs, chosen.stdin_name) for table in _tables(one, chosen)]


def reader_of(table: Table) -> Reader:
    """The reader of the table's format."""
    return _reader(table.format)


def _reader(name: str) -> Reader:
    module, reader = READERS[name]
    return cast("Reader", getattr(importlib.import_module(module), reader)())


class _File(msgspec.Struct, frozen=True):
    """A file whose first bytes (unpacked) have been read."""

    name: str
    path: str
    size: int
    compression: str
    head: bytes

    @property
    def is_whole(self) -> bool:
        """Whether the head is all there is."""
        return len(self.head) < HEAD_BYTES

    def table(self, found: Found) -> Table:
        """The table of a file that cannot be read."""
        return Table(
            self.name, found.format, self.path, self.compression, size=self.size, faults=found.faults, broken=True
        )


def _tables(one: Input, options: Options) -> list[Table]:
    """The tables of one file."""
    file, trouble = _opened(one)
    if trouble:
        faults = (*packed_fault(file.name, file.compression), (1, trouble))
        return [file.table(Found(asked_format(options.format) or name_format(file.name) or "text", faults))]
    refuse_foreign(file.name, file.head)
    near = file
    try:
        if file.head.startswith(ZIP_MAGIC):
            near = _brought_near(file, options)
        found = _found(near, options)
        if found.format == "parquet" and not found.broken:
            near = _brought_near(file, options)
    except SourceBroken as broken:
        found = Found("workbook", ((1, broken.fault),), broken=True)
    faults = (*packed_fault(file.name, file.compression), *found.faults)
    if found.broken:
        return [file.table(Found(found.format, faults))]
    tables = _reader(found.format).tables(file.name, near.path, file.head, options)
    return [
        msgspec.structs.replace(
            table, compression=near.compression, size=file.size, faults=(*faults, *table.faults), limits=options.limits
        )
        for table in tables
    ]


def _opened(one: Input) -> tuple[_File, Fault | None]:
    """The file and its first bytes, and what is wrong where they cannot be unpacked."""
    with open_source(one.path) as raw:
        start = raw.read(MAGIC_BYTES)
        size = size_of(raw)
        raw.seek(0)
        compression = compression_in(start)
        stream = cast("BinaryIO", Unpacked(raw, compression)) if compression else raw
        head, trouble = b"", None
        try:
            head = stream.read(HEAD_BYTES)
            if compression and len(head) < HEAD_BYTES:
                stream.read(1)  # damage right after what could be read shows only now
        except SourceBroken as broken:
            trouble = broken.fault
    return _File(one.name, one.path, size, compression, head), trouble


def _brought_near(file: _File, options: Options) -> _File:
    """The file itself, or a temporary one with its unpacked bytes, for containers that are not read as a stream.

    Raises SourceBroken, and ReadError for what unpacks to more than MAX_DOCUMENT_BYTES.
    """
    if not file.compression and not is_remote(file.path):
        return file
    limits = options.limits
    with open_source(file.path, file.compression, limits.expansion) as stream:
        path = spool(stream, "", file.name, limits.document or MAX_DOCUMENT_BYTES)
    return msgspec.structs.replace(file, path=path, compression="")


def _found(file: _File, options: Options) -> Found:
    """What the file is, or what the user says that it is."""
    asked = asked_format(options.format)
    if file.head.startswith(ZIP_MAGIC):
        return zip_format(file.name, file.path)
    encoding = settle(file.head, file.name, options.encoding, file.is_whole)
    if file.is_whole and not encoding.glance(file.head).strip("\ufeff \t\r\n"):
        bare = "the file is empty (0 bytes)" if not file.head else "the file holds only blank lines"
        what = "the file holds a byte-order mark and nothing else" if encoding.bom == len(file.head) > 0 else bare
        return Found(asked or name_format(file.name) or "text", ((1, Fault("IO115", what)),), broken=True)
    if not is_wide(file.head) and (packed := packed_format(file.name, file.head, asked)):
        return packed
    return not_text(asked) or (Found(asked) if asked else text_format(file.name, file.head, encoding))
