"""The request journal: one line of JSON for each request and each thing made, from which a test can count."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from ftprep.disk import told

NAME = "journal.jsonl"


class Journal:
    """Appends whole lines; several threads may write."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._lock = threading.Lock()
        with told(self.path):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._fd = os.open(self.path, flags, 0o600)
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - 1))
                if size and file.read() != b"\n":
                    os.write(self._fd, b"\n")  # a line that was cut off stays on its own

    def note(self, what: str, **said: Any) -> None:
        """Write one line; a full disk does not stop the sandbox."""
        line = json.dumps({"at": round(time.time(), 3), "what": what, **said}) + "\n"
        with self._lock, suppress(OSError):
            os.write(self._fd, line.encode())

    def close(self) -> None:
        """No more lines."""
        with self._lock, suppress(OSError):
            os.close(self._fd)
            self._fd = -1


def read_journal(folder: Path) -> list[dict[str, Any]]:
    """The lines of the journal in a sandbox's folder; a line that was cut off by a kill is left out."""
    found = []
    with suppress(FileNotFoundError):
        for line in (folder / NAME).read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
    return found
