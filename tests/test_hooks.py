"""Holds the pre-commit hooks to what they promise: a good file passes, a bad one fails, a fix mends and says so."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MANIFEST = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
HOOKS = {
    found["id"]: found.groupdict()
    for found in re.finditer(r"- id: (?P<id>\S+)\n.*?entry: (?P<entry>.*?)\n.*?files: '(?P<files>.*?)'", MANIFEST, re.S)
}
GOOD = '{"prompt": "Peru ->", "completion": " Lima END"}\n{"prompt": "Chad ->", "completion": " Ndjamena END"}\n'
BAD = GOOD + '{"prompt": "Mali ->", "completion": 7, \n'
UNSPACED = GOOD + '{"prompt": "Mali ->", "completion": "Bamako END"}\n'


@pytest.fixture
def program(tmp_path: Path) -> dict[str, str]:
    """An environment in which `ftprep` is this checkout."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "ftprep"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m ftprep "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def run(hook: str, path: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [*shlex.split(HOOKS[hook]["entry"]), str(path)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=path.parent)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the program is a shell script")
class TestEntries:
    """The entries as pre-commit calls them."""

    @pytest.mark.parametrize("hook", ["ftprep-check", "ftprep-check-system"])
    def test_check(self, hook: str, tmp_path: Path, program: dict[str, str]) -> None:
        path = tmp_path / "set.jsonl"
        path.write_text(GOOD)
        assert run(hook, path, program).returncode == 0
        path.write_text(BAD)
        done = run(hook, path, program)
        assert done.returncode == 1
        assert f"{path}:3:" in done.stdout
        assert "IO104" in done.stdout or "IO116" in done.stdout

    def test_fix_mends_and_fails_once(self, tmp_path: Path, program: dict[str, str]) -> None:
        path = tmp_path / "set.jsonl"
        path.write_text(UNSPACED)
        assert run("ftprep-fix", path, program).returncode == 1
        assert path.read_text() == UNSPACED.replace('"Bamako', '" Bamako')
        assert run("ftprep-fix", path, program).returncode == 0

    def test_the_real_pre_commit_runs_the_hook(self, tmp_path: Path, program: dict[str, str]) -> None:
        if not shutil.which("pre-commit") or not (ROOT / ".git").exists():
            pytest.skip("pre-commit is not installed (pip install -e '.[dev]'), or this is no git checkout")
        work = tmp_path / "work"
        work.mkdir()
        environment = {**program, "PRE_COMMIT_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
        quiet = {"cwd": work, "env": environment, "capture_output": True, "text": True}
        subprocess.run(["git", "init", "-q"], check=True, **quiet)  # type: ignore[call-overload]
        for name, text, code in (("good.jsonl", GOOD, 0), ("bad.jsonl", BAD, 1)):
            (work / name).write_text(text)
            subprocess.run(["git", "add", name], check=True, **quiet)  # type: ignore[call-overload]
            command = ["pre-commit", "try-repo", str(ROOT), "ftprep-check-system", "--files", name]
            done = subprocess.run(command, **quiet)  # type: ignore[call-overload]
            assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a.jsonl", True),
        ("a.ndjson", True),
        ("a.csv", True),
        ("d/a.xlsx", True),
        ("a.jsonl.gz", True),
        ("a.jsonl.xz", True),
        ("a.jsonl.zst", False),  # the hook's environment has no zstd
        ("a.json", False),
    ],
)
def test_which_files_are_checked(name: str, wanted: bool) -> None:
    assert bool(re.search(HOOKS["ftprep-check"]["files"], name)) is wanted


def test_every_hook_is_serial_and_has_a_minimum_version() -> None:
    assert len(HOOKS) == MANIFEST.count("- id:") == MANIFEST.count("require_serial: true")
    assert MANIFEST.count("minimum_pre_commit_version") == len(HOOKS)
