"""One piece of work done by a process of its own, while this one goes on with something else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from ftprep.executors import may_fork

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

T = TypeVar("T")


def beside(work: Callable[..., T], *given: Any) -> Callable[[], T]:
    """Begin `work(*given)` in a forked process; what is returned waits for the result and gives it, each time the same.

    Where forking is not safe, or the process comes to nothing, the work is done here when its result is asked for, so
    what it raises is raised then. The process ends with this one. The result must be picklable.
    """
    if not may_fork():
        return cache(lambda: work(*given))
    import multiprocessing

    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(theirs, work, given), daemon=True)
    process.start()
    theirs.close()

    @cache
    def result() -> T:
        with ours:
            try:
                told: T = ours.recv()
            except (EOFError, OSError):
                told = work(*given)
        process.join()
        return told

    return result


_DIE_WITH_PARENT = 1  # linux/prctl.h: PR_SET_PDEATHSIG


def _tell(pipe: Connection[Any, Any], work: Callable[..., Any], given: tuple[Any, ...]) -> None:
    import ctypes
    import gc
    import signal

    gc.freeze()  # a collection would write to all that is shared, and so copy it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, and ends this process
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    with suppress(Exception), pipe:  # whatever it is: the parent does the work itself, and hears of it
        pipe.send(work(*given))
