"""What fuzzing starts from: small inputs of many kinds for each target, and what mutations put into them."""

from __future__ import annotations

import contextlib
import io
import json
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from books import sheet_of
from fuzz_targets import KEYS

from ftprep.readers import workbook_guard


def _recipes() -> Iterator[bytes]:
    root = Path(__file__).parents[2] / "recipes"
    for path in sorted(root.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        yield text.encode()
        yield b"j" + json.dumps(tomllib.loads(text)).encode()
        yield b"k" + b"\n".join(_lines_of(tomllib.loads(text)))
    yield b'shape = "chat"\n[split]\nvalid = 0.2\nseed = 7\n[columns]\nprompt-template = "Item={a}, {{x}}"\n'
    yield b'j{"rules": {"select": ["IO"], "options": {"LEN101": {"limit": 3}}}, "columns": {"prompt": "a"}}'


def _lines_of(settings: dict[str, Any]) -> Iterator[bytes]:
    """Settings as `_settings` reads them."""
    for number, path in enumerate(KEYS):
        value: Any = settings
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None and not isinstance(value, dict):
            yield bytes([number if number != 10 else number + len(KEYS)]) + json.dumps(value).encode()


def _odd_values() -> Iterator[bytes]:
    """Each key with a value that fits few of them."""
    for value in (b"", b"true", b"7", b"-1e400", b"[]", b'["IO"]', b"{}", b'{"a": [{}]}', b"null", b"chat", b"none"):
        for number in range(len(KEYS)):
            yield b"k" + bytes([number if number != 10 else number + len(KEYS)]) + value


def _parts(book: bytes) -> Iterator[bytes]:
    """The parts of a workbook that are looked at, each as a seed."""
    if not zipfile.is_zipfile(io.BytesIO(book)):
        return
    with zipfile.ZipFile(io.BytesIO(book)) as package_of:
        for part in package_of.infolist():
            kind = next((kind for word, kind in _PART_KINDS.items() if word in part.filename), b"")
            if kind and part.file_size < 4000:
                with contextlib.suppress(*workbook_guard.BROKEN, RuntimeError):
                    yield kind + package_of.read(part)


_PART_KINDS = {"worksheets/": b"s", "xl/workbook.xml": b"w", "workbook.xml.rels": b"r", "sharedStrings": b"t"}


def seeds(target: str) -> list[bytes]:
    """Small inputs of many kinds to start from."""
    from twins import twins

    if target == "recipe":
        return [*_odd_values(), *20 * list(_recipes())]
    if target == "workbook":
        found = [twin.data for twin in twins() if twin.name.endswith(".xlsx") and len(twin.data) < 20_000]
        books = [seed for data in found for seed in (b"z" + data, *_parts(data))]
        cells = (
            '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="e"><v>#N/A</v></c></row><mergeCell ref="A1:B2"/>'
        )
        extra = b'<workbook><sheets><sheet name="S" sheetId="1" id="r1" state="hidden"/></sheets></workbook>'
        part = b'Target="../xl/worksheets/sheet1.xml"'
        link = b'<Relationships><Relationship Id="r1" Type="x/worksheet" ' + part + b"/></Relationships>"
        return [*books, b"s" + sheet_of(cells).encode(), b"w" + extra, b"r" + link]
    prefix = {"jsonl": (".jsonl",), "csv": (".csv", ".tsv")}[target]
    found = [twin.data for twin in twins() if twin.name.endswith(prefix)]
    return [data if len(data) < 2000 else data[:600] for data in found if data]


TOKENS = {
    "jsonl": [
        *b'" { } [ ] , : \\ null -0 \\u0022 \\ud83d 1e999 1.00000000000000000001 18446744073709551617'.split(),
        *(b"\n", b"\r\n", b"\xff", b"\0", b"\xef\xbb\xbf"),
        b'{"prompt": "a", "completion": "b"}',
        b'{"messages": [{"role": "user", "content": "x"}]}',
    ],
    "csv": [
        *b'" "" , ; "," # prompt,completion sep=;'.split(),
        *(b"\t", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b'"\n"', b"\xef\xbb\xbf", b"a,b\n"),
    ],
    "recipe": [
        *b'[ ] = " { } true -1 1e400 nan [columns] [rules] [split] [[x]] 1979-05-27'.split(),
        *(b"\n", b"valid = ", b"shape = ", b"target = ", b"model = ", b"\xff"),
    ],
    "workbook": [
        *b'</c> <f> <v> <!DOCTYPE r="A1" r="XFD1048576" r="99999999999" mergeCell &#0; <![CDATA['.split(),
        *(b'encoding="utf-16"', b"<c ", b"<row ", b"\0", b"PK\3\4", b"PK\5\6", b'hidden="1"'),
    ],
}
"""What mutations put in."""
