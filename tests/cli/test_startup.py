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
UNUSED = {
    *("pandas", "sklearn", "rich", "charset_normalizer", "python_calamine", "pyarrow", "numpy", "fastokens"),
    *("jsonschema", "jinja2", "jsonlines", "requests", "regex"),
    *("asyncio", "ctypes", "email", "http", "multiprocessing", "socket", "ssl", "subprocess", "unittest"),
    *("tomllib", "xml", "zipfile", "importlib.metadata", "importlib.resources"),
    "pydantic.plugin._loader",  # imported when a model is built, which what ftprep makes itself need not be
    *("ftprep.cli.jobs", "ftprep.cli.prepare", "ftprep.cli.show", "ftprep.jobs", "ftprep.sandbox", "ftprep.preparer"),
}
"""What a check of a small file of JSON lines has no use for; each costs a millisecond or more of a few hundred."""

DATA_COMMANDS = ("check", "fix", "prepare", "convert", "split", "tokens")
JOB_COMMANDS = ("jobs", "jobs submit", "jobs list", "jobs watch", "jobs resolve", "jobs results", "models")
COMMANDS = (*DATA_COMMANDS, *JOB_COMMANDS, "verify", "rule", "target", "recipe", "config", "config show")


def modules_after(cwd: Path, *runs: list[str]) -> set[str]:
    """The modules that these runs, one after the other in one process, have imported, by their full names."""
    code = (
        "import json, sys, io, contextlib\n"
        "before = set(sys.modules)\n"
        "from ftprep.__main__ import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    codes = [main(run) for run in {list(runs)!r}]\n"
        "print(json.dumps([codes, sorted(set(sys.modules) - before)]))"
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
    assert {"ftprep.cli.check", "ftprep.engine", "tiktoken", "pydantic"} <= used
    assert not used & UNUSED


def test_a_run_ends_without_freeing_what_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(NO_SPACE, encoding="utf-8")
    code = (
        "import gc, sys\nfrom ftprep.__main__ import main\n"
        "sys.argv = ['ftprep', 'check', 'a.jsonl', '-qq']\n"
        "kept = [main(sys.argv[1:]), gc.get_freeze_count()]\n"
        "print(kept, main(), gc.get_freeze_count() > 10_000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=environment(), timeout=60
    )
    assert done.stdout.splitlines()[-1:] == ["[0, 0] 0 True"], done.stderr


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_texts(tmp_path: Path, command: str) -> None:
    ran = run_alone(*command.split(), "--help", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    compare(f"help{'_' if command else ''}{command.replace(' ', '_')}.txt", ran.out)
    assert max(map(len, ran.out.splitlines())) <= 100
