"""What the address of a picture says of it without fetching or decoding it: source, type, size, and what is broken."""

from __future__ import annotations

import base64
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from ftprep.foreign import words_of
from ftprep.shapes.quoting import quote

_HEAD = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),", re.IGNORECASE)
_LONGEST_HEAD = 512
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_WINDOWS = re.compile(r"[a-zA-Z]:[\\/]")

# The first bytes of a file, by its type (the formats' specifications); the second is where they stand.
_MAGIC: tuple[tuple[str, int, bytes], ...] = (
    ("jpeg", 0, b"\xff\xd8\xff"),
    ("png", 0, b"\x89PNG\r\n\x1a\n"),
    ("gif", 0, b"GIF87a"),
    ("gif", 0, b"GIF89a"),
    ("webp", 8, b"WEBP"),
    ("bmp", 0, b"BM"),
    ("tiff", 0, b"II*\0"),
    ("tiff", 0, b"MM\0*"),
    ("avif", 4, b"ftypavif"),
    ("heic", 4, b"ftypheic"),
    ("heic", 4, b"ftypheix"),
    ("heic", 4, b"ftypmif1"),
    ("ico", 0, b"\0\0\1\0"),
    ("jxl", 0, b"\0\0\0\x0cJXL "),
    ("pdf", 0, b"%PDF-"),
    ("svg", 0, b"<svg"),
)
_SAME = {"jpg": "jpeg", "pjpeg": "jpeg", "x-png": "png", "svg+xml": "svg", "x-ms-bmp": "bmp", "heif": "heic"}
_SAME |= {"vnd.microsoft.icon": "ico", "x-icon": "ico", "tif": "tiff", "jpe": "jpeg", "jfif": "jpeg"}
KNOWN = frozenset(kind for kind, _, _ in _MAGIC)
"""Types that can be told by their first bytes."""


def source_of(url: str) -> str:
    """Where a picture is: http, https, data, s3, gs, another scheme in small letters, or "" for a path without one."""
    scheme = _SCHEME.match(url)
    return "" if scheme is None or _WINDOWS.match(url) else scheme[1].lower()


def address_fault(url: str) -> str:
    """What is wrong with an address that should be fetched, "" where nothing is."""
    source = source_of(url)
    if not url.strip():
        return "the address is empty"
    if url != url.strip():
        return "there is white space around the address"
    if not source or source == "file":
        return f"{quote(url)} is a path on some computer, which no provider can read"
    if source == "data":
        return ""
    if source not in ("http", "https", "s3", "gs"):
        return f"the address begins with {quote(source + ':')}, not with https: or data:"
    return _syntax_fault(url, source)


def _syntax_fault(url: str, source: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"the address cannot be read: {words_of(error)}"
    if not host or not url[len(source) :].startswith("://"):
        return f"the address names no {'host' if source.startswith('http') else 'bucket'}"
    if bad := re.search(r"[\s\x00-\x1f\x7f<>\"]", url):
        return f"the address has the character {bad[0]!r} at {bad.start() + 1}, which must be escaped"
    return ""


class Data(NamedTuple):
    """A data URL: the type declared, the type its first bytes show, its size in bytes, where its data begin (0:
    nowhere), and what is wrong with all this."""

    declared: str
    shown: str
    size: int
    start: int
    wrong: str

    @property
    def kind(self) -> str:
        """The type, by the bytes where they tell."""
        return self.shown or self.declared


def read_data(url: str) -> Data:
    """What a data URL holds, of which no more than the first bytes are decoded."""
    head = _HEAD.match(url, 0, _LONGEST_HEAD)
    if head is None:
        return Data("", "", 0, 0, "the data URL has no comma behind its type: data:image/png;base64,...")
    media = head[1].strip().lower()
    kind = _SAME.get(media.removeprefix("image/"), media.removeprefix("image/"))
    start = head.end()
    if ";base64" not in head[2].lower():
        return Data(kind, "", 0, 0, "the data URL is not in base64: data:image/png;base64,...")
    if start == len(url):
        return Data(kind, "", 0, 0, "the data URL is empty")
    shown = _shown(url[start : start + 64])
    wrong = "" if media else "the data URL declares no type: data:image/png;base64,..."
    if media.startswith("image/") and kind in KNOWN and shown != kind:
        wrong = f"declared as {kind}, but it begins like {shown or 'nothing of that kind'}"
    return Data(kind, shown, (len(url) - start - _padding(url)) * 3 // 4, start, wrong)


def data_fault(url: str) -> str:
    """What is broken in a data URL, "" where nothing is."""
    data = read_data(url)
    return (_base64_fault(url, data.start) if data.start else "") or data.wrong


def _padding(url: str) -> int:
    return 2 if url.endswith("==") else int(url.endswith("="))


def _base64_fault(url: str, start: int) -> str:
    end = len(url) - _padding(url)
    if url[start:end].encode("utf-8", "replace").translate(None, _BASE64):
        bad = _NOT_BASE64.search(url, start, end)
        if bad is not None:
            what = "a line break" if bad[0] in "\r\n" else repr(bad[0])
            return f"no base64: {what} at {bad.start() - start + 1:,} of the data"
    if (len(url) - start) % 4 or end == start:
        return f"no base64: {len(url) - start:,} characters are no whole number of fours: it is cut off, or lacks its ="
    return ""


def _shown(text: str) -> str:
    """The type that the first bytes show, "" for none that is known."""
    whole = text[: len(text) // 4 * 4]
    try:
        first = base64.b64decode(whole)
    except ValueError:
        return ""
    head = first.removeprefix(b"\xef\xbb\xbf").lstrip() if first[:1] in (b"<", b"\xef", b" ", b"\n") else first
    if head.startswith((b"<?xml", b"<!DOCTYPE svg")):
        return "svg"
    return next((kind for kind, at, magic in _MAGIC if head[at : at + len(magic)] == magic), "")


def suffix_of(url: str) -> str:
    """The type that the name at the end of an address suggests, "" where it does not."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    name, dot, suffix = path.rpartition("/")[2].rpartition(".")
    kind = _SAME.get(suffix.lower(), suffix.lower())
    return kind if name and dot and kind in KNOWN else ""
