"""The files of a job: hashed and counted once, and found by the manifest of what `prepare` wrote."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ftprep.disk import open_regular, shown
from ftprep.errors import ReadError, UsageError
from ftprep.jobs.model import DataFile

if TYPE_CHECKING:
    from ftprep.prepared import Prepared

BLOCK = 1 << 20


def look_at(path: str | os.PathLike[str]) -> DataFile:
    """Hash, size and lines of a file; raises ReadError, also for an empty one."""
    made, size, lines, last = hashlib.sha256(), 0, 0, b"\n"
    where = Path(path)
    try:
        with open_regular(where) as file:
            while block := file.read(BLOCK):
                made.update(block)
                size += len(block)
                lines += block.count(b"\n")
                last = block[-1:]
    except OSError as error:
        raise ReadError(f"{shown(where)}: {error.strerror or error}", "name the JSONL file to train on") from None
    if not size:
        raise ReadError(f"{shown(where)}: the file is empty", "name the JSONL file to train on")
    return DataFile(os.fspath(path), made.hexdigest(), size, lines + (last != b"\n"))


def sides_of(source: str | os.PathLike[str] | Prepared) -> tuple[Path, Path | None]:
    """The training file and that for validation of a result, a manifest, or a file that stands for itself.

    Raises UsageError where there is not one file a side, ReadError for a manifest that cannot be read.
    """
    if hasattr(source, "files"):
        return _only(source.files("train"), "training"), next(iter(source.files("valid")), None)
    path = Path(source)
    if not path.name.endswith(".manifest.json"):
        return path, None
    outputs = [path.parent / name for name in _outputs(path)]
    usable = [p for p in outputs if p.suffix == ".jsonl" and not p.stem.endswith("_rejected")]
    valid = [p for p in usable if p.stem.endswith("_valid")]
    return _only([p for p in usable if p not in valid], "training"), next(iter(valid), None)


def is_jsonl(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as JSON lines do: plain UTF-8, and an object. Raises ReadError."""
    where = Path(path)
    try:
        with open_regular(where) as file:
            return bytes(file.read(1 << 12)).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    except OSError as error:
        raise ReadError(f"{shown(where)}: {error.strerror or error}", "name the JSONL file to train on") from None


def method_of(train: Path) -> Literal["dpo"] | None:
    """The method that the first record is for, where it says so. Raises ReadError."""
    try:
        with open_regular(train) as file:
            record = json.loads(file.readline(BLOCK))
    except OSError as error:
        raise ReadError(f"{shown(train)}: {error.strerror or error}", "name the file to train on") from None
    except (ValueError, RecursionError):
        return None
    return "dpo" if isinstance(record, dict) and {"preferred_output", "non_preferred_output"} <= record.keys() else None


def _outputs(path: Path) -> list[str]:
    try:
        said: Any = json.loads(path.read_bytes())
        return [Path(each["path"]).name for each in said["outputs"]]
    except OSError as error:
        raise ReadError(f"{shown(path)}: {error.strerror or error}") from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ReadError(f"{shown(path)}: this is no manifest of ftprep", "name the file to train on") from None


def _only(files: list[Path], which: str) -> Path:
    if len(files) != 1:
        message = f"there are {len(files)} {which} files, a job takes one"
        raise UsageError(message, "prepare without --shards, as JSONL")
    return files[0]
