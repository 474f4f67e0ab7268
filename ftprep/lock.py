"""One run at a time writes into a folder: a lock file that says who holds it, and that is worth nothing without them.

The lock is the system's (flock) and ends with its process, however that ends; the file stays behind a process that was
killed, and the next one takes it over. Where the system has no locks, the file itself is the lock: it is taken over
when its process is known to be gone, that is on the same computer.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from contextlib import suppress
from pathlib import Path

from ftprep.disk import shown, told
from ftprep.errors import WriteError

if sys.platform != "win32":
    import fcntl

NAME = ".ftprep-lock"
WAIT_SECONDS = 10.0
_PAUSE = 0.05
_MOST = 1000
"""Bytes of a lock file that are looked at: nobody says more of themselves."""

_held: set[int] = set()


def _let_go() -> None:
    # A forked worker that outlives its parent must not keep what the parent held.
    for fd in _held:
        with suppress(OSError):
            os.close(fd)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


class FolderLock:
    """The lock of a folder, from its making on until `release`. Raises WriteError when others hold it for too long."""

    def __init__(self, folder: Path, wait: float | None = None) -> None:
        self._path = folder / NAME
        deadline = time.monotonic() + (WAIT_SECONDS if wait is None else wait)
        with told(folder):
            while (fd := self._take()) < 0:
                if time.monotonic() >= deadline:
                    raise WriteError(f"another ftprep is writing to {shown(folder)}{self._who()}", self._hint())
                time.sleep(_PAUSE)
        self._fd = fd
        _held.add(fd)
        try:
            self._sign()
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let others write; may be called again."""
        if self._fd in _held:  # not in a forked worker
            with suppress(OSError):
                self._path.unlink()
            fd, self._fd = self._fd, -1
            _held.discard(fd)
            with suppress(OSError):
                os.close(fd)

    def _take(self) -> int:
        """The descriptor of the file that is the lock and is ours now, -1 where it is somebody else's."""
        made, fd = True, -1
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
        try:
            fd = os.open(self._path, flags, 0o666)
        except FileExistsError:
            made = False
        if not made:
            fd = self._open_existing()
        if fd < 0:
            return -1
        ours = False
        try:
            ours = self._is_ours(fd, made)
        finally:
            if not ours:
                os.close(fd)
        return fd if ours else -1

    def _open_existing(self) -> int:
        flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            return os.open(self._path, os.O_RDWR | flags)
        except FileNotFoundError:
            return -1
        except PermissionError:  # another user's: it can be locked, though not signed
            return os.open(self._path, os.O_RDONLY | flags)

    def _is_ours(self, fd: int, made: bool) -> bool:
        if sys.platform == "win32":
            return made or self._take_over()
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            return made or self._take_over()
        try:  # between opening and locking, the one who held it may have removed it
            return os.path.samestat(os.fstat(fd), self._path.lstat())
        except FileNotFoundError:
            return False

    def _take_over(self) -> bool:
        """Remove the file of a process that is gone; it is made anew by the next try."""
        if sys.platform == "win32" or self._is_over():
            with suppress(OSError):  # on Windows a file that somebody has open cannot be removed
                self._path.unlink()
        return False

    def _is_over(self) -> bool:
        pid, host, _ = self._signed()
        if pid <= 0 or host != platform.node() or pid == os.getpid():
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):
            return False
        return False

    def _sign(self) -> None:
        said = {"pid": os.getpid(), "host": platform.node(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        with suppress(OSError):  # a full disk, or another user's file: it is locked all the same
            os.ftruncate(self._fd, 0)
            os.write(self._fd, json.dumps(said).encode())

    def _signed(self) -> tuple[int, str, str]:
        with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            with self._path.open("rb") as file:
                said = json.loads(file.read(_MOST))
            return int(said["pid"]), str(said["host"])[:100], str(said["since"])[:40]
        return 0, "", ""

    def _who(self) -> str:
        pid, host, since = self._signed()
        return f": process {pid} on {shown(Path(host))} since {shown(Path(since))}" if pid else ""

    def _hint(self) -> str:
        host = self._signed()[1]
        if not host or host == platform.node():
            return "wait for it to end, or name another folder"
        return f"wait for it to end; if it is gone, remove {shown(self._path)}"
