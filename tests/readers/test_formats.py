"""What a file is: by content first and name second, and said where they differ."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.errors import FtprepError, ReadError, UsageError
from ftprep.model import Fault
from ftprep.readers import READERS, open_tables, reader_of
from ftprep.readers.base import Options, Table

CSV = b"prompt,completion\na,b\nc,d\n"
JSONL = b'{"a": 1}\n{"a": 2}\n'
ARRAY = b'[{"a": 1}, {"a": 2}]'
PRETTY = b'{\n  "a": 1\n}\n{\n  "a": 2\n}\n'


def table_of(data: bytes, folder: Path, name: str, **options: Any) -> Table:
    path = folder / name
    path.write_bytes(data)
    (table,) = open_tables([path], Options(**options))
    return table


def codes(table: Table) -> list[str]:
    return [fault.code for _, fault in table.faults]


def zipped(*names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.jsonl", JSONL, "jsonl"),
        ("a.ndjson", JSONL, "jsonl"),
        ("a", JSONL, "jsonl"),
        ("a.dat", JSONL, "jsonl"),
        ("a.jsonl", b'{"a": 1}', "jsonl"),
        ("a.json", b'{"a": 1}', "json"),
        ("a", b'{"a": 1}', "jsonl"),
        ("a.json", ARRAY, "json"),
        ("a", ARRAY, "json"),
        ("a.json", PRETTY, "json"),
        ("a", PRETTY, "json"),
        ("a.json", b'{"data": [\n{"a": 1},\n{"a": 2}\n]}', "json"),
        ("a.json", b'[\n{"a": 1},\n{"a": 2}\n]', "json"),
        ("a.json", b'{"a": 1,}', "json"),
        ("a.json", b'{"data": [{"a": "' + b"x" * 300_000 + b'"}]}', "json"),
        ("a.jsonl", b"{'a': 1}\n{'a': 2}\n", "jsonl"),
        ("a.jsonl", b'{"a": 1,\n{"a": 2}\n{"a": 3}\n', "jsonl"),
        ("a.jsonl", b"{'a': 1}", "jsonl"),
        ("a.jsonl", b'# made by hand\n{"a": 1}\n', "jsonl"),
        ("a.jsonl", b'"a, b"\n"c, d"\n', "jsonl"),
        ("a.jsonl", b"[1]\n[2]\n", "jsonl"),
        ("a.jsonl", b'["a", "b"]\n{"a": 1}\n', "jsonl"),
        ("a.jsonl", b"[1]\nx\n", "jsonl"),
        ("a.json", b"[1]\nx\n", "json"),
        ("a.jsonl", b'{"a": 1}{"a": 2}\n{"a": 3}\n', "jsonl"),
        ("a.json", b'{"data": [\n{"a": 1}\n]}', "json"),
        ("a.json", b'{"a": [\n1\n]}', "json"),
        ("a.jsonl", b'{"a": "' + b"x" * 300_000 + b'"}\n{"a": 2}\n', "jsonl"),
        ("a.jsonl", b"hello\nworld\n", "jsonl"),
        ("a.json", b"12", "json"),
        ("a.csv", CSV, "delimited"),
        ("a.tsv", CSV, "delimited"),
        ("a.csv", b"one column\nx\n", "delimited"),
        ("a.csv", b'[id],"text"\n1,x\n', "delimited"),
        ("a.csv", b"{name} said,b\n1,x\n", "delimited"),
        ("a.csv", b'{"a": 1},x\n{"a": 2},y\n', "delimited"),
        ("a.csv", b'{"a,x\n{"b,y\n', "delimited"),
        ("a", CSV, "delimited"),
        ("a.data", CSV.replace(b",", b"\t"), "delimited"),
        ("a.txt", b"one, two\nthree, four\n", "text"),
        ("a.txt", b"[Verse]\nla\n", "text"),
        ("a.txt", b"{name} said\nla\n", "text"),
        ("a.JSONL", JSONL, "jsonl"),
    ],
)
def test_content_and_name_agree(name: str, data: bytes, kind: str, tmp_path: Path) -> None:
    table = table_of(data, tmp_path, name)
    assert (table.format, codes(table), table.broken) == (kind, [], False)
    assert (table.size, table.compression) == (len(data), "")
    packed = table_of(gzip.compress(data, mtime=0), tmp_path, f"{name}.gz")
    assert (packed.format, codes(packed), packed.broken, packed.compression) == (kind, [], False, "gzip")


@pytest.mark.parametrize(
    ("name", "data", "kind", "words"),
    [
        ("a.csv", JSONL, "jsonl", "the name says .csv, but the content is JSON Lines"),
        ("a.txt", JSONL, "jsonl", "the name says .txt"),
        ("a.json", JSONL, "jsonl", "the name says .json, but the content is JSON Lines"),
        ("a.xlsx", JSONL, "jsonl", "the name says .xlsx"),
        ("a.jsonl", ARRAY, "json", "the content is one JSON array"),
        ("a.csv.gz", ARRAY, "json", "the content is one JSON array"),
        ("a.csv", PRETTY, "json", "records do not stand one a line"),
        ("a.csv", b'{"a": 1,\n{"a": 2}\n{"a": 3}\n', "jsonl", "JSON Lines"),
        ("a.jsonl", PRETTY, "json", "records do not stand one a line"),
        ("a.jsonl", b'{"a": 1}{"a": 2}{"a": 3}', "json", "records do not stand one a line"),
        ("a.xlsx", CSV, "delimited", "the content is delimited text"),
        ("a.parquet", JSONL, "jsonl", "the name says .parquet, but the content is JSON Lines"),
    ],
)
def test_content_wins_over_the_name_and_says_so(name: str, data: bytes, kind: str, words: str, tmp_path: Path) -> None:
    table = table_of(gzip.compress(data, mtime=0) if name.endswith("gz") else data, tmp_path, name)
    assert (table.format, table.broken) == (kind, False)
    ((line, fault),) = table.faults
    assert (line, fault.code, fault.fixable) == (1, "IO110", True)
    assert words in fault.message


def test_a_name_that_is_wrong_about_compression_is_told(tmp_path: Path) -> None:
    packed = table_of(gzip.compress(CSV, mtime=0), tmp_path, "a.csv")
    assert (packed.format, packed.compression, codes(packed)) == ("delimited", "gzip", ["IO110"])
    plain = table_of(JSONL, tmp_path, "a.jsonl.gz")
    assert (plain.format, plain.compression, codes(plain)) == ("jsonl", "", ["IO110"])


@pytest.mark.parametrize(
    ("name", "data", "code", "words"),
    [
        ("a.jsonl", b"", "IO115", "0 bytes"),
        ("a.csv", b"\xef\xbb\xbf", "IO115", "a byte-order mark and nothing else"),
        ("a", b"\n \r\n\t\n", "IO115", "only blank lines"),
        ("a.jsonl", "\ufeff\n\n".encode("utf-16"), "IO115", "only blank lines"),
        ("a.xlsx", b"", "IO115", "0 bytes"),
        ("a.json", CSV, "IO120", "rename it to a.csv"),
        ("a.jsonl", CSV.replace(b",", b"\t"), "IO120", "rename it to a.tsv"),
        ("a.xlsx", b"plain words\n", "IO120", "not an Excel workbook"),
        ("a.jsonl", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "IO120", "git lfs pull"),
        ("a.csv", b"\n<!DOCTYPE html>\n<html>", "IO120", "a web page, not data"),
        ("a.json", b"<?xml version='1.0'?><a/>", "IO120", "XML"),
        ("a.txt", b"{\\rtf1 x}", "IO120", "RTF"),
        ("a.xlsx", b"PK\x03\x04 and no more", "IO116", "cut or damaged"),
        ("a.jsonl.gz", gzip.compress(JSONL, mtime=0)[:-3], "IO116", "cut"),
        ("a.jsonl", '{"a": "请把下面的句子翻译成英文"}\n'.encode("gb18030") * 9, "IO101", "--encoding gb18030"),
    ],
)
def test_what_holds_no_rows_is_a_broken_table(name: str, data: bytes, code: str, words: str, tmp_path: Path) -> None:
    table = table_of(data, tmp_path, name)
    assert table.broken
    assert codes(table) == [code]
    assert words in table.faults[0][1].message
    assert table.format in READERS


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(50), ".xls"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\x80\x04\x95" + bytes(9), "never opened"),
        (bytes(257) + b"ustar", "tar archive"),
        (gzip.compress(bytes(257) + b"ustar", mtime=0), "tar archive"),
        (bytes(4000), "nothing but NUL bytes"),
        (random.Random(4).randbytes(4000), "binary data"),
        (zipped("content.xml"), ".ods"),
        (zipped("xl/workbook.bin"), ".xlsb"),
        (zipped("word/document.xml"), "Word"),
        (zipped("train.csv"), "zip archive"),
        (b"once upon a time\n", "cannot tell what"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_says_what_it_is(data: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(ReadError) as caught:
        table_of(data, tmp_path, "a")
    assert words in caught.value.message
    assert "\n" not in caught.value.message


def test_nuls_after_json_lines_are_left_to_its_reader(tmp_path: Path) -> None:
    assert table_of(JSONL + bytes(4096), tmp_path, "a.jsonl").format == "jsonl"


def test_the_format_that_is_asked_for_wins(tmp_path: Path) -> None:
    assert table_of(JSONL, tmp_path, "a.jsonl", format="text").format == "text"
    assert table_of(b"x\ny\n", tmp_path, "a", format="CSV").format == "delimited"
    assert codes(table_of(CSV, tmp_path, "a", format="xlsx")) == ["IO120"]
    with pytest.raises(UsageError, match="unknown format 'jsnl'") as caught:
        table_of(CSV, tmp_path, "a", format="jsnl")
    assert caught.value.hint == "did you mean jsonl?"


def test_every_format_has_a_reader(tmp_path: Path) -> None:
    table = table_of(JSONL, tmp_path, "a.jsonl")
    reader = reader_of(table)
    assert [row.record for chunk in reader.chunks(table) for row in reader.decode(table, chunk)] == [{"a": 1}, {"a": 2}]


NAMES = st.sampled_from(["a", "a.jsonl", "a.json", "a.csv", "a.txt", "a.xlsx", "a.parquet", "a.csv.gz"])
BEGINNINGS = st.sampled_from(
    [b"", b"{", b"[", b'{"a":', b"PK\x03\x04", b"\x1f\x8b", b"\xff\xfe", b"\xef\xbb\xbf", b"a,b\n"]
)


@given(NAMES, BEGINNINGS, st.binary(max_size=60) | st.text("{}[]\",:\n'a1 ", max_size=60).map(str.encode))
def test_any_file_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, name: str, start: bytes, rest: bytes
) -> None:
    try:
        table = table_of(start + rest, tmp_path_factory.mktemp("any"), name)
    except FtprepError:
        return
    assert table.format in READERS
    if table.broken:
        assert table.faults
    elif table.format in ("jsonl", "json", "text"):
        reader = reader_of(table)
        chunks = list(reader.chunks(table))
        rows = [row for chunk in chunks for row in reader.decode(table, chunk)]
        assert rows or any(isinstance(chunk.payload, Fault) for chunk in chunks)
        assert all(row.faults or row.record is not None for row in rows)
