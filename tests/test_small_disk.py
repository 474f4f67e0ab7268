"""A disk that fills up while it is written to: one line, the files as they were, nothing left behind."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sample_sets import as_records, jsonl
from writing import ROOT, tree

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a disk")

Mount = Callable[[str], Path]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Mount]:
    made: list[Path] = []

    def mount(options: str) -> Path:
        folder = tmp_path / f"disk{len(made)}"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip("nothing may be mounted here")
        made.append(folder)
        return folder

    if not shutil.which("mount"):
        pytest.skip("no mount")
    yield mount
    for folder in made:
        subprocess.run(["umount", folder], check=True)


def run(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ftprep", *arguments, "--workers", "1"],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def rows(tmp_path: Path) -> bytes:
    rng = random.Random(0)
    made = jsonl(as_records([(f"question {n} {rng.randbytes(60).hex()} ->", "answer END") for n in range(3000)]))
    (tmp_path / "a.jsonl").write_bytes(made)
    return made


COMMANDS = [
    ("prepare", "a.jsonl", "-o", "disk0", "--force"),
    ("convert", "a.jsonl", "-o", "disk0/a.parquet", "--force"),
    ("check", "a.jsonl", "--output-format", "json", "-o", "disk0/a_prepared_train.jsonl"),
    ("fix", "disk0/b.jsonl"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_full_disk(tmp_path: Path, rows: bytes, mounted: Mount, command: tuple[str, ...]) -> None:
    disk = mounted("size=400k")
    (disk / "b.jsonl").write_bytes(rows[: rows.index(b"\n", 250_000) + 1])
    (disk / "a_prepared_train.jsonl").write_bytes(b"old")
    before = tree(disk)
    if command[0] == "check":
        (disk / "rest").write_bytes(bytes(80_000))
        before = tree(disk)
    ran = run(tmp_path, *command)
    assert (ran.returncode, ran.stdout) == (2, ""), ran.stderr
    first, hint = ran.stderr.splitlines()
    assert first.startswith("error: cannot write ")
    assert first.endswith(": No space left on device")
    assert hint == "  free some space, or choose another folder"
    assert tree(disk) == before


def test_a_disk_that_is_only_read(tmp_path: Path, rows: bytes, mounted: Mount) -> None:
    mounted("size=400k,ro")
    ran = run(tmp_path, *COMMANDS[0])
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines() == [
        f"error: cannot write {tmp_path.resolve() / 'disk0'}: Read-only file system",
        "  choose another folder, or have its permissions changed",
    ]
