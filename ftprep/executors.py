"""Ordered maps over chunks: in this process or in worker processes; what comes out is the same either way."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

from ftprep.errors import UsageError
from ftprep.model import Chunk

T = TypeVar("T")
Job = Callable[[Chunk], T]

MOST_WORKERS = 61
"""Windows cannot wait for more processes at once (WaitForMultipleObjects)."""


class Executor(Protocol):
    """Applies a picklable job to chunks and yields the results in the order of the chunks."""

    def map(self, job: Job[T], chunks: Iterable[Chunk]) -> Iterator[T]:
        """The results, in order; only a bounded number of chunks is held at once."""


class Inline:
    """One after the other, in this process."""

    def map(self, job: Job[T], chunks: Iterable[Chunk]) -> Iterator[T]:
        """The results, in order."""
        return map(job, chunks)


class Processes:
    """In worker processes: the job is shipped once to each, the chunks as undecoded bytes."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def map(self, job: Job[T], chunks: Iterable[Chunk]) -> Iterator[T]:
        """The results, in order, with at most two chunks waiting for each worker.

        Raises UsageError where a worker dies, which nearly always means that memory ran out.
        """
        import multiprocessing
        from concurrent.futures import Future, ProcessPoolExecutor
        from concurrent.futures.process import BrokenProcessPool

        # Spawned workers share nothing with the parent, so a threaded parent (a notebook) is safe too.
        context = multiprocessing.get_context("spawn")
        waiting: deque[Future[T]] = deque()
        try:
            with ProcessPoolExecutor(min(self.workers, MOST_WORKERS), context, _take_job, (job,)) as pool:
                try:
                    for chunk in chunks:
                        waiting.append(pool.submit(_run_job, chunk))
                        if len(waiting) >= 2 * self.workers:
                            yield waiting.popleft().result()
                    while waiting:
                        yield waiting.popleft().result()
                finally:
                    for future in waiting:
                        future.cancel()
        except BrokenProcessPool:
            message = "a worker process died or could not start; did memory run out?"
            raise UsageError(message, "use fewer --workers; a script needs `if __name__ == '__main__':`") from None


_job: Any = None


def _take_job(job: Any) -> None:
    global _job  # noqa: PLW0603 - a pool's initializer can hand its value on in no other way
    _job = job


def _run_job(chunk: Chunk) -> Any:
    return _job(chunk)


def executor_for(workers: int | str) -> Executor:
    """The executor for a number of workers, or `auto` for one a processor; 1 works in this process."""
    if workers == "auto":
        workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        count = int(workers)
    except ValueError:
        count = 0
    if count < 1:
        message = f"--workers {workers}: not a number of processes"
        raise UsageError(message, "give a whole number from 1, or auto")
    return Inline() if count == 1 else Processes(count)
