"""A set written as shards by those who made its lines, with nothing but counts passing through the driver."""

from __future__ import annotations

import glob
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import msgspec
import xxhash

from ftprep.disk import shown, told
from ftprep.errors import UsageError, WriteError
from ftprep.model import Chunk
from ftprep.naming import Names
from ftprep.outfile import OutputFile, Place
from ftprep.partial import Output
from ftprep.parts import DONE, once, own_folder
from ftprep.pipeline import Run
from ftprep.splitter import Split
from ftprep.spool import Spool, Written
from ftprep.writer import OutputSet

SHARD_BYTES = 256 << 20
"""Bytes of a shard where no number is asked for, before some are held back: many for a cluster, few for a folder."""

MOST_SHARDS = 99_999
"""As many as five digits count."""

SUFFIX = ".ftprep-parts"


class Cut(msgspec.Struct, frozen=True):
    """Neighbouring parts (name, lines) that become a shard of each side; `sides` has a byte a line, 1 for validation.

    `names` are those of the two shards, "" for a side that gets no line of these.
    """

    parts: tuple[tuple[str, int], ...]
    sides: bytes
    names: tuple[str, str]


class Made(msgspec.Struct, frozen=True):
    """A shard in the working folder: 0 for training or 1, its name, and what the manifest says of it."""

    side: int
    name: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Cutter:
    """The job that makes shards of parts, in a folder beside those of the parts. Picklable."""

    folder: Path

    def __call__(self, piece: Chunk) -> list[Made]:
        """The shards of one cut."""
        cut: Cut = piece.payload
        name = f"shard-{xxhash.xxh3_128_hexdigest(msgspec.msgpack.encode(cut))}"

        def make() -> tuple[list[Made], list[OutputFile]]:
            files = self._files(cut)
            for file in files:
                file.finish()
            known = [(cut.names.index(file.path.name), file.summary()) for file in files]
            return [Made(n, cut.names[n], s["rows"], s["bytes"], s["sha256"]) for n, s in known], files

        return once(self.folder, name, make)

    def _files(self, cut: Cut) -> list[OutputFile]:
        paths = [self.folder / each if each else None for each in cut.names]
        files = [OutputFile(path, path) if path else None for path in paths]
        sides = iter(cut.sides)
        for part, many in cut.parts:
            with told(path := self.folder.parent / part), path.open("rb") as lines:
                for line, side in zip(lines, bytes(islice(sides, many)), strict=True):
                    file = files[side]
                    if file:
                        file.write(line)
        return [file for file in files if file]


class MadeFile(OutputFile):
    """A file that is whole already, on its way to its place."""

    def __init__(self, path: Path, target: Path, made: Made, at: Path) -> None:
        Place.__init__(self, path, target)
        self.made, self._temp, self._fd = made, at, -1
        self.rows, self.size = made.rows, made.size

    def finish(self) -> None:
        """Nothing is left to do."""

    def summary(self) -> dict[str, Any]:
        """What a manifest says of it."""
        return {"path": str(self.path), "sha256": self.made.sha256, "bytes": self.size, "rows": self.rows}


