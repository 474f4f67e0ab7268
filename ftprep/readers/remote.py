"""Files elsewhere (s3://, gs://, az://, hf://, https://), through fsspec: listed, and read in large blocks.

fsspec's own files are slow by the line (80 times, measured on S3), so nothing here reads lines: a block is one request,
tried again where the connection breaks. What stays broken is an error of the run (`ReadError`), not a fault of the
data: what was read so far says nothing about the file, and the same command may succeed the next time.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, BinaryIO, cast

from ftprep.addresses import EXTRAS, WEB, scheme_of, shown
from ftprep.errors import ReadError
from ftprep.readers.remote_trouble import CREDENTIALS, Trouble, told

FIRST_BYTES = 1 << 18
"""The first request for a file asks for no more: most looks are at its head only."""

BLOCK_BYTES = 8 << 20
"""What every further request asks for."""

ATTEMPTS = 3
"""How often a request is made before its error counts; the clients have their own further tries for some errors."""

_WAIT_SECONDS = 0.5
_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 60
_CHANGES = (
    *("ETag", "etag", "generation", "md5Hash", "content_md5", "Content-MD5", "Digest", "blob_id"),
    *("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "created"),
)
"""What file systems say of a file that is another when the file is."""


def open_remote(address: str) -> BinaryIO:
    """The file at an address, as it can be read from any place; raises ReadError, or MissingExtra."""
    return cast("BinaryIO", io.BufferedReader(_Blocks(address), BLOCK_BYTES))


def read_remote(address: str, start: int, stop: int) -> bytes:
    """The bytes from `start` to before `stop`, at most those that there are."""
    with _Blocks(address) as blocks:
        return blocks.part(start, stop)


def stamp(address: str) -> str:
    """Size and version of a file, "gone" where there is none: another stamp later means another file."""
    try:
        with _telling(address):
            files, path = _files(address)
            files.invalidate_cache()
            info = files.info(path)
    except ReadError as error:
        if isinstance(error, Trouble) and error.kind == "missing":
            return "gone"
        raise
    return " ".join(str(info[key]) for key in ("size", *_CHANGES) if info.get(key))


def kind(address: str) -> str:
    """ "file" or "folder", "" where there is nothing of that name."""
    try:
        with _telling(address):
            files, path = _files(address)
            return "folder" if files.info(path)["type"] == "directory" else "file"
    except Trouble as error:
        if error.kind == "missing" and scheme_of(address) not in WEB:
            return ""
        raise


def below(folder: str) -> list[tuple[str, str]]:
    """The files in a folder and below it, as address and path within the folder; in no sure order."""
    base = folder.rstrip("/")
    with _telling(folder):
        files, path = _files(base)
        found = files.find(path, detail=True)
    return [(base + rest, rest.lstrip("/")) for rest in _within(path, found)]


def matching(pattern: str) -> list[tuple[str, str]]:
    """The files that a pattern means, as address and the part of it that the pattern left open; in no sure order."""
    base = _fixed(pattern)
    with _telling(pattern):
        files, path = _files(pattern)
        found = files.glob(path, detail=True)
        _, path = _files(base)
    return [(base + rest, rest.lstrip("/")) for rest in _within(path, found)]


def takes_ranges(address: str) -> bool:
    """Whether parts of the file can be asked for; servers of the web need not be able to."""
    if scheme_of(address) not in WEB:
        return True
    with _telling(address):
        files, path = _files(address)
        with files.open(path, "rb", cache_type="none") as file:
            if not getattr(file, "size", None):
                return False
            file.seek(file.size - 1)
            try:
                return len(file.read(1)) == 1
            except ValueError:  # what fsspec raises where the server sends the whole file
                return False


@contextmanager
def streamed(address: str) -> Iterator[BinaryIO]:
    """The file at an address from its beginning to its end, for servers that give no parts."""
    with _telling(address):
        files, path = _files(address)
        with files.open(path, "rb", block_size=0) as file:
            yield file


def _fixed(pattern: str) -> str:
    """The part of a pattern that is no pattern: `s3://bucket/data` of `s3://bucket/data/*.jsonl`."""
    start = min(at for at in (pattern.find(sign) for sign in "*?[") if at >= 0)
    base = pattern[: pattern.rfind("/", 0, start)]
    if "://" not in base or not base.partition("://")[2]:
        message = f"{shown(pattern)}: a pattern cannot stand for the bucket"
        raise ReadError(message, "name the bucket: s3://bucket/*.jsonl")
    return base


def _within(folder: str, found: dict[str, dict[str, Any]]) -> list[str]:
    """What comes after the folder in the names of those that are files."""
    base = folder.rstrip("/")
    return [name[len(base) :] for name, info in found.items() if info["type"] == "file" and name.startswith(base)]


class _Blocks(io.RawIOBase):
    """A file elsewhere as io has raw files: one read is one request for a part of it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._at = 0
        with _telling(address):
            files, path = _files(address)
            self._file = files.open(path, "rb", cache_type="none", block_size=BLOCK_BYTES)
        self._size: int = self._file.size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        most = FIRST_BYTES if self._at == 0 else BLOCK_BYTES
        data = self.part(self._at, self._at + min(len(buffer), most))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def part(self, start: int, stop: int) -> bytes:
        """The bytes from `start` to before `stop` or the end of the file; raises ReadError."""
        import time

        stop = min(stop, self._size)
        for attempt in range(ATTEMPTS):
            try:
                with _telling(self._address):
                    return self._asked(start, stop)
            except Trouble as trouble:
                if not trouble.passes or attempt == ATTEMPTS - 1:
                    raise
            time.sleep(_WAIT_SECONDS * 4**attempt)
        raise AssertionError

    def _asked(self, start: int, stop: int) -> bytes:
        if start >= stop:
            return b""
        self._file.seek(start)
        data: bytes = self._file.read(stop - start)
        if len(data) != stop - start:
            message = f"{shown(self._address)}: the server gave {len(data)} bytes where {stop - start} were asked for"
            raise Trouble("broken", message, "did the file change? run again")
        return data


