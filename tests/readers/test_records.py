"""The reader of records in memory: numbers exact, missing cells missing, what JSON cannot hold is a fault."""

from __future__ import annotations

import datetime
import decimal
import enum
from collections import OrderedDict, UserDict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.errors import UsageError
from ftprep.model import Row
from ftprep.readers import base
from ftprep.readers.base import Options, Table
from ftprep.readers.records import RecordsReader, table_of

READER = RecordsReader()


class Colour(enum.StrEnum):
    """A text with a name."""

    RED = "red"


class Dataset:
    """Quacks like a datasets.Dataset: can be gone through again and again."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([{"a": 1}, {"a": 2}])


class Polars:
    """Quacks like a polars DataFrame: iterating gives columns."""

    def __iter__(self) -> Iterator[list[int]]:
        return iter([[1, 2]])

    def to_dicts(self) -> list[dict[str, int]]:
        return [{"a": 1}, {"a": 2}]

    def iter_rows(self, named: bool) -> Iterator[dict[str, int]]:
        assert named
        return iter(self.to_dicts())


def rows_of(table: Table) -> list[Row]:
    """All rows of a table, through chunks."""
    chunks = list(READER.chunks(table))
    return [row for chunk in chunks for row in READER.decode(table, chunk)]


def records(data: Any) -> list[Any]:
    """The records of data that has no faults."""
    rows = rows_of(table_of("data", data))
    assert not [row.faults for row in rows if row.faults]
    return [row.record for row in rows]


@pytest.mark.parametrize(
    "data",
    [
        [{"a": 1}, {"a": 2}],
        ({"a": 1}, {"a": 2}),
        [OrderedDict(a=1), UserDict(a=2)],
        pa.table({"a": [1, 2]}),
        pa.record_batch({"a": [1, 2]}),
        Dataset(),
        Polars(),
        pd.DataFrame({"a": [1, 2]}, index=[7, 7]),
        [{"a": np.int64(1)}, {"a": np.int8(2)}],
    ],
    ids=lambda data: type(data).__name__,
)
def test_records_of_any_kind_of_data_twice(data: Any) -> None:
    table = table_of("data", data)
    for _ in range(2):
        rows = rows_of(table)
        assert [(row.line, row.offset, row.record) for row in rows] == [(1, 0, {"a": 1}), (2, 1, {"a": 2})]
        assert all(type(row.record) is dict and type(row.record["a"]) is int for row in rows)


def test_what_can_be_gone_through_once_is_kept() -> None:
    table = table_of("data", ({"a": n} for n in range(3)))
    assert (
        [row.record for row in rows_of(table)] == [row.record for row in rows_of(table)] == [{"a": n} for n in range(3)]
    )


@pytest.mark.parametrize("data", ["a.csv", b"x", {"a": 1}, 5, None])
def test_what_holds_no_records(data: Any) -> None:
    with pytest.raises(UsageError):
        table_of("data", data)


@pytest.mark.parametrize("data", [[], iter(()), pd.DataFrame({"a": []})], ids=lambda data: type(data).__name__)
def test_no_records(data: Any) -> None:
    table = table_of("data", data)
    assert table.broken
    assert [fault.code for _, fault in table.faults] == ["IO115"]


def test_records_are_not_in_files() -> None:
    with pytest.raises(UsageError):
        READER.tables("data", "data", b"", Options())


def test_a_frame_keeps_values_and_leaves_out_what_is_missing() -> None:
    frame = pd.DataFrame(
        {
            "text": ["NA", None, "nan", ""],
            "whole": [2**53 + 1, 2, 3, 4],
            "part": [0.1, float("nan"), 1.0, 1e21],
            "maybe": pd.array([1, None, 3, 4], dtype="Int64"),
            "when": pd.Series(["2021-06-03", None, "2021-06-03", "2021-06-04"], dtype="datetime64[ns]"),
            "kind": pd.Categorical(["x", "y", None, "x"]),
            "true": [True, False, True, True],
            "list": [[1], None, ["a", {"b": 2}], []],
            9: ["n", "n", "n", "n"],
        }
    )
    table = table_of("frame", frame)
    assert table.header == ("text", "whole", "part", "maybe", "when", "kind", "true", "list", "9")
    first, second, third, fourth = records(frame)
    assert first == {
        "text": "NA",
        "whole": 2**53 + 1,
        "part": 0.1,
        "maybe": 1,
        "when": "2021-06-03T00:00:00",
        "kind": "x",
        "true": True,
        "list": [1],
        "9": "n",
    }
    assert second == {"whole": 2, "kind": "y", "true": False, "9": "n"}
    assert (third["text"], third["part"], third["list"]) == ("nan", 1.0, ["a", {"b": 2}])
    assert (fourth["text"], fourth["list"]) == ("", [])


def test_columns_of_a_frame_that_cannot_be_told_apart() -> None:
    table = table_of("frame", pd.DataFrame([[1, 2]], columns=["a", "a"]))
    assert table.broken
    assert [fault.code for _, fault in table.faults] == ["IO113"]


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ((1, "x"), [1, "x"]),
        (np.array([[1, 2]]), [[1, 2]]),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (Colour.RED, "red"),
        (datetime.datetime(2021, 6, 3, 14, 5), "2021-06-03T14:05:00"),
        (datetime.date(2021, 6, 3), "2021-06-03"),
        (decimal.Decimal("1.10"), "1.10"),
        (10**40, 10**40),
        ([None, pd.NA], [None, None]),
    ],
)
def test_values_become_plain(value: Any, want: Any) -> None:
    (record,) = records([{"a": value}])
    assert record == {"a": want}
    assert type(record["a"]) is type(want)


@pytest.mark.parametrize("value", [None, float("nan"), pd.NA, pd.NaT, np.float64("nan")])
def test_missing_values_leave_no_key(value: Any) -> None:
    assert records([{"a": value, "b": 1}]) == [{"b": 1}]


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("record", "code", "pointer"),
    [
        (["a", "b"], "IO119", ""),
        ("text", "IO119", ""),
        (None, "IO119", ""),
        ({"a": object()}, "IO119", "/a"),
        ({"a/b": b"bytes"}, "IO119", "/a~1b"),
        ({"a": {1, 2}}, "IO119", "/a"),
        ({"a": [{"b": lambda: None}]}, "IO119", "/a"),
        ({"a": datetime.timedelta(1)}, "IO119", "/a"),
        ({1: "a"}, "IO119", "/1"),
        ({"a": {1: "a"}}, "IO119", "/a"),
        ({"a": float("inf")}, "IO106", "/a"),
        ({"a": [float("nan")]}, "IO106", "/a"),
        ({"a": "x\ud800"}, "IO107", "/a"),
        ({"a": CYCLE}, "IO114", "/a"),
    ],
)
def test_what_no_record_can_hold_is_a_fault_of_that_record(record: Any, code: str, pointer: str) -> None:
    rows = rows_of(table_of("data", [{"a": 1}, record, {"a": 3}]))
    assert [row.record for row in rows] == [{"a": 1}, None, {"a": 3}]
    assert [(row.line, f.code, f.pointer) for row in rows for f in row.faults] == [(2, code, pointer)]


def test_a_record_is_a_copy() -> None:
    messages = [{"role": "user"}]
    (record,) = records([{"messages": messages}])
    record["messages"][0]["role"] = "other"
    assert messages == [{"role": "user"}]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.lists(st.dictionaries(st.text(), VALUES.filter(lambda v: v is not None), max_size=4), min_size=1),
    st.integers(1, 5),
)
def test_plain_records_come_back_however_they_are_cut(data: list[dict[str, Any]], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "CHUNK_RECORDS", size)
        rows = rows_of(table_of("data", data))
    assert [row.record for row in rows] == data
    assert [row.line for row in rows] == list(range(1, len(data) + 1))


@settings(deadline=None)
@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6),
    st.data(),
)
def test_a_frame_of_texts_and_numbers_comes_back(numbers: list[int], data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.text(), min_size=len(numbers), max_size=len(numbers)))
    frame = pd.DataFrame({"n": pd.Series(numbers, dtype="int64"), "t": pd.Series(texts, dtype="object")})
    assert records(frame) == [{"n": n, "t": t} for n, t in zip(numbers, texts, strict=True)]
