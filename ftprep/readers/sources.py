"""The bytes of a source: opened with care, decompressed, without byte-order mark, as UTF-8, in blocks and lines."""

from __future__ import annotations

import codecs
import difflib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import ftprep.readers.base as base
from ftprep.addresses import is_remote, meant_as_address, shown
from ftprep.bulk import count_lines
from ftprep.errors import ReadError
from ftprep.foreign import words_of
from ftprep.model import Chunk
from ftprep.readers.encoding import KEEP
from ftprep.readers.packed import MAGIC_BYTES, SourceBroken, Unpacked, compression_in
from ftprep.readers.remote import open_remote, read_remote
from ftprep.readers.remote import stamp as remote_stamp

HEAD_BYTES = 1 << 18
"""What is looked at to tell format, encoding and dialect; a head that is shorter is the whole file."""

MAX_DOCUMENT_BYTES = 2 << 30
"""A document that can only be read as a whole (a JSON array) may not be larger, since it stands in memory."""


def open_source(path: str | os.PathLike[str], compression: str = "", expansion: int = 0) -> BinaryIO:
    """The file or remote address opened for reading, unpacked where a `compression` is named (to at most `expansion`
    times its size, 0 for the built-in bound), else with `seek`; raises
    ReadError for what is missing, not allowed, or no regular file (a pipe or a device would block or never end), and
    MissingExtra."""
    name = os.fspath(path)
    raw = open_remote(name) if is_remote(name) else _open_local(name)
    return cast("BinaryIO", Unpacked(raw, compression, expansion)) if compression else raw


def _open_local(name: str) -> BinaryIO:
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(name, flags)
    except (OSError, ValueError) as error:
        raise _unopened(name, error) from None
    kind = _kind(os.fstat(handle).st_mode)
    if kind:
        os.close(handle)
        message = f"{name} is {kind}, not a file"
        raise ReadError(message, "name the files, or pipe the data in and use -")
    return cast("BinaryIO", os.fdopen(handle, "rb"))


def read_range(path: str | os.PathLike[str], start: int, stop: int) -> bytes:
    """The bytes from `start` to before `stop` of a file or remote address, as they are stored; raises ReadError as
    `open_source` does, and where there are fewer."""
    name = os.fspath(path)
    if is_remote(name):
        data = read_remote(name, start, stop)
    else:
        with _open_local(name) as file:
            file.seek(start)
            data = file.read(stop - start)
    if len(data) != stop - start:
        message = f"{shown(name)} ends before byte {stop}"
        raise ReadError(message, "it changed while it was read; run again when it is complete")
    return data


def size_of(raw: BinaryIO) -> int:
    """The bytes of a file that `open_source` gave, as they are stored; its place is then anywhere."""
    try:
        return os.fstat(raw.fileno()).st_size
    except OSError:  # it is elsewhere
        return raw.seek(0, os.SEEK_END)


def stamp(path: str | os.PathLike[str]) -> str:
    """Size, time and identity of a file, "gone" where there is none: another stamp later means another file."""
    name = os.fspath(path)
    if is_remote(name):
        return remote_stamp(name)
    try:
        status = Path(name).stat()
    except OSError:
        return "gone"
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


def compression_of(path: str | os.PathLike[str]) -> str:
    """The compression that a file's first bytes show, "" for none; raises ReadError as `open_source` does."""
    with open_source(path) as stream:
        return compression_in(stream.read(MAGIC_BYTES))


def _kind(mode: int) -> str:
    """What a path is when it is no regular file, "" where it is one."""
    if stat.S_ISREG(mode):
        return ""
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    return next((word for test, word in kinds if test(mode)), "a device")


def _unopened(name: str, error: OSError | ValueError) -> ReadError:
    """Why a file could not be opened, in one line."""
    if isinstance(error, ValueError):  # a NUL in the name
        return ReadError(f"{name!r} is not a possible file name")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        address = meant_as_address(name)
        hint = f"an address is a text with two slashes: {shown(address)}" if address else _meant(name)
        return ReadError(f"no such file: {name}", hint)
    if isinstance(error, PermissionError):
        hint = "name the files in it" if Path(name).is_dir() else "check who may read the file (ls -l)"
        return ReadError(f"not allowed to read {name}", hint)
    if error.errno == errno.ENXIO:
        return ReadError(f"{name} is a socket, not a file", "name the files, or pipe the data in and use -")
    return ReadError(f"cannot open {name}: {words_of(error)}")


