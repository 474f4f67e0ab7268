"""Bounds that a user sets: heeded by every reader, named in the finding, refused where they cannot be."""

from __future__ import annotations

import bz2
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

import ftprep as ft
from ftprep import recipe
from ftprep.__main__ import main
from ftprep.errors import ReadError, UsageError
from ftprep.readers import base, packed
from ftprep.readers.base import Limits, Options
from ftprep.readers.header import MAX_COLUMNS
from ftprep.readers.limits import MOST, limits_of

LONG = {"prompt": "p" * 3000, "completion": " c"}
SHORT = {"prompt": "p", "completion": " c"}


def found(path: Path, **limits: int) -> tuple[list[str], int]:
    """Messages of IO114, and the rows that were loaded."""
    report = ft.check(path, options=Options(limits=Limits(**limits)), workers=1)
    return [f.message for f in report.findings if f.code == "IO114"], report.inputs[0].rows.loaded


def write(path: Path, records: list[dict[str, str]]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(records), encoding="utf-8")
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(records), path)
    else:
        rows = [f"{record['prompt']},{record['completion']}" for record in records]
        path.write_text("\n".join(["prompt,completion", *rows, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".parquet"])
def test_a_record_may_be_as_long_as_is_said(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"t{suffix}", [SHORT, LONG, SHORT])
    assert found(path) == ([], 3)
    messages, loaded = found(path, record=2048)
    assert (len(messages), loaded) == (1, 2)
    assert "2,048 bytes" in messages[0]
    assert found(path, record=1 << 20) == ([], 3)


def test_a_recipe_sets_bounds_and_the_command_line_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "t.jsonl", [SHORT, LONG, SHORT])
    (tmp_path / "r.toml").write_text('[limits]\nrecord = "2KiB"\n', encoding="utf-8")
    report = ft.check("t.jsonl", recipe="r.toml", workers=1)
    assert [f.message for f in report.findings if f.code == "IO114"] == ["the record is longer than 2,048 bytes"]
    for limits, loaded in ((Limits(record=5000), 3), (Limits(depth=9), 2)):
        report = ft.check("t.jsonl", {"limits": {"record": 2048}}, options=Options(limits=limits), workers=1)
        assert report.inputs[0].rows.loaded == loaded
    (tmp_path / "ftprep.toml").write_text("[limits]\nrecord = 2048\n", encoding="utf-8")
    assert main(["check", "t.jsonl", "--fail-on", "error", "--workers", "1"]) == 1
    assert "longer than 2,048 bytes" in capsys.readouterr().out
    main(["check", "t.jsonl", "--limit", "record=5000", "--workers", "1"])
    assert "longer than" not in capsys.readouterr().out


def test_a_recipe_has_the_bounds_that_the_command_line_has() -> None:
    assert set(recipe.Limits.model_fields) == set(MOST) == set(Limits.__struct_fields__)


def test_a_bound_beyond_the_built_in_one_lets_more_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_RECORD_BYTES", 1000)
    for suffix in (".jsonl", ".json", ".csv"):
        path = write(tmp_path / f"t{suffix}", [SHORT, LONG, SHORT])
        assert found(path)[1] == 2
        assert found(path, record=5000) == ([], 3)


def test_the_depth_is_as_is_said(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    deep = "[" * 99 + "]" * 99
    path.write_text(f'{json.dumps(SHORT)}\n{{"prompt": "a", "completion": "b", "d": {deep}}}\n', encoding="utf-8")
    messages, loaded = found(path)
    assert messages[0].startswith(f"nested deeper than {base.MAX_DEPTH} levels")
    assert loaded == 1
    assert found(path, depth=100) == ([], 2)
    assert found(path, depth=99)[0][0].startswith("nested deeper than 99 levels")


def test_columns_are_as_many_as_is_said(tmp_path: Path) -> None:
    names = ["prompt", "completion", *(f"c{n}" for n in range(MAX_COLUMNS))]
    path = tmp_path / "t.csv"
    path.write_text("\n".join([",".join(names), ",".join(["x"] * len(names)), ""]), encoding="utf-8")
    assert found(path)[1] == 0
    assert found(path, columns=20_000) == ([], 1)
    assert found(path, columns=5)[0] == [f"the header has {len(names)} columns; at most 5 are read"]


def test_a_sheet_spans_as_much_as_is_said(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    for row, cells in ((0, ("prompt", "completion")), (1, ("a", "b"))):
        sheet.write_row(row, 0, cells)
    sheet.write(3000, 40, "x")
    book.close()
    assert "clear the stray cells" in found(path, cells=100_000)[0][0]
    assert not found(path)[0]


def test_packed_data_unpacks_to_as_much_as_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "SURE_BYTES", 1 << 19)
    path = tmp_path / "t.jsonl.bz2"
    path.write_bytes(bz2.compress((json.dumps(SHORT) + "\n").encode() * 30_000))
    messages, loaded = found(path)
    assert messages == [
        "the bzip2 data unpacks to more than 200 times its size; where that is meant: --limit expansion=2000"
    ]
    assert 0 < loaded < 30_000
    assert found(path, expansion=5000) == ([], 30_000)


def test_a_document_is_as_large_as_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "t.json", [SHORT] * 100)
    assert found(path) == ([], 100)
    with pytest.raises(ReadError, match="one document of more than 1,000 bytes"):
        found(path, document=1000)


def test_limits_are_read_as_they_are_written() -> None:
    assert limits_of(["record=64MiB", "depth=100", "depth=200"]) == Limits(record=64 << 20, depth=200)
    assert limits_of(["Document = 2 gib", "cells=5"]) == Limits(document=2 << 30, cells=5)
    assert set(MOST) == set(Limits.__struct_fields__)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("recrd=5", "did you mean record"),
        ("record", "not a size"),
        ("record=", "not a size"),
        ("record=5x", "not a size"),
        ("depth=5MiB", "not a whole number"),
        ("depth=-1", "not a whole number"),
        ("depth=0", "must be from 1 to 500"),
        ("depth=501", "must be from 1 to 500"),
        ("=5", "there are: record"),
        ("record=" + "9" * 5000, "not a size"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(word: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        limits_of([word])
