"""What a user names as input, as files: a file, a folder, a pattern, here or elsewhere, or - for what is piped in."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NoReturn

import msgspec

from ftprep.addresses import EXTRAS, WEB, is_remote, local_path, scheme_of, shown
from ftprep.errors import ReadError, UsageError
from ftprep.readers import remote
from ftprep.readers.packed import SUFFIXES
from ftprep.readers.sources import open_source
from ftprep.scratch import until_exit

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
        if is_remote(given):
            for address in _meant_elsewhere(given):
                found.setdefault(address, _elsewhere(address))
            continue
        _refuse_unknown(given)
        for path in _meant(local_path(given)):
            found.setdefault(str(Path(path)), Input(path, path))
    if not found:
        raise UsageError("no input", "name a file, a folder, a pattern such as 'data/*.jsonl', or - for standard input")
    return list(found.values())


def spool(source: BinaryIO, suffix: str = "", name: str = "", most: int = 0) -> str:
    """A temporary file (removed when the program ends) with all that the source gives: its path; raises ReadError for
    more than `most` bytes, where that is not 0."""
    path, size = until_exit() / f"data{suffix}", 0
    with path.open("xb") as file:
        while block := source.read(1 << 20):
            size += len(block)
            if 0 < most < size:
                message = f"{name} holds more than {most >> 20} MiB of what cannot be read piece by piece"
                raise ReadError(message, "write it as JSONL, one record a line")
            file.write(block)
    return str(path)


def _spool_stdin() -> str:
    source = getattr(sys.stdin, "buffer", None)
    if source is None:
        raise ReadError("standard input is closed", "pipe the data in, or name a file instead of -")
    return spool(source)


def _meant(given: str) -> Iterable[str]:
    """The files that one argument means."""
    if Path(given).is_dir():
        return list(_in_folder(given)) or _refuse_empty(given)
    if glob.has_magic(given) and not os.path.lexists(given):
        matches = glob.glob(given, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
        files = sorted(path for path in matches if not Path(path).is_dir())
        return files or _refuse_unmatched(given)
    open_source(given).close()
    return [given]


def _refuse_empty(folder: str) -> NoReturn:
    message = f"no data files in the folder {shown(folder)}"
    also = " ".join(SUFFIXES)
    raise ReadError(message, f"looked for {' '.join(_IN_FOLDERS)}, also with {also}; other files can be named")


def _refuse_unmatched(pattern: str) -> NoReturn:
    message = f"no file matches {shown(pattern)}"
    raise ReadError(message)


def _in_folder(folder: str) -> Iterator[str]:
    """The data files below a folder, sorted; hidden ones and what ftprep wrote are left out."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if _is_data(name):
                yield os.path.join(root, name)  # noqa: PTH118 - keeps the name as it was given


def _is_data(name: str) -> bool:
    """Whether a file of this name is read when its folder is."""
    packed = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    is_known = name.lower().removesuffix(packed).endswith(_IN_FOLDERS)
    return is_known and not name.startswith(".") and not name.endswith(_OURS)


def _refuse_unknown(given: str) -> None:
    """An address of a kind that is not read is no missing file."""
    scheme = scheme_of(given)
    if scheme and scheme != "file" and not os.path.lexists(given):
        message = f"{scheme}:// addresses are not read"
        raise ReadError(message, f"those that are: {' '.join(f'{one}://' for one in EXTRAS)}; or fetch the file first")


def _meant_elsewhere(given: str) -> list[str]:
    """The files that one remote address means: as for local ones, but that no web server lists its files."""
    if scheme_of(given) not in WEB and glob.has_magic(given):
        found = [address for address, rest in remote.matching(given) if not _is_hidden(rest, given)]
        if found:
            return sorted(found)
        if remote.kind(given) == "file":
            return [given]
        _refuse_unmatched(given)
    kind = remote.kind(given)
    if kind == "folder":
        inside = [
            (rest.split("/"), address)
            for address, rest in remote.below(given)
            if _is_data(rest.rpartition("/")[2]) and not _is_hidden(rest)
        ]
        inside.sort(key=lambda one: ([(True, part) for part in one[0][:-1]] + [(False, one[0][-1])], one[1]))
        return [address for _, address in inside] or _refuse_empty(given)
    if not kind:
        message = f"no such file: {shown(given)}"
        raise ReadError(message, "check bucket and name")
    return [given]


def _is_hidden(rest: str, pattern: str = "") -> bool:
    """Whether a part of a path begins with a dot that the pattern does not ask for."""
    return "/." in f"/{rest}" and "/." not in pattern


def _elsewhere(address: str) -> Input:
    """A file elsewhere: read in parts from where it is, or fetched first where its server gives no parts."""
    name = shown(address)
    if remote.takes_ranges(address):
        return Input(name, address)
    suffix = "".join(Path(name).suffixes[-2:])
    with remote.streamed(address) as stream:
        return Input(name, spool(stream, suffix if suffix.replace(".", "").isalnum() else ""))
