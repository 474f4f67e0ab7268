"""JSON documents: every record at its physical line, a broken one alone, and nothing lost in silence."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.errors import ReadError
from ftprep.model import Fault
from ftprep.readers import base, sources
from ftprep.readers.base import Options, Table
from ftprep.readers.json_bounds import end_of
from ftprep.readers.json_document import JsonReader

READER = JsonReader()


def table_of(data: bytes | str, folder: Path, **options: Any) -> Table:
    path = folder / "t.json"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    (table,) = READER.tables("t.json", str(path), path.read_bytes()[: sources.HEAD_BYTES], Options(**options))
    return table


def read(table: Table) -> list[tuple[int, Any, list[str]]]:
    """Line, record and codes of every row, and of every fault of the source with the record "!"."""
    told: list[tuple[int, Any, list[str]]] = []
    for chunk in READER.chunks(table):
        if isinstance(chunk.payload, Fault):
            told.append((chunk.first_line, "!", [chunk.payload.code]))
        told += [(row.line, row.record, [f.code for f in row.faults]) for row in READER.decode(table, chunk)]
    return told


TURNS = '"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]'

DOCUMENTS = [
    # text, records by line
    ('[{"a": 1}, {"a": 2}]', [(1, {"a": 1}), (1, {"a": 2})]),
    ('\n [\n{"a": 1},\n\n{"a":\n2}\n]\n', [(3, {"a": 1}), (5, {"a": 2})]),
    ('[{"a": "x\\"]}[{", "b": [[{"c": "}"}], {}]}, {}]', [(1, {"a": 'x"]}[{', "b": [[{"c": "}"}], {}]}), (1, {})]),
    ('{"data": [\n{"a": 1},\n{"a": 2}], "version": "1"}', [(2, {"a": 1}), (3, {"a": 2})]),
    ('{"meta": {"n": 2}, "rows": [{"a": 1}]}', [(1, {"a": 1})]),
    ('{"a": 1, "b": [{"c": 2}], "text": "x"}', [(1, {"a": 1, "b": [{"c": 2}], "text": "x"})]),
    ("{\n" + TURNS + "\n}", [(1, json.loads("{" + TURNS + "}"))]),
    ('{"chat": [{"from": "human", "value": "a"}]}', [(1, {"chat": [{"from": "human", "value": "a"}]})]),
    ('{"text": [\n"a",\n"b"], "label": [0, 1.5]}', [(2, {"text": "a", "label": 0}), (3, {"text": "b", "label": 1.5})]),
    (
        '{"text": {"0": "a",\n"1": null}, "label": {"0": "x", "1": "y"}}',
        [(1, {"text": "a", "label": "x"}), (2, {"text": None, "label": "y"})],
    ),
    ('{\n  "a": 1\n}\n{\n  "a": 2\n}\n', [(1, {"a": 1}), (4, {"a": 2})]),
    ('{"a": 1}{"a": 2}', [(1, {"a": 1}), (1, {"a": 2})]),
    ("{}", [(1, {})]),
]


@pytest.mark.parametrize(("text", "records"), DOCUMENTS)
def test_records_stand_at_their_lines(text: str, records: list[tuple[int, Any]], tmp_path: Path) -> None:
    table = table_of(text, tmp_path)
    assert (table.faults, table.broken) == ((), False)
    assert read(table) == [(line, record, []) for line, record in records]


def test_the_key_of_the_records_is_told(tmp_path: Path) -> None:
    assert table_of('{"version": 1, "data": [{"a": 1}]}', tmp_path).under == "data"
    assert table_of('[{"a": 1}]', tmp_path).under == ""


def test_columns_whose_cells_are_lists(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "a"}]
    text = json.dumps({"messages": [turns, turns], "id": [1, 2]})
    assert [record for _, record, _ in read(table_of(text, tmp_path))] == [
        {"messages": turns, "id": 1},
        {"messages": turns, "id": 2},
    ]


FAULTY = [
    # text, everything that is read: line, record ("!" for a fault of the source), codes
    ('[{"a": 1},]', [(1, {"a": 1}, []), (1, "!", ["IO104"])]),
    ('[{"a": 1},,{"a": 2}]', [(1, {"a": 1}, []), (1, "!", ["IO104"]), (1, {"a": 2}, [])]),
    ('[{"a": 1}\n{"a": 2}]', [(1, {"a": 1}, []), (2, "!", ["IO104"]), (2, {"a": 2}, [])]),
    ('[{"a": 1}]\nx', [(1, {"a": 1}, []), (2, "!", ["IO104"])]),
    ('[\n{"a": 1},\n{"a": 2', [(2, {"a": 1}, []), (3, None, ["IO116"]), (3, "!", ["IO116"])]),
    ('[\n{"a": 1},\n{"a": "2', [(2, {"a": 1}, []), (3, None, ["IO116"]), (3, "!", ["IO116"])]),
    ('[\n{"a": 1}\n', [(2, {"a": 1}, []), (3, "!", ["IO116"])]),
    ('[{"a": NaN}, {"a": 1, "a": 2}, {"a": 3}]', [(1, None, ["IO106"]), (1, None, ["IO105"]), (1, {"a": 3}, [])]),
    ('[{"a": 1,}, {\'a\': 2}, {"a": 3}]', [(1, None, ["IO104"]), (1, None, ["IO104"]), (1, {"a": 3}, [])]),
    ('[{"a": "x\ny"}, {"a": 3}]', [(1, None, ["IO104"]), (2, {"a": 3}, [])]),
    ('[1, "x", null, {"a": 3}]', [(1, None, ["IO119"])] * 3 + [(1, {"a": 3}, [])]),
    ('[{"a": 1}}, {"a": 2}]', [(1, {"a": 1}, []), (1, "!", ["IO104"]), (1, None, ["IO104"]), (1, "!", ["IO104"])]),
    ("[// no\n{}, # no\n]", [(1, "!", ["IO104"]), (2, {}, []), (2, "!", ["IO104"]), (3, "!", ["IO104"])]),
    ("[{} /* no\n*/, {}]", [(1, {}, []), (1, "!", ["IO104"]), (2, {}, [])]),
    ('{"data": [{"a": 1}, {"a": ', [(1, {"a": 1}, []), (1, None, ["IO116"]), (1, "!", ["IO116"])]),
    ('{"a": 1},\n{"a": 2}', [(1, {"a": 1}, []), (1, "!", ["IO104"]), (2, {"a": 2}, [])]),
    ('{"a": 1}\n// no\n{"a": 2}', [(1, {"a": 1}, []), (2, "!", ["IO104"]), (3, {"a": 2}, [])]),
    ('{"text": ["a", "b"], "label": [1, NaN]}', [(1, "!", ["IO106"])]),
    ('"x"', [(1, None, ["IO119"])]),
    ("hello", [(1, None, ["IO104"])]),
    ("[" * 100_000, [(1, None, ["IO114"]), (1, "!", ["IO116"])]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FAULTY)
def test_what_is_broken_is_told_and_the_rest_is_read(text: str, expected: list[Any], tmp_path: Path) -> None:
    assert read(table_of(text, tmp_path)) == expected


def test_bytes_that_are_not_utf8_are_a_fault_of_their_record(tmp_path: Path) -> None:
    table = table_of(b'[{"a": "caf\xe9"},\n{"a": "\xc3\xa9"}]', tmp_path)
    assert read(table) == [(1, None, ["IO101"]), (2, {"a": "é"}, [])]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("[]", "IO115", "the array is empty"),
        ('{"train": [{"a": 1}], "test": [{"a": 2}]}', "IO120", "several lists of records (train, test)"),
        ('{"text": ["a", "b"], "label": [1]}', "IO120", "columns that do not have the same rows (text 2, label 1)"),
        ('{"text": {"0": "a"}, "label": {"1": 1}}', "IO120", "columns that do not have the same rows"),
    ],
)
def test_documents_without_one_list_of_records_are_broken(text: str, code: str, words: str, tmp_path: Path) -> None:
    table = table_of(text, tmp_path)
    assert table.broken
    assert [fault.code for _, fault in table.faults] == [code]
    assert words in table.faults[0][1].message


def test_the_place_of_a_fault_inside_a_record(tmp_path: Path) -> None:
    table = table_of('[{"ä": 1}, {"b": 1,}, {\n"c": 1,\n}]', tmp_path)
    faults = [f for chunk in READER.chunks(table) for row in READER.decode(table, chunk) for f in row.faults]
    assert [fault.column for fault in faults] == [19, 23]
    assert "(at column 19)" in faults[0].message
    assert "(at line 2, column 7)" in faults[1].message


def test_a_record_beyond_the_bound_is_a_fault_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_RECORD_BYTES", 20)
    table = table_of('[{"a": "' + "x" * 11 + '"}, {"a": "' + "x" * 12 + '"}, {}]', tmp_path)
    assert read(table) == [(1, {"a": "x" * 11}, []), (1, None, ["IO114"]), (1, {}, [])]


def test_a_document_too_large_to_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of("[{}, {}]", tmp_path)
    monkeypatch.setattr(sources, "MAX_DOCUMENT_BYTES", 4)
    with pytest.raises(ReadError):
        read(table)


def test_other_encodings(tmp_path: Path) -> None:
    text = '[{"a": "请把下面的句子翻译成英文"}]'
    assert read(table_of(text.encode("utf-16"), tmp_path)) == [(1, json.loads(text)[0], [])]
    assert table_of(text.encode("gb18030"), tmp_path).broken
    assert read(table_of(text.encode("gb18030"), tmp_path, encoding="gb18030")) == [(1, json.loads(text)[0], [])]


@pytest.mark.parametrize(
    ("data", "at", "end"),
    [
        (b"{}", 0, 2),
        (b'{"a": [{}, "}"]} ', 0, 16),
        (b"[[]", 0, -1),
        (b'{"a', 0, -1),
        (b'"a\\"b" ', 0, 6),
        (b'"a', 0, -1),
        (b"-1.5e3,", 0, 6),
        (b" }", 1, 0),
        (b'{"a": ]', 0, 7),
    ],
)
def test_bounds_follow_brackets_and_quotes(data: bytes, at: int, end: int) -> None:
    assert end_of(data, at) == end


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
RECORDS = st.lists(
    st.dictionaries(TEXT, TEXT | st.lists(st.dictionaries(TEXT, TEXT, max_size=2), max_size=2), max_size=3), max_size=6
)


@given(RECORDS.filter(bool), st.sampled_from([None, 0, 2]), st.booleans(), st.integers(1, 64), st.integers(1, 3))
def test_any_records_come_back_however_they_are_cut(
    records: list[Any], indent: int | None, ascii_only: bool, size: int, number: int
) -> None:
    text = json.dumps(records, ensure_ascii=ascii_only, indent=indent)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        table = table_of(text, Path(folder))
        whole = read(table)
        patch.setattr(base, "CHUNK_BYTES", size)
        patch.setattr(base, "CHUNK_RECORDS", number)
        assert read(table) == whole
        chunks = list(READER.chunks(table))
    assert [record for _, record, _ in whole] == records
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))


@given(RECORDS.filter(bool), st.data())
def test_a_cut_document_keeps_its_whole_records_and_says_so(records: list[Any], data: st.DataObject) -> None:
    text = json.dumps(records).encode()
    cut = data.draw(st.integers(1, len(text) - 1))
    with tempfile.TemporaryDirectory() as folder:
        told = read(table_of(text[:cut], Path(folder)))
    whole = [record for _, record, codes in told if not codes]
    assert whole == records[: len(whole)]
    assert told[-1][1:] == ("!", ["IO116"])
