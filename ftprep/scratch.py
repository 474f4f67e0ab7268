"""Folders for what is needed while a process runs; what a killed one left behind goes when the next one is made.

A folder is locked by its process (flock), which ends however that ends, and is inherited by the workers it forks. Only
folders of our own name and this user, that nobody has locked, are removed, with the files in them; no link is followed.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

PREFIX = "ftprep-run-"
YOUNG_SECONDS = 60.0
"""A folder that has just been made may not be locked yet."""


class Scratch:
    """A new folder that only this user can read; `end` removes it, but in a forked worker, whose it is not."""

    def __init__(self) -> None:
        from tempfile import gettempdir, mkdtemp

        sweep(Path(gettempdir()))
        self.folder = Path(mkdtemp(prefix=PREFIX))
        self._owner = os.getpid()
        self._fd = _opened(self.folder)
        _locked(self._fd)  # where a file system has no locks, none is ever swept either

    def end(self) -> None:
        """Remove the folder and the files in it; may be called again."""
        if os.getpid() == self._owner:
            self._owner = 0
            _removed(self.folder, self._fd)
            fd, self._fd = self._fd, -1
            if fd >= 0:
                os.close(fd)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for as long as the block lasts."""
    made = Scratch()
    try:
        yield made.folder
    finally:
        made.end()


def until_exit() -> Path:
    """A folder for as long as the process lasts."""
    made = Scratch()
    atexit.register(made.end)
    return made.folder


def sweep(where: Path) -> None:
    """Remove the folders in `where` whose processes are gone; whatever stands against it, it is left."""
    if sys.platform == "win32":
        return
    with suppress(OSError), os.scandir(where) as entries:
        for name in [entry.name for entry in entries if entry.name.startswith(PREFIX)]:
            with suppress(OSError):
                _swept(where / name)


def _swept(folder: Path) -> None:
    fd = _opened(folder)
    if fd < 0:
        return
    try:
        status = os.fstat(fd)
        is_old = time.time() - status.st_mtime > YOUNG_SECONDS
        if is_old and status.st_uid == os.geteuid() and _locked(fd):
            _removed(folder, fd)
    finally:
        os.close(fd)


def _opened(folder: Path) -> int:
    """The folder itself, opened; -1 for a link or anything else, and where a folder cannot be opened (Windows)."""
    if sys.platform == "win32":
        return -1
    with suppress(OSError):
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    return -1


def _locked(fd: int) -> bool:
    """Whether the folder is ours now: nobody else has it."""
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


def _removed(folder: Path, fd: int) -> None:
    """Remove a folder with the files in it, found by its descriptor where there is one, so that nobody can put another
    in its place meanwhile; never what lies in folders below, of which we make none."""
    with suppress(OSError):
        for name in os.listdir(folder if fd < 0 else fd):  # noqa: PTH208 - pathlib knows no descriptors
            with suppress(OSError):
                if fd < 0:
                    (folder / name).unlink()
                else:
                    os.unlink(name, dir_fd=fd)
        folder.rmdir()
