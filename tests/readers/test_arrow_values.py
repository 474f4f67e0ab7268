"""What columns of Arrow say: exactly the values, without nulls that nobody wrote, and a fault for what is no value."""

from __future__ import annotations

import datetime
import decimal
import math
import uuid
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ftprep as ft
from ftprep.errors import UsageError
from ftprep.model import Fault
from ftprep.readers.arrow_values import records

UTC = pa.timestamp("us", tz="UTC")


def values(array: pa.Array) -> list[Any]:
    """What the rows of one column say; None where there is no key."""
    said = list(records(pa.record_batch({"a": array})))
    return [record if isinstance(record, Fault) else record.get("a") for record in said]


@pytest.mark.parametrize(
    ("given_values", "kind", "want"),
    [
        (["007", "", None, "NA"], pa.string(), ["007", "", None, "NA"]),
        (["é", "x" * 40], pa.large_string(), ["é", "x" * 40]),
        (["é", "x" * 40], pa.string_view(), ["é", "x" * 40]),
        ([True, None, False], pa.bool_(), [True, None, False]),
        ([1, 2**63 - 1], pa.int64(), [1, 2**63 - 1]),
        ([2**64 - 1], pa.uint64(), [2**64 - 1]),
        ([0.1, float("nan"), 1.0, 1e300], pa.float64(), [0.1, None, 1.0, 1e300]),
        ([0.1, 16777216.0, 3.4e38, 1.5e-5], pa.float32(), [0.1, 16777216.0, 3.4e38, 1.5e-5]),
        ([0.1, 2.0], pa.float16(), [0.1, 2.0]),
        ([decimal.Decimal("1.10"), decimal.Decimal("0E-10")], pa.decimal128(20, 10), ["1.1000000000", "0.0000000000"]),
        ([datetime.date(2021, 6, 3)], pa.date32(), ["2021-06-03"]),
        ([datetime.datetime(2021, 6, 3, 14, 5)], pa.timestamp("ms"), ["2021-06-03T14:05:00"]),
        ([datetime.datetime(2021, 6, 3, 14, 5)], UTC, ["2021-06-03T14:05:00+00:00"]),
        ([1], pa.timestamp("ns"), ["1970-01-01T00:00:00.000000001"]),
        ([datetime.time(14, 5)], pa.time64("us"), ["14:05:00"]),
        ([datetime.timedelta(hours=26, minutes=30)], pa.duration("s"), ["26:30:00"]),
        ([b"caf\xc3\xa9"], pa.binary(), ["café"]),
        ([b"ab"], pa.binary(2), ["ab"]),
        ([b"ab"], pa.binary_view(), ["ab"]),
        (["x", None, "x"], pa.dictionary(pa.int8(), pa.string()), ["x", None, "x"]),
        ([None, None], pa.null(), [None, None]),
        ([[1, None], [], None], pa.list_(pa.int64()), [[1, None], [], None]),
        ([["x"], None, ["y", "z"]], pa.large_list(pa.string()), [["x"], None, ["y", "z"]]),
        ([[1, 2], None], pa.list_(pa.int8(), 2), [[1, 2], None]),
        ([["x", "y"], None], pa.list_view(pa.string()), [["x", "y"], None]),
        ([[("k", None), ("l", 0.1)], [], None], pa.map_(pa.string(), pa.float32()), [{"k": None, "l": 0.1}, {}, None]),
        ([[{"d": datetime.date(2021, 6, 3)}]], pa.list_(pa.struct([("d", pa.date32())])), [[{"d": "2021-06-03"}]]),
        ([{"x": None, "y": 1}, None, {"x": "v"}], pa.struct([("x", pa.string()), ("y", pa.int8())]),
         [{"y": 1}, None, {"x": "v"}]),
        ([{"bytes": b"\x89PNG", "path": "a.png"}, {"bytes": None, "path": "b"}],
         pa.struct([("bytes", pa.binary()), ("path", pa.string())]), [{"bytes": "iVBORw==", "path": "a.png"},
                                                                       {"path": "b"}]),
    ],
)  # fmt: skip
def test_values_are_as_meant(given_values: list[Any], kind: Any, want: list[Any]) -> None:
    array = pa.array(given_values, kind)
    assert values(array) == want
    assert values(pa.concat_arrays([array.slice(0, 1), array]).slice(1)) == want  # a slice with an offset
    assert list(map(type, values(array))) == list(map(type, want))


