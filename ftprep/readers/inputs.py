"""What a user names as input, as files: a file, a folder, a pattern, or - for what is piped in."""

from __future__ import annotations

import atexit
import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from ftprep.errors import ReadError, UsageError
from ftprep.readers.sources import open_source

STDIN = "-"

_IN_FOLDERS = (".jsonl", ".ndjson", ".csv", ".tsv", ".xlsx", ".parquet")
_OURS = ("_rejected.jsonl", ".manifest.json", ".ftprep-tmp")


class Input(msgspec.Struct, frozen=True):
    """One file to read: `name` as findings call it, `path` where its bytes are."""

    name: str
    path: str


def expand(inputs: Sequence[str | os.PathLike[str]], stdin_name: str = "") -> list[Input]:
    """The files that the inputs mean, in their order, each once; raises ReadError where there are none, UsageError
    where standard input is named twice."""
    found: dict[str, Input] = {}
    piped = False
    for given in [os.fspath(one) for one in inputs]:
        if given == STDIN:
            if piped:
                raise UsageError("standard input (-) is named twice", "it can only be read once")
            piped = True
            path = _spool_stdin()
            found[path] = Input(stdin_name or STDIN, path)
            continue
        if not given:
            raise UsageError("an empty path", "is a variable of the shell not set?")
        for path in _meant(given):
            found.setdefault(str(Path(path)), Input(path, path))
    if not found:
        raise UsageError("no input", "name a file, a folder, a pattern such as 'data/*.jsonl', or - for standard input")
    return list(found.values())


def spool(source: BinaryIO, suffix: str = "") -> str:
    """A temporary file (removed when the program ends) with all that the source gives: its path."""
    handle, path = tempfile.mkstemp(prefix="ftprep-", suffix=suffix)
    atexit.register(_remove, path, os.getpid())
    with os.fdopen(handle, "wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    return path


def _remove(path: str, owner: int) -> None:
    if os.getpid() == owner:  # a forked worker leaves its parent's files alone
        Path(path).unlink(missing_ok=True)


def _spool_stdin() -> str:
    source = getattr(sys.stdin, "buffer", None)
    if source is None:
        raise ReadError("standard input is closed", "pipe the data in, or name a file instead of -")
    return spool(source)


def _meant(given: str) -> Iterable[str]:
    """The files that one argument means."""
    if Path(given).is_dir():
        files = list(_in_folder(given))
        if not files:
            message = f"no data files in the folder {given}"
            raise ReadError(message, f"looked for {' '.join(_IN_FOLDERS)}, also with .gz; other files can be named")
        return files
    if glob.has_magic(given) and not os.path.lexists(given):
        matches = glob.glob(given, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
        files = sorted(path for path in matches if not Path(path).is_dir())
        if not files:
            message = f"no file matches {given}"
            raise ReadError(message)
        return files
    open_source(given).close()
    return [given]


def _in_folder(folder: str) -> Iterator[str]:
    """The data files below a folder, sorted; hidden ones and what ftprep wrote are left out."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            is_data = name.lower().removesuffix(".gz").endswith(_IN_FOLDERS)
            if is_data and not name.startswith(".") and not name.endswith(_OURS):
                yield os.path.join(root, name)  # noqa: PTH118 - keeps the name as it was given
