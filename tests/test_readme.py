"""Executes what the README and the docs tell a reader to type, in a copy of the folders that the commands name."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
LINES = [line for kind, text in BLOCKS if kind == "console" for line in text.split("\n")]
COMMANDS = [line[2:] for line in LINES if line.startswith("$ ")]
OURS = [c for c in COMMANDS if c.startswith("ftprep ")]
MAIN_JOB = next(c for c in COMMANDS if "pip install ." in c).split(" && ", 1)[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("readme")
    for name in ("fixtures", "recipes"):
        shutil.copytree(ROOT / name, copy / name)
    return copy


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")


@pytest.mark.parametrize("command", [MAIN_JOB, *OURS])
def test_a_command_of_the_readme_does_what_it_says(command: str, folder: Path) -> None:
    words = shlex.split(command)
    assert words[0] == "ftprep"
    if words[1] == "verify" and not (folder / words[2]).exists():  # what it looks at is made by a command before it
        (maker,) = [c for c in OURS if c.startswith("ftprep prepare") and "--recipe sentiment" in c]
        run([sys.executable, "-m", *shlex.split(maker)], folder)
    done = run([sys.executable, "-W", "error", "-m", "ftprep", *words[1:]], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
    assert "Traceback" not in done.stderr


def test_the_python_of_the_readme_runs(folder: Path) -> None:
    source = "\n".join(text for kind, text in BLOCKS if kind == "python")
    done = run([sys.executable, "-W", "error", "-c", source], folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.loopback
def test_the_road_to_a_tuned_model_is_whole(tmp_path: Path) -> None:
    for package in ("openai", "starlette", "uvicorn"):
        pytest.importorskip(package, reason="the road needs: pip install 'ftprep[openai,sandbox]'")
    from ftprep.sandbox.background import stop_sandbox

    shutil.copytree(ROOT / "fixtures", tmp_path / "fixtures")
    (road,) = [text for kind, text in BLOCKS if kind == "sh"]
    try:
        for line in road.strip().split("\n"):
            done = run([sys.executable, "-m", *shlex.split(line)], tmp_path)
            assert done.returncode == 0, line + done.stdout + done.stderr
        assert "loss.svg" in done.stdout + done.stderr or list(tmp_path.rglob("loss.svg"))
    finally:
        stop_sandbox(tmp_path / ".ftprep" / "jobs" / "sandbox")


def test_the_first_two_commands_are_the_set_up() -> None:
    assert COMMANDS[0].startswith("pip install . && ftprep prepare fixtures/")
    assert COMMANDS[1] == "pip install -e '.[test]' && python -m pytest"


PAGES = ["CONTRIBUTING.md", "README.md", "docs/architecture.md", "docs/performance.md"]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in link:
            assert ((ROOT / page).parent / link).exists(), link
