"""How the tests of threats run ftprep: as the installed command does, in a folder, with an environment of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import ftprep

ROOT = Path(ftprep.__file__).parent.parent
COMMAND = "import sys\nfrom ftprep.__main__ import main\nsys.exit(main())\n"
"""What installers write as the script `ftprep`; Python then looks for modules beside it, not in the current folder."""

PAIRS = "".join(
    json.dumps({"prompt": f"{('otter', 'heron', 'moose')[n % 3]} no. {n} ->", "completion": f" {('fur', 'no')[n % 2]}"})
    + "\n"
    for n in range(60)
)
CHATS = "".join(
    json.dumps({"messages": [{"role": "user", "content": f"What is {n}?"}, {"role": "assistant", "content": f"N{n}."}]})
    + "\n"
    for n in range(12)
)

LOCAL = (
    ("check", "a.jsonl"),
    ("check", "a.jsonl", "b.csv", "--workers", "2"),
    ("check", "a.jsonl", "--output-format", "json", "-v"),
    ("check", "chats.jsonl", "--target", "openai:gpt-4o-mini", "--show", "1"),
    ("fix", "a.jsonl", "--diff"),
    ("prepare", "a.jsonl", "-y", "--force", "-o", "out"),
    ("convert", "chats.jsonl", "--to", "completion", "-o", "out/pairs.jsonl", "--force"),
    ("split", "a.jsonl", "-o", "out", "--force"),
    ("tokens", "chats.jsonl"),
    ("verify", "out/a_prepared.manifest.json"),
    ("rule", "--all"),
    ("target", "openai"),
    ("recipe",),
    ("config", "show"),
    ("config", "schema"),
    ("--version",),
)
"""A run of every command that is given nothing remote."""


class Ran(NamedTuple):
    """How a run ended."""

    code: int
    out: str
    err: str


def furnish(folder: Path) -> None:
    """Put the inputs of LOCAL into a folder."""
    (folder / "a.jsonl").write_text(PAIRS, encoding="utf-8")
    (folder / "chats.jsonl").write_text(CHATS, encoding="utf-8")
    (folder / "b.csv").write_text("prompt,completion\n" + "x ->, yes\ny ->, no\n" * 5, encoding="utf-8")


def environment(**more: str) -> dict[str, str]:
    """The environment of a run, with the package under test in the place of an installed one."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONSAFEPATH", "GITHUB_ACTIONS")}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"} | more


def script(folder: Path) -> list[str]:
    """The command line that begins a run of the installed command."""
    path = folder / "ftprep"
    path.write_text(COMMAND, encoding="utf-8")
    return [sys.executable, str(path)]


def run(command: list[str], *arguments: str, cwd: Path, timeout: float = 60, **env: str) -> Ran:
    """Run a command in a folder."""
    done = subprocess.run(
        [*command, *arguments], cwd=cwd, env=environment(**env), capture_output=True, timeout=timeout, check=False
    )
    return Ran(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
