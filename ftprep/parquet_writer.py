"""Writes the lines of a set as Parquet: looked at once to settle the columns, then written by row group.

A column has one type from the first row to the last, and the first rows do not tell which: so no row is written before
the last one is known. Texts, whole numbers, numbers and truth values get columns of their type, and so do lists of
them; `messages` is a list of structs with the fields that some message has. What has no type of its own (tools,
objects, a key that is a number here and a text there) is a column of JSON, which Parquet has a type for, and which is
text to readers that do not know it. Null and missing are one in a column. What would have to change to fit is refused.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from ftprep.disk import shown, told
from ftprep.errors import MissingExtra, WriteError
from ftprep.outfile import OutputFile
from ftprep.writer import OutputSet

SUFFIX = ".parquet"
GROUP_BYTES = 64 << 20
"""JSON lines that make one row group: as large as stays quick to read, and small beside a worker's memory."""

_BLOCK = 1 << 20
_JSONL = "write JSONL, which has no such bounds: give the output a name that ends in .jsonl"

Kind = str | tuple[str, Any]
"""What a key's values are: text, int, float, bool, json, call, tool call, part, or a list of one of these."""


class ParquetSet(OutputSet):
    """Output files of which those that are called so are Parquet; raises MissingExtra where pyarrow is not there."""

    def __init__(self, **given: Any) -> None:
        from importlib.util import find_spec

        if find_spec("pyarrow") is None:
            raise MissingExtra("writing Parquet", "parquet")
        super().__init__(**given)

    def make(self, path: Path, target: Path) -> OutputFile:
        """A file of the kind that the path says."""
        return ParquetFile(path, target) if path.suffix.lower() == SUFFIX else super().make(path, target)


