"""Parquet: the same rows with the same places however they are cut, and one clear line for what cannot be read."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ftprep as ft
from ftprep.errors import MissingExtra
from ftprep.model import Chunk, Fault, Row
from ftprep.readers import base, open_tables, parquet, reader_of
from ftprep.readers.base import Options, Table
from ftprep.readers.parquet_child import MAX_RATIO, look, pieces, plain_schema, why

SHARED = Path(os.environ.get("FTPREP_SHARED") or Path(__file__).parents[3] / "shared")
"""Real and bad files that stand beside the project where it is worked on."""


def opened(path: Path, **options: Any) -> Table:
    (table,) = open_tables([path], Options(**options))
    return table


def chunks_of(table: Table) -> list[Chunk]:
    return list(reader_of(table).chunks(table))


def rows_of(table: Table) -> list[Row]:
    return [row for chunk in chunks_of(table) for row in reader_of(table).decode(table, chunk)]


def written(folder: Path, data: Any, name: str = "a.parquet", **options: Any) -> Path:
    path = folder / name
    pq.write_table(data if isinstance(data, pa.Table) else pa.Table.from_pylist(data), path, **options)
    return path


def read(path: Path) -> list[Any]:
    """The records of a file without faults."""
    rows = rows_of(opened(path))
    assert not [row.faults for row in rows if row.faults]
    return [row.record for row in rows]


def fault_of(path: Path, **options: Any) -> Fault:
    """The one fault of a table that cannot be read."""
    table = opened(path, **options)
    assert table.broken
    ((_, fault),) = table.faults
    assert "\n" not in fault.message
    return fault


MANY = [{"prompt": f"p{n} " + "x" * (n % 50), "completion": f" c{n}"} for n in range(5000)]


@pytest.mark.parametrize("group", [1, 7, 999, 5000])
@pytest.mark.parametrize("size", [2000, base.CHUNK_BYTES])
def test_rows_and_places_are_the_same_however_they_are_cut(
    group: int, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, MANY if group > 1 else MANY[:40], row_group_size=group)
    monkeypatch.setattr(base, "CHUNK_BYTES", size)
    chunks = chunks_of(opened(path))
    assert all(len(chunk.payload) < size * 2 + 4000 for chunk in chunks)
    assert len(chunks) > 1 or group == 1 or size > 2000
    rows = rows_of(opened(path))
    assert [(row.line, row.record) for row in rows] == [(n + 1, MANY[n]) for n in range(len(rows))]
    assert len(rows) == (5000 if group > 1 else 40)


TEXTS = st.text(max_size=12)
VALUES = st.none() | TEXTS


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"prompt": TEXTS, "completion": TEXTS, "note": VALUES}), min_size=1, max_size=30),
    st.integers(1, 31),
    st.sampled_from([200, 1 << 20]),
)
def test_texts_come_back_with_their_places(
    tmp_path_factory: pytest.TempPathFactory, data: list[dict[str, Any]], group: int, size: int
) -> None:
    schema = pa.schema([(name, pa.string()) for name in ("prompt", "completion", "note")])
    path = written(tmp_path_factory.mktemp("law"), pa.Table.from_pylist(data, schema), row_group_size=group)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "CHUNK_BYTES", size)
        rows = rows_of(opened(path))
    want = [{key: value for key, value in record.items() if value is not None} for record in data]
    assert [(row.line, row.record) for row in rows] == list(enumerate(want, 1))


def test_keys_that_arrow_filled_with_null_are_not_there(tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    talks = [
        {"messages": [{"role": "user", "content": "a", "name": "ann"}, {"role": "assistant", "content": "b"}]},
        {
            "messages": [
                {"role": "user", "content": "c"},
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "content": "d", "tool_call_id": "1"},
                {"role": "assistant", "content": "e", "weight": 1},
            ]
        },
    ]
    path = written(tmp_path, talks)
    assert pq.read_table(path).to_pylist()[0]["messages"][1] == {
        "content": "b", "name": None, "role": "assistant", "tool_call_id": None, "tool_calls": None, "weight": None
    }  # fmt: skip
    assert read(path) == talks
    report = ft.check(path)
    assert report.ok
    assert (report.inputs[0].format, report.inputs[0].rows.loaded) == ("parquet", 2)


def test_findings_stand_at_rows_and_workers_change_nothing(tmp_path: Path) -> None:
    data = [*MANY[:2500], {"prompt": "p", "completion": None}, *MANY[2500:]]
    path = written(tmp_path, data, row_group_size=700)
    alone, together = (ft.check(path, workers=workers) for workers in (1, 2))
    found = [(f.location.row, f.record, f.code) for f in alone.findings if f.code.startswith("FMT")]
    assert found == [(2501, 2501, "FMT120")]
    assert alone.model_dump_json() == together.model_dump_json()


def test_the_name_the_content_and_what_is_asked(tmp_path: Path) -> None:
    path = written(tmp_path, MANY[:3], "a.csv")
    table = opened(path)
    assert [fault.code for _, fault in table.faults] == ["IO110"]
    assert len(rows_of(table)) == 3
    packed = tmp_path / "b.parquet.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert [row.record for row in rows_of(opened(packed))] == MANY[:3]
    text = tmp_path / "text.csv"
    text.write_text("a,b\n1,2\n3,4\n")
    assert fault_of(text, format="parquet").code == "IO120"
    text.rename(text.with_suffix(".parquet"))
    (table,) = open_tables([text.with_suffix(".parquet")])
    assert (table.format, [fault.code for _, fault in table.faults]) == ("delimited", ["IO110"])
    odd = tmp_path / "ünïcode \udcff.parquet"
    assert read(written(tmp_path, MANY[:2]).rename(odd)) == MANY[:2]


def test_a_folder_is_searched_for_it(tmp_path: Path) -> None:
    written(tmp_path, MANY[:3])
    assert [table.format for table in open_tables([tmp_path])] == ["parquet"]


def damaged(path: Path, how: str) -> bytes:
    whole = path.read_bytes()
    return {
        "cut": whole[: len(whole) // 2],
        "magic": whole[:4],
        "head": b"\0\1\2\3\4\5\6\7" * 4 + whole[32:],
        "footer": whole[:-8] + b"\xff\xff\xff\x7f" + whole[-4:],
    }[how]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("cut", "its footer is missing"),
        ("magic", "its footer is missing"),
        ("head", "does not begin as a Parquet file"),
        ("footer", "its footer is missing"),
    ],
)
def test_what_is_damaged_is_one_finding(how: str, says: str, tmp_path: Path) -> None:
    path = written(tmp_path, MANY[:100])
    path.write_bytes(damaged(path, how))
    fault = fault_of(path)
    assert fault.code == "IO116"
    assert says in fault.message
    report = ft.check(path)
    assert [(f.code, f.location.row) for f in report.findings] == [("IO116", 1)]


def test_a_bad_row_group_costs_its_own_rows_only(tmp_path: Path) -> None:
    path = written(tmp_path, MANY[:300], row_group_size=100, compression="none", use_dictionary=False)
    column = pq.ParquetFile(path).metadata.row_group(1).column(0)
    data = bytearray(path.read_bytes())
    data[column.data_page_offset : column.data_page_offset + 8] = b"\xff" * 8
    path.write_bytes(data)
    table = opened(path)
    assert [(row.line, row.record) for row in rows_of(table)] == [
        (n + 1, MANY[n]) for n in [*range(100), *range(200, 300)]
    ]
    (bad,) = [chunk for chunk in chunks_of(table) if isinstance(chunk.payload, Fault)]
    assert (bad.first_line, bad.payload.code) == (101, "IO116")
    assert "row group 2: 100 of its 100 rows are lost" in bad.payload.message
    report = ft.check(path)
    assert report.inputs[0].rows.read == 200
    assert [f.location.row for f in report.findings if f.code == "IO116"] == [101]


@pytest.mark.parametrize(
    ("table", "code"),
    [
        (pa.table({"a": pa.array([], pa.string())}), "IO115"),
        (pa.table([pa.array(["x"]), pa.array(["y"])], ["a", "a"]), "IO113"),
        (pa.table({f"c{n}": ["x"] for n in range(10_001)}), "IO114"),
    ],
)
def test_tables_that_are_not_read(table: pa.Table, code: str, tmp_path: Path) -> None:
    assert fault_of(written(tmp_path, table)).code == code


def test_fields_of_a_struct_that_cannot_be_told_apart(tmp_path: Path) -> None:
    field = pa.StructArray.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["a", "a"])
    fault = fault_of(written(tmp_path, pa.table({"s": field})))
    assert (fault.code, fault.message) == ("IO113", "several columns are called 's/a'; rename them")


def test_nesting_has_a_bound(tmp_path: Path) -> None:
    array = pa.array(["x"])
    for _ in range(40):
        array = pa.StructArray.from_arrays([array], names=["a"])
    assert read(written(tmp_path, pa.table({"a": array})))
    for _ in range(30):
        array = pa.StructArray.from_arrays([array], names=["a"])
    assert fault_of(written(tmp_path, pa.table({"a": array}))).code == "IO114"


@pytest.mark.parametrize("plaintext", [True, False])
def test_what_is_encrypted_says_so(plaintext: bool, tmp_path: Path) -> None:
    encryption = pytest.importorskip("pyarrow.parquet.encryption")

    class Keys(encryption.KmsClient):  # type: ignore[misc, name-defined]
        def __init__(self, _: Any) -> None:
            super().__init__()

        def wrap_key(self, key: bytes, _: str) -> bytes:
            import base64

            return base64.b64encode(key)

    config = encryption.EncryptionConfiguration("f", column_keys={"k": ["prompt"]}, plaintext_footer=plaintext)
    factory = encryption.CryptoFactory(Keys)
    given = factory.file_encryption_properties(encryption.KmsConnectionConfig(), config)
    path = written(tmp_path, MANY[:5], encryption_properties=given)
    found = [f for f in ft.check(path).findings if f.code.startswith("IO")]
    assert [f.code for f in found] == ["IO120"]
    assert "encrypted" in found[0].message


def test_a_row_that_is_too_large_is_a_fault_of_that_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_RECORD_BYTES", 1 << 20)
    data = [MANY[0], {"prompt": "x" * (2 << 20), "completion": "y"}, MANY[1]]
    rows = rows_of(opened(written(tmp_path, data)))
    assert [(row.line, row.record) for row in rows] == [(1, MANY[0]), (2, None), (3, MANY[1])]
    assert [fault.code for fault in rows[1].faults] == ["IO114"]


def test_nulls_in_a_list_weigh_something() -> None:
    batch = pa.record_batch({"a": pa.array([[None] * 1_000_000, []], pa.list_(pa.null()))})
    (first, heavy), (second, light) = pieces(batch, 1000)
    assert (first.num_rows, second.num_rows) == (1, 1)
    assert heavy >= 8_000_000 > 100 > light
    maps = pa.record_batch({"a": pa.array([[("k", "v")] * 1000], pa.map_(pa.string(), pa.string()))})
    assert next(pieces(maps, 1))[1] > 16_000


def test_a_page_that_unpacks_to_gigabytes_does_not_take_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("resource")
    monkeypatch.setattr(parquet, "MEMORY", 640 << 20)
    bomb = pa.table({"prompt": ["p"], "completion": pa.array([b"a" * (400 << 20)], pa.large_binary())})
    path = written(tmp_path, bomb, compression="zstd", use_dictionary=False, write_statistics=False)
    assert path.stat().st_size < 1 << 20
    del bomb
    (chunk,) = chunks_of(opened(path))
    assert isinstance(chunk.payload, Fault)
    assert chunk.payload.code == "IO114"


def test_equal_texts_are_read_in_smaller_pieces_where_memory_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The footer counts one copy of a text that a thousand rows share."""
    pytest.importorskip("resource")
    monkeypatch.setattr(parquet, "MEMORY", 768 << 20)
    text = pa.array(["y" * (1 << 20)])
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 700, pa.int32()), text)
    path = tmp_path / "a.parquet"
    table = pa.table({"n": pa.array(range(700)), "text": shared})
    pq.write_table(table, path, dictionary_pagesize_limit=4 << 20, store_schema=False)
    rows = [(row.line, row.record["n"]) for row in rows_of(opened(path))]
    assert rows == [(n + 1, n) for n in range(700)]