def _meant(name: str) -> str:
    """The names in the folder that are nearly the missing one."""
    path = Path(name)
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    try:
        there = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, there, n=3)
    return f"did you mean {' or '.join(str(path.parent / n) for n in near)}?" if near else ""


def blocks(table: base.Table) -> Iterator[bytes]:
    """The table's bytes from the start, in blocks of about CHUNK_BYTES cut anywhere: decompressed, without byte-order
    mark, as UTF-8. Raises SourceBroken where the bytes stop being readable, ReadError where they cannot be opened."""
    recode = _recoder(table.encoding)
    with open_source(table.path, table.compression, table.limits.expansion) as stream:
        for block in read_blocks(stream, table.name):
            if data := recode(block, False):
                yield data
        if data := recode(b"", True):
            yield data


def read_blocks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """What is left of a stream, in blocks of about CHUNK_BYTES; raises ReadError where it cannot be read."""
    try:
        while block := stream.read(base.CHUNK_BYTES):
            yield block
    except OSError as error:
        message = f"cannot read {name}: {words_of(error)}"
        raise ReadError(message) from None


def _recoder(codec: str) -> Callable[[bytes, bool], bytes]:
    """A function that takes the next block (and whether it is the last) and gives UTF-8 without byte-order mark."""
    decoder = None if codec == "utf-8" else codecs.getincrementaldecoder(codec)(KEEP)
    held = b""
    begun = False

    def recode(block: bytes, last: bool) -> bytes:
        nonlocal held, begun
        if decoder:
            block = decoder.decode(block, last).encode("utf-8", "surrogateescape")
        if begun:
            return block
        held += block
        if len(held) < len(codecs.BOM_UTF8) and not last:
            return b""
        begun = True
        return held.removeprefix(codecs.BOM_UTF8)

    return recode


def read_all(table: base.Table) -> bytes:
    """All bytes of a table, as `blocks` gives them; raises ReadError beyond its bound, and SourceBroken."""
    parts: list[bytes] = []
    size, most = 0, table.limits.document or MAX_DOCUMENT_BYTES
    for block in blocks(table):
        size += len(block)
        if size > most:
            message = f"{table.name} is one document of more than {most:,} bytes"
            raise ReadError(message, "write it as JSONL, which is read piece by piece; or --limit document=8GiB")
        parts.append(block)
    return b"".join(parts)


def line_chunks(table: base.Table) -> Iterator[Chunk]:
    """Chunks of whole lines (all end in a line feed but perhaps the last); a line beyond the bound of a record is cut
    one byte past it, so that it is known as too long and never held in memory."""
    return chunks_from(blocks(table), table.longest)


def chunks_from(source: Iterator[bytes], longest: int) -> Iterator[Chunk]:
    """Chunks of whole lines out of blocks that are cut anywhere, and last, where the source breaks, its fault."""
    number, line = 0, 1
    try:
        for payload in _pieces(source, longest):
            yield Chunk(number, 0, line, payload)
            number += 1
            line += count_lines(payload)
    except SourceBroken as broken:
        yield Chunk(number, 0, line, broken.fault)


def _pieces(source: Iterator[bytes], longest: int) -> Iterator[bytes]:
    """Runs of whole lines of about CHUNK_BYTES out of blocks that are cut anywhere."""
    lines = _Lines(longest)
    broken: SourceBroken | None = None
    try:
        for block in source:
            yield from lines.take(block)
    except SourceBroken as error:
        broken = error
    yield from lines.rest()
    if broken:
        raise broken


class _Lines:
    """What is left of the last block, until its line is whole."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0
        self._open = 0

    def take(self, block: bytes) -> Iterator[bytes]:
        """The lines that the block makes whole, once there are enough of them."""
        begin = 0
        if self._open > self._longest:  # inside a line that is too long: let it pass by
            begin = block.find(b"\n")
            if begin < 0:
                return
        end = block.rfind(b"\n") + 1
        if end > begin:
            self._add(block[begin:end])
            self._open = 0
            begin = end
            if self._size >= base.CHUNK_BYTES:
                yield from self.rest()
        self._open += len(block) - begin
        over = max(self._open - self._longest - 1, 0)
        self._add(block[begin : len(block) - over])

    def rest(self) -> Iterator[bytes]:
        """What is held, as one piece."""
        if self._parts:
            yield b"".join(self._parts)
        self._parts, self._size = [], 0

    def _add(self, part: bytes) -> None:
        if part:
            self._parts.append(part)
            self._size += len(part)
