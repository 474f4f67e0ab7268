"""Reads what is in memory already: a DataFrame, an Arrow table, a Dataset, or any records that can be gone through."""

from __future__ import annotations

import datetime
import decimal
import math
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from itertools import islice
from typing import Any

import msgspec

from ftprep.errors import MissingExtra, UsageError
from ftprep.model import Chunk, Fault, Row
from ftprep.readers import base
from ftprep.readers.base import Options, Table

_WHAT = "a DataFrame, an Arrow table, a Dataset or records, each a mapping of names to values"
_MISSING = {"NAType", "NaTType"}
"""Names of the types of pandas.NA and pandas.NaT, which is a datetime."""


_EMPTY = Fault("IO115", "there are no records")


class Unfit(Exception):  # noqa: N818 - says what the value is; it becomes a fault
    """A value that no JSON record can hold."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(code, message)


def table_of(name: str, data: Any) -> Table:
    """The table of data in memory, called `name` in findings; raises UsageError for what holds no records.

    A DataFrame's index is not read, and a missing cell (NaN, None, NaT, NA) is a key that the record does not have.
    Data that can be gone through only once (a generator) is kept as a list, since it is read more than once.
    """
    if _is_frame(data):
        return _frame_table(name, data)
    if isinstance(data, str | bytes | bytearray | Mapping) or not (isinstance(data, Iterable) or _is_arrow(data)):
        said = "a mapping" if isinstance(data, Mapping) else f"{type(data).__name__}"
        message = f"cannot read records out of {said}"
        hint = "put the record in a list, or name the split" if isinstance(data, Mapping) else f"give {_WHAT}"
        raise UsageError(message, hint)
    if _is_arrow(data):
        records = data.read_all() if hasattr(data, "read_all") else data  # a stream can be gone through once
    else:
        records = list(data) if iter(data) is data else data
    faults = ((1, _EMPTY),) if isinstance(records, Sized) and not len(records) else ()
    return Table(name, "records", records=records, faults=faults, broken=bool(faults))


def _frame_table(name: str, frame: Any) -> Table:
    """The table of a DataFrame; broken where it has no rows, or two columns of one name."""
    header = tuple(str(column) for column in frame.columns)
    doubled = sorted({column for column in header if header.count(column) > 1})
    faults = [(1, Fault("IO113", f"several columns are called {column!r}; rename them")) for column in doubled]
    if not len(frame):
        faults.append((1, _EMPTY))
    return Table(name, "records", header=header, faults=tuple(faults), broken=bool(faults), records=frame)


class RecordsReader:
    """Records in memory; a place's line is the number of the record, from 1."""

    def tables(self, name: str, path: str, head: bytes, options: Options) -> list[Table]:  # noqa: ARG002
        """Raises UsageError: records are not in files, see `table_of`."""
        raise UsageError("records in memory have no file", "name the file's own format")

    def chunks(self, table: Table) -> Iterator[Chunk]:
        """Lists of records as plain values, with a Fault in the place of what is none; the values are copies."""
        return base.numbered((len(batch), batch) for batch in _batches(table.records))

    def decode(self, table: Table, chunk: Chunk) -> Iterator[Row]:  # noqa: ARG002
        """A row a record."""
        return base.rows_of(chunk.payload, chunk.first_line)


def _is_frame(data: Any) -> bool:
    """Whether the data is a pandas DataFrame, which is not imported to find out."""
    return hasattr(data, "iloc") and hasattr(data, "columns")


def _batches(data: Any) -> Iterator[list[dict[str, Any] | Fault]]:
    """The records, CHUNK_RECORDS at a time."""
    if _is_frame(data):
        whole = _whole_columns(data)
        for begin in range(0, len(data), base.CHUNK_RECORDS):
            yield [_record(record) for record in _framed(data.iloc[begin : begin + base.CHUNK_RECORDS], whole)]
        return
    if (batches := _arrow(data)) is not None:
        from ftprep.readers.arrow_values import records as said

        for one in batches:
            for begin in range(0, one.num_rows, base.CHUNK_RECORDS):
                yield list(said(one.slice(begin, base.CHUNK_RECORDS)))
        return
    records = _iterated(data)
    while batch := [_record(record) for record in islice(records, base.CHUNK_RECORDS)]:
        yield batch


def _whole_columns(frame: Any) -> frozenset[int]:
    """Columns of floats that pandas made of whole numbers, since a cell was missing: a label 1 must not become 1.0."""
    found = set()
    for position, kind in enumerate(frame.dtypes):
        if getattr(kind, "kind", "") == "f":
            filled = frame.iloc[:, position].dropna()
            if 0 < len(filled) < len(frame) and bool(((filled % 1 == 0) & (filled.abs() < 2**53)).all()):
                found.add(position)
    return frozenset(found)


