"""Reads Parquet by row group and by batch, in a child process that may die without harm; a line is a row's number.

What is bounded: memory, since the child may use MEMORY at most (where the system bounds addresses: not on macOS and
Windows), and a chunk is a batch of about CHUNK_BYTES however large its row group is; a row beyond the bound of a record
is a fault. A file that says it has more rows than can be meant (MAX_ROWS_A_BYTE), or that unpacks to a thousand times
its size, is not read, or not to its end. What is not bounded is time below these limits: a small file may hold a GiB.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ftprep.errors import MissingExtra
from ftprep.foreign import words_of
from ftprep.model import Chunk, Fault, Row
from ftprep.readers import base
from ftprep.readers.base import Options, Table
from ftprep.readers.child import Child, ended, folder_of, started
from ftprep.readers.header import MAX_COLUMNS
from ftprep.readers.jsonl import told

MEMORY = 2 << 30
"""Bytes of addresses that the child may use (Linux and other systems that bound them)."""

SECONDS = 60
"""Within which the child has to say something for the first time."""

MAX_ROWS_A_BYTE, SURE_ROWS = 100, 10_000_000
"""More rows than this a byte of the file are refused, beyond a number of rows that does no harm."""

_CHILD = Path(__file__).with_name("parquet_child.py")
_FRAME = struct.Struct(">cQQ")
_LIE = "rows that no file of its size can hold"


class ParquetReader:
    """Parquet files; records are dicts of the columns that are not null."""

    def tables(self, name: str, path: str, head: bytes, options: Options) -> list[Table]:  # noqa: ARG002
        """The one table of the file; raises MissingExtra where pyarrow is not installed."""
        table = Table(name, "parquet", path, limits=options.limits)
        about = _look(table)
        fault = about if isinstance(about, Fault) else _fault_of(about, Path(path).stat().st_size, options.limits)
        if fault:
            return [msgspec.structs.replace(table, faults=((1, fault),), broken=True)]
        assert isinstance(about, dict)
        return [msgspec.structs.replace(table, header=tuple(about["names"]))]

    def chunks(self, table: Table) -> Iterator[Chunk]:
        """Streams of Arrow batches as bytes; a list with a Fault in the place of a row that is too large; a Fault where
        a row group cannot be read, after which the next one goes on."""
        return base.numbered(_frames(table))

    def decode(self, table: Table, chunk: Chunk) -> Iterator[Row]:  # noqa: ARG002
        """The rows of a chunk, without the keys whose value is null."""
        return iter(()) if isinstance(chunk.payload, Fault) else base.rows_of(_records(chunk.payload), chunk.first_line)


def _fault_of(about: dict[str, Any], size: int, limits: base.Limits) -> Fault | None:
    """Why a file whose footer can be read is not read."""
    rows, names = about["rows"], about["names"]
    columns, depth = limits.columns or MAX_COLUMNS, limits.depth or base.MAX_DEPTH
    if about["doubled"]:
        return Fault("IO113", f"several columns are called {about['doubled'][0]!r}; rename them")
    if len(names) > columns:
        return Fault("IO114", f"the file has {len(names)} columns; at most {columns} are read")
    if about["depth"] > depth:
        return Fault("IO114", f"nested deeper than {depth} levels")
    if rows > max(SURE_ROWS, size * MAX_ROWS_A_BYTE):
        return Fault("IO114", f"the file says that it holds {rows:,} {_LIE} ({size:,} bytes)")
    return None if rows else Fault("IO115", "there are columns, but no rows")


def _records(payload: Any) -> Iterator[dict[str, Any] | Fault]:
    if isinstance(payload, list):
        yield from payload
        return
    import pyarrow as pa

    from ftprep.readers.arrow_values import records

    for batch in pa.ipc.open_stream(payload):
        yield from records(batch)


def _frames(table: Table) -> Iterator[tuple[int, Any]]:
    """What the child prints, as payloads with the rows that each stands for."""
    limits = (base.CHUNK_BYTES, base.CHUNK_RECORDS, table.longest)
    seconds = table.limits.seconds or SECONDS
    with started(_CHILD, *_arguments(table.path, "rows", *limits), seconds=seconds) as (child, clock):
        out = child.stdout
        while out and len(head := out.read(_FRAME.size)) == _FRAME.size:
            clock.cancel()
            kind, rows, size = _FRAME.unpack(head)
            data = out.read(size)
            if len(data) < size or kind == b".":
                break
            yield rows, _payload(kind, data, table.longest)
        else:
            kind = b""
        if kind != b".":
            yield 0, _died(child, seconds)


def _payload(kind: bytes, data: bytes, longest: int) -> Any:
    if kind == b"B":
        return data
    said = msgspec.json.decode(data)
    if kind == b"L":
        return [Fault("IO114", f"a row of {said:,} bytes; at most {told(longest)} are read")]
    return _fault_told(said)


def _fault_told(said: list[str]) -> Fault:
    """The fault that the child tells: its code, its words, and what pyarrow said, where anything."""
    code, message, *quoted = said
    return Fault(code, message.replace("{}", words_of(quoted[0])) if any(quoted) else message)


def _look(table: Table) -> dict[str, Any] | Fault:
    """What the child says of the file as a whole, or why it cannot be read."""
    seconds = table.limits.seconds or SECONDS
    with started(_CHILD, *_arguments(table.path, "look", 0, 0, 0), seconds=seconds) as (child, _):
        said = child.stdout.read() if child.stdout else b""
        try:
            about: dict[str, Any] = msgspec.json.decode(said)
        except msgspec.DecodeError:
            return _died(child, seconds)
    return _fault_told(about["error"]) if "error" in about else about


def _died(child: Child, seconds: int) -> Fault:
    """The fault of a file that brought its child down."""
    how = f"within {MEMORY >> 20} MiB of memory and {seconds} seconds ({ended(child)})"
    return Fault("IO114", f"the Parquet file cannot be read {how}; write it again with smaller row groups")


def _arguments(path: str, mode: str, *limits: int) -> list[str]:
    folder = folder_of("pyarrow")
    if not folder:
        raise MissingExtra("reading Parquet", "parquet")
    return [folder, path, mode, str(MEMORY), *map(str, limits)]
