"""What a commit is about to rename, noted in each folder first, so that the next run can undo what was cut off.

A set is committed when its last file, the mark, has been renamed. A run that finds a journal looks whether the mark is
the new file: then only the links to the old files go; otherwise every file that was there before comes back. Names in
a journal are of its own folder alone, and a journal that others may have written is not heeded: data that was
downloaded could bring one along.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ftprep.disk import TEMP_SUFFIX, holds, shown, told
from ftprep.errors import WriteError
from ftprep.lock import NAME

_END = f".journal{TEMP_SUFFIX}"
_JOURNAL = re.compile(rf"\.[0-9a-f]{{16}}{re.escape(_END)}")
_LEFTOVER = re.compile(rf"\..{{0,40}}\.[0-9a-f]{{16}}(\.old)?{re.escape(TEMP_SUFFIX)}", re.DOTALL)
_MOST_BYTES = 256 << 20


@dataclass(frozen=True)
class Step:
    """One name of a folder: what it becomes (nothing where `sha256` is ""), and where what it was is kept.

    `backup` is a second name for what it was that stays after the commit, "" for none.
    """

    name: str
    old: str
    was_there: bool
    size: int
    sha256: str
    backup: str = ""

    def is_done(self, folder: Path) -> bool:
        """Whether the name is what it was to become."""
        path = folder / self.name
        return holds(path, self.size, self.sha256) if self.sha256 else not os.path.lexists(path)

    def undo(self, folder: Path) -> None:
        """Put back what was there, unless somebody else has put something there since."""
        path, old = folder / self.name, folder / self.old
        if not self.was_there:
            if self.is_done(folder):
                path.unlink(missing_ok=True)
        elif os.path.lexists(old):
            if self.is_done(folder) or not os.path.lexists(path):
                os.replace(old, path)  # noqa: PTH105 - the one call that tests make fail
            old.unlink(missing_ok=True)
        backup = folder / self.backup
        if self.backup and backup.is_file() and path.is_file() and backup.samefile(path):
            backup.unlink()

    def tidy(self, folder: Path) -> None:
        """Let what was there go."""
        (folder / self.old).unlink(missing_ok=True)


@dataclass(frozen=True)
class _Told:
    """What a journal says: its steps, the folder and the step of the mark, and the other folders."""

    steps: tuple[Step, ...]
    home: Path
    mark: Step
    others: tuple[Path, ...]


def begin(steps: Iterable[tuple[Path, Step]]) -> list[Path]:
    """Note the steps in their folders, the last of them being the mark; returns the journals, its own last."""
    folders: dict[Path, list[Step]] = {}
    for folder, step in steps:
        folders.setdefault(folder, []).append(step)
        home, mark = folder, step
    others = [folder for folder in folders if folder != home]
    token = secrets.token_hex(8)
    common = {"home": str(home), "mark": asdict(mark), "others": list(map(str, others))}
    made: list[Path] = []
    try:
        for folder in (*others, home):
            path = folder / f".{token}{_END}"
            data = json.dumps({"steps": list(map(asdict, folders[folder])), **common}).encode()
            with told(folder):
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                made.append(path)
                try:
                    while data:
                        data = data[os.write(fd, data) :]
                    os.fsync(fd)
                finally:
                    os.close(fd)
    except BaseException:
        end(made)
        raise
    return made


def end(journals: list[Path]) -> None:
    """Remove journals whose commit is done or undone."""
    for path in journals:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def is_cut_off(folder: Path) -> bool:
    """Whether a commit in the folder is under way or was cut off."""
    return any(True for _ in _journals(folder))


def is_littered(folder: Path) -> bool:
    """Whether a killed run, or one that is still at work, has left anything in the folder."""
    with suppress(OSError), os.scandir(folder) as found:
        return any(
            _LEFTOVER.fullmatch(each.name) or _JOURNAL.fullmatch(each.name) or each.name == NAME for each in found
        )
    return False


def recover(folder: Path, claim: Callable[[Path], object]) -> None:
    """End every commit in the folder, which is locked, that was cut off; `claim` locks another one and does so there.

    Raises WriteError for what cannot be put back.
    """
    for path in list(_journals(folder)):
        said = _read(path)
        if said and said.home != folder and said.home.is_dir():
            claim(said.home)  # which settles all of it, unless it was settled before
        if said is None or not path.exists():
            end([path])  # what was torn while it was written had renamed nothing yet
            continue
        done = said.mark.is_done(said.home)
        for other in said.others if said.home == folder else ():
            if other.is_dir():
                claim(other)
                beside = other / path.name
                _settle(beside, _read(beside), done)
        _settle(path, said, done)


def sweep(folder: Path) -> None:
    """Remove the temporary files of runs that were killed: the folder is locked, so nobody is writing them."""
    me = os.geteuid() if hasattr(os, "geteuid") else -1
    with os.scandir(folder) as found:
        left = [each for each in found if _LEFTOVER.fullmatch(each.name) and not _JOURNAL.fullmatch(each.name)]
    for each in left:
        with suppress(OSError):
            info = each.stat(follow_symlinks=False)
            if not stat.S_ISDIR(info.st_mode) and me in (-1, info.st_uid):
                Path(each.path).unlink()


def _settle(path: Path, said: _Told | None, done: bool) -> None:
    for step in said.steps if said else ():
        try:
            if done:
                step.tidy(path.parent)
            else:
                step.undo(path.parent)
        except OSError as error:
            message = f"an earlier run was cut off, and {shown(path.parent / step.name)} cannot be put back"
            raise WriteError(f"{message}: {error.strerror}", f"put it right, or remove {shown(path)}") from error
    end([path])


def _journals(folder: Path) -> Iterator[Path]:
    """The journals of this user in a folder."""
    with os.scandir(folder) as found:
        names = sorted(each.name for each in found if _JOURNAL.fullmatch(each.name))
    for name in names:
        with suppress(OSError):
            info = (folder / name).lstat()
            own = os.name != "posix" or (info.st_uid == os.geteuid() and not info.st_mode & 0o022)
            if stat.S_ISREG(info.st_mode) and own and info.st_size <= _MOST_BYTES:
                yield folder / name


def _read(path: Path) -> _Told | None:
    """What a journal says, None where it is torn or says something else than journals do."""
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        said = json.loads(path.read_bytes())
        steps = tuple(map(_step, said["steps"]))
        return _Told(steps, Path(said["home"]), _step(said["mark"]), tuple(map(Path, said["others"])))
    return None


def _step(said: dict[str, Any]) -> Step:
    step = Step(**said)
    names = [step.name, *filter(None, [step.backup])]
    if any(Path(name).name != name or name in ("", ".", "..") or "\0" in name for name in names):
        raise ValueError("not names of this folder", names)
    if not _LEFTOVER.fullmatch(step.old) or Path(step.old).name != step.old:
        raise ValueError("not a name of ours", step.old)
    return step
