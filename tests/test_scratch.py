"""Temporary folders go with their process, or with the next one after a kill; nobody else's are touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ftprep.scratch import PREFIX, YOUNG_SECONDS, Scratch, scratch, sweep

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no locks on folders")
HOLD = """
import sys, time
from ftprep.scratch import until_exit
folder = until_exit()
(folder / "vocabulary.tiktoken").write_text("x")
print(folder, flush=True)
time.sleep(60)
"""
FORK = HOLD.replace("time.sleep(60)", "import os\nif os.fork() == 0: print(os.getpid(), flush=True)\ntime.sleep(60)")


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@contextmanager
def held(code: str = HOLD) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that holds a folder."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def aged(folder: Path) -> Path:
    then = time.time() - 2 * YOUNG_SECONDS
    os.utime(folder, (then, then))
    return folder


def planted(where: Path, name: str = "left") -> Path:
    """A folder that looks as if a killed process had left it."""
    folder = where / f"{PREFIX}{name}"
    folder.mkdir(mode=0o700)
    (folder / "data").write_text("rows")
    return aged(folder)


def test_a_folder_is_the_users_alone_and_goes_with_its_block(where: Path) -> None:
    with scratch() as folder:
        assert folder.parent == where
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "a").write_text("x")
    assert list(where.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next_start(where: Path) -> None:
    with held() as (process, folder):
        aged(folder)
        with scratch():
            assert folder.is_dir()  # it lives
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert folder.is_dir()
        with scratch():
            assert not folder.exists()


def test_a_process_that_ends_by_itself_leaves_nothing(where: Path) -> None:
    with held(HOLD.replace("60", "0")) as (process, folder):
        process.wait()
        assert not folder.exists()


def test_a_forked_worker_keeps_what_it_reads(where: Path) -> None:
    with held(FORK) as (process, folder):
        assert process.stdout
        worker = int(process.stdout.readline())
        try:
            process.kill()
            process.wait()
            sweep(aged(folder).parent)
            assert folder.is_dir()
        finally:
            os.kill(worker, signal.SIGKILL)


def test_a_forked_worker_does_not_remove_its_parents(where: Path) -> None:
    made = Scratch()
    if (pid := os.fork()) == 0:
        made.end()
        os._exit(0)
    os.waitpid(pid, 0)
    assert made.folder.is_dir()
    made.end()
    made.end()
    assert not made.folder.exists()


def test_what_is_not_ours_stays(where: Path) -> None:
    victim = where / "victim"
    victim.mkdir()
    (victim / "precious").write_text("x")
    link, file = where / f"{PREFIX}link", where / f"{PREFIX}file"
    link.symlink_to(victim)
    file.write_text("x")
    other = where / "ftprep-other"
    other.mkdir()
    aged(other)
    inside = planted(where)
    (inside / "out").symlink_to(victim)
    (inside / "below").mkdir()
    (inside / "below" / "deep").write_text("x")
    aged(inside)
    fresh = where / f"{PREFIX}fresh"
    fresh.mkdir()
    for path in (victim, link):
        os.utime(path, (0, 0), follow_symlinks=False)
    sweep(where)
    assert (victim / "precious").read_text() == "x"
    assert link.is_symlink()
    assert file.exists()
    assert other.is_dir()
    assert fresh.is_dir()
    assert [path.name for path in inside.iterdir()] == ["below"]
    assert (inside / "below" / "deep").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_another_users_folder_stays(where: Path) -> None:
    theirs = planted(where)
    os.chown(theirs, 65534, 65534)
    sweep(where)
    assert (theirs / "data").exists()


def test_where_there_are_no_locks_nothing_is_swept(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    left = planted(where)
    monkeypatch.setattr("fcntl.flock", refuse)
    with scratch() as folder:
        assert folder.is_dir()
        assert left.is_dir()
    assert list(where.iterdir()) == [left]
