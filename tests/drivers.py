"""Jobs of ftprep in processes of their own, for tests that watch, slow down or kill them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ftprep

HERE = Path(__file__).parent
SECONDS = 120
ENVIRONMENT = os.environ | {
    "PYTHONPATH": os.pathsep.join(
        [str(Path(ftprep.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    ),
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ADDRESS": "",
    "PYTHONHASHSEED": "random",
}


@contextmanager
def driver(function: str, *arguments: Any, named: dict[str, Any], **others: Any) -> Iterator[subprocess.Popen[str]]:
    """A job of ftprep in a process of its own (`job_driver.py` says what `others` are)."""
    given = json.dumps({"function": function, "arguments": arguments, "named": named, **others}, default=str)
    command = [sys.executable, str(HERE / "job_driver.py"), given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as p:
        try:
            yield p
        finally:
            p.kill()


def finished(process: subprocess.Popen[str], code: int = 0) -> str:
    """What it said; it must end in time, as it should, and with nothing said on stderr."""
    told, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (code, ""), told + errors
    return told


def wait_for(process: subprocess.Popen[str], pieces: int) -> None:
    """Until so many pieces have been done."""
    assert process.stdout
    for _ in range(pieces):
        assert process.stdout.readline(), process.stderr and process.stderr.read()


def killed(process: subprocess.Popen[str]) -> None:
    """Kill it as a power cut would, and wait until its workers have noticed."""
    process.kill()
    process.communicate(timeout=SECONDS)
