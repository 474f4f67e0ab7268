"""Whole sets are told from mixed ones, whatever is done to a file, a manifest or a folder."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_sets import as_records, sound

import ftprep as ft
from ftprep.disk import TEMP_SUFFIX
from ftprep.errors import ReadError

ROOT = Path(__file__).parent.parent
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX file systems only")
OWN = b'{"schema_version": 1, "tool": {"name": "ftprep", "version": "%s"}}'


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The manifest of a set with training, validation and rejected examples."""
    source = tmp_path / "set.jsonl"
    lines = [json.dumps(record) for record in as_records(sound(60))]
    source.write_text("\n".join([*lines, '{"prompt": "cut']) + "\n", encoding="utf-8")
    result = ft.prepare(source, out=tmp_path / "out")
    assert result.manifest
    return result.manifest


def changed(manifest: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(manifest.read_bytes())
    change(document)
    manifest.write_text(json.dumps(document), encoding="utf-8")


def states(manifest: Path) -> list[str]:
    return [one.state for one in ft.verify(manifest).outputs]


def test_a_set_as_it_was_written_is_whole(made: Path) -> None:
    found = ft.verify(str(made))
    assert found.whole
    assert [(o.path, o.state, o.told) for o in found.outputs] == [
        (f"set_prepared_{side}.jsonl", "whole", "") for side in ("train", "valid", "rejected")
    ]
    assert sum(o.rows or 0 for o in found.outputs) == 61
    assert [(i.state, found.notes, found.troubles) for i in found.inputs] == [("same", (), ())]


def test_a_set_that_was_moved_is_whole(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made.parent, tmp_path / "elsewhere")
    (tmp_path / "set.jsonl").unlink()
    found = ft.verify(tmp_path / "elsewhere" / made.name)
    assert found.whole
    assert found.inputs[0].state == "gone"


@pytest.mark.parametrize(
    "fixture", ["sheets.xlsx", "chat_faults.jsonl", "pairs.jsonl.gz", "duplicates.jsonl", "ragged.csv", "utf16.tsv"]
)
@pytest.mark.parametrize("unsafe", [True, False])
def test_accounts_of_all_kinds_of_inputs_add_up(tmp_path: Path, fixture: str, unsafe: bool) -> None:
    result = ft.prepare(ROOT / "fixtures" / fixture, out=tmp_path, unsafe=unsafe)
    assert result.manifest
    assert ft.verify(result.manifest).troubles == ()
    assert ft.verify(result.manifest).whole


@pytest.mark.parametrize("job", ["split", "completion", "parquet", "shards", "memory"])
def test_what_other_jobs_write_is_whole(tmp_path: Path, job: str) -> None:
    chat, rows = ROOT / "fixtures" / "chat_faults.jsonl", as_records(sound(60))
    if job == "split":
        result = ft.split(chat, out=tmp_path)
    elif job == "completion":
        result = ft.convert(chat, "completion", tmp_path / "a.jsonl")
    elif job == "parquet":
        result = ft.convert(chat, None, tmp_path / "a.parquet")
    else:
        result = ft.prepare(rows, out=tmp_path, shards=3 if job == "shards" else None)
    assert result.manifest
    found = ft.verify(result.manifest)
    assert found.whole, found
    assert all(one.rows is not None for one in found.outputs)
    assert found.inputs[0].state == ("not looked at" if job in ("shards", "memory") else "same")


@given(at=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), which=st.integers(0, 2))
def test_any_other_byte_is_found(tmp_path_factory: pytest.TempPathFactory, at: float, byte: int, which: int) -> None:
    folder = tmp_path_factory.mktemp("set")
    result = ft.convert(as_records(sound(3)), None, folder / "a.jsonl")
    assert result.manifest
    path = folder / "a.jsonl"
    data = path.read_bytes()
    place = int(at * len(data))
    other = (
        data[:place] + bytes([byte]) + data[place + 1 :],
        data[:place],
        data[:place] + bytes([byte]) + data[place:],
    )[which]
    path.write_bytes(other)
    found = ft.verify(result.manifest)
    assert found.whole is (other == data)
    assert found.outputs[0].state == ("whole" if other == data else "differs")


def test_a_set_of_two_runs_is_told(made: Path, tmp_path: Path) -> None:
    other = ft.prepare(as_records(sound(55)), out=tmp_path / "other", name="set")
    assert other.valid
    shutil.copy(other.valid, made.parent)
    found = ft.verify(made)
    assert not found.whole
    assert states(made) == ["whole", "differs", "whole"]
    assert found.outputs[1].told.endswith("bytes, the manifest says 299") or "bytes" in found.outputs[1].told
    assert found.troubles == ("1 of 3 files are from another run, or were changed since",)