def test_a_file_that_unpacks_to_a_thousand_times_its_size_is_not_read_to_its_end(tmp_path: Path) -> None:
    text = pa.array(["y" * (1 << 20)])
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 4000, pa.int32()), text)
    path = written(tmp_path, pa.table({"text": shared}), dictionary_pagesize_limit=4 << 20)
    assert path.stat().st_size * MAX_RATIO < 1 << 30
    rows, last = 0, None
    table = opened(path)
    for chunk in reader_of(table).chunks(table):  # not decoded: a GiB of text
        last = chunk.payload
        rows += isinstance(last, bytes)
    assert 1000 < rows < 1100
    assert isinstance(last, Fault)
    assert last.code == "IO114"


def test_rows_that_nothing_was_written_for_are_not_counted_for_hours(tmp_path: Path) -> None:
    nulls = pa.table({"prompt": pa.nulls(11_000_000, pa.string())})
    fault = fault_of(written(tmp_path, nulls, row_group_size=11_000_000))
    assert fault.code == "IO114"
    assert "11,000,000 rows" in fault.message


CHILD = "import sys, time\nmode = sys.argv[3]\n"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("time.sleep(60)", "cannot be read within"),
        ("raise SystemExit(3)", "status 3"),
        ("import os; os.abort()", "signal 6"),
        ("print('{\"rows\": 1')", "status 0"),
    ],
)
def test_a_child_that_fails(script: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = tmp_path / "child.py"
    child.write_text(CHILD + script)
    path = written(tmp_path, MANY[:3])
    monkeypatch.setattr(parquet, "_CHILD", child)
    monkeypatch.setattr(parquet, "SECONDS", 0.5)
    fault = fault_of(path)
    assert fault.code == "IO114"
    assert says in fault.message


def test_a_child_that_dies_on_the_way_leaves_a_fault_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = opened(written(tmp_path, MANY[:3]))
    sink = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_pylist(MANY[:2])
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    data = sink.getvalue().to_pybytes()
    (tmp_path / "frame").write_bytes(parquet._FRAME.pack(b"B", 2, len(data)) + data + b"half a frame")
    child = tmp_path / "child.py"
    child.write_text(f"import sys; sys.stdout.buffer.write(open({str(tmp_path / 'frame')!r}, 'rb').read())")
    monkeypatch.setattr(parquet, "_CHILD", child)
    first, last = chunks_of(table)
    assert [row.record for row in reader_of(table).decode(table, first)] == MANY[:2]
    assert isinstance(last.payload, Fault)
    assert (last.payload.code, last.first_line) == ("IO114", 3)
    assert list(reader_of(table).decode(table, last)) == []


def test_the_child_is_stopped_where_only_the_first_rows_are_wanted(tmp_path: Path) -> None:
    table = opened(written(tmp_path, MANY, row_group_size=10))
    chunks = reader_of(table).chunks(table)
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]


