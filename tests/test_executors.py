"""Worker processes: the same results in the same order, whatever dies; and nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ftprep import executors
from ftprep.errors import ReadError
from ftprep.executors import Inline, Processes, executor_for
from ftprep.model import Chunk

POSIX = pytest.mark.skipif(os.name != "posix", reason="sends signals")
FORK, SPAWN = "fork", "spawn"


@pytest.fixture(params=[FORK, SPAWN])
def pool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    """Two workers, forked and spawned."""
    if request.param == FORK and sys.platform != "linux":
        pytest.skip("workers are forked on Linux only")
    monkeypatch.setattr(executors, "may_fork", lambda: request.param == FORK)
    made = Processes(2)
    yield made
    pids = [w.process.pid for w in made._staff]
    made.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid or 0, 0)


def chunks(count: int) -> Iterator[Chunk]:
    return (Chunk(n, 0, n + 1, n) for n in range(count))


def gone(chunk: Chunk) -> Any:
    return f"lost {chunk.number}"


def doubled(chunk: Chunk) -> int:
    time.sleep(0.02 if chunk.number % 3 == 0 else 0)
    return 2 * int(chunk.payload)


def large(chunk: Chunk) -> bytes:
    return bytes([chunk.number]) * 3_000_000


class DiesOnce:
    """A job that kills its own process on one chunk, the first `times` times."""

    def __init__(self, folder: Path, number: int, times: int) -> None:
        self.folder, self.number, self.times = folder, number, times

    def __call__(self, chunk: Chunk) -> int:
        died = len(list(self.folder.iterdir()))
        if chunk.number == self.number and died < self.times:
            (self.folder / str(died)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * int(chunk.payload)


def refusing(chunk: Chunk) -> int:
    if chunk.number == 3:
        raise ReadError("the file is gone", "bring it back")
    return 0


def unpicklable(chunk: Chunk) -> int:
    class OddError(Exception):
        pass

    raise OddError(f"odd {chunk.number}")


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_results_come_in_order_from_the_same_workers(pool: Processes) -> None:
    assert list(pool.map(doubled, chunks(23), gone)) == [2 * n for n in range(23)]
    pids = {w.process.pid for w in pool._staff}
    assert [len(part) for part in pool.map(large, chunks(9), gone)] == [3_000_000] * 9
    assert {w.process.pid for w in pool._staff} == pids
    assert list(pool.map(doubled, chunks(0), gone)) == []


@POSIX
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("times", [1, 2])
def test_a_killed_workers_chunk_is_tried_again(pool: Processes, tmp_path: Path, times: int) -> None:
    job = DiesOnce(tmp_path, 4, times)
    assert list(pool.map(job, chunks(12), gone)) == [2 * n for n in range(12)]
    assert len(list(tmp_path.iterdir())) == times


@POSIX
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_chunk_that_always_kills_is_given_up_and_the_others_are_not(pool: Processes, tmp_path: Path) -> None:
    found = list(pool.map(DiesOnce(tmp_path, 4, 99), chunks(12), gone))
    assert found == [f"lost {n}" if n == 4 else 2 * n for n in range(12)]
    assert len(list(tmp_path.iterdir())) == executors.TRIES


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@POSIX
@pytest.mark.parametrize(("dead", "answers"), [(1, [0, 2, 4]), (2, [0, 2, 4]), (9, ["lost 0", "lost 1", "lost 2"])])
def test_workers_that_die_before_they_are_given_anything(
    pool: Processes, monkeypatch: pytest.MonkeyPatch, dead: int, answers: list[object]
) -> None:
    """As where memory runs out: nobody must wait for them."""
    give, killed = executors._Worker.give, list[executors._Worker]()

    def give_late(worker: executors._Worker, *work: Any) -> None:
        if len(killed) < dead:
            killed.append(worker)
            worker.process.kill()
            worker.process.join()
        give(worker, *work)

    monkeypatch.setattr(executors._Worker, "give", give_late)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(60)
    try:
        assert list(pool.map(doubled, chunks(3), gone)) == answers
    finally:
        signal.alarm(0)


_kept: list[bytes] = []


def hoarding(chunk: Chunk) -> int:
    _kept.append(b"x" * 1_000_000)
    return os.getpid()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched on Linux")
def test_a_worker_that_has_grown_is_forked_anew(pool: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not so a spawned one, which would have to load everything again."""
    monkeypatch.setattr(executors, "MOST_GROWTH", 1)
    is_forked = executors.may_fork()
    pids = list(pool.map(hoarding, chunks(60), gone))
    often = Counter(pids)
    assert len(often) > 2 if is_forked else len(often) <= 2
    assert len(pool._staff) <= 2
    assert list(pool.map(doubled, chunks(23), gone)) == [2 * n for n in range(23)]


