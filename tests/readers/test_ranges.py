"""Ranges of a file give the lines that the whole file has, each once, wherever they are cut."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftprep.model import Range
from ftprep.readers import base, ranges
from ftprep.readers.base import Table

LINE = st.sampled_from([b"", b"a", b"bb", b"\r", b"cccccccccccc", b"{}", b"x" * 40])


def table_of(path: Path) -> Table:
    return Table(str(path), "jsonl", str(path), size=path.stat().st_size)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(LINE, max_size=12),
    ended=st.booleans(),
    marked=st.booleans(),
    step=st.integers(4, 30),
    block=st.integers(4, 17),
    longest=st.integers(1, 50),
)
def test_every_line_comes_once_and_whole(
    tmp_path: Path, lines: list[bytes], ended: bool, marked: bool, step: int, block: int, longest: int
) -> None:
    path = tmp_path / "set.jsonl"
    body = b"\n".join(lines) + (b"\n" if ended else b"")
    path.write_bytes((b"\xef\xbb\xbf" if marked else b"") + body)
    size = path.stat().st_size
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "CHUNK_BYTES", block)
        patch.setattr(base, "MAX_RECORD_BYTES", longest)
        found = []
        for start in range(0, size, step):
            part = Range(start, min(size, start + step))
            chunks = list(ranges.chunks_of(table_of(path), part))
            assert len(chunks) <= ranges.most_chunks(table_of(path), part)
            payloads = [chunk.payload for chunk in chunks]
            first = 1
            for number, chunk in enumerate(chunks):
                assert (chunk.number, chunk.first_line) == (number, first)
                first += chunk.payload.count(b"\n")
            found += payloads
    # A line beyond the bound is cut somewhere past it, and its end is kept.
    cut = [line[: longest + 1] for line in b"".join(found).split(b"\n")]
    assert cut == [line[: longest + 1] for line in body.split(b"\n")]


def test_ranges_cover_the_file_and_stay_few(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table("x.jsonl", "jsonl", "x.jsonl", size=10 * ranges.RANGE_BYTES + 7)
    parts = list(ranges.ranges_of(table))
    assert (parts[0].start, parts[-1].stop, len(parts)) == (0, table.size, 11)
    assert all(a.stop == b.start for a, b in pairwise(parts))
    monkeypatch.setattr(ranges, "MOST_RANGES", 3)
    assert len(list(ranges.ranges_of(table))) == 3


@pytest.mark.parametrize(
    ("change", "can"),
    [
        ({}, True),
        ({"compression": "gzip"}, False),
        ({"encoding": "utf-16-le"}, False),
        ({"format": "delimited"}, False),
        ({"path": ""}, False),
        ({"size": 100}, False),
    ],
)
def test_which_tables_are_read_by_ranges(change: dict[str, object], can: bool) -> None:
    import msgspec

    table = Table("x.jsonl", "jsonl", "x.jsonl", size=ranges.RANGE_BYTES + 1)
    assert ranges.can_range(msgspec.structs.replace(table, **change)) is can
