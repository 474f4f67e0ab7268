"""Plain text: a record for every line that is not blank."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.model import Row
from ftprep.readers import base
from ftprep.readers.base import Options, Table
from ftprep.readers.text import TextReader

READER = TextReader()


def table_of(data: bytes, folder: Path) -> Table:
    path = folder / "t.txt"
    path.write_bytes(data)
    (table,) = READER.tables("t.txt", str(path), data, Options())
    return table


def rows_of(table: Table) -> list[Row]:
    return [row for chunk in READER.chunks(table) for row in READER.decode(table, chunk)]


@pytest.mark.parametrize(
    ("data", "lines", "codes"),
    [
        (b"one\ntwo\n", {1: "one", 2: "two"}, {}),
        (b"one\r\n two ", {1: "one", 2: " two "}, {}),
        (b'{"a":1}\n"x"\n', {1: '{"a":1}', 2: '"x"'}, {}),
        (b"one\n\n \t\nfour\n", {1: "one", 4: "four"}, {2: "IO108", 3: "IO108"}),
        ("a\u2028b\x0bc\x85\n".encode(), {1: "a\u2028b\x0bc\x85"}, {}),
        (b"one\ncaf\xe9\n", {1: "one"}, {2: "IO101"}),
        (b"one\n" + b"x" * 101 + b"\ntwo", {1: "one", 3: "two"}, {2: "IO114"}),
    ],
)
def test_lines_are_records(
    data: bytes, lines: dict[int, str], codes: dict[int, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_RECORD_BYTES", 100)
    rows = rows_of(table_of(data, tmp_path))
    assert {row.line: row.record["text"] for row in rows if row.record} == lines
    assert {row.line: fault.code for row in rows for fault in row.faults} == codes
    assert [row.line for row in rows] == list(range(1, len(rows) + 1))
    assert {row.line for row in rows if row.skipped} == {line for line, code in codes.items() if code == "IO108"}
    assert all(row.raw is None for row in rows)


def test_the_table_tells_its_column_its_line_ends_and_its_encoding(tmp_path: Path) -> None:
    table = table_of(b"\xef\xbb\xbfone\r\ntwo\r\n", tmp_path)
    assert (table.format, table.header) == ("text", ("text",))
    assert [fault.code for _, fault in table.faults] == ["IO102", "IO109"]
    assert table_of("请把下面的句子翻译成英文\n".encode("gb18030"), tmp_path).broken


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=1)), st.integers(1, 64))
def test_any_line_comes_back_as_it_stands_however_it_is_cut(lines: list[str], size: int) -> None:
    lines = ["-" + line for line in lines]
    data = "".join(line + "\n" for line in lines).encode()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "CHUNK_BYTES", size)
        rows = rows_of(table_of(data, Path(folder)))
    assert [(row.line, row.record) for row in rows] == [(n, {"text": line}) for n, line in enumerate(lines, 1)]
