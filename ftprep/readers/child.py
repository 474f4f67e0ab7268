"""Starts parsers in processes of their own: what a file can bring down is then the child, and never the run."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Child = subprocess.Popen[bytes]


@contextmanager
def started(script: Path, *arguments: str, seconds: float) -> Iterator[tuple[Child, threading.Timer]]:
    """A child that runs a script by itself, and the clock that kills it after so many seconds unless it is cancelled.

    Nothing of ours is imported there; the child bounds itself (`child_bounds`) and ends with the block.
    """
    command = [sys.executable, "-I", "-S", "-X", "utf8", str(script), *arguments]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and our own script
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        clock = threading.Timer(seconds, child.kill)
        clock.daemon = True
        clock.start()
        try:
            yield child, clock
        finally:
            clock.cancel()
            child.kill()


def ended(child: Child) -> str:
    """How a child ended: its signal or its status."""
    code = child.wait()
    return f"signal {-code}" if code < 0 else f"status {code}"


def folder_of(package: str) -> str:
    """Where a package is installed, "" where it is not."""
    found = importlib.util.find_spec(package)
    return "" if found is None or found.origin is None else str(Path(found.origin).parent.parent)
