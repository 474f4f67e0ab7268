"""Writing Parquet: what comes back is what went in, one type a column from the first row on, all or nothing."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_sets import as_records, jsonl, lines_of, sound

import ftprep as ft
from ftprep import parquet_writer
from ftprep.cli.commands import cli
from ftprep.errors import MissingExtra, WriteError
from ftprep.parquet_writer import ParquetSet

ASK, REPLY = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
RESULT = {"role": "tool", "content": "1", "tool_call_id": "1"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"x": {}}}}}
PARTS = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]


def put(folder: Path, records: list[dict[str, Any]], pieces: int = 1 << 20) -> Path:
    """The records as Parquet, handed over in pieces that are cut anywhere."""
    path, data = folder / "out.parquet", jsonl(records)
    with ParquetSet(force=True) as outputs:
        file = outputs.open(path)
        for begin in range(0, len(data), pieces):
            piece = data[begin : begin + pieces]
            file.write_lines(piece, piece.count(b"\n"))
        (summary,) = outputs.commit()["outputs"]
    assert (summary["rows"], summary["bytes"]) == (len(records), path.stat().st_size)
    return path


def got(path: Path) -> list[dict[str, Any]]:
    """The records that the reader finds in a file."""
    from ftprep.readers import open_tables, reader_of

    (table,) = open_tables([path])
    reader = reader_of(table)
    rows = [row for chunk in reader.chunks(table) for row in reader.decode(table, chunk)]
    assert not [row.faults for row in rows if row.faults]
    return [row.record for row in rows]


TALKS: list[dict[str, Any]] = [
    {"messages": [ASK, REPLY]},
    {"messages": [{"role": "user", "content": "é\u2028", "name": "ann"}, {**REPLY, "weight": 0}, ASK, REPLY]},
    {
        "messages": [ASK, {"role": "assistant", "tool_calls": [CALL, {**CALL, "id": "2"}]}, RESULT, REPLY],
        "tools": [TOOL],
        "parallel_tool_calls": False,
    },
    {"messages": [ASK, {"role": "assistant", "function_call": CALL["function"]}], "functions": [TOOL["function"]]},
    {"messages": [ASK, {"role": "assistant", "content": "x", "refusal": "no"}], "id": 7, "score": 0.1, "tags": ["a"]},
    {"messages": [ASK, REPLY], "id": 8, "source": {"a": {}, "b": [1, "x", None]}, "tags": [], "mixed": 1},
    {"messages": [ASK, REPLY], "mixed": "1", "half": 1},
    {"messages": [ASK, REPLY], "mixed": [1], "half": 1.5, "large": 2**70, "ragged": [1, "x"]},
]  # fmt: skip


@pytest.mark.parametrize("pieces", [1, 50, 1 << 20])
def test_conversations_come_back(tmp_path: Path, pieces: int) -> None:
    path = put(tmp_path, TALKS, pieces)
    assert got(path) == TALKS
    schema = pq.read_schema(path)
    assert [str(schema.field(name).type) for name in ("id", "score", "parallel_tool_calls")] == [
        "int64",
        "double",
        "bool",
    ]
    assert str(schema.field("tags").type) == "list<element: string>"
    assert {n for n in schema.names if "arrow.json" in str(schema.field(n).type)} == {
        "tools", "functions", "source", "mixed", "half", "large", "ragged"
    }  # fmt: skip
    message = schema.field("messages").type.value_type
    assert [field.name for field in message][:2] == ["role", "content"]


def test_only_the_fields_that_some_message_has_become_columns(tmp_path: Path) -> None:
    schema = pq.read_schema(put(tmp_path, [{"messages": [ASK, {**REPLY, "name": None}]}]))
    assert schema.names == ["messages"]
    assert {f.name for f in schema.field("messages").type.value_type} == {"role", "content", "name"}


def test_parts_come_back(tmp_path: Path) -> None:
    talks = [{"messages": [{"role": "user", "content": PARTS}, {"role": "assistant", "content": PARTS[:1]}]}]
    assert got(put(tmp_path, talks)) == talks


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([{"messages": [ASK, {**REPLY, "content": PARTS}]}], "content of a message is text in some messages"),
        ([{"messages": [{**ASK, "extra": 1}]}, {"messages": [{**ASK, "extra": "x"}]}], "extra of a message has values"),
        ([{"messages": [{**ASK, "extra": {"a": 1}}]}], "extra of a message has values"),
        ([{"messages": [ASK, REPLY]}, {"prompt": "a", "completion": "b"}], "conversations and prompt/completion"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    tmp_path: Path, records: list[dict[str, Any]], told: str
) -> None:
    with pytest.raises(WriteError, match=told) as caught:
        put(tmp_path, records)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


TEXT = st.text(max_size=20)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUE = st.recursive(SCALAR, lambda v: st.lists(v, max_size=3) | st.dictionaries(TEXT, v, max_size=3), max_leaves=6)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(TEXT, TEXT, st.dictionaries(st.sampled_from(["a", "b", "é"]), VALUE)), min_size=1, max_size=8),
    st.integers(1, 400),
)
def test_any_record_comes_back_but_for_null(rows: list[tuple[str, str, dict[str, Any]]], pieces: int) -> None:
    """Null and missing are one in a column, at the top; inside values nothing changes."""
    records = [{"prompt": p, "completion": c, **others} for p, c, others in rows]
    with tempfile.TemporaryDirectory() as folder:
        back = got(put(Path(folder), records, pieces))
    want = [{key: value for key, value in record.items() if value is not None} for record in records]
    assert json.dumps(back, sort_keys=True) == json.dumps(want, sort_keys=True)


def test_rows_are_written_by_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_writer, "GROUP_BYTES", 3000)
    monkeypatch.setattr(parquet_writer, "_BLOCK", 1000)
    records = as_records(sound(300))
    path = put(tmp_path, records)
    about = pq.read_metadata(path)
    assert about.num_row_groups > 3
    assert max(about.row_group(n).num_rows for n in range(about.num_row_groups)) < 120
    assert got(path) == records


def test_convert_writes_parquet_as_it_is_and_back(tmp_path: Path) -> None:
    source = tmp_path / "set.jsonl"
    source.write_bytes(jsonl(TALKS))
    made = ft.convert(source, None, tmp_path / "out.parquet")
    assert made.train == tmp_path / "out.parquet"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.manifest.json", "out.parquet", "set.jsonl"]
    (output,) = json.loads((tmp_path / "out.manifest.json").read_text())["outputs"]
    assert (output["path"], output["rows"]) == ("out.parquet", len(TALKS))
    assert list(made.frame()["messages"]) == [talk["messages"] for talk in TALKS]
    back = ft.convert(made.train, None, tmp_path / "back.jsonl")
    assert [json.loads(line) for line in lines_of(back.train)] == TALKS


def test_the_same_set_gives_the_same_bytes(tmp_path: Path) -> None:
    source = tmp_path / "set.jsonl"
    source.write_bytes(jsonl(as_records(sound(50))))
    files = [tmp_path / f"{workers}.parquet" for workers in (1, 2)]
    for workers, file in zip((1, 2), files, strict=True):
        ft.convert(source, "chat", file, workers=workers)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert ft.check(files[0]).dataset.shape == "chat"


def test_the_command_line_needs_no_shape(tmp_path: Path) -> None:
    source = tmp_path / "set.csv"
    source.write_text("prompt,completion\n007 ->, NA END\nPeru ->, Lima END\n")
    result = CliRunner().invoke(cli, ["convert", str(source), "-o", str(tmp_path / "out.parquet")])
    assert result.exit_code == 0, result.output
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == [
        {"prompt": "007 ->", "completion": " NA END"},
        {"prompt": "Peru ->", "completion": " Lima END"},
    ]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = parquet_writer.ParquetFile.write_bytes
    wrote = 0

    def fails(self: Any, data: bytes) -> None:
        nonlocal wrote
        wrote += 1
        if wrote > 2:
            raise WriteError("cannot write: no space left on device")
        real(self, data)

    monkeypatch.setattr(parquet_writer.ParquetFile, "write_bytes", fails)
    with pytest.raises(WriteError, match="no space left"):
        put(tmp_path, as_records(sound(20)))
    assert wrote >= 3
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match="writing Parquet"):
        ft.convert(as_records(sound(3)), None, tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == []
