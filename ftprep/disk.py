"""What files need of the system: a refusal told as one line that says what to do, folders synced, marks of content."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

from ftprep.errors import WriteError
from ftprep.foreign import words_of

TEMP_SUFFIX = ".ftprep-tmp"
"""What the names of all files end in that are on their way or out of it."""

HINTS = {
    errno.EFBIG: "raise the limit on the size of a file (ulimit -f)",
    errno.ENAMETOOLONG: "choose a shorter name",
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space, or choose another folder"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "choose another folder, or have its permissions changed"),
}


def shown(path: Path) -> str:
    """Return the path as one line of text, quoted and escaped where it would not print."""
    return str(path) if str(path).isprintable() else repr(str(path))


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Make a WriteError of what the system says against writing `path`."""
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a name with a null character, or not in the system's encoding
        hint = HINTS.get(getattr(error, "errno", 0), "no file was changed")
        raise WriteError(f"cannot write {shown(path)}: {words_of(error)}", hint) from error


def sync_folder(folder: Path) -> None:
    """Put on disk which names a folder has, where the system can do that."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EBADF, errno.EINVAL, errno.ENOTSUP):  # systems that cannot sync a folder
            raise
    finally:
        os.close(fd)


def open_regular(path: Path) -> IO[bytes]:
    """Open a file to read; raises OSError for what is none (a device, a folder), and waits for no pipe."""
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a file", str(path))
    return os.fdopen(fd, "rb", buffering=0)


SMALL = 8 << 20
"""Bytes of a file of settings; real ones have a thousandth of it."""


def small_text(path: Path, most: int = SMALL) -> str:
    """The text of a file of settings; raises OSError for what is no file or larger than `most` bytes, ValueError for
    what is no UTF-8. A device or a pipe keeps nobody waiting."""
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > most:
            raise OSError(errno.EFBIG, f"more than {most:,} bytes", str(path))
        return file.read(most).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def holds(path: Path, size: int, sha256: str) -> bool:
    """Whether a file is there and has that many bytes and that hash; a link is never it."""
    with suppress(OSError):
        if path.is_symlink() or path.stat().st_size != size:
            return False
        with open_regular(path) as file:
            return hashlib.file_digest(cast("BufferedReader", file), "sha256").hexdigest() == sha256
    return False
