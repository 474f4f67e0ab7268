"""What columns of Arrow say, as records of plain values: by column, since value by value takes five times as long.

A column has a place for every row, and a struct for every field: where a record does not have a key, Arrow holds null,
and nothing tells such a null from one that was written. So a null column, and a null field of a struct, is a key that
the record does not have: in `messages` read from JSON, most of them stand for `name`, `tool_calls` and the like, which
a message does not have. Nulls in lists and maps stay, since they are there.
"""

from __future__ import annotations

import datetime
import math
import struct
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from ftprep.foreign import words_of
from ftprep.model import Fault
from ftprep.readers.records import Unfit, plain
from ftprep.readers.strict_json import BadJson, loads

PICTURE = {"bytes", "path"}
"""The fields of the struct in which Hugging Face datasets keep pictures and sound."""

Record = dict[str, Any]
_Leaf = Callable[[Any], Any]
_DIGITS = {"<f": range(6, 10), "<e": range(3, 6)}
"""For float32 and float16: from the digits that each of them keeps to those that tell any two apart (IEEE 754)."""
_WHOLE = 2048
"""Whole numbers below this are exact in all of them."""


def records(batch: Any) -> Iterator[Record | Fault]:
    """The rows of a pyarrow.RecordBatch in order, each without the keys that are null; a Fault for a row with a value
    that no JSON record can hold."""
    names = batch.schema.names
    if not names:
        yield from ({} for _ in range(batch.num_rows))
        return
    columns, bad = [], False
    for name, column in zip(names, batch.columns, strict=True):
        try:
            columns.append(_top(column))
        except Exception:  # noqa: BLE001 - one value spoils the column: which one it is has to be found out
            columns.append([_one(name, column.slice(index, 1)) for index in range(len(column))])
            bad = True
    for row in zip(*columns, strict=True):
        fault = next((value for value in row if isinstance(value, Fault)), None) if bad else None
        yield fault or {name: value for name, value in zip(names, row, strict=True) if value is not None}


def _one(name: str, single: Any) -> Any:
    """The value of a column of one row, or why there is none."""
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    try:
        return _top(single)[0]
    except Unfit as unfit:
        return Fault(unfit.fault.code, f"{name!r}: {unfit.fault.message}", pointer)
    except BadJson as bad:
        return Fault(bad.code, f"{name!r} is a column of JSON: {bad.message}", pointer)
    except UnicodeDecodeError:
        return Fault("IO101", f"{name!r} holds bytes that are not text in UTF-8", pointer)
    except Exception as error:  # noqa: BLE001 - a date past the year 9999, an unknown time zone, and what else there is
        what = f"{name!r} is a {str(single.type)[:40]} that cannot be read ({words_of(error, 80)})"
        return Fault("IO119", what, pointer)


def _top(column: Any) -> list[Any]:
    """The values of a column; NaN is how frames say that a cell is empty."""
    import pyarrow.types as kinds

    if kinds.is_floating(column.type):
        return [None if v is None or v != v else _finite(v, column.type) for v in column.to_pylist()]
    return _values(column)


def _values(array: Any) -> list[Any]:
    """The values of an array as text, number, truth value, list or dict; None for null."""
    import pyarrow.types as kinds

    kind = array.type
    if kinds.is_struct(kind):
        return _structs(array)
    if kinds.is_map(kind):
        return _maps(array)
    if kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind):
        # flatten leaves out what stands under a null, and is cut as a slice of the array is
        inner = iter(_values(array.flatten()))
        if kinds.is_fixed_size_list(kind):
            lengths = [kind.list_size if valid else None for valid in array.is_valid().to_pylist()]
        else:
            lengths = array.value_lengths().to_pylist()
        return [None if length is None else list(islice(inner, length)) for length in lengths]
    if kinds.is_dictionary(kind):
        if len(array.dictionary) > len(array):
            return _values(array.dictionary_decode())
        said = _values(array.dictionary)
        return [None if index is None else said[index] for index in array.indices.to_pylist()]
    leaf = _leaf(kind)
    values: list[Any] = array.to_pylist()
    return values if leaf is None else [None if value is None else leaf(value) for value in values]


def _structs(array: Any) -> list[Any]:
    """The values of an array of structs, each without the fields that are null."""
    names = [field.name for field in array.type]
    fields = array.flatten()
    valid = array.is_valid().to_pylist()
    if set(names) == PICTURE:
        # Such bytes are never text; as base64 they stay in the record and can be written.
        columns = [
            _pictured(field) if name == "bytes" else _values(field) for name, field in zip(names, fields, strict=True)
        ]
    else:
        columns = [_values(field) for field in fields]
    rows = zip(*columns, strict=True) if columns else ((),) * len(array)
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None} if there else None
        for there, row in zip(valid, rows, strict=True)
    ]


def _pictured(array: Any) -> list[Any]:
    import base64

    values = array.to_pylist()
    return [base64.b64encode(v).decode() if isinstance(v, bytes) else v for v in values]


def _maps(array: Any) -> list[Any]:
    """The values of an array of maps as dicts; the keys have to be text, each once in its map."""
    import pyarrow as pa

    lists = array.cast(pa.list_(array.type.field(0)))
    pairs = zip(*map(_values, lists.flatten().flatten()), strict=True)
    return [None if n is None else _mapping(islice(pairs, n)) for n in lists.value_lengths().to_pylist()]


def _mapping(pairs: Iterator[tuple[Any, Any]]) -> Record:
    found: Record = {}
    for key, value in pairs:
        if not isinstance(key, str):
            raise Unfit("IO119", f"the key {key!r:.40} is a {type(key).__name__}, not text")
        if key in found:
            raise Unfit("IO105", f"the key {key!r:.40} stands twice in a map")
        found[key] = value
    return found


def _leaf(kind: Any) -> _Leaf | None:
    """What makes a plain value of what Arrow gives for this type; None where it is one."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if isinstance(kind, pa.BaseExtensionType):
        return _json if kind.extension_name == "arrow.json" else _other
    if kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind) or kinds.is_null(kind):
        return None
    if kinds.is_boolean(kind) or kinds.is_integer(kind):
        return None
    if kinds.is_floating(kind):
        return lambda value: _finite(value, kind)
    if kinds.is_decimal(kind):
        return lambda value: format(value, "f")
    return _other


def _json(value: str) -> Any:
    """The value of JSON text in a column that says that it holds such."""
    return loads(value.encode())


def _finite(said: Any, kind: Any) -> float:
    """A float with the fewest digits that its type tells from others: 0.1, not 0.10000000149011612."""
    import pyarrow.types as kinds

    value = float(said)
    if not math.isfinite(value):
        raise Unfit("IO106", f"{value} is no JSON number")
    if kinds.is_float64(kind) or (value.is_integer() and abs(value) < _WHOLE):
        return value
    code = "<f" if kinds.is_float32(kind) else "<e"
    held = struct.pack(code, value)
    near = (float(f"{value:.{digits}g}") for digits in _DIGITS[code])
    return next((short for short in near if struct.pack(code, short) == held), value)


def _other(value: Any) -> Any:
    """Bytes that are UTF-8 as text, times and dates in ISO 8601, spans of time as hours:minutes:seconds."""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, datetime.timedelta):
        from ftprep.readers.workbook_child import duration

        return duration(value)
    return plain(value, 1)