class Shards(Spool):
    """The written lines of one trip, in part files that those who made them have written."""

    def __init__(self, folder: Path, run: Run) -> None:
        super().__init__(folder)
        if run.parts is None or isinstance(run.executor, str):
            raise ValueError("the run is not staffed, or has no folder for parts", run)
        self._work, self._executor, self._count = run.parts / "shards", run.executor, run.shards
        self._parts: list[tuple[str, int, int]] = []

    def take(self, chunk: Chunk, output: Output) -> None:
        """Keep what is to be known of one piece's lines."""
        super().take(chunk, output)
        if output.part:
            self._parts.append((output.part, output.count, output.size))

    def write(self, outputs: OutputSet, names: Names, split: Split | None, mark: bytes = b"") -> Written:
        """Have the shards made, and open them for the commit; they begin with no mark."""
        del mark
        kinds = (names.train, names.valid) if split else (names.one, names.valid)
        work = self._work
        with told(work):
            (work / DONE).mkdir(parents=True, exist_ok=True)
        chunks = (Chunk(n, 0, 1, cut) for n, cut in enumerate(self._cuts(kinds, split)))
        made = [one for each in self._executor.map(Cutter(work), chunks, _lost) for one in each]
        made.sort(key=lambda one: one.side)  # all of one side, then all of the other, each in order
        paths = [kinds[one.side].with_name(one.name) for one in made]
        for one, path in zip(made, paths, strict=True):
            outputs.open(path, partial(MadeFile, made=one, at=work / one.name))
        counts = Counter(one.side for one in made)
        train, valid = (_pattern(kind, counts[side]) if counts[side] else None for side, kind in enumerate(kinds))
        return Written(train or kinds[0], valid, tuple(paths))

    def _cuts(self, kinds: tuple[Path, Path], split: Split | None) -> Iterator[Cut]:
        """What is to be done for each shard; the sides of all lines are known first, since names tell how many."""
        sides = bytes(split.is_valid(unit) for unit, _ in self.units()) if split else bytes(len(self))
        at, own = 0, list[bytes]()
        groups = self._groups()
        for group in groups:
            end = at + sum(lines for _, lines in group)
            own.append(sides[at:end])
            at = end
        named = [_shard_names(kind, [side in each for each in own]) for side, kind in enumerate(kinds)]
        for group, each, train, valid in zip(groups, own, *named, strict=True):
            yield Cut(tuple(group), each, (train, valid))

    def _groups(self) -> list[list[tuple[str, int]]]:
        """The parts in as many runs of neighbours as there are to be shards, or fewer."""
        total = sum(size for _, _, size in self._parts)
        count = min(self._count or -(-total // SHARD_BYTES), MOST_SHARDS)
        groups: dict[int, list[tuple[str, int]]] = {}
        before = 0
        for name, lines, size in self._parts:
            groups.setdefault(before * count // total, []).append((name, lines))
            before += size
        return list(groups.values())


@contextmanager
def sharded(run: Run, outputs: OutputSet, names: Names, shards: int | str | None) -> Iterator[Run]:
    """The same run, keeping what it does in a folder beside the outputs until all is written; `shards` is how many,
    `auto`, or None for a run that keeps nothing. Raises UsageError, and WriteError where shards are there already."""
    count = _number(shards)
    for path in earlier(names):
        outputs.check(path)
    if count is None:
        yield run
        return
    stem = names.one.stem
    name = f".{stem[:40]}-{xxhash.xxh32_hexdigest(stem.encode('utf-8', 'surrogateescape'))}{SUFFIX}"
    folder = own_folder(outputs.folder(names.one) / name)
    try:
        yield replace(run, parts=folder, shards=count)
    except WriteError as error:
        kept = f"what is done so far stays in {shown(folder)}: run again to go on, or remove it"
        raise WriteError(error.message, f"{error.hint}; {kept}") from error
    shutil.rmtree(folder, ignore_errors=True)


def earlier(names: Names) -> list[Path]:
    """The shards of an earlier run that stand where this one writes."""
    digits = "[0-9]" * 5
    kinds = dict.fromkeys((names.one, names.train, names.valid))
    return [p for k in kinds for p in sorted(k.parent.glob(f"{glob.escape(k.stem)}-{digits}-of-{digits}.jsonl"))]


def _number(shards: int | str | None) -> int | None:
    if shards is None or shards == "auto":
        return None if shards is None else 0
    try:
        count = int(shards)
    except ValueError:
        count = 0
    if not 1 <= count <= MOST_SHARDS:
        message = f"--shards {shards}: not a number of files"
        raise UsageError(message, f"give a whole number from 1 to {MOST_SHARDS:,}, or auto")
    return count


def _shard_names(kind: Path, holds: list[bool]) -> list[str]:
    """The names of the shards of one side, "" for those that would hold nothing."""
    numbers = count(0)
    return [f"{kind.stem}-{next(numbers):05d}-of-{sum(holds):05d}.jsonl" if held else "" for held in holds]


def _pattern(kind: Path, count: int) -> Path:
    return kind.with_name(f"{kind.stem}-*-of-{count:05d}.jsonl")


def _lost(piece: Chunk) -> list[Made]:
    message = f"worker processes died again and again while writing shard {piece.number}; nothing was written"
    raise WriteError(message, "run again: what is done already is kept")
