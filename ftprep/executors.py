"""Ordered maps over pieces of work: in this process or in worker processes; what comes out is the same either way."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ftprep import memory
from ftprep.errors import UsageError
from ftprep.model import Chunk

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

T = TypeVar("T")
Job = Callable[[Chunk], T]

NAMES = ("auto", "inline", "processes", "ray")
"""What an executor may be called; `ray` is made in `ftprep.ray_executor`."""

MOST_WORKERS = 61
"""Windows cannot wait for more processes at once (WaitForMultipleObjects)."""

BYTES_A_WORKER = 16 << 20
"""Input from which one more worker pays: about 0.4 s of work against 0.05 s to fork it and bring its results back."""

MOST_GROWTH = 128 << 20
"""Bytes that a forked worker has taken beyond what it shares, times the CPU seconds it has worked: past that, another
is forked in its place (64 MiB after 2 seconds, 32 after 4). A tokenizer keeps each word it has met, and only the end
of a process gives all of it back; to fork and to meet the words again costs 0.06 seconds."""

TRIES = 3
"""How often a piece of work is begun before it is given up: after the first time alone, with all memory for itself."""


class Executor(Protocol):
    """Applies a picklable job to chunks and yields the results in the order of the chunks. `tries`: how often a piece
    whose worker dies is begun."""

    tries: int

    def map(self, job: Job[T], chunks: Iterable[Chunk], lost: Callable[[Chunk], T]) -> Iterator[T]:
        """The results, in order; only a bounded number of chunks is held at once. `lost` makes the result of a chunk
        whose worker died each time."""

    def rest(self) -> None:
        """Nothing is to be done for now: let go of what is cheap to have again."""

    def close(self) -> None:
        """Let go of what the executor holds."""


class Inline:
    """One after the other, in this process."""

    tries = 1

    def map(self, job: Job[T], chunks: Iterable[Chunk], lost: Callable[[Chunk], T]) -> Iterator[T]:
        """The results, in order."""
        del lost
        return map(job, chunks)

    def rest(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing is held."""


class _Worker:
    """One worker process, seen from the parent: what it was given, and since which job it knows what to do."""

    def __init__(self, context: BaseContext, others: list[_Worker]) -> None:
        ours, theirs = context.Pipe()
        # A forked worker holds copies of the parent's ends of all pipes; open, they would keep it from seeing the end.
        held = [ours, *(w.pipe for w in others)] if context.get_start_method() == "fork" else []
        self.pipe: Connection[Any, Any] = ours
        self.process: BaseProcess = context.Process(target=_serve, args=(theirs, held), daemon=True)  # type: ignore[attr-defined]
        with _only_installed_code():
            self.process.start()
        theirs.close()
        self.task: int | None = None
        self.job: object = None

    def give(self, number: int, job: Job[Any], chunk: Chunk) -> None:
        """Hand over one piece of work; raises OSError where the worker is dead, which has it nevertheless."""
        self.task = number
        if self.job is not job:
            self.pipe.send(job)
            self.job = job
        self.pipe.send(chunk)

    def kill(self) -> None:
        """End the process at once: it holds nothing that is worth a farewell."""
        with suppress(OSError, ValueError):
            self.process.kill()
        with suppress(OSError):
            self.pipe.close()
        self.process.join(1)


class Processes:
    """Worker processes, each with one piece of work at a time, that may stay from one map to the next.

    A worker that dies is replaced, and its piece of work tried again. An interrupt kills all of them at once.
    """

    tries = TRIES

    def __init__(self, workers: int) -> None:
        self.workers = min(workers, MOST_WORKERS)
        self._staff: list[_Worker] = []

    def map(self, job: Job[T], chunks: Iterable[Chunk], lost: Callable[[Chunk], T]) -> Generator[T, None, None]:
        """The results, in order, with at most four chunks for each worker on the way."""
        shift = _Shift(self, job, iter(chunks), lost)
        try:
            yield from shift.results()
        finally:
            if shift.under_way:
                self.close()  # it failed, or nobody wants the rest

    def busy(self) -> list[_Worker]:
        """The workers that have something to do."""
        return [worker for worker in self._staff if worker.task is not None]

    def has_room(self) -> bool:
        """Whether one more piece of work can be begun."""
        return len(self.busy()) < self.workers

    def idle(self) -> _Worker:
        """A worker with nothing to do, started where there is none; ask `has_room` before."""
        for worker in self._staff:
            if worker.task is None:
                return worker
        self._staff.append(_Worker(_context(), self._staff))
        return self._staff[-1]

    def dismiss(self, worker: _Worker) -> None:
        """Let go of a worker that has died, or has grown too large."""
        worker.kill()
        self._staff.remove(worker)

    def rest(self) -> None:
        """Stop workers that can be forked again: what comes now needs the memory."""
        if may_fork():
            self.close()

    def close(self) -> None:
        """Stop all workers."""
        for worker in self._staff:
            worker.kill()
        self._staff.clear()


