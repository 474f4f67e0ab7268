"""JSON Lines: every line is a row, at its physical line, however the file is cut."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.model import Fault, Row
from ftprep.readers import base
from ftprep.readers.base import Options, Table
from ftprep.readers.jsonl import JsonlReader
from ftprep.readers.sources import HEAD_BYTES

READER = JsonlReader()


def table_of(data: bytes, folder: Path, **options: Any) -> Table:
    path = folder / "t.jsonl"
    path.write_bytes(data)
    (table,) = READER.tables("t.jsonl", str(path), data[:HEAD_BYTES], Options(**options))
    return table


def rows_of(table: Table) -> list[Row]:
    return [row for chunk in READER.chunks(table) for row in READER.decode(table, chunk)]


def told(rows: list[Row]) -> list[tuple[Any, ...]]:
    """All that a row says, but not its place in its chunk."""
    return [(row.line, row.record, row.raw, row.skipped, row.faults) for row in rows]


def codes(rows: list[Row]) -> dict[int, list[str]]:
    return {row.line: [fault.code for fault in row.faults] for row in rows if row.faults}


LINES = [
    # bytes, records, codes by line
    (b'{"a":1}\n{"a":2}\n', [{"a": 1}, {"a": 2}], {}),
    (b'{"a":1}\n{"a":2}', [{"a": 1}, {"a": 2}], {}),
    (b'{"a":1}\r\n{"a":2}\r\n', [{"a": 1}, {"a": 2}], {}),
    ('{"a":"x\u2028y\u2029z\x85"}\n{"a":2}\n'.encode(), [{"a": "x\u2028y\u2029z\x85"}, {"a": 2}], {}),
    (b'\n{"a":1}\n \t\n\r\n{"a":2}\n\n', [None, {"a": 1}, None, None, {"a": 2}, None],
     {1: ["IO108"], 3: ["IO108"], 4: ["IO108"], 6: ["IO108"]}),
    (b'{"a":1}\n[1]\n"x"\n3\nnull\ntrue\n', [{"a": 1}, *[None] * 5],
     {2: ["IO119"], 3: ["IO119"], 4: ["IO119"], 5: ["IO119"], 6: ["IO119"]}),
    (b'{"a":1}{"a":2}\n{"a":3}\n', [None, {"a": 3}], {1: ["IO120"]}),
    (b'{"a":1}\r{"a":2}\r', [None], {1: ["IO120"]}),
    (b'{"a":1}\n{"a":"x', [{"a": 1}, None], {2: ["IO116"]}),
    (b'{"a":1}\n{"a":"x\n', [{"a": 1}, None], {2: ["IO104"]}),
    (b'{"a":1}\n' + b"\0" * 4096, [{"a": 1}, None], {2: ["IO104"]}),
    (b'{"a":1}\n\xef\xbb\xbf{"a":2}\n', [{"a": 1}, {"a": 2}], {2: ["IO102"]}),
    (b'{"a":1}\n{"a":"caf\xe9"}\n', [{"a": 1}, None], {2: ["IO101"]}),
    (b'{"a":1,"a":2}\n{"a":NaN}\n{"a":"\\ud800"}\n', [None] * 3, {1: ["IO105"], 2: ["IO106"], 3: ["IO107"]}),
]  # fmt: skip


@pytest.mark.parametrize(("data", "records", "faults"), LINES)
def test_every_line_is_a_row(data: bytes, records: list[Any], faults: dict[int, list[str]], tmp_path: Path) -> None:
    rows = rows_of(table_of(data, tmp_path))
    assert [row.line for row in rows] == list(range(1, len(records) + 1))
    assert [row.record for row in rows] == records
    assert codes(rows) == faults
    assert [row.skipped for row in rows] == [faults.get(row.line) == ["IO108"] for row in rows]


def test_raw_is_the_line_as_it_stands(tmp_path: Path) -> None:
    rows = rows_of(table_of(b'{ "a" : 1.10 }\r\n{"a":2}\nx\n', tmp_path))
    assert [row.raw for row in rows] == [b'{ "a" : 1.10 }', b'{"a":2}', None]
    data = '{"a":"ä"}\n'
    (row,) = rows_of(table_of(data.encode("utf-16"), tmp_path))
    assert (row.record, row.raw) == ({"a": "ä"}, None)


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    table = table_of(b'\xef\xbb\xbf{"a":1}\n', tmp_path)
    assert [(line, fault.code) for line, fault in table.faults] == [(1, "IO102")]
    assert told(rows_of(table)) == [(1, {"a": 1}, b'{"a":1}', False, [])]


def test_carriage_returns_are_told_once(tmp_path: Path) -> None:
    table = table_of(b'{"a":1}\n{"a":2}\r\n{"a":3}\r\n', tmp_path)
    assert [(line, fault.code, fault.fixable) for line, fault in table.faults] == [(2, "IO109", True)]


def test_records_over_several_lines_are_told_once_and_rejected(tmp_path: Path) -> None:
    table = table_of(b'\n{\n "a": 1\n}\n', tmp_path)
    ((line, fault),) = table.faults
    assert (line, fault.code, fault.fixable) == (2, "IO120", False)
    assert "spread over several lines" in fault.message
    assert all(row.record is None for row in rows_of(table))


def test_another_encoding_is_a_broken_table_and_can_be_declared(tmp_path: Path) -> None:
    data = '{"a":"请把下面的句子翻译成英文"}\n'.encode("gb18030") * 3
    assert table_of(data, tmp_path).broken
    table = table_of(data, tmp_path, encoding="gb18030")
    assert [row.record for row in rows_of(table)] == [{"a": "请把下面的句子翻译成英文"}] * 3


def test_a_line_outside_of_the_declared_encoding_is_a_fault_of_that_line(tmp_path: Path) -> None:
    good = '{"a":"一"}\n'.encode("gb18030")
    table = table_of(good * 5 + b'{"a":"\x81"}\n' + good, tmp_path, encoding="gb18030")
    rows = rows_of(table)
    assert codes(rows) == {6: ["IO101"]}
    assert rows[5].faults[0].message == "bytes that are not gb18030 at column 7"


def test_places_in_a_message_are_characters(tmp_path: Path) -> None:
    (row,) = rows_of(table_of('{"ä":"请",}\n'.encode(), tmp_path))
    assert row.faults[0].column == 9
    assert "(at column 9)" in row.faults[0].message


def test_a_record_beyond_the_bound_is_a_fault_wherever_it_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_RECORD_BYTES", 50)
    exact = b'{"a":"' + b"x" * 42 + b'"}'
    table = table_of(exact + b"\n" + exact[:-2] + b'x"}\n' + b"z" * 5000 + b"\n{}\n" + b"z" * 99, tmp_path)
    for size in (1, 7, 64, 1 << 20):
        monkeypatch.setattr(base, "CHUNK_BYTES", size)
        rows = rows_of(table)
        assert codes(rows) == {2: ["IO114"], 3: ["IO114"], 5: ["IO114"]}
        assert [row.record is not None for row in rows] == [True, False, False, True, False]


def test_a_cut_gzip_is_a_fault_after_the_rows_that_are_whole(tmp_path: Path) -> None:
    lines = b"".join(b'{"n":%d,"x":"%s"}\n' % (n, hex(n**40).encode()) for n in range(3000))
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(gzip.compress(lines, mtime=0)[:-5000])
    table = Table("t", "jsonl", str(path), "gzip")
    *good, last = READER.chunks(table)
    rows = [row for chunk in good for row in READER.decode(table, chunk)]
    assert isinstance(last.payload, Fault)
    assert last.payload.code == "IO116"
    assert not list(READER.decode(table, last))
    assert [row.record["n"] for row in rows[:-1]] == list(range(len(rows) - 1))
    assert rows[-1].record is None or rows[-1].record["n"] == len(rows) - 1


PIECES = st.sampled_from([b'{"a":1}', b'{"b":"\xc3\xa4"}', b"", b" ", b"\r", b"x", b'{"a":"', b"\xff", b"\n", b"\r\n"])


@given(st.lists(PIECES, max_size=20).map(b"".join), st.integers(1, 64))
def test_cutting_changes_nothing(data: bytes, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        table = table_of(data, Path(folder))
        if table.broken:
            return
        whole = told(rows_of(table))
        patch.setattr(base, "CHUNK_BYTES", size)
        assert told(rows_of(table)) == whole
    body = data.removeprefix(b"\xef\xbb\xbf")
    assert len(whole) == len(body.split(b"\n")) - (body.endswith(b"\n") or not body)


@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=6), st.booleans(), st.integers(1, 64))
def test_any_text_comes_back_as_it_was_written(texts: list[str], ascii_only: bool, size: int) -> None:
    data = b"".join(json.dumps({"text": text}, ensure_ascii=ascii_only).encode() + b"\n" for text in texts)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "CHUNK_BYTES", size)
        rows = rows_of(table_of(data, Path(folder)))
    assert [row.record for row in rows] == [{"text": text} for text in texts]
    assert b"".join((row.raw or b"?") + b"\n" for row in rows) == data
    assert not codes(rows)


READS_A_LONG_LINE = """
import resource, sys
from ftprep.readers.base import Table
from ftprep.readers.jsonl import JsonlReader
table, reader = Table("t", "jsonl", sys.argv[1]), JsonlReader()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = [row for chunk in reader.chunks(table) for row in reader.decode(table, chunk)]
print([(row.line, row.record, [f.code for f in row.faults]) for row in rows])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="sparse files and memory in KiB are of Linux")
def test_a_line_of_a_gibibyte_costs_less_than_100_mb(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with path.open("wb") as file:
        file.write(b'{"a":1}\n')
        file.truncate(1 << 30)
        file.seek(0, 2)
        file.write(b'\n{"a":2}\n')
    done = subprocess.run([sys.executable, "-c", READS_A_LONG_LINE, path], capture_output=True, check=True, text=True)
    rows, kib = done.stdout.splitlines()
    assert rows == "[(1, {'a': 1}, []), (2, None, ['IO114']), (3, {'a': 2}, [])]"
    assert int(kib) < 100_000
