"""Where outputs go: beside the input or where one says, called after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sample_sets import as_records, sound, write

from ftprep.errors import UsageError
from ftprep.naming import names_for, paths_of, stem_of


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.csv", "a"),
        ("a.b.csv", "a.b"),
        ("a.csv.gz", "a"),
        ("a.b.jsonl.zst", "a.b"),
        ("a.JSONL.GZ", "a"),
        ("a", "a"),
        ("a.gz", "a"),
        (".hidden", ".hidden"),
        ("-", "stdin"),
        ("", "stdin"),
        ("数据.csv", "数据"),
    ],
)
def test_the_name_without_its_suffixes(name: str, stem: str) -> None:
    assert stem_of(name) == stem


def test_all_names_of_a_set() -> None:
    names = names_for("data/support.csv.gz", None, None)
    assert names.one == Path("data/support_prepared.jsonl")
    assert names.train == Path("data/support_prepared_train.jsonl")
    assert names.valid == Path("data/support_prepared_valid.jsonl")
    assert names.rejected == Path("data/support_prepared_rejected.jsonl")
    assert names.manifest == Path("data/support_prepared.manifest.json")
    assert len({names.one, names.train, names.valid, names.rejected, names.manifest}) == 5


@pytest.mark.parametrize(
    ("source", "out", "name", "wanted"),
    [
        ("a.csv", None, None, "a_prepared.jsonl"),
        (Path("x/a.csv"), None, None, "x/a_prepared.jsonl"),
        ("x/a.csv", "y", None, "y/a_prepared.jsonl"),
        ("x/a.csv", Path("y"), "mine", "y/mine_prepared.jsonl"),
        (["x/a.csv", "z/b.csv"], None, None, "x/a_prepared.jsonl"),
        ("-", None, None, "stdin_prepared.jsonl"),
        ("x/*.csv", None, None, "x_prepared.jsonl"),
        ("x/*/b[0-9].csv", None, None, "x_prepared.jsonl"),
        (as_records(sound(2)), "y", None, "y/data_prepared.jsonl"),
        (iter(as_records(sound(2))), "y", "mine", "y/mine_prepared.jsonl"),
    ],
)
def test_names(source: Any, out: Any, name: str | None, wanted: str) -> None:
    assert names_for(source, out, name).one == Path(wanted)


def test_a_folder_or_a_pattern_gives_its_folder_s_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "support.2024"
    folder.mkdir()
    write(folder, sound(2))
    assert names_for(folder, None, None).one == folder / "support.2024_prepared.jsonl"
    assert names_for(str(folder / "*.jsonl"), None, None).one == folder / "support.2024_prepared.jsonl"
    monkeypatch.chdir(folder)
    for source in (".", "*.jsonl"):
        assert names_for(source, None, None).one == Path("support.2024_prepared.jsonl")


def test_brackets_in_the_name_of_a_file_are_no_pattern(tmp_path: Path) -> None:
    path = write(tmp_path, sound(2), "a[1].jsonl")
    assert names_for(path, None, None).one == tmp_path / "a[1]_prepared.jsonl"


def test_data_in_memory_has_no_place_of_its_own() -> None:
    with pytest.raises(UsageError, match="in memory"):
        names_for(as_records(sound(2)), None, "mine")


def test_only_paths_are_paths() -> None:
    assert paths_of("a.csv") == [Path("a.csv")]
    assert paths_of([Path("a"), "b"]) == [Path("a"), Path("b")]
    assert paths_of(as_records(sound(1))) == paths_of(iter([])) == []
