"""Compressed sources: gzip, zstd, bzip2 and xz, told by their first bytes and unpacked in bounded pieces."""

from __future__ import annotations

import io
import re
import sys
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple, Protocol

from ftprep.errors import MissingExtra
from ftprep.foreign import words_of
from ftprep.model import Fault

MAGIC_BYTES = 16
"""How many first bytes tell a compression."""

MAX_UNPACKER_BYTES = 256 << 20
"""Memory that unpacking may take besides what it gives: `xz -9` needs 65 MiB. zstd keeps its own bound of 128 MiB."""

MAX_EXPANSION, SURE_BYTES = 200, 16 << 20
"""How many times the bytes that were read data may unpack to, beyond a number of bytes that does no harm."""

_READ_BYTES = 1 << 17
# What one step has unpacked is lost when the damage is in the same step, so steps are small.
_STEP_BYTES = 1 << 12


class SourceBroken(Exception):  # noqa: N818 - says what happened to the source, and never reaches the user
    """The bytes of a source stop being readable: the fault to report where that happens."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Unpacker(Protocol):
    """One compressed stream, as bz2, lzma and zstd of the standard library have it."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether there is nothing more to give without further bytes."""

    @property
    def unused_data(self) -> bytes:
        """What was found behind the stream's end."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most so many bytes."""


class _Inflate:
    """A gzip stream with the face of the others."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def needs_input(self) -> bool:
        return not self._inflate.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)


def _gzip() -> tuple[Unpacker, type[Exception]]:
    return _Inflate(), zlib.error


def _bzip2() -> tuple[Unpacker, type[Exception]]:
    import bz2

    return bz2.BZ2Decompressor(), OSError


def _xz() -> tuple[Unpacker, type[Exception]]:
    import lzma

    return lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_UNPACKER_BYTES), lzma.LZMAError


def _zstd() -> tuple[Unpacker, type[Exception]]:
    zstd: Any
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        raise MissingExtra("reading zstd data (.zst)", "zstd") from None
    return zstd.ZstdDecompressor(), zstd.ZstdError


class Packing(NamedTuple):
    """A compression: the suffix of its files, how they begin, how to start unpacking a stream (and what damage raises),
    whether zeros may follow a stream."""

    suffix: str
    magic: re.Pattern[bytes]
    start: Callable[[], tuple[Unpacker, type[Exception]]]
    pads: bool


PACKINGS = {
    "gzip": Packing(".gz", re.compile(rb"\x1f\x8b"), _gzip, True),
    # A skippable frame may come first: pzstd writes one.
    "zstd": Packing(".zst", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _zstd, False),
    "bzip2": Packing(".bz2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), _bzip2, False),
    "xz": Packing(".xz", re.compile(rb"\xfd7zXZ\0"), _xz, True),
}
"""The compressions that are read, as a table's `compression` names them."""

SUFFIXES = tuple(packing.suffix for packing in PACKINGS.values())


def compression_in(start: bytes) -> str:
    """The compression that first bytes (MAGIC_BYTES of them) show, "" for none."""
    return next((name for name, packing in PACKINGS.items() if packing.magic.match(start)), "")


class Unpacked(io.RawIOBase):
    """The streams in compressed bytes one after the other; a read gives what is there before trouble is raised.

    However much a few bytes would unpack to, no more than is asked for is ever held. Raises MissingExtra for zstd
    where its package is not installed.
    """

    def __init__(self, raw: BinaryIO, compression: str, expansion: int = 0) -> None:
        self._expansion = expansion or MAX_EXPANSION
        self._taken = self._given = 0
        self._raw = raw
        self._name = compression
        self._packing = PACKINGS[compression]
        self._packing.start()  # what is missing shows now
        self._held = b""
        self._at = 0
        self._stream: Unpacker | None = None
        self._damage: type[Exception] = OSError
        self._trouble: SourceBroken | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Close the compressed bytes, too."""
        self._raw.close()
        super().close()

    def read(self, size: int = -1, /) -> bytes:
        """About `size` bytes (all where negative), b"" at the end; raises SourceBroken where the stream is damaged."""
        limit = size if size >= 0 else sys.maxsize
        parts: list[bytes] = []
        have = 0
        while have < limit and self._trouble is None:
            try:
                part = self._next(min(limit - have, _READ_BYTES * 8))
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
        """Some more unpacked bytes, b"" after the last stream."""
        while True:
            ended = False
            if self._at >= len(self._held) and (self._stream is None or self._stream.needs_input):
                self._held, self._at = self._raw.read(_READ_BYTES), 0
                self._taken += len(self._held)
                ended = not self._held
            if self._stream is None:
                if self._packing.pads:
                    self._held, self._at = self._held[self._at :].lstrip(b"\0"), 0
                if ended:
                    return b""
                if self._at >= len(self._held):
                    continue
                self._stream, self._damage = self._packing.start()
            part = self._unpacked(self._stream, limit)
            if part:
                self._given += len(part)
                if self._given > max(SURE_BYTES, self._taken * self._expansion):
                    raise SourceBroken(self._too_much())
                return part
            if ended and self._stream is not None:
                raise SourceBroken(Fault("IO116", f"the {self._name} data is cut: it ends inside a compressed stream"))

    def _unpacked(self, stream: Unpacker, limit: int) -> bytes:
        """What the next few of the held bytes give."""
        data = b""
        if stream.needs_input:
            data = self._held[self._at : self._at + _STEP_BYTES]
            self._at += len(data)
        try:
            part = stream.decompress(data, limit)
        except self._damage as error:
            raise SourceBroken(self._fault(words_of(error))) from None
        if stream.eof:
            self._at -= len(stream.unused_data)
            self._stream = None
        return part

    def _too_much(self) -> Fault:
        what = f"the {self._name} data unpacks to more than {self._expansion} times its size"
        return Fault("IO114", f"{what}; where that is meant: --limit expansion={self._expansion * 10}")

    def _fault(self, said: str) -> Fault:
        if "memory" in said.lower():
            return Fault("IO114", f"the {self._name} data takes too much memory to unpack; unpack it first")
        reason = said.rsplit(": ", maxsplit=1)[-1]
        return Fault("IO116", f"the {self._name} data is damaged ({reason}); fetch or write the file again")
