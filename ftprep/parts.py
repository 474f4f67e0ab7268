"""Work that is kept as it is done: files and a marker for each piece, so that a run that was cut off can go on."""

from __future__ import annotations

import dataclasses
import os
import pickle
import platform
import stat
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import xxhash
from pydantic import BaseModel

from ftprep.disk import shown, told
from ftprep.errors import WriteError
from ftprep.lines import Writing
from ftprep.model import Chunk, Range
from ftprep.outfile import OutputFile
from ftprep.partial import Partial
from ftprep.plan import Plan
from ftprep.version import __version__

T = TypeVar("T")

DONE = ".done"
"""The folder of the markers, beside what they are for."""


@dataclass(frozen=True)
class Parts:
    """A job whose lines go to part files in `folder`; what is done already is taken from there. Picklable."""

    look: Callable[[Chunk], Partial]
    folder: Path

    def __call__(self, piece: Chunk) -> Partial:
        """What is seen of one piece of work; its lines are in the part file that its output names."""
        name = f"{piece.number:013d}-{_said(piece.payload)}"

        def make() -> tuple[Partial, list[OutputFile]]:
            partial, files = self.look(piece), list[OutputFile]()
            output = partial.output
            if output and output.data:
                path = self.folder / f"{name}.jsonl"
                file = OutputFile(path, path)
                file.write_lines(output.data, output.count)
                file.finish()
                output.data, output.part, output.size = b"", f"{self.folder.name}/{path.name}", file.size
                files.append(file)
            return partial, files

        return once(self.folder, name, make)


def once(folder: Path, name: str, make: Callable[[], tuple[T, list[OutputFile]]]) -> T:
    """What `make` gives, from its marker where it was made before; the files that it has finished appear before it.

    Raises WriteError where the folder is not there: it is the driver's to make, and one made here would be nowhere.
    """
    if not folder.is_dir():
        message = f"the folder {shown(folder)} is not there"
        raise WriteError(message, "the output folder must be at the same path for all who work")
    marker = folder / DONE / name
    known = _known(marker, folder)
    if known is not None:
        made: T = known[0]
        return made
    made, files = make()
    for file in files:
        file.publish()
    data = pickle.dumps((made, {file.target.name: file.size for file in files}), protocol=5)
    note = OutputFile(marker, marker)
    note.write_bytes(xxhash.xxh3_128_digest(data) + data)
    note.finish()
    note.publish()
    return made


def _known(marker: Path, folder: Path) -> tuple[Any] | None:
    """What a marker says, None where there is none, it is torn, or its files are not there as they were."""
    with suppress(OSError):
        data = marker.read_bytes()
        if xxhash.xxh3_128_digest(data[16:]) == data[:16]:
            made, files = pickle.loads(data[16:])  # noqa: S301 - in a folder that is this user's alone
            if all((folder / name).stat().st_size == size for name, size in files.items()):
                return (made,)
    return None


def own_folder(path: Path) -> Path:
    """The folder for parts, made where it is missing; raises WriteError where others could have put something in."""
    with told(path):
        path.mkdir(mode=0o700, exist_ok=True)
        info = path.lstat()
    strange = os.name == "posix" and (info.st_uid != os.geteuid() or info.st_mode & 0o022)
    if not stat.S_ISDIR(info.st_mode) or strange:
        raise WriteError(f"{shown(path)} is not a folder of this user alone", "remove it, and run again")
    return path


def parts_of(
    folder: Path, look: Callable[[Chunk], Partial], plan: Plan, writing: Writing | None, counts: bool
) -> Parts:
    """The job that keeps what it does in a folder of its own, named for all that its results depend on."""
    own = folder / key_of(plan, writing, counts)
    with told(own):
        (own / DONE).mkdir(parents=True, exist_ok=True)
    return Parts(look, own)


def key_of(plan: Plan, writing: Writing | None, counts: bool) -> str:
    """A digest of what the results of a fold depend on: files as they are now, settings, decisions, versions;
    not the day, so that a run goes on tomorrow."""
    plan = dataclasses.replace(plan.shipped(), setting=dataclasses.replace(plan.setting, today=date.min))
    said = [getattr(plan, f.name) for f in dataclasses.fields(plan) if f.name != "counter"]
    told = "\n".join(_canonical([*said, writing, counts, __version__, platform.python_version()]))
    return xxhash.xxh3_128_hexdigest(told.encode("utf-8", "surrogatepass"))


def _said(payload: Any) -> str:
    if isinstance(payload, Range):
        return f"{payload.start}-{payload.stop}"
    return xxhash.xxh3_64_hexdigest(payload if isinstance(payload, bytes) else pickle.dumps(payload))


def _canonical(value: Any) -> Iterable[str]:
    """A value as text that is the same in every process: sets, whose order is not, sorted."""
    if value is None or isinstance(value, bool | int | float | str | bytes | date):
        yield repr(value)
        return
    yield type(value).__qualname__
    if isinstance(value, Mapping):
        items = sorted(("\n".join(_canonical(k)), v) for k, v in value.items())
        for key, each in items:
            yield key
            yield from _canonical(each)
    elif isinstance(value, set | frozenset):
        yield from sorted("\n".join(_canonical(each)) for each in value)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _canonical(each)
    elif isinstance(value, BaseModel):
        yield from _canonical(value.model_dump())
    elif isinstance(value, msgspec.Struct):
        yield from _canonical([getattr(value, name) for name in value.__struct_fields__])
    elif dataclasses.is_dataclass(value):
        yield from _canonical({f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
    else:
        raise TypeError("nothing is known of how this settles a result", type(value))
    yield "."
