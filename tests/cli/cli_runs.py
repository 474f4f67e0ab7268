"""How the tests run the command line: in this process, in one of its own, on a terminal; and how they compare text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ftprep

ROOT = Path(ftprep.__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"
SWITCHES = ("NO_COLOR", "FORCE_COLOR", "FTPREP_OUTPUT_FORMAT", "PYTHONUNBUFFERED", "PYTHONIOENCODING", "TERM")


@dataclass(frozen=True)
class Ran:
    """How a run ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What was written to stdout as JSON."""
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    """The environment of a run of its own: 100 columns, no switch of ours set but `more`."""
    kept = {k: v for k, v in os.environ.items() if k not in SWITCHES}
    return kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "TERM": "xterm", "PYTHONUTF8": "1"} | more


def run_alone(*arguments: str, cwd: Path, stdin: bytes = b"", timeout: float = 60, **env: str) -> Ran:
    """Run `python -m ftprep` in a process of its own, on pipes."""
    command = [sys.executable, "-m", "ftprep", *arguments]
    done = subprocess.run(
        command, cwd=cwd, input=stdin, capture_output=True, timeout=timeout, env=environment(**env), check=False
    )
    return Ran(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def compare(name: str, text: str) -> None:
    """Hold a text against the file in golden/; FTPREP_UPDATE_GOLDEN=1 writes it anew."""
    path = GOLDEN / name
    if os.environ.get("FTPREP_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8"), f"{name}: FTPREP_UPDATE_GOLDEN=1 writes it anew"


def jsonl(*records: Any) -> str:
    """Records as JSON lines."""
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records)


def animals(count: int = 60, end: str = " ->", space: str = " ") -> str:
    """A sound classification with two classes and no two rows alike, but for what `end` and `space` break."""
    names = ("otter", "heron", "viper", "moose", "gecko", "raven")
    return jsonl(
        *(
            {"prompt": f"{names[i % 6]} no. {i}{end}", "completion": f"{space}{('fur', 'no')[i % 2]}"}
            for i in range(count)
        )
    )


NO_SPACE = animals(space="")
"""What can be mended safely: no completion begins with a space."""

NO_SEPARATOR = animals(end="", space="") + animals(1, end="", space="")
"""What can be mended safely (spaces), and what only when asked (a separator, a duplicate)."""

BROKEN = animals(5) + '{"prompt": "x ->", "completion": 5\n' + jsonl({"prompt": "y ->"})
"""Five good rows and two that cannot be used."""
