"""Looks into a workbook before anything parses it: what sheets it has, what is odd about them, what would be unsafe."""

from __future__ import annotations

import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from ftprep.foreign import words_of
from ftprep.model import Fault

MAX_BYTES = 512 << 20
"""Sum of all parts, unpacked; MAX_RATIO is how many times the file's own size that may be, above RATIO_FLOOR bytes."""
MAX_RATIO = 200
RATIO_FLOOR = 1 << 20
MAX_PARTS = 10_000
MAX_CELLS = 2_000_000
"""A used range beyond this must be well filled: readers hold the whole range, empty cells included."""
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384

_MIN_FILLED = 0.1
PIECE = 1 << 20
_OVERLAP = 512
_SMALL_PART = 4 << 20
_LISTED = 100
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, struct.error, ValueError, LookupError, NotImplementedError)

# Patterns begin with a plain letter, which is looked for fast; that they find a little too much does no harm.
_REF = re.compile(rb"""r\s*=\s*["']([A-Z]{1,4})(\d{1,9})["']""")
_ROW = re.compile(rb"""row\b[^<>]*?\sr\s*=\s*["'](\d{1,9})["']""")
_MERGED = re.compile(rb"""mergeCell\b[^<>]*?\sref\s*=\s*["']([A-Z]+\d+(?::[A-Z]+\d+)?)["']""")
_HIDDEN_ROW = re.compile(rb"""row\b[^<>]*?\shidden\s*=\s*["'](?:1|true)["']""")
_HIDDEN_COLUMN = re.compile(rb"""col\b[^<>]*?\shidden\s*=\s*["'](?:1|true)["']""")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_ERROR = re.compile(rb"""t\s*=\s*["']e["']""")
_STRINGS = re.compile(rb"""sst\b[^<>]*?\suniqueCount\s*=\s*["'](\d+)["']""")
_CELLS = (b"<c ", b"<c>", b":c ", b":c>")
_VALUES = (b"<v>", b"<v ", b"<is>", b"<is ", b":v>", b":is>")


class Refused(Exception):  # noqa: N818 - says what happens to the file; the reader turns it into a fault
    """The workbook is not parsed: the fault says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(code, message)


class Sheet(NamedTuple):
    """One worksheet: its name, the part of the package it is in, whether it is hidden, and what a glance shows.

    `values` counts cells with a value, `rows` and `columns` are the last ones used, `hidden` counts hidden rows and
    columns, `merged` has the first merged ranges, `is_suspect` says that there are formulas or error cells.
    """

    name: str
    part: str
    is_hidden: bool
    values: int
    rows: int
    columns: int
    hidden_rows: int
    hidden_columns: int
    merged: tuple[str, ...]
    is_suspect: bool


class Workbook(NamedTuple):
    """What a workbook holds: worksheets in order, and the sum of its parts in bytes."""

    sheets: tuple[Sheet, ...]
    size: int


def inspect(path: str, cells: int = 0) -> Workbook:
    """The sheets of a workbook, which may span so many `cells` (0: MAX_CELLS); raises Refused where the file is none,
    is damaged or would be unsafe to parse."""
    state = Path(path).stat()
    return _inspected(path, cells or MAX_CELLS, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _inspected(path: str, most: int, changed: int, size: int) -> Workbook:  # noqa: ARG001 - they say that it is the same file
    with Path(path).open("rb") as file:
        start = file.read(1 << 16)
    _check_magic(start)
    try:
        with zipfile.ZipFile(path) as package:
            size = _check_size(package, path)
            return Workbook(tuple(_sheets(package, most)), size)
    except BROKEN as error:
        message = f"the workbook is cut or damaged ({words_of(error, 120)}); save or fetch it again"
        raise Refused("IO116", message) from None
    except (RuntimeError, ElementTree.ParseError) as error:
        message = f"the workbook is damaged or encrypted ({words_of(error, 120)}); save it again without a password"
        raise Refused("IO116", message) from None


def letters(column: int) -> str:
    """The name of a column counted from 1: 1 is A, 27 is AA."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def number_of(name: bytes) -> int:
    """The column, counted from 1, of a name such as AA."""
    column = 0
    for letter in name:
        column = column * 26 + letter - 64
    return column