def _framed(frame: Any, whole: frozenset[int]) -> list[dict[str, Any]]:
    """The rows of a part of a frame, without the cells that are missing."""
    records: list[dict[str, Any]] = [{} for _ in range(len(frame))]
    for position, column in enumerate(frame.columns):
        series = frame.iloc[:, position]
        name = str(column)
        if position in whole:
            series = series.astype("Int64")
        for record, value, is_missing in zip(records, series.tolist(), series.isna().tolist(), strict=True):
            if not is_missing:
                record[name] = value
    return records


def _is_arrow(data: Any) -> bool:
    """Whether the data hands over Arrow data (a Table, a polars frame), and is not a column of pandas."""
    return hasattr(data, "__arrow_c_stream__") and not hasattr(data, "iloc")


def _arrow(data: Any) -> Iterator[Any] | None:
    """The batches of Arrow data, or of a Dataset; None for all else.

    Arrow fills the keys that a record lacks with null, and only its types tell which nulls these are. A Dataset is
    asked for Arrow, since it would decode pictures otherwise. Raises UsageError for a single column.
    """
    is_dataset = hasattr(data, "with_format") and hasattr(data, "features") and hasattr(data, "iter")
    if not is_dataset and not _is_arrow(data):
        return None
    try:
        import pyarrow as pa
    except ImportError:  # polars and others have it without pyarrow
        if isinstance(data, Iterable):
            return None
        raise MissingExtra("reading Arrow data", "parquet") from None
    if is_dataset:
        tables = data.with_format("arrow").iter(batch_size=base.CHUNK_RECORDS)
        return (batch for table in tables for batch in table.to_batches())
    try:
        batches: Iterator[Any] = iter(pa.RecordBatchReader.from_stream(data))
    except (pa.ArrowInvalid, TypeError):
        message = f"cannot read records out of {type(data).__name__}"
        raise UsageError(message, f"give {_WHAT}") from None
    return batches


def _iterated(data: Any) -> Iterator[Any]:
    """The records one by one: of a polars frame by named rows, else as they come."""
    if hasattr(data, "iter_rows") and hasattr(data, "to_dicts"):
        yield from data.iter_rows(named=True)
    else:
        yield from data


def _record(record: Any) -> dict[str, Any] | Fault:
    """A record as plain values that a JSON object can hold, without the keys whose value is missing."""
    if not isinstance(record, Mapping):
        shown = " ".join(repr(record)[:160].split())[:80]
        return Fault("IO119", f"a {type(record).__name__}, not a mapping of names to values", excerpt=shown)
    kept: dict[str, Any] = {}
    for key, value in record.items():
        if _is_missing(value):
            continue
        try:
            kept[_key(key)] = plain(value, 1)
        except Unfit as unfit:
            pointer = "/" + str(key).replace("~", "~0").replace("/", "~1")
            return msgspec.structs.replace(unfit.fault, pointer=pointer)
    return kept


def _is_missing(value: Any) -> bool:
    """Whether a value stands for none: None, NaN, NaT, NA."""
    if value is None or type(value).__name__ in _MISSING:
        return True
    return isinstance(value, float) and math.isnan(value)


def _key(key: Any) -> str:
    """A name, which must be text."""
    if not isinstance(key, str):
        raise Unfit("IO119", f"the key {key!r:.40} is a {type(key).__name__}, not text")
    return _text(key)


def _text(value: str) -> str:
    """Text of whole characters, without whatever a subclass adds."""
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise Unfit("IO107", f"half of a surrogate pair at character {error.start + 1}") from None
    return value if type(value) is str else str.__str__(value)


def plain(value: Any, depth: int) -> Any:
    """A value as text, number, truth value, list or dict; dates and times as ISO 8601 text, decimals as text."""
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unfit("IO106", f"{value} is no JSON number")
        return float(value)
    return _built(value, depth)


def _built(value: Any, depth: int) -> Any:
    """A value that is made of others, or is no JSON value as it stands."""
    if depth >= base.MAX_DEPTH:
        raise Unfit("IO114", f"nested deeper than {base.MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        return {_key(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [plain(item, depth + 1) for item in value]
    if type(value).__name__ in _MISSING:
        return None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    if hasattr(value, "dtype") and hasattr(value, "tolist"):  # a NumPy scalar or array
        return plain(value.tolist(), depth + 1)
    raise Unfit("IO119", f"a {type(value).__name__}, which JSON cannot hold")