def test_what_a_worker_raises_is_raised_here(pool: Processes) -> None:
    with pytest.raises(ReadError, match="the file is gone") as caught:
        list(pool.map(refusing, chunks(9), gone))
    assert caught.value.hint == "bring it back"
    with pytest.raises(RuntimeError, match="odd 0"):
        list(pool.map(unpicklable, chunks(1), gone))
    assert list(pool.map(doubled, chunks(3), gone)) == [0, 2, 4]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_map_that_is_left_leaves_nothing_behind(pool: Processes) -> None:
    results = pool.map(doubled, chunks(100), gone)
    assert next(results) == 0
    results.close()
    assert list(pool.map(doubled, chunks(5), gone)) == [0, 2, 4, 6, 8]


def test_only_a_bounded_number_of_chunks_is_on_the_way() -> None:
    taken = 0

    def counted() -> Iterator[Chunk]:
        nonlocal taken
        for chunk in chunks(100):
            taken += 1
            yield chunk

    pool = Processes(2)
    try:
        results = pool.map(doubled, counted(), gone)
        for n in range(100):
            assert next(results) == 2 * n
            assert taken <= n + 2 + 4 * 2
    finally:
        results.close()
        pool.close()


def test_how_many_workers_auto_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(os, "sched_getaffinity"):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    else:
        monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(executors, "may_fork", lambda: True)
    size = executors.BYTES_A_WORKER
    for times, workers in ((0, 0), (1, 0), (2, 2), (5, 5), (100, 8)):
        made = executor_for("auto", times * size)
        assert getattr(made, "workers", 0) == workers
    monkeypatch.setattr(executors, "may_fork", lambda: False)
    assert isinstance(executor_for("auto", 100 * size), Inline)


SLOW = """
import os, sys, time
from ftprep.executors import Processes
from ftprep.model import Chunk

def job(chunk):
    os.write(1, b"working\\n")  # in one go: two workers may speak at once
    time.sleep(float(sys.argv[1]))

if __name__ == "__main__":
    list(Processes(2).map(job, (Chunk(n, 0, 1, n) for n in range(9)), print))
    time.sleep(60)
"""


@POSIX
@pytest.mark.parametrize(("how", "seconds"), [(signal.SIGINT, "60"), (signal.SIGKILL, "0.5")])
def test_nothing_goes_on_when_the_parent_is_stopped(tmp_path: Path, how: signal.Signals, seconds: str) -> None:
    """Ctrl-C is answered at once; when the parent is killed, workers end with what they are doing."""
    program = tmp_path / "slow.py"
    program.write_text(SLOW)
    path = os.pathsep.join([str(Path(executors.__file__).parents[1]), *sys.path])
    with subprocess.Popen(
        [sys.executable, str(program), seconds],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": path},
        start_new_session=True,
    ) as process:
        assert process.stdout
        try:
            assert [process.stdout.readline(), process.stdout.readline()] == [b"working\n"] * 2
            began = time.monotonic()
            process.send_signal(how)
            process.wait(10)
            assert time.monotonic() - began < 5  # a tenth of a second on a machine with nothing else to do
            process.stdout.read()  # ends when the last worker has closed its end
            assert time.monotonic() - began < 10
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