def test_extension_types() -> None:
    code = uuid.UUID(int=5)
    assert values(pa.array([code.bytes], pa.uuid())) == [str(code)]
    text = pa.array(['{"b": [1, 2.50]}', "null", '"x"', None], pa.json_(pa.string()))
    assert values(text) == [{"b": [1, 2.5]}, None, "x", None]


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (pa.array([b"ok", b"\xff\xfe", b"ok"], pa.binary()), "IO101"),
        (pa.array([0.5, math.inf, 0.5], pa.float64()), "IO106"),
        (pa.array([[0.5], [math.nan], []], pa.list_(pa.float64())), "IO106"),
        (pa.array([[], [("k", 1), ("k", 2)], []], pa.map_(pa.string(), pa.int8())), "IO105"),
        (pa.array([[], [(1, 1)], []], pa.map_(pa.int8(), pa.int8())), "IO119"),
        (pa.array(["{}", '{"a": 1, "a": 2}', "[]"], pa.json_(pa.string())), "IO105"),
        (pa.array(["{}", "{", "[]"], pa.json_(pa.string())), "IO104"),
        (pa.array([0, 2**62, 0], pa.timestamp("s")), "IO119"),
    ],
)
def test_what_no_record_can_hold_is_a_fault_of_that_row(array: pa.Array, code: str) -> None:
    first, bad, last = records(pa.record_batch({"b": ["x", "y", "z"], "a/b": array}))
    assert isinstance(bad, Fault)
    assert (bad.code, bad.pointer) == (code, "/a~1b")
    assert "\n" not in bad.message
    assert isinstance(first, dict)
    assert isinstance(last, dict)
    assert (first["b"], last["b"]) == ("x", "z")


def test_text_that_is_not_utf_8_is_a_fault_of_its_row() -> None:
    array = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"a\xff")]
    )
    first, bad = values(array)
    assert first == "a"
    assert isinstance(bad, Fault)
    assert bad.code == "IO101"


def test_a_large_dictionary_is_not_decoded_for_every_slice() -> None:
    array = pa.array([str(n) for n in range(1000)]).dictionary_encode()
    assert values(array.slice(998)) == ["998", "999"]


def test_no_columns() -> None:
    batch = pa.RecordBatch.from_struct_array(pa.array([{}, {}], pa.struct([])))
    assert list(records(batch)) == [{}, {}]


PLAIN = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3),
    max_leaves=6,
)


@given(PLAIN, st.integers(1, 4), st.integers(0, 3))
def test_a_value_of_any_depth_comes_back(value: Any, count: int, begin: int) -> None:
    array = pa.array([value] * (count + 3)).slice(begin)
    assert values(array) == [value] * len(array)
    lists = pa.array([[value], [], [value, value]] * 2).slice(begin)
    assert values(lists) == ([[value], [], [value, value]] * 2)[begin:]


TALKS = [
    {"messages": [{"role": "user", "content": "a", "name": "ann"}, {"role": "assistant", "content": "b"}]},
    {"messages": [{"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]},
]


class Dataset:
    """Quacks like a datasets.Dataset: plain iteration gives decoded rows, `with_format("arrow")` tables."""

    features = ("messages",)

    def __init__(self, table: pa.Table, form: str = "") -> None:
        self._table, self._form = table, form

    def __iter__(self) -> Any:
        yield pytest.fail("asked for decoded rows")

    def __len__(self) -> int:
        return len(self._table)

    def with_format(self, form: str) -> Dataset:
        return Dataset(self._table, form)

    def iter(self, batch_size: int) -> Any:
        assert self._form == "arrow"
        return (self._table.slice(n, batch_size) for n in range(0, len(self._table), batch_size))


@pytest.mark.parametrize(
    "of",
    [lambda t: t, lambda t: t.to_batches()[0], lambda t: t.to_reader(), Dataset],
    ids=["Table", "RecordBatch", "RecordBatchReader", "Dataset"],
)
def test_arrow_data_in_memory_is_checked(of: Any) -> None:
    report = ft.check(of(pa.Table.from_pylist(TALKS)))
    assert report.ok
    assert (report.dataset.shape, report.dataset.examples) == ("chat", 2)


def test_a_table_without_rows_and_a_single_column() -> None:
    assert [f.code for f in ft.check(pa.table({"a": pa.array([], pa.string())})).findings] == ["IO115"]
    with pytest.raises(UsageError, match="cannot read records out of ChunkedArray"):
        ft.check(pa.chunked_array([[1]]))