class _Shift:
    """One map over the workers: which piece of work is where, and whose turn it is to come out."""

    def __init__(self, pool: Processes, job: Job[Any], chunks: Iterator[Chunk], lost: Callable[[Chunk], Any]) -> None:
        self._pool, self._job, self._lost, self._chunks = pool, job, lost, chunks
        self.under_way: dict[int, Chunk] = {}
        self._done: dict[int, Any] = {}
        self._again: deque[int] = deque()
        self._tries: dict[int, int] = {}
        self._given = self._out = 0
        self._more = True

    def results(self) -> Iterator[Any]:
        """What comes out, in order."""
        from multiprocessing.connection import wait

        while True:
            self._feed()
            while self._out in self._done:
                result = self._done.pop(self._out)
                self._out += 1
                self._feed()
                yield result
            busy = self._pool.busy()
            if not busy and not self._again and not self._more:
                return
            if not busy:
                continue  # who was to work has died before; nobody would ever be ready
            ready = wait([w.pipe for w in busy])
            for worker in busy:
                if worker.pipe in ready:
                    self._take(worker)

    def _feed(self) -> None:
        """Give out what there is to do, as long as somebody can take it."""
        while self._pool.has_room() and (number := self._next()) is not None:
            worker = self._pool.idle()
            try:
                worker.give(number, self._job, self.under_way[number])
            except OSError:
                self._bury(worker)
                return

    def _next(self) -> int | None:
        """What is to be done next, None for nothing now; a piece that killed its worker is tried again alone."""
        if self._again:
            return None if self._pool.busy() else self._again.popleft()
        if not self._more or self._given - self._out >= 4 * self._pool.workers:
            return None
        chunk = next(self._chunks, None)
        if chunk is None:
            self._more = False
            return None
        self.under_way[self._given] = chunk
        self._given += 1
        return self._given - 1

    def _take(self, worker: _Worker) -> None:
        try:
            is_error, result, is_full = worker.pipe.recv()
        except (EOFError, OSError):
            self._bury(worker)
            return
        number, worker.task = worker.task, None
        if is_full and may_fork():
            self._pool.dismiss(worker)
        if is_error:
            raise result
        if number is not None:
            del self.under_way[number]
            self._done[number] = result

    def _bury(self, worker: _Worker) -> None:
        """Replace a worker that died, and see to what it was doing."""
        number = worker.task
        self._pool.dismiss(worker)
        if number is None:
            return
        tries = self._tries[number] = self._tries.get(number, 0) + 1
        if tries < TRIES:
            self._again.append(number)
        else:
            self._done[number] = self._lost(self.under_way.pop(number))


def _serve(pipe: Connection[Any, Any], held: list[Connection[Any, Any]]) -> None:
    """What a worker does: take jobs and chunks, give results, until the other end is closed."""
    import gc
    import signal
    import time

    # numpy's own threads would only take memory here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # What came with the fork stays as it is: a collection would write to all of it, and so copy it.
    gc.freeze()
    memory.share_one_heap()
    # Ctrl-C goes to all processes of a terminal; the parent hears it and ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for other in held:
        other.close()
    job: Job[Any] | None = None
    start = 0
    while True:
        try:
            message = pipe.recv()
        except (EOFError, OSError):
            return
        if not isinstance(message, Chunk):
            job = message
            continue
        try:
            answer = (False, job(message) if job else None)
        except Exception as error:  # noqa: BLE001 - it is raised again where somebody can hear it
            answer = (True, sendable(error))
        start = start or memory.held()
        try:
            pipe.send((*answer, time.process_time() * (memory.held() - start) > MOST_GROWTH))
        except OSError:
            return


def sendable(error: Exception) -> Exception:
    """The error as one that can be pickled, with its traceback as a note."""
    import pickle
    import traceback

    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - it was made here a moment ago
    except Exception:  # noqa: BLE001 - whatever keeps it from travelling
        return RuntimeError("".join(traceback.format_exception(error)))
    error.add_note("".join(traceback.format_exception(error)))
    return error


@contextmanager
def _only_installed_code() -> Iterator[None]:
    """Keep an interpreter that is started from importing what lies in the current folder, which may be anybody's."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def may_fork() -> bool:
    """Whether forking is safe here: on Linux, in a process of one thread. macOS's own libraries do not survive it."""
    if sys.platform != "linux" or threading.active_count() > 1:
        return False
    try:
        return len(list(Path("/proc/self/task").iterdir())) == 1
    except OSError:
        return False


def _context() -> BaseContext:
    """Forked workers share what is loaded already; spawned ones share nothing, which is safe in a threaded parent."""
    import multiprocessing

    return multiprocessing.get_context("fork" if may_fork() else "spawn")


def executor_for(workers: int | str, size: int = 0, name: str = "auto") -> Executor:
    """The executor for a number of workers, or for `auto`: as many as there are processors, if `size` bytes of input
    keep them busy. 1 works in this process. `auto` starts no process where forking is not safe: a spawned worker
    imports the caller's main module again, which is for the caller to allow. `name` is `inline` or `processes` where
    one of them is asked for."""
    if name not in ("auto", "inline", "processes"):
        message = f"--executor {name}: there is no such executor"
        raise UsageError(message, f"those that are: {', '.join(NAMES)}")
    if workers == "auto":
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        count = max(1, min(processors, size // BYTES_A_WORKER)) if may_fork() else 1
        count = processors if name == "processes" else count
        return Processes(count) if name == "processes" or (count > 1 and name == "auto") else Inline()
    try:
        count = int(workers)
    except ValueError:
        count = 0
    if count < 1:
        message = f"--workers {workers}: not a number of processes"
        raise UsageError(message, "give a whole number from 1, or auto")
    if name == "inline" and count > 1:
        message = f"--workers {workers}: inline is one"
        raise UsageError(message, "leave --workers out, or choose another --executor")
    return Processes(count) if count > 1 or name == "processes" else Inline()
