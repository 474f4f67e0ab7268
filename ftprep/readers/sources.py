"""The bytes of a source: opened with care, decompressed, without byte-order mark, as UTF-8, in blocks and lines."""

from __future__ import annotations

import codecs
import difflib
import errno
import io
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import ftprep.readers.base as base
from ftprep.errors import ReadError
from ftprep.model import Chunk, Fault
from ftprep.readers.encoding import KEEP

HEAD_BYTES = 1 << 18
"""What is looked at to tell format, encoding and dialect; a head that is shorter is the whole file."""

MAX_DOCUMENT_BYTES = 2 << 30
"""A document that can only be read as a whole (a JSON array) may not be larger, since it stands in memory."""


GZIP_MAGIC = b"\x1f\x8b"


class SourceBroken(Exception):  # noqa: N818 - says what happened to the source, and never reaches the user
    """The bytes of a source stop being readable: the fault to report where that happens."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def open_source(path: str | os.PathLike[str], compression: str = "") -> BinaryIO:
    """The file opened for reading, decompressed where `compression` is "gzip"; raises ReadError for what is missing,
    not allowed, or no regular file (a pipe or a device would block or never end)."""
    name = os.fspath(path)
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
    raw = cast("BinaryIO", os.fdopen(handle, "rb"))
    return cast("BinaryIO", _Gzip(raw)) if compression == "gzip" else raw


def compression_of(path: str | os.PathLike[str]) -> str:
    """ "gzip" where the file's first bytes say so, else ""; raises ReadError as `open_source` does."""
    with open_source(path) as stream:
        return "gzip" if stream.read(2) == GZIP_MAGIC else ""


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
        return ReadError(f"no such file: {name}", _meant(name))
    if isinstance(error, PermissionError):
        hint = "name the files in it" if Path(name).is_dir() else "check who may read the file (ls -l)"
        return ReadError(f"not allowed to read {name}", hint)
    if error.errno == errno.ENXIO:
        return ReadError(f"{name} is a socket, not a file", "name the files, or pipe the data in and use -")
    return ReadError(f"cannot open {name}: {error.strerror or error}")


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


class _Gzip(io.RawIOBase):
    """The members of a gzip stream one after the other; a read gives what is there before trouble is raised."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._held = b""
        self._inflate: zlib._Decompress | None = None
        self._trouble: SourceBroken | None = None

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._raw.close()
        super().close()

    def read(self, size: int = -1, /) -> bytes:
        """About `size` bytes (all where negative), b"" at the end; raises SourceBroken where the stream is damaged."""
        limit = size if size >= 0 else MAX_DOCUMENT_BYTES
        parts: list[bytes] = []
        have = 0
        while have < limit and self._trouble is None:
            try:
                part = self._next(limit - have)
            except SourceBroken as broken:
                self._trouble = broken
                break
            if not part:
                break
            parts.append(part)
            have += len(part)
        if not have and self._trouble and limit:
            raise self._trouble
        return b"".join(parts)

    def _next(self, limit: int) -> bytes:
        """Some more decompressed bytes, b"" after the last member."""
        while True:
            ended = False
            if not self._held:
                self._held = self._raw.read(1 << 17)
                ended = not self._held
            if self._inflate is None:
                self._held = self._held.lstrip(b"\0")  # zero padding after a member is legal
                if ended:
                    return b""
                if not self._held:
                    continue
                self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            part = self._inflated(self._inflate, limit)
            if part:
                return part
            if ended:
                raise SourceBroken(Fault("IO116", "the gzip data is cut: it ends inside a compressed stream"))

    def _inflated(self, inflate: zlib._Decompress, limit: int) -> bytes:
        """What the held bytes give, and what is left of them held again."""
        try:
            part = inflate.decompress(self._held, limit)
        except zlib.error as error:
            message = f"the gzip data is damaged ({str(error).split(': ')[-1]}); fetch or write the file again"
            raise SourceBroken(Fault("IO116", message)) from None
        self._held = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
        if inflate.eof:
            self._inflate = None
        return part


def blocks(table: base.Table) -> Iterator[bytes]:
    """The table's bytes from the start, in blocks of about CHUNK_BYTES cut anywhere: decompressed, without byte-order
    mark, as UTF-8. Raises SourceBroken where the bytes stop being readable, ReadError where they cannot be opened."""
    recode = _recoder(table.encoding)
    with open_source(table.path, table.compression) as stream:
        try:
            while block := stream.read(base.CHUNK_BYTES):
                if data := recode(block, False):
                    yield data
        except OSError as error:
            message = f"cannot read {table.name}: {error.strerror or error}"
            raise ReadError(message) from None
        if data := recode(b"", True):
            yield data


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
    """All bytes of a table, as `blocks` gives them; raises ReadError beyond MAX_DOCUMENT_BYTES, and SourceBroken."""
    parts: list[bytes] = []
    size = 0
    for block in blocks(table):
        size += len(block)
        if size > MAX_DOCUMENT_BYTES:
            message = f"{table.name} is one document of more than {MAX_DOCUMENT_BYTES >> 30} GiB"
            raise ReadError(message, "write it as JSONL, one record a line: that is read piece by piece")
        parts.append(block)
    return b"".join(parts)


def line_chunks(table: base.Table) -> Iterator[Chunk]:
    """Chunks of whole lines (all end in a line feed but perhaps the last); a line beyond MAX_RECORD_BYTES is cut one
    byte past that bound, so that it is known as too long and never held in memory."""
    return base.mark_last(_line_chunks(table))


def _line_chunks(table: base.Table) -> Iterator[Chunk]:
    number, line = 0, 1
    try:
        for payload in _pieces(blocks(table)):
            yield Chunk(number, 0, line, payload)
            number += 1
            line += payload.count(b"\n")
    except SourceBroken as broken:
        yield Chunk(number, 0, line, broken.fault)


def _pieces(source: Iterator[bytes]) -> Iterator[bytes]:
    """Runs of whole lines of about CHUNK_BYTES out of blocks that are cut anywhere."""
    lines = _Lines()
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

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._open = 0

    def take(self, block: bytes) -> Iterator[bytes]:
        """The lines that the block makes whole, once there are enough of them."""
        begin = 0
        if self._open > base.MAX_RECORD_BYTES:  # inside a line that is too long: let it pass by
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
        over = max(self._open - base.MAX_RECORD_BYTES - 1, 0)
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
