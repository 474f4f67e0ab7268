"""Checking and loading: what comes in comes out, in any container, and nothing is written."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_sets import Pairs, as_records, classes, jsonl, sound, write

import ftprep as ft
from ftprep.errors import FtprepError

# All that JSON text can carry: half surrogate pairs are none of it.
ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
WORTH = ANY_TEXT.filter(lambda t: bool(t.strip()))
ODD = [
    "NA",
    "007",
    "1.10",
    "nan",
    "null",
    "\x00",
    "a\r\nb",
    "\u2028",
    "\x85",
    "\ufeff",
    '"',
    "\\",
    "/",
    "😀",
    "<|im_end|>",
]


def loaded(source: Any) -> Pairs:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = ft.load(source)
    return list(zip(frame["prompt"], frame["completion"], strict=True))


@given(rows=st.lists(st.tuples(st.one_of(ANY_TEXT, st.sampled_from(ODD)), WORTH), min_size=1, max_size=6))
@settings(max_examples=60)
def test_loading_what_was_written_gives_every_text_back(tmp_path_factory: pytest.TempPathFactory, rows: Pairs) -> None:
    folder = tmp_path_factory.mktemp("round")
    assert loaded(write(folder, rows)) == rows
    assert loaded(as_records(rows)) == rows
    frame = ft.load(as_records(rows))
    assert loaded(frame) == rows
    prepared = ft.prepare(frame, out=folder / "out", rules={"ignore": ["SEP"]}, split={"valid": "none"})
    assert loaded(prepared.train) == rows
    written = prepared.frame()
    assert list(zip(written["prompt"], written["completion"], strict=True)) == rows


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_in_all_containers(tmp_path: Path, text: str) -> None:
    rows = [(f"{text} ->", text), ("b ->", "c")] if text.strip() else [("a ->", f"x{text}y"), ("b ->", "c")]
    records = as_records(rows)
    (tmp_path / "a.json").write_bytes(msgspec.json.encode(records))
    assert loaded(write(tmp_path, rows)) == rows
    assert loaded(tmp_path / "a.json") == rows
    assert loaded(pd.DataFrame(records)) == rows
    assert loaded(iter(records)) == rows


def test_extra_columns_and_conversations_are_loaded_whole() -> None:
    records = [{"id": 7, "prompt": "a", "completion": "b", "note": None}]
    assert ft.load(records).to_dict("records") == [{"prompt": "a", "completion": "b", "id": 7}]
    chat = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}], "topic": "x"}
    assert ft.load([chat]).to_dict("records") == [chat]


def test_what_could_not_be_loaded_is_counted_and_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(jsonl(as_records(sound(3))) + b'\n{"prompt": 1}\n{"oops\n')
    with pytest.warns(UserWarning, match=r"2 of 6 records could not be read; ftprep.check names them"):
        frame = ft.load(path)
    assert frame.attrs["rows"] == {"read": 6, "loaded": 3, "rejected": 2, "skipped": 1}
    assert len(frame) == 3


def test_a_check_changes_nothing_and_says_the_same_of_every_container(tmp_path: Path) -> None:
    rows = [*classes({"yes": 12, "no": 9}), ("text 0 on yes ->", " yes"), ("x", "maybe")]
    path = write(tmp_path, rows)
    before = path.read_bytes()
    records = as_records(rows)
    reports = [ft.check(source) for source in (path, records, pd.DataFrame(records), iter(records), [str(path)])]
    assert [r.counts() for r in reports] == [reports[0].counts()] * 5
    assert [r.dataset for r in reports] == [reports[0].dataset] * 5
    assert [r.tokens for r in reports] == [reports[0].tokens] * 5
    assert [f.location.row for r in reports for f in r.findings if f.code == "DUP101"] == [22] * 5
    assert [p.name for p in tmp_path.iterdir()] == ["set.jsonl"]
    assert path.read_bytes() == before


BAD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    ANY_TEXT,
    st.lists(st.one_of(ANY_TEXT, st.none()), max_size=3),
    st.dictionaries(st.sampled_from(["prompt", "completion", "messages", "role", "text", ""]), ANY_TEXT, max_size=3),
)


@given(
    records=st.lists(
        st.one_of(BAD, st.dictionaries(st.sampled_from(["prompt", "completion", "messages"]), BAD)),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=80)
def test_bad_data_in_memory_never_raises(records: list[Any]) -> None:
    report = ft.check([{"prompt": "a", "completion": "b"}, *records])
    rows = report.rows
    assert rows.read == rows.loaded + rows.rejected + rows.skipped == len(records) + 1
    assert rows.loaded or not report.ok


@given(data=st.binary(max_size=200), name=st.sampled_from(["a.jsonl", "a.json", "a.csv", "a.txt", "a.xlsx", "a"]))
@settings(max_examples=80)
def test_bad_bytes_are_told_of_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    path = tmp_path_factory.mktemp("bytes") / name
    path.write_bytes(data)
    report, refused = None, ""
    try:
        report = ft.check(path)
    except FtprepError as error:
        refused = error.message
    if report is None:
        assert str(path) in refused
    elif data.strip():  # of blanks alone there is nothing to say
        assert report.rows.loaded or not report.ok
        json.loads(report.to_json())


def test_progress_is_told_and_reaches_the_end(tmp_path: Path) -> None:
    path = write(tmp_path, sound(500))
    told: list[tuple[int, int]] = []
    ft.check(path, progress=lambda done, size: told.append((done, size)))
    assert told[-1] == (path.stat().st_size, path.stat().st_size)
    assert told == sorted(told)


def test_the_number_of_findings_kept_is_settable() -> None:
    rows = [(p, c.strip()) for p, c in sound(30)]
    report = ft.check(as_records(rows), max_findings=4)
    assert report.counts()["SEP105"] == 30
    assert sum(f.code == "SEP105" for f in report.findings) == 4
    assert ft.check(as_records(rows), max_findings=0).counts()["SEP105"] == 30