def _check_magic(start: bytes) -> None:
    """Refuses what only looks like an .xlsx file from afar."""
    if start.startswith(b"PK"):
        return
    if start.startswith(_OLE2):
        if _ENCRYPTED in start:
            raise Refused("IO120", "the workbook is protected by a password; save a copy without one")
        raise Refused("IO120", "an old .xls workbook (or one protected by a password); save it as .xlsx")
    if start.startswith(b"\x1f\x8b"):
        raise Refused("IO120", "a workbook inside gzip; unpack it first (gunzip)")
    raise Refused("IO120", "not a workbook: it does not begin as a zip file does")


def _check_size(package: zipfile.ZipFile, path: str) -> int:
    """The sum of the parts, which must be within bounds before any of them is unpacked."""
    parts = package.infolist()
    size = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS:
        raise Refused("IO114", f"the workbook has {len(parts)} parts; at most {MAX_PARTS} are read")
    if size > MAX_BYTES:
        raise Refused("IO114", f"the workbook unpacks to {size >> 20} MiB; at most {MAX_BYTES >> 20} MiB are read")
    packed = Path(path).stat().st_size
    if size > RATIO_FLOOR and size > packed * MAX_RATIO:
        raise Refused("IO114", f"the workbook unpacks to {size // packed} times its size; it is not read")
    return size


def _sheets(package: zipfile.ZipFile, most: int) -> Iterator[Sheet]:
    """The worksheets, each looked at once; every XML part is looked at for what no workbook needs."""
    names = {name.lower(): name for name in package.namelist()}
    book = _main_part(package, names)
    kinds = _relations(package, names, book)
    wanted: dict[str, tuple[str, bool]] = {}
    for element in ElementTree.fromstring(_read(package, book)).iter():  # noqa: S314 - DTDs are refused by _read
        if _local(element.tag) == "sheet":
            link = next((value for key, value in element.items() if _local(key) == "id"), "")
            kind, part = kinds.get(link, ("", ""))
            if kind == "worksheet" and part:
                wanted[part] = (element.get("name", ""), element.get("state", "visible") != "visible")
    for name in package.namelist():
        if name not in wanted and name.lower().endswith((".xml", ".rels")):
            for start, piece in _pieces(package, name):
                _check_xml(piece, name, start)
                if start:
                    _check_strings(package, name, piece)
    for part, (name, is_hidden) in wanted.items():
        yield _glance(package, part, most)._replace(name=name, is_hidden=is_hidden)


def _main_part(package: zipfile.ZipFile, names: dict[str, str]) -> str:
    """The part that lists the sheets."""
    for kind, part in _relations(package, names, "").values():
        if kind == "officedocument" and part.lower().endswith(".xml"):
            return part
    if "mimetype" in names:
        raise Refused("IO120", "an OpenDocument file; save it as .xlsx")
    if "xl/workbook.bin" in names:
        raise Refused("IO120", "a binary workbook (.xlsb); save it as .xlsx")
    raise Refused("IO120", "a zip file, but no .xlsx workbook")


def _relations(package: zipfile.ZipFile, names: dict[str, str], part: str) -> dict[str, tuple[str, str]]:
    """What a part ("" for the package) refers to: identifier to kind and part."""
    folder, name = posixpath.split(part)
    listing = names.get(posixpath.join(folder, "_rels", f"{name}.rels").lower())
    if not listing:
        return {}
    relations = {}
    for element in ElementTree.fromstring(_read(package, listing)):  # noqa: S314 - DTDs are refused by _read
        target = posixpath.normpath(posixpath.join("/", folder, element.get("Target", ""))).lstrip("/")
        kind = element.get("Type", "").rsplit("/", 1)[-1].lower()
        relations[element.get("Id", "")] = (kind, names.get(target.lower(), ""))
    return relations


