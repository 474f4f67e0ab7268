"""Where outputs go and what they are called: after the input, in its folder or another."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftprep.addresses import is_remote, local_path, shown
from ftprep.errors import UsageError


@dataclass(frozen=True)
class Names:
    """Where the outputs go: `one` where nothing is held back, else `train` and `valid`."""

    one: Path
    train: Path
    valid: Path
    rejected: Path
    manifest: Path


def names_for(source: Any, out: str | os.PathLike[str] | None, name: str | None, suffix: str = "_prepared") -> Names:
    """The names of the outputs; raises UsageError where nothing says where they should go."""
    paths = paths_of(source)
    if out is None and any(is_remote(one) for one in _given(source)[:1]):
        message = "the input is not on this computer, so nothing can be written beside it"
        raise UsageError(message, "say where to write: -o FOLDER (out= in Python)")
    if not paths and out is None:
        message = "the data is in memory"
        raise UsageError(message, "say where to write: out=FOLDER")
    if name is not None and (not name or Path(name).name != name):
        message = f"name {name!r}: a name is wanted, not a path"
        raise UsageError(message, "out says in which folder")
    first = _without_magic(paths[0]) if paths else Path("data")
    folder = Path(out) if out is not None else (first.parent if not first.is_dir() else first)
    stem = name or (first.resolve().name if first.is_dir() else stem_of(first.name))
    base = f"{stem}{suffix}"
    return Names(
        folder / f"{base}.jsonl",
        folder / f"{base}_train.jsonl",
        folder / f"{base}_valid.jsonl",
        folder / f"{base}_rejected.jsonl",
        folder / f"{base}.manifest.json",
    )


def _without_magic(path: Path) -> Path:
    """The path, or for a pattern the folder it starts in: `data/*.csv` gives `data`."""
    while glob.has_magic(str(path)) and not path.exists():
        path = path.parent
    return path


def stem_of(name: str) -> str:
    """A file's name without its format's suffix and compression: `a.b.csv.gz` gives `a.b`."""
    if name in ("-", ""):
        return "stdin"
    path = Path(name)
    if path.suffix.lower() in (".gz", ".zst", ".bz2", ".xz"):
        path = path.with_suffix("")
    return path.stem or name


def paths_of(source: Any) -> list[Path]:
    """The file paths among the inputs, of addresses what they are called."""
    return [Path(shown(local_path(one))) for one in _given(source)]


def _given(source: Any) -> list[str]:
    given: Iterable[Any] = [source] if isinstance(source, str | os.PathLike) else source
    if not isinstance(given, Sequence):
        return []
    return [os.fspath(one) for one in given if isinstance(one, str | os.PathLike)]
