"""Every call of the system fails once, the first, the second, … until none is left to fail: all files or none."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from writing import failing, tree

from ftprep.errors import FtprepError, WriteError
from ftprep.writer import OutputSet, manifest_bytes

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX file systems only")
EIO = OSError(errno.EIO, "Input/output error")
CALLS = ("open", "write", "fsync", "replace", "link", "unlink", "close", "scandir", "mkdir", "rmdir", "ftruncate")
DONE_ALL_THE_SAME = ("replace", "link", "unlink", "close", "fsync")
"""Calls that a network can do and then say that they failed."""

FAULTS = [
    *((call, EIO, False) for call in CALLS),
    *((call, EIO, True) for call in DONE_ALL_THE_SAME),
    *((call, KeyboardInterrupt(), after) for call in (*CALLS[:2], *DONE_ALL_THE_SAME) for after in (False, True)),
]
MOST = 400
"""No job here makes as many calls of one kind."""

Files = dict[str, bytes]
Job = Callable[[Path], object]


def fresh(folder: Path) -> None:
    with OutputSet() as outputs:
        _write(outputs, folder)


def forced(folder: Path) -> None:
    """Replaces a set and removes what it had more of."""
    with OutputSet(force=True) as outputs:
        outputs.remove(folder / "valid.jsonl")
        _write(outputs, folder, "train.jsonl", "rejected.jsonl")


def several_folders(folder: Path) -> None:
    with OutputSet(force=True, make_parents=True) as outputs:
        _write(outputs, folder, "train.jsonl", "sub/valid.jsonl", "new/deep/other.jsonl")


def with_backups(folder: Path) -> None:
    with OutputSet(in_place=True, inputs=[folder / "train.jsonl", folder / "sub/valid.jsonl"]) as outputs:
        for name in ("train.jsonl", "sub/valid.jsonl"):
            file = outputs.open(folder / name)
            file.write(b"mended")
            file.backup = "kept"
        outputs.commit()


def _write(outputs: OutputSet, folder: Path, *names: str) -> None:
    for name in names or ("train.jsonl", "valid.jsonl"):
        outputs.open(folder / name).write(b"new " + name.encode())
    outputs.commit((folder / "manifest.json", manifest_bytes))


OLD = {"train.jsonl": b"old", "valid.jsonl": b"old v", "manifest.json": b"{}", "sub/valid.jsonl": b"old s"}
BEFORE: dict[Job, Files] = {fresh: {"other": b"o"}, forced: OLD, several_folders: OLD, with_backups: OLD}


def laid_out(folder: Path, files: Files) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@POSIX
@pytest.mark.parametrize(("call", "error", "after"), FAULTS, ids=str)
@pytest.mark.parametrize("job", BEFORE)
def test_all_or_none_whichever_call_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: Job, call: str, error: BaseException, after: bool
) -> None:
    before = BEFORE[job]
    done = seen(laid_out(tmp_path / "done", before), job)
    for at in range(1, MOST):
        folder, calls = laid_out(tmp_path / str(at), before), [0]
        with monkeypatch.context() as patch:
            patch.setattr(os, call, counting(calls, failing(getattr(os, call), at, error=error, after=after)))
            raised = outcome(job, folder)
        left = {name: data for name, data in seen(folder).items() if not Path(name).name.startswith(".")}
        assert left in (before, done), (at, raised)
        assert left == done or raised, at
        assert left == before or not isinstance(raised, WriteError), (at, raised)
        if not after and call != "unlink" and not raised:
            assert seen(folder) == done, at
        # What could not be removed, or was made by a call that was interrupted, goes with the next run.
        with OutputSet(force=True) as outputs:
            for inner in [folder, *(each for each in folder.rglob("*") if each.is_dir())]:
                outputs.folder(inner / "other")
        assert seen(folder) == left, at
        if calls[0] < at:
            return
    raise AssertionError("so many calls were not thought of")


def seen(folder: Path, job: Job | None = None) -> Files:
    """What is in a folder, once a job is done; a manifest has paths as they were given, which are left out."""
    if job:
        job(folder)
    return {name: data.replace(bytes(folder), b"") for name, data in tree(folder).items()}


def counting(calls: list[int], real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        return real(*args, **kwargs)

    return call


def outcome(job: Job, folder: Path) -> BaseException | None:
    try:
        job(folder)
    except (FtprepError, KeyboardInterrupt) as error:
        return error
    return None