def _read(package: zipfile.ZipFile, name: str) -> bytes:
    """A small part as a whole."""
    if package.getinfo(name).file_size > _SMALL_PART:
        raise Refused("IO114", f"a part of the workbook that should be small is not ({name})")
    data = package.read(name)
    _check_xml(data, name, start=True)
    return data


def _check_xml(piece: bytes, name: str, start: bool) -> None:
    """Refuses entities, which no workbook has and bombs are made of, and encodings in which they could hide."""
    if (
        b"<!DOCTYPE" in piece
        or b"<!ENTITY" in piece
        or (start and (b"\0" in piece[:200] or piece[:2] in (b"\xff\xfe", b"\xfe\xff")))
    ):
        raise Refused("IO114", f"the workbook declares XML entities or hides its text ({name}); it is not read")


def _local(tag: str) -> str:
    """A tag or attribute without its namespace."""
    return tag.rsplit("}", 1)[-1]


def _glance(package: zipfile.ZipFile, name: str, most: int) -> Sheet:
    """What a sheet holds, by patterns over its bytes; refuses ranges that would fill the memory."""
    cells = values = rows = columns = hidden_rows = hidden_columns = 0
    merged: list[str] = []
    is_suspect = False
    for start, piece in _pieces(package, name):
        _check_xml(piece, name, start)
        refs = _REF.findall(piece)
        columns = max([columns, *(number_of(c) for c in {c for c, _ in refs})])
        rows = max([rows, *map(int, {r for _, r in refs}), *map(int, _ROW.findall(piece))])
        cells += sum(map(piece.count, _CELLS))
        values += sum(map(piece.count, _VALUES))
        if b"hidden" in piece:
            hidden_rows += len(_HIDDEN_ROW.findall(piece))
            hidden_columns += len(_HIDDEN_COLUMN.findall(piece))
        merged += [ref.decode() for ref in _MERGED.findall(piece)[: _LISTED - len(merged)]]
        is_suspect = is_suspect or bool(_FORMULA.search(piece) or _ERROR.search(piece))
    _check_range(name, rows, columns, cells, most)
    return Sheet(name, name, False, values, rows, columns, hidden_rows, hidden_columns, tuple(merged), is_suspect)


def _check_range(name: str, rows: int, columns: int, cells: int, most: int) -> None:
    """Refuses a sheet whose used range is larger than what it holds, since readers make room for all of it."""
    if rows > LAST_ROW or columns > LAST_COLUMN:
        raise Refused("IO114", f"a cell lies beyond the last one a sheet can have ({letters(columns)}{rows}, {name})")
    if rows * columns > most and cells < rows * columns * _MIN_FILLED:
        message = f"a sheet spans A1:{letters(columns)}{rows} with only {cells} cells in it ({name})"
        raise Refused("IO114", f"{message}; clear the stray cells far out")


def _pieces(package: zipfile.ZipFile, name: str) -> Iterator[tuple[bool, bytes]]:
    """A part in pieces that are cut between two tags, each with whether it is the first."""
    with package.open(name) as stream:
        held, start = b"", True
        while piece := stream.read(PIECE):
            held += piece
            cut = held.rfind(b"<")
            if cut <= 0:
                cut = max(len(held) - _OVERLAP, 0)
            if cut:
                yield start, held[:cut]
                held, start = held[cut:], False
        yield start, held


def _check_strings(package: zipfile.ZipFile, name: str, piece: bytes) -> None:
    """Refuses a table of strings that says it has more of them than it has bytes: readers make room for all."""
    said = _STRINGS.search(piece)
    if said and int(said[1]) > package.getinfo(name).file_size:
        raise Refused("IO114", f"the workbook says it has {said[1].decode()} texts, more than it has bytes")
