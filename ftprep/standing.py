"""What a file that replaces another keeps of it besides its name: permissions, owner, extended attributes."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from itertools import count
from pathlib import Path


def keep_standing(old: Path, was: os.stat_result, new: Path, fd: int) -> None:
    """Give `new`, open as `fd`, what `old` has, as far as the system lets us; raises OSError for the mode alone.

    Where the group cannot be kept, the group's permissions go: they were meant for others.
    """
    mode = stat.S_IMODE(was.st_mode) & 0o777
    if hasattr(os, "fchown"):
        now = os.fstat(fd)
        if (now.st_uid, now.st_gid) != (was.st_uid, was.st_gid):
            for owner in (was.st_uid, -1):
                with suppress(OSError):
                    os.fchown(fd, owner, was.st_gid)
                    break
            else:
                mode &= 0o707
    if hasattr(os, "listxattr"):  # access control lists are among them
        with suppress(OSError):
            for name in os.listxattr(old):
                with suppress(OSError):
                    os.setxattr(fd, name, os.getxattr(old, name))
    new.chmod(mode)


def link_or_copy(old: Path, new: Path) -> None:
    """Give a file a second name, or where there are no links a copy on disk under it; raises OSError."""
    try:
        new.hardlink_to(old)
    except FileExistsError:
        raise
    except OSError:
        if is_same(new, old):  # done, and then said to have failed: networks do that
            return
        with old.open("rb") as data, new.open("xb") as copy:
            shutil.copyfileobj(data, copy)
            copy.flush()
            os.fsync(copy.fileno())
        shutil.copystat(old, new)


def is_same(one: Path, other: Path) -> bool:
    """Whether two names are of one file."""
    with suppress(OSError):
        return one.samefile(other)
    return False


def backup_name(path: Path) -> str:
    """The first name for a copy of a file that is free: NAME.bak, NAME.bak2, …"""
    numbers = (f"{path.name}.bak{number if number > 1 else ''}" for number in count(1))
    return next(name for name in numbers if not os.path.lexists(path.with_name(name)))
