"""The lock of a folder: one holder, named to others; worth nothing without its process, also where none are known."""

from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest
from writing import python

from ftprep import lock
from ftprep.errors import WriteError
from ftprep.lock import NAME, FolderLock

fcntl = pytest.importorskip("fcntl")


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> NoReturn:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)


def dead() -> int:
    """The id of a process that is no more."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def sign(folder: Path, **said: object) -> None:
    document = {"pid": os.getppid(), "host": platform.node(), "since": "2026-01-02 03:04:05"} | said
    (folder / NAME).write_text(json.dumps(document), encoding="utf-8")


def taken(folder: Path) -> bool:
    """Whether the lock can be had, which is given back."""
    try:
        held = FolderLock(folder, wait=0.1)
    except WriteError:
        return False
    held.release()
    held.release()
    return not (folder / NAME).exists()


@pytest.mark.usefixtures("no_locks")
def test_without_locks_the_file_is_the_lock(tmp_path: Path) -> None:
    held = FolderLock(tmp_path)
    assert not taken(tmp_path)
    held.release()
    assert taken(tmp_path)


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize(("said", "free"), [({}, False), ({"host": "elsewhere"}, False), ({"pid": -5}, False)])
def test_without_locks_a_file_that_may_be_held_is_heeded(tmp_path: Path, said: dict[str, object], free: bool) -> None:
    sign(tmp_path, **said)
    assert taken(tmp_path) is free


@pytest.mark.usefixtures("no_locks")
def test_without_locks_the_file_of_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    sign(tmp_path, pid=dead(), host="elsewhere")
    with pytest.raises(WriteError, match=r"process [0-9]+ on elsewhere since 2026-01-02 03:04:05") as raised:
        FolderLock(tmp_path, wait=0)
    assert raised.value.hint == f"wait for it to end; if it is gone, remove {tmp_path / NAME}"
    sign(tmp_path, pid=dead())
    assert taken(tmp_path)


@pytest.mark.parametrize("said", [b"", b"{", b"[" * 10_000, b'{"pid": "x"}', b'{"pid": 1e99}', b"\xff", b'{"pid": 1}'])
def test_whatever_a_file_says_it_is_worth_nothing_without_its_holder(tmp_path: Path, said: bytes) -> None:
    (tmp_path / NAME).write_bytes(said)
    assert taken(tmp_path)


@pytest.mark.parametrize("said", ["", "{", '{"pid": 7, "host": "a\\u001b[31m\\nb", "since": "x"}'])
def test_whatever_its_holder_says_is_one_line(tmp_path: Path, said: str) -> None:
    held = FolderLock(tmp_path)
    (tmp_path / NAME).write_text(said, encoding="utf-8")
    with pytest.raises(WriteError, match="another ftprep is writing to") as raised:
        FolderLock(tmp_path, wait=0)
    assert raised.value.message.isprintable()
    held.release()


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_is_planted_in_its_place_is_not_followed(tmp_path: Path, kind: str) -> None:
    (tmp_path / "theirs").write_bytes(b"theirs")
    place = tmp_path / NAME
    if kind == "folder":
        place.mkdir()
    elif kind == "link":
        place.symlink_to(tmp_path / "theirs")
    else:
        os.mkfifo(place)
    if kind == "pipe":
        assert taken(tmp_path)
    else:
        with pytest.raises(WriteError, match="cannot write"):
            FolderLock(tmp_path, wait=0)
    assert (tmp_path / "theirs").read_bytes() == b"theirs"


def test_a_lock_that_cannot_be_signed_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    held = FolderLock(tmp_path)
    with pytest.raises(WriteError, match="another ftprep is writing to") as raised:
        FolderLock(tmp_path, wait=0)
    assert raised.value.message == f"another ftprep is writing to {tmp_path}"
    held.release()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another user to be")
def test_a_file_that_another_user_left_is_locked_all_the_same(tmp_path: Path) -> None:
    code = """
        import os, sys
        from pathlib import Path
        from ftprep.lock import FolderLock
        os.setresuid(65534, 65534, 65534)
        FolderLock(Path(sys.argv[1]), wait=0).release()
        print(os.listdir(sys.argv[1]))
    """
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    sign(shared)
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    with python(code, shared) as process:
        assert process.communicate(timeout=30) == ("[]\n", "")


def test_many_at_once_take_turns(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from ftprep.lock import FolderLock
        count = Path(sys.argv[1]) / "count"
        for _ in range(30):
            held = FolderLock(Path(sys.argv[1]), wait=60)
            count.write_text(str(int(count.read_text()) + 1))
            held.release()
    """
    (tmp_path / "count").write_text("0")
    processes = [python(code, tmp_path) for _ in range(4)]
    for process in processes:
        with process:
            assert process.communicate(timeout=120) == ("", "")
    assert (tmp_path / "count").read_text() == "120"
    assert lock._held == set()
