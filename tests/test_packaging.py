"""Builds the wheel and looks into it: everything a user needs, nothing else, and it runs from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="the wheel is built with hatchling: pip install -e '.[test]'")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_has_what_is_needed_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {n.split("/")[0] for n in names}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"ftprep"}
    needed = ["py.typed", "tokens/models.toml", "recipes/sentiment.toml", "recipes/samples/sentiment.csv"]
    needed += [f"tokens/data/{n}" for n in ("p50k.bin", "cl100k.bin", "o200k.bin", "LICENSE-tiktoken")]
    assert {f"ftprep/{n}" for n in needed} <= names
    assert any(n.endswith("licenses/LICENSE") for n in names)
    assert not [n for n in names if "__pycache__" in n or n.endswith((".pyc", ".tiktoken")) or "/test" in n]


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < 3_000_000


def test_an_installed_wheel_runs_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    (tmp_path / "set.csv").write_text("tweet,sentiment\ngreat,positive\nbad,negative\n", encoding="utf-8")
    command = [sys.executable, "-m", "ftprep", "prepare", "set.csv", "--recipe", "sentiment", "-y"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "set_prepared_train.jsonl").is_file()
    where = [sys.executable, "-c", "import ftprep; print(ftprep.__file__)"]
    told = subprocess.run(where, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout
    assert str(tmp_path) in told