@POSIX
@pytest.mark.parametrize("harm", ["missing", "folder", "pipe", "loop"])
def test_files_that_are_none(made: Path, harm: str) -> None:
    path = made.parent / "set_prepared_valid.jsonl"
    path.unlink()
    if harm == "folder":
        path.mkdir()
    elif harm == "pipe":
        os.mkfifo(path)
    elif harm == "loop":
        path.symlink_to(path)
    assert states(made)[1] == ("missing" if harm == "missing" else "unreadable")
    assert not ft.verify(made).whole


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        (lambda d: d["rows"].update(read=7), "rows: read 7, but written 60 + rejected 1 + skipped 0"),
        (lambda d: d["inputs"][0]["rows"].update(loaded=1), "read 61, but loaded 1 + rejected"),
        (lambda d: d["inputs"].append(d["inputs"][0]), "rows: read 61, but 122 of all inputs together"),
        (lambda d: d["split"].update(train=1), "examples: 60, but 1 + "),
        (lambda d: d["rows"].update(written=59, rejected=2), "60 examples and 2 rejected, but 61 in the files"),
        (lambda d: d.update(outputs=[]), "no file is named"),
    ],
)
def test_accounts_that_do_not_add_up(made: Path, change: Callable[[dict[str, Any]], object], trouble: str) -> None:
    changed(made, change)
    found = ft.verify(made)
    assert not found.whole
    assert any(trouble in line for line in found.troubles), found.troubles


def test_rows_are_counted(made: Path) -> None:
    changed(made, lambda d: d["outputs"][0].update(rows=3))
    assert "rows, the manifest says 3" in ft.verify(made).outputs[0].told


@pytest.mark.parametrize("name", ["../set.jsonl", "/etc/passwd", "..", "", "a\0b"])
def test_only_files_beside_a_manifest_are_looked_at(made: Path, name: str) -> None:
    changed(made, lambda d: d["outputs"][0].update(path=name))
    assert states(made)[0] == "unreadable"


def test_a_changed_input_is_a_note(made: Path, tmp_path: Path) -> None:
    (tmp_path / "set.jsonl").write_text("{}", encoding="utf-8")
    found = ft.verify(made)
    assert found.whole
    assert found.notes == (f"{tmp_path / 'set.jsonl'} has changed since",)


def test_shards_of_another_run_are_found(tmp_path: Path) -> None:
    result = ft.prepare(as_records(sound(60)), out=tmp_path, shards=2)
    assert result.manifest
    for name in ("data_prepared_train-00000-of-00003.jsonl", "data_prepared_other-00000-of-00003.jsonl"):
        (tmp_path / name).write_bytes(b"")
    assert ft.verify(result.manifest).troubles == (
        "data_prepared_train-00000-of-00003.jsonl is a shard of another run",
    )


@POSIX
def test_a_commit_that_was_cut_off_is_said(made: Path) -> None:
    (made.parent / f".0123456789abcdef.journal{TEMP_SUFFIX}").touch(mode=0o600)
    assert ft.verify(made).whole  # it is another set's
    (made.parent / "set_prepared_train.jsonl").write_bytes(b"")
    assert any("the next one there puts the old files back" in line for line in ft.verify(made).troubles)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is no manifest of ftprep"),
        (b"[1]", "is no manifest of ftprep"),
        (b"\xff{", "is no manifest of ftprep"),
        (b"[" * 100_000, "is no manifest of ftprep"),
        (
            b'{"schema_version": 1, "tool": {"name": "ftprep", "version": "%s"}}' % ft.__version__.encode(),
            "was changed",
        ),
        (b'{"schema_version": 2, "tool": {"name": "ftprep", "version": "9"}}', "of form 2, by ftprep 9; this one is"),
        (b'{"schema_version": 1, "tool": {"name": "ftprep", "version": "9"}}', "of form 1, by ftprep 9; this one is"),
    ],
)
def test_what_is_no_manifest(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "m.json").write_bytes(data)
    with pytest.raises(ReadError, match=said) as raised:
        ft.verify(tmp_path / "m.json")
    assert raised.value.hint
    assert len(raised.value.message) < 500


def test_a_later_form_with_all_keys_is_refused(made: Path) -> None:
    changed(made, lambda d: d.update(schema_version=2))
    with pytest.raises(ReadError, match="of form 2"):
        ft.verify(made)


@pytest.mark.parametrize("path", ["missing.json", ".", "a\0b"])
def test_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReadError, match="cannot read") as raised:
        ft.verify(path)
    assert raised.value.message.isprintable()
