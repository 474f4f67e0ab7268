"""Output files: whole or not at all, whatever fails, and the old ones as they were."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import random
import re
import shutil
import signal
import socket
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from writing import failing, python, tree

import ftprep.lock
from ftprep.disk import TEMP_SUFFIX
from ftprep.errors import WriteError
from ftprep.outfile import BUFFER_BYTES
from ftprep.writer import OutputSet, manifest_bytes, write_file

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX file systems only")


def make(outputs: OutputSet, folder: Path, word: bytes = b"new") -> dict[str, Any]:
    """Write train and valid and a manifest, as a run does."""
    train = outputs.open(folder / "train.jsonl")
    valid = outputs.open(folder / "valid.jsonl")
    for i in range(3):
        train.write(b"%s %d\n" % (word, i))
    valid.write(word + b" 0\n")
    return outputs.commit((folder / "manifest.json", manifest_bytes))


NEW = {"train.jsonl": b"new 0\nnew 1\nnew 2\n", "valid.jsonl": b"new 0\n"}


def test_files_appear_at_commit_with_their_numbers(tmp_path: Path) -> None:
    with OutputSet() as outputs:
        file = outputs.open(tmp_path / "a.jsonl")
        file.write(b'{"a": 1}\n')
        file.write(b'{"a": 2}')  # gets its newline, so that two records never share a line
        file.write_bytes(b"tail")
        assert not (tmp_path / "a.jsonl").exists()
        summary = outputs.commit((tmp_path / "m.json", manifest_bytes))
    data = b'{"a": 1}\n{"a": 2}\ntail'
    assert summary == {
        "outputs": [
            {"path": str(tmp_path / "a.jsonl"), "sha256": hashlib.sha256(data).hexdigest(), "bytes": 22, "rows": 2}
        ]
    }
    assert tree(tmp_path) == {"a.jsonl": data, "m.json": manifest_bytes(summary)}


def test_large_output_is_written_as_it_comes(tmp_path: Path) -> None:
    line = random.Random(0).randbytes(99_999).replace(b"\n", b" ") + b"\n"
    with OutputSet() as outputs:
        file = outputs.open(tmp_path / "big")
        for _ in range(50):
            file.write(line)
        (temp,) = tmp_path.glob(f".*{TEMP_SUFFIX}")
        assert temp.stat().st_size > 3_000_000
        (summary,) = outputs.commit()["outputs"]
    assert (summary["bytes"], summary["rows"]) == (5_000_000, 50)
    assert (tmp_path / "big").read_bytes() == line * 50
    assert summary["sha256"] == hashlib.sha256(line * 50).hexdigest()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, None])
def test_leaving_without_commit_leaves_nothing(tmp_path: Path, error: type[BaseException] | None) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def leave() -> None:
        with OutputSet(force=True) as outputs:
            outputs.open(tmp_path / "a").write_bytes(b"x" * 3_000_000)
            outputs.open(tmp_path / "b").write(b"row")
            if error:
                raise error

    if error:
        with pytest.raises(error):
            leave()
    else:
        leave()
    assert tree(tmp_path) == {"a": b"old"}


def test_a_failing_manifest_leaves_nothing(tmp_path: Path) -> None:
    with OutputSet() as outputs:
        outputs.open(tmp_path / "a").write(b"row")
        with pytest.raises(ZeroDivisionError):
            outputs.commit((tmp_path / "m", lambda _: b"%d" % (1 // 0)))
    assert tree(tmp_path) == {}


def test_a_closed_file_takes_nothing_more(tmp_path: Path) -> None:
    with OutputSet() as outputs:
        file = outputs.open(tmp_path / "a")
        outputs.commit()
        with pytest.raises(ValueError, match="closed"):
            file.write(b"late")
    assert tree(tmp_path) == {"a": b""}


def test_existing_file_is_refused_without_force(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with OutputSet() as outputs, pytest.raises(WriteError) as caught:
        outputs.open(tmp_path / "a")
    assert caught.value.message == f"{tmp_path / 'a'} exists already"
    assert caught.value.hint == "--force overwrites it"
    assert tree(tmp_path) == {"a": b"old"}


def test_file_that_came_into_being_meanwhile_is_refused(tmp_path: Path) -> None:
    with OutputSet() as outputs:
        outputs.open(tmp_path / "a").write(b"new")
        outputs.open(tmp_path / "b").write(b"new")
        (tmp_path / "b").write_bytes(b"theirs")
        with pytest.raises(WriteError, match="exists already"):
            outputs.commit()
    assert tree(tmp_path) == {"b": b"theirs"}


def test_force_replaces(tmp_path: Path) -> None:
    for name in ("train.jsonl", "valid.jsonl", "manifest.json"):
        (tmp_path / name).write_bytes(b"old")
    with OutputSet(force=True) as outputs:
        summary = make(outputs, tmp_path)
    assert tree(tmp_path) == {**NEW, "manifest.json": manifest_bytes(summary)}


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("old", [True, False])
def test_interrupt_right_after_a_rename_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, old: bool
) -> None:
    before = dict.fromkeys(("train.jsonl", "valid.jsonl", "manifest.json"), b"old") if old else {}
    for name, data in before.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.setattr(os, "replace", failing(os.replace, at, error=KeyboardInterrupt(), after=True))
    with OutputSet(force=True) as outputs, pytest.raises(KeyboardInterrupt):
        make(outputs, tmp_path)
    assert tree(tmp_path) == before


def test_what_cannot_be_undone_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("train.jsonl", "valid.jsonl", "manifest.json"):
        (tmp_path / name).write_bytes(b"old")
    real = os.replace
    calls = iter(range(1, 100))

    def replace(*args: Any) -> None:
        if next(calls) > 1:
            raise OSError(errno.EIO, "Input/output error")
        real(*args)

    monkeypatch.setattr(os, "replace", replace)
    with OutputSet(force=True) as outputs, pytest.raises(WriteError) as caught:
        make(outputs, tmp_path)
    assert "old and new are mixed" in caught.value.message
    assert str(tmp_path / "train.jsonl") in caught.value.hint
    assert str(tmp_path / "valid.jsonl") not in caught.value.hint
    left = {name: data for name, data in tree(tmp_path).items() if not name.startswith(".")}
    assert left == {"train.jsonl": NEW["train.jsonl"], "valid.jsonl": b"old", "manifest.json": b"old"}
    monkeypatch.undo()
    with OutputSet(force=True) as outputs:
        outputs.check(tmp_path / "other")  # the next run puts back what could not be put back then
    assert tree(tmp_path) == dict.fromkeys(("train.jsonl", "valid.jsonl", "manifest.json"), b"old")


def test_old_file_comes_back_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.jsonl").write_bytes(b"old")
    monkeypatch.setattr(os, "link", failing(os.link, 1, error=OSError(errno.EPERM, "Operation not permitted")))
    monkeypatch.setattr(os, "replace", failing(os.replace, 2, error=OSError(errno.EIO, "Input/output error")))
    with OutputSet(force=True) as outputs, pytest.raises(WriteError, match=r"valid\.jsonl: Input/output error"):
        make(outputs, tmp_path)
    assert tree(tmp_path) == {"train.jsonl": b"old"}


def test_old_file_that_cannot_be_kept_stops_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("train.jsonl", "valid.jsonl"):
        (tmp_path / name).write_bytes(b"old")
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(os, "link", failing(os.link, 2, error=full))
    monkeypatch.setattr(shutil, "copyfileobj", failing(shutil.copyfileobj, 1, error=full))
    with OutputSet(force=True) as outputs, pytest.raises(WriteError, match=r"valid\.jsonl: No space left"):
        make(outputs, tmp_path)
    assert tree(tmp_path) == {"train.jsonl": b"old", "valid.jsonl": b"old"}


@POSIX
@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.EBADF])
def test_file_system_that_cannot_sync_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    sync = os.fsync

    def fsync(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(code, "no such call")
        sync(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    with OutputSet() as outputs:
        make(outputs, tmp_path)
    assert len(tree(tmp_path)) == 3


@pytest.mark.parametrize("at", range(1, 11))
def test_interrupt_at_any_removal_leaves_all_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Ctrl-C while the temporary files are put away, once the set is written: the set stays, the rest goes."""
    for name in ("train.jsonl", "valid.jsonl", "manifest.json"):
        (tmp_path / name).write_bytes(b"old")
    monkeypatch.setattr(os, "unlink", failing(os.unlink, at, error=KeyboardInterrupt()))
    with suppress(KeyboardInterrupt), OutputSet(force=True) as outputs:
        make(outputs, tmp_path)
    monkeypatch.undo()
    assert tree(tmp_path).keys() == {"train.jsonl", "valid.jsonl", "manifest.json"}
    assert {name: data for name, data in tree(tmp_path).items() if name in NEW} == NEW


