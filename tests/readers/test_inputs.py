"""Inputs: files, folders, patterns and standard input become files, in a sure order, each once."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ftprep.errors import ReadError, UsageError
from ftprep.readers import open_tables, reader_of
from ftprep.readers.base import Options
from ftprep.readers.inputs import expand


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data files, what ftprep writes, and what it does not read, as the working directory."""
    names = (
        "b.jsonl a.csv sub/c.tsv.gz sub/d.xlsx sub/deep/e.ndjson X.JSONL .hidden.jsonl .git/f.jsonl "
        "notes.md g.json h.txt a_prepared_rejected.jsonl a_prepared.manifest.json .b.jsonl.1.ftprep-tmp"
    )
    for name in names.split():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'{"a": 1}\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*inputs: str | os.PathLike[str]) -> list[str]:
    return [one.name.replace(os.sep, "/") for one in expand(inputs)]


def test_a_folder_is_its_data_files_sorted(folder: Path) -> None:
    found = ["X.JSONL", "a.csv", "b.jsonl", "sub/c.tsv.gz", "sub/d.xlsx", "sub/deep/e.ndjson"]
    assert names(".") == [f"./{name}" for name in found]
    assert names(folder) == [f"{folder}/{name}".replace(os.sep, "/") for name in found]


def test_a_file_is_itself_whatever_its_name(folder: Path) -> None:
    assert names("g.json", folder / "b.jsonl", ".hidden.jsonl") == ["g.json", str(folder / "b.jsonl"), ".hidden.jsonl"]


def test_a_pattern_is_the_files_that_match(folder: Path) -> None:
    assert names("*.jsonl") == ["a_prepared_rejected.jsonl", "b.jsonl"]
    assert names("**/*.ndjson", "sub/*") == ["sub/deep/e.ndjson", "sub/c.tsv.gz", "sub/d.xlsx"]
    Path("[x].jsonl").write_bytes(b"{}\n")
    assert names("[x].jsonl") == ["[x].jsonl"]


def test_a_file_named_twice_is_read_once(folder: Path) -> None:
    assert names("b.jsonl", "./b.jsonl", "b.json*") == ["b.jsonl"]


@pytest.mark.parametrize(
    ("given", "words", "hint"),
    [
        ("b.jsnl", "no such file: b.jsnl", "did you mean b.jsonl"),
        ("*.parquet", "no file matches *.parquet", ""),
        ("empty", "no data files in the folder empty", ".jsonl"),
    ],
)
def test_what_is_not_there_is_an_error(folder: Path, given: str, words: str, hint: str) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(ReadError) as caught:
        expand([given])
    assert caught.value.message == words
    assert hint in caught.value.hint


def test_no_input_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no input"):
        expand([])


class Piped:
    """Standard input with some bytes."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def test_standard_input_is_read_under_the_name_that_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Piped(b"one\ntwo\n"))
    (table,) = open_tables(["-"], Options(stdin_name="lines.txt"))
    assert (table.name, table.format) == ("lines.txt", "text")
    reader = reader_of(table)
    rows = [row.record for chunk in reader.chunks(table) for row in reader.decode(table, chunk)]
    assert rows == [{"text": "one"}, {"text": "two"}]
    monkeypatch.setattr(sys, "stdin", Piped(b'{"a": 1}\n'))
    (table,) = open_tables(["-"])
    assert (table.name, table.format, table.size) == ("-", "jsonl", 9)


def test_standard_input_that_is_closed_or_named_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ReadError, match="standard input is closed"):
        expand(["-"])
    monkeypatch.setattr(sys, "stdin", Piped(b"x"))
    with pytest.raises(UsageError, match="named twice"):
        expand(["-", "-"])


def test_what_was_piped_in_is_removed_at_the_end() -> None:
    code = "from ftprep.readers import open_tables; t, = open_tables(['-']); print(t.path, t.size)"
    done = subprocess.run([sys.executable, "-c", code], input=b'{"a": 1}\n', capture_output=True, check=True)
    path, size = done.stdout.decode().split()
    assert size == "9"
    assert not Path(path).exists()
