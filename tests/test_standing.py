"""What a file that replaces another keeps of it, and copies where there are no links."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ftprep.standing import backup_name, link_or_copy
from ftprep.writer import write_file

POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX file systems only")


@POSIX
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_owner_and_group_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    os.chown(path, 65534, 65533)
    path.chmod(0o640)
    write_file(path, b"new", force=True)
    info = path.stat()
    assert (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) == (65534, 65533, 0o640)


@POSIX
@pytest.mark.parametrize(("kept", "mode"), [("group", 0o664), ("none", 0o604)])
def test_what_was_meant_for_a_group_is_not_shown_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str, mode: int
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o664)
    real, stand_in = os.fstat, path.stat()

    def fstat(fd: int) -> Any:
        return os.stat_result([*real(fd)[:4], stand_in.st_uid + 1, stand_in.st_gid + 1, *real(fd)[6:]])

    def fchown(_fd: int, owner: int, _group: int) -> None:
        if kept == "none" or owner != -1:
            raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fstat", fstat)
    monkeypatch.setattr(os, "fchown", fchown)
    from ftprep.standing import keep_standing

    new = tmp_path / "b"
    new.write_bytes(b"")
    with new.open("rb") as file:
        keep_standing(path, stand_in, new, file.fileno())
    assert stat.S_IMODE(new.stat().st_mode) == mode


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="no extended attributes")
def test_extended_attributes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    try:
        os.setxattr(path, "user.origin", b"x")
    except OSError:
        pytest.skip("this file system has none")
    write_file(path, b"new", force=True)
    assert os.getxattr(path, "user.origin") == b"x"


def _no_links(*_: object) -> NoReturn:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_a_copy_never_takes_the_place_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", _no_links)
    old, new = tmp_path / "a", tmp_path / "b"
    old.write_bytes(b"old")
    os.utime(old, (1, 2))
    link_or_copy(old, new)
    assert (new.read_bytes(), new.stat().st_mtime, new.stat().st_ino != old.stat().st_ino) == (b"old", 2, True)
    new.write_bytes(b"theirs")
    with pytest.raises(FileExistsError):
        link_or_copy(old, new)
    assert new.read_bytes() == b"theirs"


def test_a_name_for_a_copy_is_free(tmp_path: Path) -> None:
    assert backup_name(tmp_path / "a") == "a.bak"
    (tmp_path / "a.bak").symlink_to("nowhere")
    (tmp_path / "a.bak2").mkdir()
    assert backup_name(tmp_path / "a") == "a.bak3"
