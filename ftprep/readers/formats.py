"""What a file is: by its content first, by its name second; where the two differ, that is said."""

from __future__ import annotations

import csv
import difflib
import json
import re
from pathlib import PurePath

import msgspec

from ftprep.errors import ReadError, UsageError
from ftprep.model import Fault
from ftprep.readers.encoding import Encoding
from ftprep.readers.packed import PACKINGS, SUFFIXES
from ftprep.readers.sources import HEAD_BYTES, open_source

ASKED = {
    **dict.fromkeys(("jsonl", "ndjson"), "jsonl"),
    **dict.fromkeys(("csv", "tsv", "delimited"), "delimited"),
    **dict.fromkeys(("xlsx", "workbook"), "workbook"),
    **dict.fromkeys(("parquet", "pq"), "parquet"),
    **dict.fromkeys(("txt", "text"), "text"),
    "json": "json",
}
"""What a user may call a format, and the format."""

_NAMED = {
    **dict.fromkeys((".jsonl", ".ndjson", ".jl"), "jsonl"),
    **dict.fromkeys((".csv", ".tsv", ".tab", ".psv"), "delimited"),
    **dict.fromkeys((".xlsx", ".xlsm"), "workbook"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    ".txt": "text",
    ".json": "json",
}
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
PARQUET_MAGIC = (b"PAR1", b"PARE")
"""How a Parquet file begins; the second one is encrypted."""
_CALLED = {
    "jsonl": "JSON Lines, one record a line",
    "json": "JSON whose records do not stand one a line",
    "delimited": "delimited text, as in CSV",
    "workbook": "an Excel workbook",
    "parquet": "a Parquet file",
    "text": "plain text",
}
_JSONL_HINT = "write it as JSONL first, with pandas: frame.to_json('data.jsonl', orient='records', lines=True)"
_UNPACK = f"unpack it first; {' '.join(SUFFIXES)} are read as they are"

# Containers that cannot be read: first bytes, what it is, what to do.
_FOREIGN = (
    (b"ARROW1", "an Arrow file, which this version does not read", _JSONL_HINT),
    (b"FEA1", "a Feather file, which this version does not read", _JSONL_HINT),
    (b"Obj\x01", "an Avro file, which this version does not read", _JSONL_HINT),
    (b"\x89HDF\r\n", "an HDF5 file, which this version does not read", _JSONL_HINT),
    (b"SQLite format 3\0", "an SQLite database, which this version does not read", _JSONL_HINT),
    (b"\x93NUMPY", "a NumPy array, not a table", _JSONL_HINT),
    (b"\x80\x04\x95", "a Python pickle, which is never opened", _JSONL_HINT),
    (b"\x80\x05\x95", "a Python pickle, which is never opened", _JSONL_HINT),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls), or one protected by a password", "save it as .xlsx"),
    (b"%PDF-", "a PDF document, not data", ""),
    (b"\x89PNG\r\n", "a picture, not data", ""),
    (b"\xff\xd8\xff", "a picture, not data", ""),
    (b"GIF8", "a picture, not data", ""),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
)
_TAR = (257, b"ustar")
# Text that stands where data should: how it begins, what to say.
_NO_DATA = (
    (re.compile(r"version https://git-lfs\.github\.com/spec/"), "a Git LFS pointer, not the data; run: git lfs pull"),
    (re.compile(r"<(!doctype html|html|head|body|script)\b", re.IGNORECASE), "a web page, not data; download it again"),
    (re.compile(r"<\?xml|<svg\b", re.IGNORECASE), "XML, not a table"),
    (re.compile(r"\{\\rtf"), "an RTF document, not data; save it as text or .xlsx"),
)
_ZIPS = (
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)", "save it as .xlsx"),
    ("word/document.xml", "a Word document, not data", "save the table in it as .xlsx or CSV"),
    ("content.xml", "an OpenDocument file (.ods)", "save it as .xlsx or CSV"),
    ("", "a zip archive", "unpack it and name the files in it"),
)
_LINES = 20
_PACKED = {"workbook": " (.xlsx)", "parquet": ""}
"""Formats that are no text, and what is added to how they are called."""


class Found(msgspec.Struct, frozen=True):
    """What a file was found to be; `broken` where it cannot be read as that, and the faults say why."""

    format: str
    faults: tuple[tuple[int, Fault], ...] = ()
    broken: bool = False


