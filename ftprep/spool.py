"""What one trip gives to be written, kept in files without a name until all is known: lines, and records set aside."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from ftprep.disk import told
from ftprep.model import Chunk
from ftprep.naming import Names
from ftprep.outfile import OutputFile
from ftprep.partial import Aside, Output
from ftprep.splitter import Joined, Split
from ftprep.writer import OutputSet

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Aside).decode


class Written(NamedTuple):
    """The files of each side (of shards, a pattern that means them), and the paths of all."""

    train: Path
    valid: Path | None
    paths: tuple[Path, ...]


_LINES_AT_ONCE = 1000


def _flush(sides: tuple[list[bytes], list[bytes]], *files: OutputFile) -> None:
    for lines, file in zip(sides, files, strict=True):
        file.write_lines(b"".join(lines), len(lines))
        lines.clear()


class Spool:
    """The written lines of one trip, beside the outputs, with what a split needs to know of each: 12 bytes a row."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with told(folder):
            self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by close()
            self._aside: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by close()
        self._units = bytearray()
        self._class_of = array("I")
        self._joined = Joined()
        self._classes: dict[str, int] = {}
        self._written = 0
        self.asides = 0
        self.records = 0

    def __len__(self) -> int:
        return self._written

    def take(self, chunk: Chunk, output: Output) -> None:
        """Keep what one piece of work gives."""
        del chunk
        if output.data:
            with told(self._folder):
                self._file.write(output.data)
        self._written += output.count
        self._units += output.units
        self._class_of.extend([self._classes.setdefault(name, len(self._classes)) for name in output.classes])
        for at, asked in enumerate(output.asks):
            self._joined.join(bytes(output.units[8 * at : 8 * at + 8]), asked)
        for aside in output.aside:
            packed = _pack(aside)
            with told(self._folder):
                self._aside.write(len(packed).to_bytes(8) + packed)
        self.asides += len(output.aside)
        self.records += output.records

    def units(self) -> Iterator[tuple[bytes, str]]:
        """The unit and the class of each line, in order."""
        names = list(self._classes)
        data = bytes(self._units)
        kinds = self._class_of or repeat(0)
        for at, kind in zip(range(0, len(data), 8), kinds, strict=False):
            yield self._joined.of(data[at : at + 8]), names[kind] if names else ""

    def aside(self) -> Iterator[Aside]:
        """The records that are set aside, in order."""
        with told(self._folder):  # going back writes what is still held
            self._aside.seek(0)
        while size := self._aside.read(8):
            yield _unpack(self._aside.read(int.from_bytes(size)))

    def write(self, outputs: OutputSet, names: Names, split: Split | None, mark: bytes = b"") -> Written:
        """Write each line to the file of the side it falls on; each file begins with `mark`."""
        train = outputs.open(names.train if split else names.one)
        train.write_bytes(mark)
        with told(self._folder):
            self._file.seek(0)
        if split is None:
            while block := self._file.read(1 << 20):
                train.write_lines(block, block.count(b"\n"))
            return Written(train.path, None, (train.path,))
        valid = outputs.open(names.valid)
        valid.write_bytes(mark)
        sides: tuple[list[bytes], list[bytes]] = ([], [])
        for number, (line, (unit, _)) in enumerate(zip(self._file, self.units(), strict=True), 1):
            sides[split.is_valid(unit)].append(line)
            if number % _LINES_AT_ONCE == 0:
                _flush(sides, train, valid)
        _flush(sides, train, valid)
        return Written(train.path, valid.path, (train.path, valid.path))

    def close(self) -> None:
        """Let go of the files."""
        for file in (self._file, self._aside):
            with suppress(OSError):  # closing writes what is still held, which nobody wants now
                file.close()