@contextmanager
def _telling(address: str) -> Iterator[None]:
    """Errors of all the libraries below as ReadError or MissingExtra in one line."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - every store has exceptions of its own
        raise told(address, error) from None


def _files(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it."""
    import logging

    from fsspec.core import url_to_fs

    for library in ("gcsfs", "s3fs", "fsspec", "adlfs", "azure", "aiohttp", "asyncio"):
        logger = logging.getLogger(library)
        if not logger.handlers:  # else tracebacks go to stderr where nobody has set up logging
            logger.addHandler(logging.NullHandler())
    scheme = scheme_of(address)
    plain = scheme + address[len(scheme) :]
    if scheme not in WEB and shown(address) != plain:
        message = f"{shown(address)}: a user and password cannot stand in such an address"
        raise ReadError(message, CREDENTIALS[EXTRAS[scheme]])
    files, path = url_to_fs(plain, **_options(scheme))
    return files, path


def _options(scheme: str) -> dict[str, Any]:
    """What a file system is told besides what stands in the environment: listings are not kept, waiting ends."""
    options: dict[str, Any] = {"use_listings_cache": False}
    if scheme in ("s3", "s3a"):
        waits = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _ANSWER_SECONDS, "retries": {"max_attempts": 2}}
        options["config_kwargs"] = waits
    if scheme in WEB:
        from aiohttp import ClientTimeout

        timeout = ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_ANSWER_SECONDS)
        options["client_kwargs"] = {
            "timeout": timeout,
            "trust_env": True,
            "trace_configs": [_trace()],
            "headers": {"Accept-Encoding": "identity"},
        }
    return options


@cache
def _trace() -> Any:
    """What aiohttp asks before it follows a redirect; one for all sessions, since options that are equal share one."""
    from aiohttp import TraceConfig

    trace = TraceConfig()
    trace.on_request_redirect.append(_refuse_downgrade)
    return trace


class DowngradeError(Exception):
    """A server sends from https to http."""


async def _refuse_downgrade(_session: Any, _context: Any, given: Any) -> None:
    leads_to = given.response.headers.get("Location", "").lower()
    if str(given.response.url).startswith("https:") and leads_to.startswith("http:"):
        raise DowngradeError