def test_order_of_syncs_and_renames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All data is on disk before the first rename, the manifest is renamed last, the folder is synced after."""
    events = []
    sync, replace = os.fsync, os.replace

    def noted_sync(fd: int) -> None:
        events.append("sync folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "sync file")
        sync(fd)

    def noted_replace(old: Path, new: Path) -> None:
        events.append(new.name)
        replace(old, new)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", noted_replace)
    with OutputSet() as outputs:
        make(outputs, tmp_path)
    folder = ["sync folder"] if sys.platform != "win32" else []
    journal = ["sync file", *folder]
    assert events == [*["sync file"] * 3, *journal, "train.jsonl", "valid.jsonl", "manifest.json", *folder]


def test_commit_after_a_failed_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever catches the error and goes on must not get a file with a hole."""
    full = failing(os.write, 3, error=OSError(errno.ENOSPC, "No space left on device"))
    with OutputSet() as outputs, monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        file = outputs.open(tmp_path / "a")
        file.write(b"x" * BUFFER_BYTES)
        with pytest.raises(WriteError) as caught:
            file.write(b"x" * BUFFER_BYTES)
        assert caught.value.message == f"cannot write {tmp_path / 'a'}: No space left on device"
        assert caught.value.hint == "free some space, or choose another folder"
        with pytest.raises(ValueError, match="closed"):
            file.write(b"x")
        with pytest.raises(WriteError):
            outputs.commit()
    assert tree(tmp_path) == {}


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:7]))
    write_file(tmp_path / "a", b"0123456789" * 10)
    assert (tmp_path / "a").read_bytes() == b"0123456789" * 10


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755, 0o444])
def test_mode_of_the_old_file_is_kept(tmp_path: Path, mode: int) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(mode)
    with OutputSet(force=True) as outputs:
        outputs.open(tmp_path / "a").write(b"new")
        (temp,) = tmp_path.glob(f".*{TEMP_SUFFIX}")
        assert stat.S_IMODE(temp.stat().st_mode) == 0o600  # nobody reads a private file while it is written
        outputs.commit()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode
    assert (tmp_path / "a").read_bytes() == b"new\n"


