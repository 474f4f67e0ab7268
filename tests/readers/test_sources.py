"""Sources: opened with care, unpacked, as UTF-8, in blocks and lines that do not depend on where they are cut."""

from __future__ import annotations

import gzip
import os
import random
import socket
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.errors import ReadError
from ftprep.model import Fault
from ftprep.readers import base, sources
from ftprep.readers.base import Table
from ftprep.readers.sources import line_chunks, open_source, read_all, read_range, stamp


def table_of(path: Path, compression: str = "", encoding: str = "utf-8") -> Table:
    return Table("t", "jsonl", str(path), compression, encoding)


def written(folder: Path, data: bytes, name: str = "t") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_missing_file_is_named_with_the_nearest_names(tmp_path: Path) -> None:
    written(tmp_path, b"", "train.jsonl")
    with pytest.raises(ReadError, match="no such file") as caught:
        open_source(tmp_path / "trian.jsonl")
    assert caught.value.hint == f"did you mean {tmp_path / 'train.jsonl'}?"
    with pytest.raises(ReadError) as caught:
        open_source(tmp_path / "nowhere" / "a.jsonl")
    assert "there is no folder" in caught.value.hint
    with pytest.raises(ReadError, match="no such file"):
        open_source(tmp_path / "train.jsonl" / "a")


@pytest.mark.parametrize("kind", ["folder", "pipe", "socket", "device"])
def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    server = socket.socket(socket.AF_UNIX)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        server.bind(str(path))
    else:
        path = Path("/dev/zero")
    with pytest.raises(ReadError, match=f"is a {kind}, not a file"):
        open_source(path)
    server.close()


def test_a_name_that_cannot_be_and_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReadError, match="not a possible file name"):
        open_source("a\0b")
    with pytest.raises(ReadError, match="cannot open"):
        open_source("a" * 5000)

    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(ReadError, match="not allowed to read") as caught:
        open_source(written(tmp_path, b"x"))
    assert "\n" not in caught.value.message


@given(
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "gb18030"]),
    st.booleans(),
    st.integers(1, 9),
)
def test_any_text_comes_out_as_utf8_without_its_mark(text: str, codec: str, marked: bool, size: int) -> None:
    text = text.removeprefix("\ufeff")
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "CHUNK_BYTES", size)
        path = written(Path(folder), (("\ufeff" if marked else "") + text).encode(codec))
        assert read_all(table_of(path, encoding=codec)).decode() == text


def test_bytes_outside_of_the_encoding_spoil_their_line_only(tmp_path: Path) -> None:
    data = "一\n".encode("gb18030") + b"\x81\n" + "二\n".encode("gb18030")
    lines = read_all(table_of(written(tmp_path, data), encoding="gb18030")).split(b"\n")
    assert lines[0].decode() == "一"
    assert lines[2].decode() == "二"
    with pytest.raises(UnicodeDecodeError):
        lines[1].decode()


@given(
    st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"")), max_size=8),
    st.booleans(),
    st.integers(1, 64),
    st.integers(1, 20),
)
def test_chunks_are_whole_lines_and_add_up(lines: list[bytes], ended: bool, size: int, bound: int) -> None:
    data = b"\n".join(lines) + (b"\n" if ended else b"")
    expected = [line[: bound + 1] for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "CHUNK_BYTES", size)
        patch.setattr(base, "MAX_RECORD_BYTES", bound)
        chunks = list(line_chunks(table_of(written(Path(folder), data))))
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk.payload.endswith(b"\n") for chunk in chunks[:-1])
    line = 1
    for chunk in chunks:
        assert chunk.first_line == line
        line += chunk.payload.count(b"\n")
    got = b"".join(chunk.payload for chunk in chunks).split(b"\n")
    assert [part[: bound + 1] for part in got] == expected


def test_a_line_of_any_length_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_RECORD_BYTES", 1000)
    monkeypatch.setattr(base, "CHUNK_BYTES", 100)
    path = written(tmp_path, b"a\n" + b"x" * 100_000 + b"\nb\n" + b"y" * 100_000)
    chunks = list(line_chunks(table_of(path)))
    assert max(len(chunk.payload) for chunk in chunks) < 1300
    assert b"".join(chunk.payload for chunk in chunks) == b"a\n" + b"x" * 1001 + b"\nb\n" + b"y" * 1001


def test_trouble_in_the_bytes_is_a_chunk_after_what_could_be_read(tmp_path: Path) -> None:
    noise = b"\n".join(random.Random(3).randbytes(30).hex().encode() for _ in range(2000))
    path = written(tmp_path, gzip.compress(noise, mtime=0)[:-100])
    *good, last = line_chunks(table_of(path, "gzip"))
    assert isinstance(last.payload, Fault)
    assert last.payload.code == "IO116"
    assert last.first_line == 1 + sum(chunk.payload.count(b"\n") for chunk in good)
    assert noise.startswith(b"".join(chunk.payload for chunk in good))


def test_a_document_beyond_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_DOCUMENT_BYTES", 1 << 21)
    path = written(tmp_path, b"")
    os.truncate(path, 1 << 22)
    with pytest.raises(ReadError, match="one document") as caught:
        read_all(table_of(path))
    assert "JSONL" in caught.value.hint


def test_an_error_of_the_system_while_reading_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def __enter__(self) -> Failing:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def read(self, _: int) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sources, "open_source", lambda *_: Failing())
    with pytest.raises(ReadError, match="cannot read t: Input/output error"):
        read_all(table_of(tmp_path / "t"))


@given(st.binary(min_size=1, max_size=300), st.data())
def test_a_range_is_the_bytes_that_stand_there(data: bytes, drawn: st.DataObject) -> None:
    start = drawn.draw(st.integers(0, len(data)))
    stop = drawn.draw(st.integers(start, len(data)))
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), data)
        assert read_range(path, start, stop) == data[start:stop]
        with pytest.raises(ReadError, match="ends before byte"):
            read_range(path, start, len(data) + 1)


def test_another_stamp_means_another_file(tmp_path: Path) -> None:
    path = written(tmp_path, b"one")
    first = stamp(path)
    assert first == stamp(path)
    path.write_bytes(b"three")
    assert stamp(path) != first
    path.unlink()
    assert stamp(path) == "gone"
