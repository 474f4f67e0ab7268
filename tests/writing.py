"""What tests of writing share: a folder as a value, calls that fail when they are told to, processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ftprep

ROOT = Path(ftprep.__file__).parents[1]


def tree(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below `folder`, temporary ones too; a link counts as the path it holds."""
    return {
        str(path.relative_to(folder)): os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def python(code: str, *args: str | Path) -> subprocess.Popen[str]:
    """Start `code` in a new process, where the package can be imported from."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def failing(real: Callable[..., Any], at: int, *, error: BaseException, after: bool = False) -> Callable[..., Any]:
    """Return `real` with its `at`-th call (from 1) raising `error`, before or after the work."""
    calls = iter(range(1, 10**9))

    def call(*args: Any, **kwargs: Any) -> Any:
        if next(calls) != at:
            return real(*args, **kwargs)
        if after:
            real(*args, **kwargs)
        raise error

    return call