@POSIX
@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077, 0])
def test_mode_of_a_new_file_is_as_the_umask_says(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_file(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~mask


@POSIX
@pytest.mark.parametrize("there", [True, False])
def test_link_is_replaced_not_followed(tmp_path: Path, there: bool) -> None:
    (tmp_path / "out").mkdir()
    if there:
        (tmp_path / "elsewhere").write_bytes(b"theirs")
    (tmp_path / "out" / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteError, match="exists already"):
        write_file(tmp_path / "out" / "a", b"new")
    write_file(tmp_path / "out" / "a", b"new", force=True)
    assert not (tmp_path / "out" / "a").is_symlink()
    assert tree(tmp_path) == {"out/a": b"new", **({"elsewhere": b"theirs"} if there else {})}


@POSIX
def test_replaced_link_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.jsonl").symlink_to("nowhere")
    monkeypatch.setattr(os, "replace", failing(os.replace, 3, error=OSError(errno.EIO, "Input/output error")))
    with OutputSet(force=True) as outputs, pytest.raises(WriteError):
        make(outputs, tmp_path)
    assert tree(tmp_path) == {"train.jsonl": b"nowhere"}


@POSIX
def test_folder_behind_a_link_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link" / "a", b"new")
    assert (tmp_path / "real" / "a").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["folder", "folder/..", ".", "link to folder"])
@pytest.mark.parametrize("force", [True, False])
def test_folder_as_target_is_refused(tmp_path: Path, name: str, force: bool) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link to folder").symlink_to("folder")
    with OutputSet(force=force) as outputs, pytest.raises(WriteError, match="is a folder"):
        outputs.open(tmp_path / name)
    assert tree(tmp_path) == {"link to folder": b"folder"}


@POSIX
@pytest.mark.parametrize("kind", ["pipe", "socket", "link to a device"])
def test_special_file_as_target_is_refused(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if kind == "pipe":
        os.mkfifo("a")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("a")
    else:
        Path("a").symlink_to("/dev/full")
    with pytest.raises(WriteError, match="is a device or a pipe"):
        write_file(Path("a"), b"new", force=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_target_that_becomes_a_folder_changes_nothing(tmp_path: Path) -> None:
    with OutputSet(force=True) as outputs:
        outputs.open(tmp_path / "a").write(b"new")
        outputs.open(tmp_path / "b").write(b"new")
        (tmp_path / "b").mkdir()
        with pytest.raises(WriteError, match="is a folder"):
            outputs.commit()
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("alias", ["in.jsonl", "folder/../in.jsonl", "symlink", "hard link"])
@pytest.mark.parametrize("force", [True, False])
def test_input_is_never_overwritten_unless_in_place(tmp_path: Path, alias: str, force: bool) -> None:
    (tmp_path / "folder").mkdir()
    source = tmp_path / "in.jsonl"
    source.write_bytes(b"input")
    (tmp_path / "symlink").symlink_to(source)
    (tmp_path / "hard link").hardlink_to(source)
    inputs = [tmp_path / "missing", source]
    with OutputSet(force=force, inputs=inputs) as outputs, pytest.raises(WriteError, match="is an input of this run"):
        outputs.open(tmp_path / alias)
    assert source.read_bytes() == b"input"
    with OutputSet(force=force, inputs=inputs, in_place=True) as outputs:
        outputs.open(tmp_path / alias).write_bytes(b"mended")
        outputs.commit()
    assert (tmp_path / alias).read_bytes() == b"mended"


def test_in_place_does_not_overwrite_other_files(tmp_path: Path) -> None:
    for name in ("in", "other"):
        (tmp_path / name).write_bytes(b"old")
    with OutputSet(inputs=[tmp_path / "in"], in_place=True) as outputs, pytest.raises(WriteError, match="exists"):
        outputs.open(tmp_path / "other")


def test_one_name_for_two_outputs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with OutputSet(force=True) as outputs:
        outputs.open(tmp_path / "a").write(b"row")
        for path in (tmp_path / "a", tmp_path / "folder" / ".." / "a"):
            with pytest.raises(WriteError, match="is named for two outputs"):
                outputs.open(path)
        with pytest.raises(WriteError, match="is named for two outputs"):
            outputs.commit((tmp_path / "a", manifest_bytes))
    assert tree(tmp_path) == {}


def test_check_refuses_beforehand(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(b"old")
    with OutputSet() as outputs, pytest.raises(WriteError, match="exists already"):
        outputs.check(tmp_path / "m.json")
    with OutputSet() as outputs:
        assert outputs.check(tmp_path / "new.json") == Path(os.path.realpath(tmp_path)) / "new.json"
    assert tree(tmp_path) == {"m.json": b"old"}


def test_folder_is_locked_and_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ftprep.lock, "WAIT_SECONDS", 0.0)
    with OutputSet(make_parents=True) as outputs:
        assert outputs.folder(tmp_path / "x" / "a") == Path(os.path.realpath(tmp_path)) / "x"
        if sys.platform != "win32":
            with pytest.raises(WriteError, match="another ftprep"):
                write_file(tmp_path / "x" / "b", b"")
    with OutputSet() as outputs, pytest.raises(WriteError, match="does not exist"):
        outputs.folder(tmp_path / "y" / "a")


def test_missing_folder(tmp_path: Path) -> None:
    path = tmp_path / "x" / "y" / "a"
    with pytest.raises(WriteError) as caught:
        write_file(path, b"")
    assert caught.value.message == f"the folder {path.parent} does not exist"
    with OutputSet(make_parents=True) as outputs:
        outputs.open(path).write(b"row")
        outputs.commit()
    assert tree(tmp_path) == {"x/y/a": b"row\n"}


@pytest.mark.parametrize("make_parents", [True, False])
def test_file_where_a_folder_should_be(tmp_path: Path, make_parents: bool) -> None:
    (tmp_path / "x").write_bytes(b"")
    with OutputSet(make_parents=make_parents) as outputs, pytest.raises(WriteError):
        outputs.open(tmp_path / "x" / "a")


def test_outputs_in_several_folders(tmp_path: Path) -> None:
    with OutputSet(make_parents=True) as outputs:
        for name in ("a", "b"):
            outputs.open(tmp_path / name / "data").write(name.encode())
        outputs.commit((tmp_path / "m", lambda summary: b"%d" % len(summary["outputs"])))
    assert tree(tmp_path) == {"a/data": b"a\n", "b/data": b"b\n", "m": b"2"}


def test_relative_path_survives_a_change_of_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    with OutputSet() as outputs:
        outputs.open(Path("a")).write(b"row")
        monkeypatch.chdir(tmp_path / "x")
        assert outputs.commit()["outputs"][0]["path"] == "a"
    assert tree(tmp_path) == {"a": b"row\n"}


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        "new\nline",
        "-dash",
        "*[a-z]?",
        "\u202ereversed",
        "日本語" * 20,
        "x" * 255,
        pytest.param(os.fsdecode(b"not utf-8 \xff\xfe"), marks=POSIX),
    ],
)
def test_odd_names(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    with OutputSet(make_parents=True) as outputs:
        outputs.open(folder / name).write(b"row")
        outputs.commit((folder / "m.json", manifest_bytes))
    assert {path.name for path in folder.iterdir()} == {name, "m.json"}
    assert json.loads((folder / "m.json").read_bytes())["outputs"][0]["path"] == str(folder / name)
    with pytest.raises(WriteError, match="exists already") as caught:
        write_file(folder / name, b"")
    assert caught.value.message.isprintable()
    caught.value.message.encode()


@pytest.mark.parametrize("name", ["x" * 256, "null\0character", "\ud800", "x/null\0character/y"])
def test_impossible_names_are_one_clear_line(tmp_path: Path, name: str) -> None:
    with OutputSet(make_parents=True) as outputs, pytest.raises(WriteError, match="cannot write") as caught:
        outputs.open(tmp_path / name)
    assert caught.value.message.isprintable()
    assert tree(tmp_path) == {}


@POSIX
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(WriteError, match="Permission denied"):
            write_file(tmp_path / "a", b"")
    finally:
        tmp_path.chmod(0o700)


@POSIX
def test_file_too_large_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    code = """
        import resource, sys
        from pathlib import Path
        from ftprep.errors import WriteError
        from ftprep.writer import OutputSet
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        try:
            with OutputSet(force=True) as outputs:
                file = outputs.open(Path(sys.argv[1]))
                for _ in range(50):
                    file.write(b"x" * 100_000)
                outputs.commit()
        except WriteError as error:
            print(error)
    """
    out, err = python(code, tmp_path / "a").communicate(timeout=60)
    assert (
        out == f"cannot write {tmp_path / 'a'}: File too large\n  raise the limit on the size of a file (ulimit -f)\n"
    )
    assert err == ""
    assert tree(tmp_path) == {"a": b"old"}


@POSIX
@pytest.mark.parametrize("delay", [0.02, 0.05, 0.09, 0.14, 0.2])
def test_kill_leaves_whole_files(tmp_path: Path, delay: float) -> None:
    """A process that writes one generation of a set after the other is killed: what stands is whole, each file."""
    code = """
        import itertools, sys
        from pathlib import Path
        from ftprep.writer import OutputSet, manifest_bytes
        folder = Path(sys.argv[1])
        for age in itertools.count():
            with OutputSet(force=True) as outputs:
                for name in ("train", "valid"):
                    file = outputs.open(folder / name)
                    for _ in range(20_000):
                        file.write(b"generation %d" % age)
                outputs.commit((folder / "manifest", manifest_bytes))
            if age == 0:
                print("going", flush=True)
    """
    with python(code, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "going\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    ages = set()
    for name in ("train", "valid"):
        lines = (tmp_path / name).read_bytes().splitlines(keepends=True)
        assert len(lines) == 20_000
        (line,) = set(lines)
        assert line.startswith(b"generation ")
        assert line.endswith(b"\n")
        ages.add(int(line.split()[1]))
    assert max(ages) - min(ages) <= 1
    outputs = json.loads((tmp_path / "manifest").read_bytes())["outputs"]
    fresh = [each["sha256"] == hashlib.sha256(Path(each["path"]).read_bytes()).hexdigest() for each in outputs]
    assert all(fresh) == (fresh[0] and fresh[1])
    assert len(ages) == 1 or not all(fresh)  # a mix shows


HOLD = """
    import sys
    from pathlib import Path
    from ftprep.writer import OutputSet
    with OutputSet() as outputs:
        outputs.open(Path(sys.argv[1]))
        print("held", flush=True)
        sys.stdin.read()
"""


@POSIX
def test_second_process_is_told_after_a_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ftprep.lock, "WAIT_SECONDS", 0.2)
    with python(HOLD, tmp_path / "theirs") as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "held\n"
        start = time.monotonic()
        with pytest.raises(WriteError) as caught:
            write_file(tmp_path / "ours", b"")
        who = rf"process {process.pid} on {re.escape(platform.node())} since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d"
        where = re.escape(str(Path(os.path.realpath(tmp_path))))
        assert re.fullmatch(rf"another ftprep is writing to {where}: {who}", caught.value.message)
        assert 0.2 <= time.monotonic() - start < 5
        process.stdin.close()
    write_file(tmp_path / "ours", b"")
    assert tree(tmp_path) == {"ours": b""}


@POSIX
def test_second_process_waits_for_the_first(tmp_path: Path) -> None:
    with python(HOLD, tmp_path / "theirs") as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "held\n"
        code = """
            import sys
            from pathlib import Path
            from ftprep.writer import write_file
            print("start", flush=True)
            write_file(Path(sys.argv[1]), b"")
            print("done")
        """
        with python(code, tmp_path / "ours") as second:
            assert second.stdout is not None
            assert second.stdout.readline() == "start\n"
            time.sleep(0.3)
            assert not (tmp_path / "ours").exists()
            process.stdin.close()
            assert second.communicate(timeout=30) == ("done\n", "")


@POSIX
def test_killed_process_holds_no_lock(tmp_path: Path) -> None:
    with python(HOLD, tmp_path / "theirs") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.send_signal(signal.SIGKILL)
    assert len(tree(tmp_path)) == 2  # the file on its way, and the lock
    write_file(tmp_path / "ours", b"")
    assert tree(tmp_path) == {"ours": b""}


@POSIX
def test_forked_worker_does_not_keep_the_lock(tmp_path: Path) -> None:
    code = """
        import os, signal, sys, time
        from pathlib import Path
        import ftprep.lock, ftprep.writer
        ftprep.lock.WAIT_SECONDS = 0.0
        with ftprep.writer.OutputSet() as outputs:
            outputs.open(Path(sys.argv[1]))
            worker = os.fork()
            if not worker:
                time.sleep(60)
                os._exit(0)
            outputs.commit()
        ftprep.writer.write_file(Path(sys.argv[2]), b"")
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
        print("done")
    """
    assert python(code, tmp_path / "a", tmp_path / "b").communicate(timeout=30) == ("done\n", "")


@POSIX
def test_lock_is_free_again_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ftprep.lock, "WAIT_SECONDS", 0.0)
    (tmp_path / "a").write_bytes(b"old")
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(3):
        with OutputSet() as outputs, pytest.raises(WriteError, match="exists already"):
            outputs.open(tmp_path / "a")
    with OutputSet() as outputs:
        outputs.open(tmp_path / "b")
        with pytest.raises(WriteError, match="another ftprep"):
            write_file(tmp_path / "c", b"")
        outputs.commit()
        write_file(tmp_path / "c", b"")
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(fcntl, "flock", failing(fcntl.flock, 1, error=OSError(errno.ENOLCK, "No locks available")))
    write_file(tmp_path / "a", b"new")
    assert tree(tmp_path) == {"a": b"new"}


def test_leftovers_are_swept_and_nothing_else(tmp_path: Path) -> None:
    ours = [f".a.0123456789abcdef{TEMP_SUFFIX}", f".b.0123456789abcdef.old{TEMP_SUFFIX}"]
    others = [
        f".short{TEMP_SUFFIX}",
        f"a.0123456789abcdef{TEMP_SUFFIX}",
        ".other.tmp",
        f".a.0123456789abcdeg{TEMP_SUFFIX}",
    ]
    for name in (*ours, *others):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / f".folder.0123456789abcdef{TEMP_SUFFIX}").mkdir()
    write_file(tmp_path / "out", b"")
    assert sorted(tree(tmp_path)) == sorted([*others, "out"])


def test_write_file_in_place(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"one")
    with pytest.raises(WriteError, match="exists already"):
        write_file(tmp_path / "a", b"two")
    write_file(tmp_path / "a", b"two", in_place=True)
    assert tree(tmp_path) == {"a": b"two"}


def test_manifest_is_deterministic_json() -> None:
    document = {"b": 1, "a": ["é", "\udcff", None, 1.5], "nested": {"z": {}, "y": []}}
    data = manifest_bytes(document)
    assert data == manifest_bytes(dict(document))
    assert data.startswith(b'{\n  "b": 1,\n  "a": [\n    "\xc3\xa9",\n    "\\udcff",')
    assert data.endswith(b"}\n")
    assert json.loads(data) == document
    assert list(json.loads(data)) == ["b", "a", "nested"]
    with pytest.raises(ValueError, match="JSON compliant"):
        manifest_bytes({"a": float("nan")})
