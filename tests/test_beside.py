"""Work in a process of its own: the same result, whatever becomes of the process, and nothing is left running."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ftprep import beside as room
from ftprep import check, fix, pipeline
from ftprep.beside import beside
from ftprep.errors import ReadError

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
PARENT = os.getpid()


@pytest.fixture(autouse=True)
def forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork, although the process that runs the tests may have threads."""
    for module in (room, pipeline):
        monkeypatch.setattr(module, "may_fork", lambda: sys.platform == "linux")


def there(_: object) -> int:
    return os.getpid()


def dies(value: int) -> int:
    if os.getpid() != PARENT:
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def fails(message: str) -> int:
    raise ReadError(message)


def unpicklable(value: int) -> Any:
    return (lambda: value) if os.getpid() != PARENT else value


@LINUX
def test_the_work_is_done_elsewhere_and_once() -> None:
    result = beside(there, None)
    assert result() not in (0, PARENT)
    assert result() == result()


def test_where_forking_is_not_safe_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "may_fork", lambda: False)
    assert beside(there, None)() == PARENT


@pytest.mark.parametrize("work", [dies, unpicklable])
def test_a_process_that_comes_to_nothing_is_made_up_for(work: Any) -> None:
    assert beside(work, 7)() == 7


def test_what_the_work_raises_is_raised_where_it_is_asked_for() -> None:
    result = beside(fails, "nothing there")
    with pytest.raises(ReadError, match="nothing there"):
        result()


@LINUX
def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    program = (
        "import os, pathlib, time\n"
        "from ftprep.beside import beside\n"
        f"def work(): pathlib.Path({str(told)!r}).write_text(str(os.getpid())); time.sleep(60)\n"
        "beside(work); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program])
    try:
        deadline = time.monotonic() + 20
        while not (told.exists() and told.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        child = int(told.read_text())
    finally:
        parent.kill()
        parent.wait()
    while _is_running(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("workers", [1, 2])
def test_a_report_has_the_hash_of_each_input(tmp_path: Path, workers: int) -> None:
    paths = [tmp_path / name for name in ("a.jsonl", "b.csv")]
    paths[0].write_text('{"prompt": "a", "completion": " b"}\n' * 30)
    paths[1].write_text("prompt,completion\nc, d\n")
    report = check([str(path) for path in paths], workers=workers)
    assert [i.sha256 for i in report.inputs] == [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


def test_a_file_mended_in_place_has_the_hash_of_what_it_has_become(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n' * 3 + '{"prompt": "c", "completion": "d"}\r\n')
    before = path.read_bytes()
    report = fix(str(path), workers=2, unsafe=True).after
    assert path.read_bytes() != before
    assert report.inputs[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