def asked_format(name: str) -> str:
    """The format that a user named, "" for none; raises UsageError for an unknown one."""
    if not name or name.lower() in ASKED:
        return ASKED.get(name.lower(), "")
    near = difflib.get_close_matches(name.lower(), ASKED, n=1)
    message = f"unknown format {name!r}"
    raise UsageError(message, f"did you mean {near[0]}?" if near else f"one of {', '.join(sorted(ASKED))}")


def refuse_foreign(name: str, head: bytes) -> None:
    """Raises ReadError for a container that cannot be read, or for what is no text at all."""
    for magic, what, hint in _FOREIGN:
        if head.startswith(magic):
            message = f"{name} is {what}"
            raise ReadError(message, hint)
    if head[_TAR[0] :].startswith(_TAR[1]):
        message = f"{name} is a tar archive"
        raise ReadError(message, _UNPACK)


def refuse_binary(name: str, head: bytes) -> None:
    """Raises ReadError where the first bytes are no text in an encoding of single bytes; NULs at the end do not
    count, since a crash leaves them there."""
    sample = head.rstrip(b"\0")[:1024]
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in sample)
    if not sample or (controls >= 8 and controls > len(sample) * 0.05 and sample.lstrip()[:1] not in (b"{", b"[")):
        message = f"{name} is binary data, not text" if sample else f"{name} holds nothing but NUL bytes"
        raise ReadError(message)


def zip_format(name: str, path: str) -> Found:
    """What a zip container is: a workbook, or a ReadError that says what else; broken where it is cut."""
    import zipfile

    try:
        with open_source(path) as stream, zipfile.ZipFile(stream) as archive:
            parts = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        message = "the workbook is cut or damaged (its zip directory is missing); save or download it again"
        return Found("workbook", ((1, Fault("IO116", message)),), broken=True)
    if "xl/workbook.xml" in parts:
        return Found("workbook", _mismatch(name, "workbook"))
    what, hint = next((what, hint) for part, what, hint in _ZIPS if not part or part in parts)
    message = f"{name} is {what}"
    raise ReadError(message, hint)


def packed_format(name: str, head: bytes, asked: str) -> Found | None:
    """What a file that is no text is by its first bytes and, where these say nothing, by the name or as asked; None for
    text. Raises ReadError where nothing tells."""
    if head.startswith(PARQUET_MAGIC):
        return Found("parquet", _mismatch(name, "parquet"))
    try:
        refuse_binary(name, head)
    except ReadError:
        if (asked or name_format(name)) != "parquet":
            raise
        message = "the file does not begin as a Parquet file does (PAR1): it is damaged, or of another format"
        return Found("parquet", ((1, Fault("IO116", message)),), broken=True)
    return None


def not_text(asked: str) -> Found | None:
    """What to say of text that is asked for as a format which is none; None for formats of text."""
    if asked not in _PACKED:
        return None
    return Found(asked, ((1, Fault("IO120", f"this is not {_CALLED[asked]}{_PACKED[asked]}")),), broken=True)


def text_format(name: str, head: bytes, encoding: Encoding) -> Found:
    """What a text file is, by its first bytes and then its name; raises ReadError where neither tells."""
    text = encoding.glance(head).lstrip("\ufeff \t\r\n")
    named = name_format(name)
    for pattern, words in _NO_DATA:
        if pattern.match(text):
            return Found(named or "text", ((1, Fault("IO120", f"this is {words}")),), broken=True)
    if encoding.refused:
        return Found(named or "text", encoding.faults, broken=True)
    lines = _first_lines(text, len(head) < HEAD_BYTES)
    kind = _json_kind(text, lines, named)
    if kind:
        return Found(kind, _mismatch(name, kind, "one JSON array" if text.startswith("[") else ""))
    return _plain_format(name, named, lines)


def name_format(name: str) -> str:
    """The format that a file's name says, "" where it says none."""
    return _NAMED.get(_suffix(name), "")


def packed_fault(name: str, compression: str) -> tuple[tuple[int, Fault], ...]:
    """The fault of a name that is wrong about compression."""
    said = PurePath(name.lower()).suffix
    said = said if said in SUFFIXES else ""
    if said == (PACKINGS[compression].suffix if compression else ""):
        return ()
    content = f"{compression} data" if compression else "not compressed"
    what = f"the name says {said}, but the content is {content}" if said else f"{content}, which the name does not say"
    return ((1, Fault("IO110", f"{what}; read as what it is", fixable=True)),)


