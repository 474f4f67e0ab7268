"""Compressed sources: all members one after the other, damage told where it is, and never more held than asked for."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import sys
import tempfile
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ftprep as ft
from ftprep.errors import MissingExtra
from ftprep.model import Fault
from ftprep.readers import base, open_tables, reader_of
from ftprep.readers.base import Table
from ftprep.readers.packed import PACKINGS, SourceBroken, compression_in
from ftprep.readers.sources import HEAD_BYTES, blocks, compression_of, line_chunks, open_source, read_all

ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"


def _zstd(data: bytes) -> bytes:
    zstd = pytest.importorskip(ZSTD)
    packed: bytes = zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})  # as the zstd tool does
    return packed


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zstd": _zstd,
    "bzip2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
}
ALL = pytest.mark.parametrize("compression", PACK)


def table_of(path: Path, compression: str) -> Table:
    return Table("t", "jsonl", str(path), compression)


def written(folder: Path, data: bytes, name: str = "t") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_every_compression_has_a_packer() -> None:
    assert list(PACK) == list(PACKINGS)


@ALL
@given(parts=st.lists(st.binary(max_size=300), min_size=1, max_size=4), size=st.integers(1, 64))
def test_members_are_read_one_after_the_other(compression: str, parts: list[bytes], size: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "CHUNK_BYTES", size)
        padding = b"\0" * (4 * (size % 3)) if PACKINGS[compression].pads else b""
        path = written(Path(folder), b"".join(map(PACK[compression], parts)) + padding)
        assert compression_of(path) == compression
        expected = b"".join(parts).removeprefix(b"\xef\xbb\xbf")
        assert b"".join(blocks(table_of(path, compression))) == expected
        with open_source(path, compression) as stream:
            assert stream.read() == b"".join(parts)


@ALL
def test_a_member_that_is_large_comes_out_whole(compression: str, tmp_path: Path) -> None:
    noise = random.Random(7).randbytes(1_500_000).hex().encode()
    path = written(tmp_path, PACK[compression](noise[:1_000_000]) + PACK[compression](noise[1_000_000:]))
    assert read_all(table_of(path, compression)) == noise


@ALL
def test_no_more_is_unpacked_than_is_asked_for(compression: str, tmp_path: Path) -> None:
    path = written(tmp_path, PACK[compression](b"\0" * 200_000_000))
    assert path.stat().st_size < 250_000
    tracemalloc.start()
    with open_source(path, compression) as stream:
        sizes = [len(stream.read(1000)) for _ in range(5000)]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert sizes == [1000] * 5000
    assert peak < 40_000_000


@ALL
@pytest.mark.parametrize("lost", [1, 8, 20])
def test_a_cut_stream_gives_what_is_whole_and_then_says_so(compression: str, tmp_path: Path, lost: int) -> None:
    noise = random.Random(1).randbytes(1_500_000).hex().encode()
    path = written(tmp_path, PACK[compression](noise)[:-lost])
    parts: list[bytes] = []
    with pytest.raises(SourceBroken) as caught:
        parts.extend(blocks(table_of(path, compression)))
    got = b"".join(parts)
    assert caught.value.fault.code == "IO116"
    assert caught.value.fault.message == f"the {compression} data is cut: it ends inside a compressed stream"
    assert noise.startswith(got)
    assert len(got) > len(noise) * (0.6 if compression == "bzip2" else 0.9)  # bzip2 unpacks 900 kB at once


@ALL
@pytest.mark.parametrize("at", [-9, 5000, 400_000])
def test_a_damaged_stream_is_never_a_short_success(compression: str, tmp_path: Path, at: int) -> None:
    noise = random.Random(2).randbytes(500_000).hex().encode()
    packed = bytearray(PACK[compression](noise))
    packed[at] ^= 0xFF
    with pytest.raises(SourceBroken, match=r"damaged|cut"):
        read_all(table_of(written(tmp_path, bytes(packed)), compression))


@ALL
def test_other_bytes_after_a_stream_are_said(compression: str, tmp_path: Path) -> None:
    path = written(tmp_path, PACK[compression](b"abc") + b"garbage that goes on")
    with pytest.raises(SourceBroken, match="damaged"):
        read_all(table_of(path, compression))


@ALL
def test_the_fault_stands_on_the_line_behind_the_last_good_one(compression: str, tmp_path: Path) -> None:
    lines = [b'{"n":%d,"x":"%s"}\n' % (n, random.Random(n).randbytes(600).hex().encode()) for n in range(2500)]
    packed = PACK[compression](b"".join(lines))
    path = written(tmp_path, packed[: len(packed) * 9 // 10], "t.jsonl")
    *good, last = line_chunks(table_of(path, compression))
    payload = b"".join(chunk.payload for chunk in good)
    assert isinstance(last.payload, Fault)
    assert last.payload.code == "IO116"
    assert last.first_line == 1 + payload.count(b"\n")
    assert b"".join(lines).startswith(payload)
    assert payload.count(b"\n") > 1000


@ALL
def test_damage_in_the_middle_comes_after_the_lines_before_it(compression: str, tmp_path: Path) -> None:
    lines = b"".join(b'{"n":%d,"x":"%s"}\n' % (n, random.Random(n).randbytes(600).hex().encode()) for n in range(2500))
    first, second = PACK[compression](lines), bytearray(PACK[compression](lines))
    second[3:20] = bytes(17)
    *good, last = line_chunks(table_of(written(tmp_path, first + bytes(second)), compression))
    assert b"".join(chunk.payload for chunk in good) == lines
    assert (last.payload.code, last.first_line) == ("IO116", 2501)


def test_the_beginning_tells_the_compression_and_text_is_none() -> None:
    assert compression_in(b"BZh91AY&SYxx") == "bzip2"
    assert compression_in(bz2.compress(b"")) == "bzip2"
    assert compression_in(b"BZh9 is what we call it") == ""
    assert compression_in(b"\x5a\x2a\x4d\x18\0\0\0\0") == "zstd"
    assert compression_in(b"") == compression_in(b'{"a": 1}') == ""


def test_a_zstd_frame_to_skip_is_skipped(tmp_path: Path) -> None:
    path = written(tmp_path, b"\x50\x2a\x4d\x18\x04\0\0\0skip" + _zstd(b"one\n") + _zstd(b"two\n"), "a.txt.zst")
    (table,) = open_tables([path])
    assert (table.format, table.compression, table.faults) == ("text", "zstd", ())
    assert read_all(table) == b"one\ntwo\n"


def test_what_takes_too_much_memory_to_unpack_is_not_unpacked(tmp_path: Path) -> None:
    # Packing with so large a dictionary would take the memory, so the header is made to say it.
    packed = bytearray(lzma.compress(b"x" * 100, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 4096}]))
    at = packed.index(b"\x21\x01", 12)  # LZMA2, one byte of properties: 4 KiB is 0
    packed[at + 2] = 34  # 512 MiB
    size = (packed[12] + 1) * 4
    packed[12 + size - 4 : 12 + size] = zlib.crc32(packed[12 : 12 + size - 4]).to_bytes(4, "little")
    with pytest.raises(SourceBroken) as caught:
        read_all(table_of(written(tmp_path, bytes(packed)), "xz"))
    assert (caught.value.fault.code, "too much memory" in caught.value.fault.message) == ("IO114", True)


def test_zstd_with_too_wide_a_window_is_not_unpacked(tmp_path: Path) -> None:
    zstd = pytest.importorskip(ZSTD)
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 30})
    path = written(tmp_path, packer.compress(b"abc") + packer.flush())
    with pytest.raises(SourceBroken, match="too much memory"):
        read_all(table_of(path, "zstd"))


def test_without_its_package_zstd_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, b"\x28\xb5\x2f\xfd" + bytes(9), "a.jsonl.zst")
    package = ZSTD.partition(".")[0]
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, ZSTD, None)
    with pytest.raises(MissingExtra, match=r"reading zstd data \(\.zst\)") as caught:
        open_tables([path])
    assert caught.value.hint == "pip install 'ftprep[zstd]'"


LINES = b'{"prompt": "Peru ->", "completion": " Lima"}\n{"prompt": "Chad ->", "completion": " Ndjamena"}\n'
CSV = b"prompt,completion\nPeru ->, Lima\nChad ->, Ndjamena\n"
ARRAY = b"[" + LINES.replace(b"\n", b",").rstrip(b",") + b"]"


@ALL
@pytest.mark.parametrize(("name", "data"), [("a.jsonl", LINES), ("a.csv", CSV), ("a.json", ARRAY), ("a.tsv", CSV)])
def test_the_report_is_that_of_the_plain_file(compression: str, tmp_path: Path, name: str, data: bytes) -> None:
    suffix = PACKINGS[compression].suffix
    plain = ft.check(written(tmp_path, data, name))
    packed = ft.check(written(tmp_path, PACK[compression](data), name + suffix))
    assert packed.inputs[0].format == plain.inputs[0].format + suffix
    assert packed.inputs[0].rows == plain.inputs[0].rows
    assert _said(packed) == _said(plain)


def _said(report: ft.Report) -> list[Any]:
    return [(f.code, f.location, f.message, f.fingerprint) for f in report.findings if f.code != "IO110"]


@ALL
def test_the_name_tells_the_format_below_the_compression(compression: str, tmp_path: Path) -> None:
    suffix = PACKINGS[compression].suffix
    other = next(p.suffix for p in PACKINGS.values() if p.suffix != suffix)
    packed = PACK[compression](b"one\ntwo\n")
    (table,) = open_tables([written(tmp_path, packed, f"a.txt{suffix.upper()}")])
    assert (table.format, table.faults) == ("text", ())
    for name, words in (
        (f"b.txt{other}", f"the name says {other}, but the content is {compression} data"),
        ("b.txt", f"{compression} data, which the name does not say"),
    ):
        (table,) = open_tables([written(tmp_path, packed, name)])
        ((line, fault),) = table.faults
        assert (line, fault.code) == (1, "IO110")
        assert fault.message == f"{words}; read as what it is"
    (table,) = open_tables([written(tmp_path, b"one\n", f"c.txt{suffix}")])
    assert table.faults[0][1].message.startswith(f"the name says {suffix}, but the content is not compressed")


@ALL
def test_a_folder_holds_what_is_compressed(compression: str, tmp_path: Path) -> None:
    path = written(tmp_path, PACK[compression](LINES), f"a.jsonl{PACKINGS[compression].suffix}")
    written(tmp_path, b"x", f"notes{PACKINGS[compression].suffix}")
    assert [table.name for table in open_tables([tmp_path])] == [str(path)]


@ALL
def test_a_compressed_workbook_is_unpacked_first(compression: str, tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = book.add_worksheet()
    for row in range(30_000):
        sheet.write_row(row, 0, ["prompt", "completion"] if not row else [f"p{row * 7919}", f"c{row * 104729}"])
    book.close()
    data = (tmp_path / "a.xlsx").read_bytes()
    packed = PACK[compression](data)
    (table,) = open_tables([written(tmp_path, packed, f"b.xlsx{PACKINGS[compression].suffix}")])
    reader = reader_of(table)
    assert sum(1 for chunk in reader.chunks(table) for _ in reader.decode(table, chunk)) == 29_999
    assert len(packed) > HEAD_BYTES + 30_000
    (table,) = open_tables([written(tmp_path, packed[:-20_000], f"c.xlsx{PACKINGS[compression].suffix}")])
    assert table.broken
    assert [fault.code for _, fault in table.faults] == ["IO116"]