class ParquetFile(OutputFile):
    """Takes JSON lines as any output does; `finish` makes Parquet of them."""

    def __init__(self, path: Path, target: Path) -> None:
        super().__init__(path, target)
        with told(path):
            self._lines: IO[bytes] = tempfile.TemporaryFile(dir=target.parent)  # noqa: SIM115 - closed by discard()
        self._rest = b""
        self._columns = Columns(path)

    def write(self, line: bytes) -> None:
        """One record; raises WriteError where it does not fit into columns."""
        self.write_lines(line if line.endswith(b"\n") else line + b"\n", 1)

    def write_lines(self, data: bytes, rows: int) -> None:
        """Lines, cut anywhere, and how many line ends there are among them."""
        whole, end, self._rest = (self._rest + data).rpartition(b"\n")
        for line in whole.split(b"\n") if end else ():
            self._columns.see(msgspec.json.decode(line))
        with told(self.path):
            self._lines.write(whole + end)
        self.rows += rows

    def finish(self) -> None:
        """Write the rows by row group, put all on disk and close. Raises WriteError."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = self._columns.schema()
        with told(self.path):
            self._lines.seek(0)  # writes what is still held
        with pq.ParquetWriter(pa.PythonFile(_Sink(self), "w"), schema, compression="zstd") as writer:
            for batches in self._groups(schema):
                writer.write_table(pa.Table.from_batches(batches, schema), row_group_size=1 << 30)
        super().finish()

    def discard(self) -> None:
        """Remove what is left of the temporary files."""
        with suppress(OSError):  # closing writes what is still held, and the disk may be full
            self._lines.close()
        super().discard()

    def _groups(self, schema: Any) -> Iterator[list[Any]]:
        """Batches of rows that together make a row group; only one block of lines is decoded at a time."""
        batches, size = [], 0
        while lines := self._lines.readlines(_BLOCK):
            batches.append(self._columns.batch([msgspec.json.decode(line) for line in lines], schema))
            size += sum(map(len, lines))
            if size >= GROUP_BYTES:
                yield batches
                batches, size = [], 0
        if batches:
            yield batches


class _Sink:
    """What pyarrow needs of a file that is open for writing."""

    closed = False

    def __init__(self, file: OutputFile) -> None:
        self._file = file

    def write(self, data: Any) -> int:
        self._file.write_bytes(bytes(data))
        return len(data)

    def tell(self) -> int:
        return self._file.size

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


class Columns:
    """The columns of a set: what the values of each key are, as far as they have been seen."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kinds: dict[str, Kind | None] = {}
        self._fields: dict[str, Kind | None] = {}
        self._rows = self._talks = 0

    def see(self, record: dict[str, Any]) -> None:
        """Take in one record; raises WriteError for a message that does not fit into columns."""
        self._rows += 1
        for key, value in record.items():
            if key == "messages":
                self._talks += 1
                for message in value:
                    for name, said in message.items():
                        kind = _merged(self._fields.get(name), _field_kind(name, said))
                        if kind == "json":
                            self._refuse(name)
                        self._fields[name] = kind
            else:
                # Objects always become JSON: as structs, each would have the keys of all others, as nulls.
                kind = "json" if key in ("tools", "functions") else _kind(value)
                self._kinds[key] = _merged(self._kinds.get(key), kind)

    def _refuse(self, name: str) -> None:
        what = (
            "is text in some messages and a list of parts in others" if name == "content" else "has values of two types"
        )
        raise WriteError(f"cannot write {shown(self._path)}: {name} of a message {what}, and a column has one", _JSONL)

    def schema(self) -> Any:
        """The pyarrow.Schema of all that was seen; raises WriteError for a set of two shapes."""
        import pyarrow as pa

        if 0 < self._talks < self._rows:
            message = f"cannot write {shown(self._path)}: the set holds conversations and prompt/completion examples"
            raise WriteError(message, "make one of them: --to chat or --to completion")
        fields = [pa.field(name, _type(kind)) for name, kind in self._kinds.items()]
        if self._talks:
            talk = pa.struct([pa.field(name, _type(kind)) for name, kind in self._fields.items()])
            fields.insert(0, pa.field("messages", pa.list_(talk)))
        return pa.schema(fields)

    def batch(self, records: list[dict[str, Any]], schema: Any) -> Any:
        """The records as a pyarrow.RecordBatch."""
        import pyarrow as pa

        arrays = []
        for field in schema:
            values = [record.get(field.name) for record in records]
            if self._kinds.get(field.name) == "json":
                values = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
            arrays.append(pa.array(values, field.type))
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _kind(value: Any) -> Kind | None:
    """What a value is; None for null, which fits everything."""
    if value is None:
        return None
    if isinstance(value, list):
        inner: Kind | None = None
        for item in value:
            inner = _merged(inner, _kind(item))
        return "json" if inner == "json" else ("list", inner)
    if isinstance(value, int) and not isinstance(value, bool):
        return "int" if -(2**63) <= value < 2**63 else "json"
    return {bool: "bool", float: "float", str: "text"}.get(type(value), "json")


def _field_kind(name: str, value: Any) -> Kind | None:
    """What the value of a message's field is. Calls and parts are as the shape has read them: of one form."""
    if value is None:
        return None
    if name == "tool_calls":
        return ("list", "tool call")
    if name == "function_call":
        return "call"
    return ("list", "part") if name == "content" and isinstance(value, list) else _kind(value)


def _merged(one: Kind | None, other: Kind | None) -> Kind | None:
    """What values of two kinds are together. Whole numbers and others are not numbers: 1 would become 1.0."""
    if one == other or other is None:
        return one
    if one is None:
        return other
    if isinstance(one, tuple) and isinstance(other, tuple):
        inner = _merged(one[1], other[1])
        return "json" if inner == "json" else ("list", inner)
    return "json"


def _type(kind: Kind | None) -> Any:
    """The Arrow type of a kind; text where nothing but null was seen."""
    import pyarrow as pa

    if isinstance(kind, tuple):
        return pa.list_(_type(kind[1]))
    text = pa.string()
    call = pa.struct([("name", text), ("arguments", text)])
    image = pa.struct([("url", text), ("detail", text)])
    return {
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "json": pa.json_(text),
        "call": call,
        "tool call": pa.struct([("id", text), ("type", text), ("function", call)]),
        "part": pa.struct([("type", text), ("text", text), ("image_url", image)]),
    }.get(kind or "", text)