def _suffix(name: str) -> str:
    path = PurePath(name.lower())
    return PurePath(path.stem).suffix if path.suffix in SUFFIXES else path.suffix


def _mismatch(name: str, found: str, what: str = "") -> tuple[tuple[int, Fault], ...]:
    """The fault of a file whose name says something else than its content."""
    named = name_format(name)
    if not named or named == found:
        return ()
    content = what if what and found == "json" else _CALLED[found]
    message = f"the name says {_suffix(name)}, but the content is {content}; read as what it is"
    return ((1, Fault("IO110", message, fixable=True)),)


def _first_lines(text: str, whole: bool) -> list[str]:
    """The first lines that are not blank, without a last one that the head may have cut."""
    lines = text.split("\n", _LINES * 2)
    if len(lines) > _LINES * 2 or (not whole and len(lines) > 1):
        lines.pop()
    return [line.strip() for line in lines if line.strip()][:_LINES]


def _json_kind(text: str, lines: list[str], named: str) -> str:
    """ "jsonl" or "json" for JSON text, "" for other text."""
    loose = named in ("delimited", "text")  # prose and cells may begin with a bracket, too
    if text.startswith("["):
        if loose and not re.match(r"\[\s*\{", text):
            return ""
        by_lines = len(lines) > 1 and (named == "jsonl" or lines[1][0] in "[{") and _parsed(lines[0])
        return "jsonl" if by_lines else "json"
    if not text.startswith("{") or (loose and not re.match(r'\{\s*"', text)):
        return ""
    if _parsed(lines[0]):
        return "json" if len(lines) == 1 and named == "json" else "jsonl"
    return _kind_of_spread(text, lines, named, loose)


def _kind_of_spread(text: str, lines: list[str], named: str, loose: bool) -> str:
    """ "jsonl" or "json" for text that begins with { and whose first line is no whole value, "" where it is neither."""
    by_name = "jsonl" if named == "jsonl" else "json"
    others = lines[1:]
    by_lines = sum(line[0] == "{" and _parsed(line) for line in others) * 2 >= len(others) > 0
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except RecursionError:
        return by_name
    except json.JSONDecodeError as error:
        if by_lines or loose or not others:
            return "jsonl" if by_lines else "" if loose else by_name
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            return "json"  # it goes on where the head ends
        alike = sum(line[0] == "{" and line[-1] == "}" for line in lines) * 2 >= len(lines)
        return "jsonl" if alike or lines[0] != "{" else "json"
    if by_lines and "\n" not in text[:end]:
        return "jsonl"
    return "" if loose and text[end:].lstrip()[:1] not in ("", "{") else "json"


def _parsed(line: str) -> bool:
    """Whether a line is a whole JSON value (a lenient reader takes it)."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _plain_format(name: str, named: str, lines: list[str]) -> Found:
    """What text that is not JSON is."""
    if named in ("delimited", "text"):
        return Found(named)
    if named in ("jsonl", "json") and lines and (_parsed(lines[0]) or any(line[0] == "{" for line in lines)):
        return Found("jsonl" if named == "jsonl" else "json")
    delimiter = _delimiter(lines)
    if named in _PACKED:
        if delimiter:
            return Found("delimited", _mismatch(name, "delimited"))
        return Found(named, ((1, Fault("IO120", f"this is text, not {_CALLED[named]}")),), broken=True)
    if named and not delimiter:
        return Found(named)
    if named:
        right = ".tsv" if delimiter == "\t" else ".csv"
        words = f"this is delimited text, not JSON; rename it to {PurePath(name).stem}{right}"
        return Found(named, ((1, Fault("IO120", words)),), broken=True)
    if delimiter:
        return Found("delimited")
    message = f"cannot tell what {name} is"
    raise ReadError(message, "give it a suffix: .jsonl .json .csv .tsv .xlsx .parquet .txt")


def _delimiter(lines: list[str]) -> str:
    """The sign that cuts most lines into as many cells as the first, "" where none does."""
    for sign in (",", "\t", ";", "|"):
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=sign)]
        except csv.Error:
            continue
        if len(widths) > 1 and widths[0] > 1 and widths.count(widths[0]) * 2 > len(widths):
            return sign
    return ""