def test_without_pyarrow_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, MANY[:3])
    monkeypatch.setattr(parquet, "folder_of", lambda _: "")
    with pytest.raises(MissingExtra, match="reading Parquet") as caught:
        opened(path)
    assert caught.value.hint == "pip install 'ftprep[parquet]'"


def test_what_the_child_says_of_a_file(tmp_path: Path) -> None:
    path = written(tmp_path, MANY[:3])
    assert look(pq.ParquetFile(path)) == {"rows": 3, "names": ["prompt", "completion"], "doubled": [], "depth": 1}
    assert why(MemoryError(), 1 << 20)[0] == "IO114"
    assert why(NotImplementedError("LZO"), 0) == (
        "IO120",
        "the Parquet file uses what pyarrow does not read ({})",
        "LZO",
    )
    kind = pa.dictionary(pa.int8(), pa.string())
    nested = pa.schema([("d", kind), ("l", pa.list_(kind)), ("s", pa.struct([("x", pa.large_list(kind))]))])
    plain = plain_schema(nested)
    assert plain.types == [pa.string(), pa.list_(pa.string()), pa.struct([("x", pa.large_list(pa.string()))])]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the bad inputs are not here")
@pytest.mark.slow
def test_no_bad_file_brings_anything_down() -> None:
    bad = sorted((SHARED / "badinputs" / "parquet").glob("*.parquet"))
    for path in [*bad, *sorted((SHARED / "badinputs").glob("*.parquet"))]:
        report = ft.check(path)
        rows = report.inputs[0].rows
        assert rows.read or not report.ok, path
        assert all("\n" not in f.message for f in report.findings)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the data is not here")
def test_a_real_file_reads_as_pyarrow_reads_it() -> None:
    path = SHARED / "data" / "qa_gsm8k_socratic.parquet"
    assert json.dumps(read(path)) == json.dumps(pq.read_table(path).to_pylist())
