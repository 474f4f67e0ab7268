"""Files that appear whole or not at all: written beside their target, synced, then renamed together, the manifest last.

A failure before the renames changes nothing; a rename or sync that fails is undone from links to the old files; a
reader sees each file old or new, never half. The limit: file systems do not rename many files at once. A kill or power
cut between the renames (microseconds), or one that cannot be undone, leaves some files new and some old; the manifest,
renamed last, has the hash of each, so such a mix shows.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from ftprep.addresses import meant_as_address
from ftprep.addresses import shown as shown_address
from ftprep.errors import WriteError

if sys.platform != "win32":
    import fcntl

BUFFER_BYTES = 1 << 20
LOCK_WAIT_SECONDS = 10.0
LEFTOVER_SECONDS = 3600.0
TEMP_SUFFIX = ".ftprep-tmp"

HINTS = {
    errno.EFBIG: "raise the limit on the size of a file (ulimit -f)",
    errno.ENAMETOOLONG: "choose a shorter name",
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space, or choose another folder"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "choose another folder, or have its permissions changed"),
}


def manifest_bytes(document: dict[str, Any]) -> bytes:
    """Return `document` as JSON in UTF-8, two spaces an indent, keys in the order given: same document, same bytes."""
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    # half a surrogate pair (a file name that is not UTF-8) has no UTF-8 form: backslashreplace makes it a JSON escape
    return text.encode("utf-8", "backslashreplace")


def write_file(path: Path, data: bytes, *, force: bool = False, in_place: bool = False) -> None:
    """Write one file of `data` as OutputSet does; `in_place`: the file it replaces is its input. Raises WriteError."""
    with OutputSet(force=force or in_place) as outputs:
        outputs.open(path).write_bytes(data)
        outputs.commit()


class OutputFile:
    """A file on its way: `path` as the user gave it, `rows` and `size` in bytes so far. OutputSet.open() makes it."""

    def __init__(self, path: Path, target: Path) -> None:
        self.path, self.target = path, target
        self.rows = self.size = 0
        self._sha256, self._buffer = hashlib.sha256(), bytearray()
        # 40 characters of the name are at most 160 of the 255 bytes that a name may have
        aside = f".{target.name[:40]}.{secrets.token_hex(8)}"
        self._temp = target.with_name(aside + TEMP_SUFFIX)
        self._old = target.with_name(aside + ".old" + TEMP_SUFFIX)
        with told(path):
            mode = target.lstat().st_mode if os.path.lexists(target) else 0
            self._mode = mode & 0o777 if stat.S_ISREG(mode) else None  # None: as the umask says
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            self._fd = os.open(self._temp, flags, 0o666 if self._mode is None else 0o600)

    def write(self, line: bytes) -> None:
        """Write one record and count a row; a line that does not end in a newline gets one. Raises WriteError."""
        self.write_bytes(line if line.endswith(b"\n") else line + b"\n")
        self.rows += 1

    def write_lines(self, data: bytes, rows: int) -> None:
        """Write whole lines, each with its line end, and count them. Raises WriteError."""
        self.write_bytes(data)
        self.rows += rows

    def write_bytes(self, data: bytes) -> None:
        """Write `data` as it is, no row counted. Raises WriteError."""
        if self._fd < 0:
            raise ValueError("the output file is closed", self.path)
        self._buffer += data
        self.size += len(data)
        if len(self._buffer) >= BUFFER_BYTES:
            self._flush()

    def _flush(self) -> None:
        data, self._buffer = bytes(self._buffer), bytearray()
        self._sha256.update(data)
        try:
            with told(self.path):
                while data:
                    data = data[os.write(self._fd, data) :]
        except BaseException:
            self.discard()  # what is on disk ends somewhere: nothing may follow it
            raise

    def finish(self) -> None:
        """Put all on disk and close: the temporary file is whole then. Raises WriteError."""
        self._flush()
        with told(self.path):
            if self._mode is not None:
                self._temp.chmod(self._mode)
            os.fsync(self._fd)
            fd, self._fd = self._fd, -1
            os.close(fd)

    def keep_old(self) -> None:
        """Make a second link to the file to be replaced (a copy where there are no links), so that it can come back."""
        with told(self.path):
            if self.target.is_symlink():
                self._old.symlink_to(self.target.readlink())
            elif self.target.exists():
                try:
                    self._old.hardlink_to(self.target)
                except OSError:
                    shutil.copy2(self.target, self._old)

    def publish(self) -> None:
        """Rename the temporary file to its target. Raises WriteError."""
        with told(self.path):
            os.replace(self._temp, self.target)  # noqa: PTH105 - the one call that tests make fail

    def restore(self) -> bool:
        """Undo publish, if it happened; return whether the target is as it was before."""
        if os.path.lexists(self._temp):
            return True
        with suppress(OSError):
            if os.path.lexists(self._old):
                os.replace(self._old, self.target)  # noqa: PTH105
            else:
                self.target.unlink(missing_ok=True)
            return True
        return False

    def discard(self) -> None:
        """Remove what is left of the temporary files; a published target stays."""
        fd, self._fd = self._fd, -1
        with suppress(OSError):
            os.close(fd)
        for path in (self._temp, self._old):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def summary(self) -> dict[str, Any]:
        """Return what a manifest says of the finished file: path, sha256 in hex, bytes, rows."""
        return {"path": str(self.path), "sha256": self._sha256.hexdigest(), "bytes": self.size, "rows": self.rows}


class OutputSet(AbstractContextManager["OutputSet"]):
    """Output files that appear together at commit(); leaving the `with` block without it discards them all.

    `force` lets it replace files that are there, `in_place` also those among `inputs`; `make_parents` creates folders.
    A link in the place of a file is replaced, never followed. One process at a time writes into a folder: others wait,
    10 s at most. WriteError from any method says what could not be written; no file has changed then, or it says so.
    """

    def __init__(
        self, *, force: bool = False, in_place: bool = False, inputs: Iterable[Path] = (), make_parents: bool = False
    ) -> None:
        self._force, self._in_place, self._inputs, self._make_parents = force, in_place, list(inputs), make_parents
        self._files: list[OutputFile] = []
        self._folders: dict[Path, int] = {}  # each with its descriptor, which holds its lock (-1 on Windows)
        self._locks = ExitStack()

    def __exit__(self, *_: object) -> None:
        self.discard()

    def check(self, path: Path) -> Path:
        """Return where `path` will be written, its folder locked; refuse it now rather than after hours of work."""
        if address := meant_as_address(str(path)):
            hint = "name a local file or folder, and copy what is written"
            raise WriteError(f"cannot write to {shown_address(address)}: only files on this computer are written", hint)
        with told(path):
            target = self._claim(path.parent) / path.name
            if any(file.target == target for file in self._files):
                raise WriteError(f"{shown(path)} is named for two outputs", "give each its own name")
            with suppress(FileNotFoundError):
                target.lstat()  # a name that is too long or forbidden fails here
            self._refuse(path, target)
        return target

    def folder(self, path: Path) -> Path:
        """Return the folder that `path` will stand in, locked: for files of one's own on the way to it."""
        with told(path):
            return self._claim(path.parent)

    def open(self, path: Path, make: Callable[[Path, Path], OutputFile] | None = None) -> OutputFile:
        """Return a file to write to (of the kind that `make` makes), which is `path` at commit(). Raises WriteError."""
        self._files.append((make or self.make)(path, self.check(path)))
        return self._files[-1]

    def make(self, path: Path, target: Path) -> OutputFile:
        """Return a file of the kind that `path` is written as. Raises WriteError."""
        return OutputFile(path, target)

    def commit(self, manifest: tuple[Path, Callable[[dict[str, Any]], bytes]] | None = None) -> dict[str, Any]:
        """Make all files appear and return {"outputs": [OutputFile.summary(), …]}, one each; raises WriteError.

        `manifest`, a path and a function that makes its bytes of that summary, is written and renamed last.
        """
        try:
            for file in self._files:
                file.finish()
            summary = {"outputs": [file.summary() for file in self._files]}
            if manifest is not None:
                self.open(manifest[0]).write_bytes(manifest[1](summary))
                self._files[-1].finish()
            self._publish()
        finally:
            self.discard()
        return summary

    def discard(self) -> None:
        """Remove all temporary files and let other processes write; after a commit, the outputs stay."""
        for file in self._files:
            file.discard()
        self._files, self._folders = [], {}
        self._locks.close()

    def _claim(self, parent: Path) -> Path:
        if parent.exists() and not parent.is_dir():
            raise WriteError(f"{shown(parent)} is a file, not a folder", "name a folder for the outputs")
        if self._make_parents:
            parent.mkdir(parents=True, exist_ok=True)
        folder = Path(os.path.realpath(parent))
        if not folder.is_dir():
            raise WriteError(f"the folder {shown(parent)} does not exist", "create it first, or name another")
        if folder not in self._folders:
            self._folders[folder] = -1 if sys.platform == "win32" else self._locks.enter_context(_locked(folder))
            _sweep(folder)
        return folder

    def _refuse(self, path: Path, target: Path) -> None:
        if not os.path.lexists(target):
            return
        if target.exists() and not target.is_file():
            kind = "a folder" if target.is_dir() else "a device or a pipe"
            raise WriteError(f"{shown(path)} is {kind}, not a file", "name a file")
        if any(target.exists() and given.exists() and target.samefile(given) for given in self._inputs):
            if not self._in_place:
                raise WriteError(f"{shown(path)} is an input of this run", "name another output")
        elif not self._force:
            raise WriteError(f"{shown(path)} exists already", "--force overwrites it")

    def _publish(self) -> None:
        try:
            for file in self._files:
                self._refuse(file.path, file.target)  # it may have come into being since
                file.keep_old()
            for file in self._files:
                file.publish()
            for folder, fd in self._folders.items():
                with told(folder):
                    _sync(fd)
        except BaseException as error:
            stuck = [shown(file.path) for file in reversed(self._files) if not file.restore()]
            if stuck:
                hint = f"new, and not to be put back: {', '.join(stuck)}; write the set again"
                raise WriteError(f"{getattr(error, 'message', 'interrupted')}; old and new are mixed", hint) from error
            raise


def shown(path: Path) -> str:
    """Return the path as one line of text, quoted and escaped where it would not print."""
    return str(path) if str(path).isprintable() else repr(str(path))


@contextmanager
def told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a name with a null character, or not in the system's encoding
        hint = HINTS.get(getattr(error, "errno", 0), "no file was changed")
        raise WriteError(f"cannot write {shown(path)}: {getattr(error, 'strerror', None) or error}", hint) from error


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Hold the lock of `folder`, which ends with the process at the latest, and give its descriptor."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    try:
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise WriteError(f"another ftprep is writing to {shown(folder)}", "wait for it to end") from error
                time.sleep(0.05)
            except OSError:  # a file system without locks: go on without
                break
        yield fd
    finally:
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)  # a forked worker may still hold a copy of the descriptor
        os.close(fd)


def _sync(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EBADF, errno.EINVAL, errno.ENOTSUP):  # systems that cannot sync a folder
            raise


def _sweep(folder: Path) -> None:
    """Remove the temporary files of runs that were killed, an hour after their last byte."""
    for left in folder.glob(f".*{TEMP_SUFFIX}"):
        with suppress(OSError):
            if left.lstat().st_mtime < time.time() - LEFTOVER_SECONDS:
                left.unlink()
