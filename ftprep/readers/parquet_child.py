"""Runs by itself in a process of its own: reads a Parquet file within bounds of memory, and prints it as Arrow batches.

A page of a few kilobytes may unpack to gigabytes, and no footer has to tell the truth, so nothing of ours is at stake
here. Called as: parquet_child.py FOLDER-OF-PYARROW FILE look|rows MEMORY CHUNK-BYTES CHUNK-ROWS ROW-BYTES.
`look` prints one object of JSON. `rows` prints frames, each a kind (1 byte), a number of rows and a number of bytes (8
bytes each), and the bytes: `B` an Arrow stream with these rows; `L` a row that is too large (its size as JSON); `E` why
these rows cannot be read, as JSON; `.` the end, which says that nothing is missing.
"""

from __future__ import annotations

import importlib
import json
import os
import struct
import sys
from collections.abc import Iterator
from typing import Any

FRAME = struct.Struct(">cQQ")
BUFFER_BYTES = 1 << 20
"""A column is read by pieces of so many bytes, and not as a whole."""

MAX_RATIO, SURE_BYTES = 1000, 1 << 30
"""How many times its own size a file may unpack to, beyond a number of bytes that does no harm."""


def why(error: BaseException, memory: int) -> tuple[str, str, str]:
    """The code and the words for a file that pyarrow cannot read, and what pyarrow said, which goes in the place of {}
    after secrets are masked in it."""
    said = " ".join(str(error).split())[:2000] or type(error).__name__
    if isinstance(error, MemoryError):
        message = f"reading takes more than {memory >> 20} MiB of memory; write it again with smaller row groups"
        return "IO114", message, ""
    if "crypt" in said.lower():
        return "IO120", "the Parquet file is encrypted; write it again without encryption", ""
    if "magic bytes not found" in said or "smaller than the" in said:
        return "IO116", "the Parquet file is cut (its footer is missing); fetch or write it again", ""
    if isinstance(error, NotImplementedError):
        return "IO120", "the Parquet file uses what pyarrow does not read ({})", said
    return "IO116", "the Parquet file is damaged ({}); fetch or write it again", said


class Bomb(Exception):  # noqa: N818 - says what the file is
    """A file that unpacks to too many times its size."""


def look(file: Any) -> dict[str, Any]:
    """Rows as the footer has them, names of the columns, those of fields that stand twice in one, nesting in levels."""
    doubled: list[str] = []
    schema = file.schema_arrow

    def depth(fields: list[Any], path: str) -> int:
        names = [field.name for field in fields]
        doubled.extend(path + name for name in sorted({name for name in names if names.count(name) > 1}))
        kinds = [(field.name, field.type) for field in fields]
        return max(
            (1 + depth([t.field(n) for n in range(t.num_fields)], f"{path}{name}/") for name, t in kinds), default=0
        )

    levels = depth(list(schema), "")
    return {"rows": file.metadata.num_rows, "names": schema.names, "doubled": doubled, "depth": levels}


def weight(array: Any) -> int:
    """Bytes of an array, and for every value below it 8 more, since nulls and empty lists have none of their own."""
    import pyarrow as pa

    size: int = array.nbytes
    if pa.types.is_map(array.type):
        array = array.cast(pa.list_(array.type.field(0)))
    if hasattr(array, "flatten") and array.type.num_fields:
        parts = array.flatten()
        size += sum(weight(part) + 8 * len(part) for part in (parts if isinstance(parts, list) else [parts]))
    return size


