"""What this process holds of memory, and how the C library hands it out; where a system has no such thing, nothing."""

from __future__ import annotations

import os
from contextlib import suppress


def held() -> int:
    """Bytes of physical memory that this process holds; 0 where the system does not tell (it is asked as on Linux)."""
    try:
        file = os.open("/proc/self/statm", os.O_RDONLY)  # a fifth of what pathlib takes, and this is asked often
    except OSError:
        return 0
    try:
        return int(os.read(file, 100).split()[1]) * os.sysconf("SC_PAGE_SIZE")
    finally:
        os.close(file)


def give_back() -> None:
    """Give memory that is free back to the system: what is loaded next would else come on top of it."""
    import ctypes  # takes longer than a run of a few lines should

    with suppress(OSError, AttributeError, TypeError):  # only glibc has this
        ctypes.CDLL(None).malloc_trim(0)


_M_ARENA_MAX = -8  # malloc.h of glibc


def share_one_heap() -> None:
    """Let all threads of this process take memory from one heap: 30 MB less where a tokenizer has a thread."""
    import ctypes

    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
