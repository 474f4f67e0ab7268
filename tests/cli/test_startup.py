"""What is imported when: a version without the command line, help without anything heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import NO_SPACE, compare, environment, run_alone

HEAVY = {
    "pandas",
    "sklearn",
    "tiktoken",
    "fastokens",
    "rich",
    "charset_normalizer",
    "python_calamine",
    "pyarrow",
    "numpy",
    "jsonlines",
    "pydantic",
    "msgspec",
}
DATA_COMMANDS = ("check", "fix", "prepare", "convert", "split", "tokens")
JOB_COMMANDS = ("jobs", "jobs submit", "jobs list", "jobs watch", "jobs resolve", "jobs results", "models")
COMMANDS = (*DATA_COMMANDS, *JOB_COMMANDS, "verify", "rule", "target", "recipe", "config", "config show")


def modules_after(cwd: Path, *runs: list[str]) -> set[str]:
    """The modules that these runs, one after the other in one process, have imported."""
    code = (
        "import json, sys, io, contextlib\n"
        "from ftprep.__main__ import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    codes = [main(run) for run in {list(runs)!r}]\n"
        "print(json.dumps([codes, sorted({m.split('.')[0] for m in sys.modules})]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, env=environment(), check=True, timeout=60
    )
    codes, modules = json.loads(done.stdout)
    assert codes == [0] * len(runs)
    return set(modules)


def test_the_version_needs_no_command_line(tmp_path: Path) -> None:
    assert not modules_after(tmp_path, ["--version"]) & (HEAVY | {"click", "difflib", "shutil"})


def test_help_needs_nothing_heavy(tmp_path: Path) -> None:
    runs = [["--help"], *([*command.split(), "--help"] for command in COMMANDS)]
    assert not modules_after(tmp_path, *runs) & HEAVY


def test_a_check_needs_only_what_it_uses(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(NO_SPACE, encoding="utf-8")
    used = modules_after(tmp_path, ["check", "a.jsonl", "-q"])
    assert not used & {
        "pandas",
        "sklearn",
        "rich",
        "charset_normalizer",
        "python_calamine",
        "pyarrow",
        "numpy",
        "multiprocessing",
    }


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_texts(tmp_path: Path, command: str) -> None:
    ran = run_alone(*command.split(), "--help", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    compare(f"help{'_' if command else ''}{command.replace(' ', '_')}.txt", ran.out)
    assert max(map(len, ran.out.splitlines())) <= 100
