"""Files that appear whole or not at all: written beside their target, synced, then renamed together, the manifest last.

A failure before the renames changes nothing; a rename or sync that fails is undone from links to the old files; a
reader sees each file old or new, never half. The limit: file systems do not rename many files at once. A kill or power
cut between the renames (microseconds) leaves some files new and some old until the next run in the folder, which puts
the old ones back (`journal`); meanwhile the manifest, renamed last, has the hash of each, so such a mix shows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from ftprep.addresses import meant_as_address
from ftprep.addresses import shown as shown_address
from ftprep.disk import shown, sync_folder, told
from ftprep.errors import WriteError
from ftprep.journal import begin, end, is_littered, recover, sweep
from ftprep.lock import FolderLock
from ftprep.outfile import OutputFile, Place


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


def tidy(folder: Path) -> bool:
    """Undo or end what a killed run left in a folder, unless somebody is writing there; whether there was something."""
    if not is_littered(folder):
        return False
    with suppress(WriteError), OutputSet(wait=0) as outputs:
        outputs.folder(folder / "any")
    return True


class OutputSet(AbstractContextManager["OutputSet"]):
    """Output files that appear together at commit(); leaving the `with` block without it discards them all.

    `force` lets it replace files that are there, `in_place` also those among `inputs`; `make_parents` creates folders.
    A link in the place of a file is replaced, never followed. One process at a time writes into a folder: others wait,
    for 10 s or `wait`. WriteError from any method says what could not be written; no file has changed then, or it says
    so.
    """

    def __init__(
        self,
        *,
        force: bool = False,
        in_place: bool = False,
        inputs: Iterable[Path] = (),
        make_parents: bool = False,
        wait: float | None = None,
    ) -> None:
        self._wait = wait
        self._force, self._in_place, self._inputs, self._make_parents = force, in_place, list(inputs), make_parents
        self._files: list[OutputFile] = []
        self._going: list[Place] = []
        self._stuck: list[OutputFile | Place] = []
        self._locks: dict[Path, FolderLock] = {}
        self._made: list[Path] = []
        self._journals: list[Path] = []

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

    def remove(self, path: Path) -> None:
        """Let a file go at commit(), together with the others' coming."""
        with told(path):
            self._going.append(Place(path, self._claim(path.parent) / path.name))

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
        for each in (*self._files, *self._going):
            if each not in self._stuck:
                each.discard()
        end(self._journals)
        self._files, self._going, self._stuck, self._journals = [], [], [], []
        for lock in self._locks.values():
            lock.release()
        self._locks = {}
        for folder in reversed(self._made):
            with suppress(OSError, ValueError):  # it holds something now, or could not be made
                folder.rmdir()
        self._made = []

    def _claim(self, parent: Path) -> Path:
        if parent.exists() and not parent.is_dir():
            raise WriteError(f"{shown(parent)} is a file, not a folder", "name a folder for the outputs")
        if self._make_parents and not parent.exists():
            missing = [each for each in (parent, *parent.parents) if not each.exists()]
            self._made.extend(Path(os.path.abspath(each)) for each in reversed(missing))  # noqa: PTH100
            parent.mkdir(parents=True, exist_ok=True)
        folder = Path(os.path.realpath(parent))
        if not folder.is_dir():
            raise WriteError(f"the folder {shown(parent)} does not exist", "create it first, or name another")
        if folder not in self._locks:
            self._locks[folder] = FolderLock(folder, self._wait)
            recover(folder, self._claim)
            sweep(folder)
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
        files = self._files
        for file in files:
            self._refuse(file.path, file.target)  # it may have come into being since
        order = [*files[:-1], *self._going, *files[-1:]]
        try:
            if len(order) > 1:
                self._journals = begin([(each.target.parent, each.step()) for each in order])
            for each in order:
                each.keep_old()
            if len(order) > 1:
                self._sync()
            for each in order:
                each.publish()
            self._sync()
        except BaseException as error:
            self._undo(order, error)
            raise

    def _sync(self) -> None:
        for folder in self._locks:
            with told(folder):
                sync_folder(folder)

    def _undo(self, order: list[OutputFile | Place], error: BaseException) -> None:
        # Journals and old files stay for the next run unless all is put back; an interrupt may come in between.
        journals, self._journals, self._stuck = self._journals, [], order
        self._stuck = [each for each in reversed(order) if not each.restore()]
        if not self._stuck:
            self._journals = journals
        else:
            what = f"new, and not to be put back now: {', '.join(shown(each.path) for each in self._stuck)}"
            hint = f"{what}; the next run that writes here tries again"
            raise WriteError(f"{getattr(error, 'message', 'interrupted')}; old and new are mixed", hint) from error