def pieces(batch: Any, most: int) -> Iterator[tuple[Any, int]]:
    """The batch in pieces of at most so many bytes, or of one row, each with its weight."""
    size = sum(map(weight, batch.columns))
    rows = batch.num_rows
    if size <= most or rows <= 1:
        yield batch, size
        return
    yield from pieces(batch.slice(0, rows // 2), most)
    yield from pieces(batch.slice(rows // 2), most)


class Printer:
    """Prints frames; small batches are held back until there are enough of them for one."""

    def __init__(self, chunk_bytes: int, chunk_rows: int, row_bytes: int) -> None:
        self.limits = (chunk_bytes, chunk_rows, row_bytes)
        self.held: list[Any] = []
        self.rows = self.size = self.total = 0

    def frame(self, kind: bytes, rows: int, data: bytes = b"") -> None:
        """One frame, after what is held."""
        if self.held:
            import pyarrow as pa

            sink, held = pa.BufferOutputStream(), self.rows
            table = pa.Table.from_batches(self.held)
            with pa.ipc.new_stream(sink, table.schema) as stream:
                stream.write_table(table.combine_chunks() if len(self.held) > 1 else table)
            self.held, self.rows, self.size = [], 0, 0
            self._put(b"B", held, sink.getvalue())
        if kind:
            self._put(kind, rows, data)

    def take(self, batch: Any) -> None:
        """The rows of a batch."""
        chunk_bytes, chunk_rows, row_bytes = self.limits
        for piece, size in pieces(batch, min(chunk_bytes, row_bytes)):
            if size > row_bytes:
                self.frame(b"L", 1, json.dumps(size).encode())
                continue
            if self.size + size > chunk_bytes or self.rows + piece.num_rows > chunk_rows:
                self.frame(b"", 0)
            self.held.append(piece)
            self.rows += piece.num_rows
            self.size += size
            self.total += size

    def _put(self, kind: bytes, rows: int, data: Any) -> None:
        out = sys.stdout.buffer
        out.write(FRAME.pack(kind, rows, len(data)))
        out.write(data)


def plain_schema(schema: Any) -> Any:
    """The schema without dictionaries, which would travel with every piece."""
    import pyarrow as pa

    def plain(kind: Any) -> Any:
        if pa.types.is_dictionary(kind):
            return kind.value_type
        if pa.types.is_struct(kind):
            return pa.struct([field.with_type(plain(field.type)) for field in kind])
        if pa.types.is_list(kind):
            return pa.list_(kind.value_field.with_type(plain(kind.value_type)))
        return (
            pa.large_list(kind.value_field.with_type(plain(kind.value_type))) if pa.types.is_large_list(kind) else kind
        )

    return pa.schema([field.with_type(plain(field.type)) for field in schema])


def checked(batch: Any, schema: Any) -> Any:
    """The batch by the schema; raises ArrowInvalid where it does not hold together."""
    import pyarrow as pa

    if batch.schema.types != schema.types:
        batch = batch.cast(schema)
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid as error:
        if "UTF8" not in str(error):  # which row it is that is no text is for the reader to say
            raise
    return batch


def group(file: Any, index: int, printer: Printer, schema: Any) -> Iterator[int]:
    """The rows of one row group are printed; yields how many, batch by batch."""
    chunk_bytes, chunk_rows, _ = printer.limits
    about = file.metadata.row_group(index)
    # What the footer says may be far from it: of a text that is repeated it counts one copy, and it may lie.
    each = max(about.total_byte_size // max(about.num_rows, 1), 1)
    size = max(min(4 * chunk_bytes // each, chunk_rows), 1)
    done = 0
    for rows in (size, max(size // 64, 1)):
        try:
            seen = 0
            for batch in file.iter_batches(rows, row_groups=[index], use_threads=False):
                seen += batch.num_rows
                if seen > done:
                    fresh = batch.slice(max(batch.num_rows - (seen - done), 0))
                    printer.take(checked(fresh, schema))
                    done += fresh.num_rows
                    yield fresh.num_rows
            return
        except MemoryError:
            if rows == 1:
                raise
    raise MemoryError


def rows(file: Any, printer: Printer, memory: int, most: int) -> None:
    """All row groups, up to so many bytes; one that cannot be read to its end costs its own rows only."""
    schema = plain_schema(file.schema_arrow)
    told = 0
    for index in range(file.num_row_groups):
        said, got, trouble = max(file.metadata.row_group(index).num_rows, 0), 0, None
        told += said
        try:
            for count in group(file, index, printer, schema):
                got += count
                if printer.total > most:
                    raise Bomb(f"it unpacks to more than {most >> 20:,} MiB, as no set worth training on does")
        except Bomb as bomb:
            printer.frame(b"E", 0, json.dumps(["IO114", f"the Parquet file is not read to its end: {bomb}"]).encode())
            printer.frame(b".", 0)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the next row group may be whole
            trouble = why(error, memory)
        if got < said or trouble:
            code, message, said_of_it = trouble or ("IO116", "the Parquet file is damaged (pages are missing)", "")
            where = f"row group {index + 1}: {said - got} of its {said} rows are lost: "
            printer.frame(b"E", max(said - got, 0), json.dumps([code, where + message, said_of_it]).encode())
    if told < file.metadata.num_rows:
        lost = file.metadata.num_rows - told
        message = f"the Parquet file is damaged: {lost} of {told + lost} rows are in no row group"
        printer.frame(b"E", lost, json.dumps(["IO116", message]).encode())
    printer.frame(b".", 0)


def main() -> int:
    """Reads and prints; 0 where all went well."""
    folder, path, mode, memory, *limits = sys.argv[1:]
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # the others set aside more addresses than they use
    sys.path += [folder, os.path.dirname(__file__)]  # noqa: PTH120 - as everything here, without needless imports
    printer = Printer(*map(int, limits))
    try:
        importlib.import_module("child_bounds").bound(int(memory))
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = pq.ParquetFile(
            pa.OSFile(os.fsencode(path)), buffer_size=BUFFER_BYTES, pre_buffer=False, arrow_extensions_enabled=True
        )
        if mode == "look":
            sys.stdout.write(json.dumps(look(file)))
        else:
            rows(file, printer, int(memory), max(SURE_BYTES, MAX_RATIO * os.stat(path).st_size))  # noqa: PTH116
    except BaseException as error:  # noqa: BLE001 - what cannot be opened is said, whatever it is
        said = json.dumps(why(error, int(memory)))
        if mode == "look":
            sys.stdout.write(json.dumps({"error": json.loads(said)}))
        else:
            printer.frame(b"E", 0, said.encode())
            printer.frame(b".", 0)
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
