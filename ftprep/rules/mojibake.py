"""UTF-8 that was read as Latin-1 or Windows-1252: finds the runs that make sense when they are read back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ftprep.characters import MISREAD, SETS
from ftprep.later import later


def _shown(byte: int) -> str:
    """A byte as Windows-1252 shows it; the five that it does not know as Latin-1 does."""
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_BYTES = {_shown(b): b for b in range(0x80, 0x100)} | {chr(b): b for b in range(0x80, 0x100)}
_NEXT = "".join(re.escape(c) for c, b in _BYTES.items() if b < 0xC0)
_UNIT = f"(?:[\xc2-\xdf][{_NEXT}]|[\xe0-\xef][{_NEXT}]{{2}}|[\xf0-\xf4][{_NEXT}]{{3}})"

MAYBE = re.compile(f"[{SETS[MISREAD]}](?=[{_NEXT}斤])")
"""What every such run begins with."""

_RUN = later(f"{_UNIT}{{1,200}}|(?:锟斤拷)+锟?")


class Misread(NamedTuple):
    """A stretch of a text and what was meant."""

    start: int
    end: int
    meant: str


def runs(text: str) -> Iterator[Misread]:
    """The stretches that were misread for sure, in order."""
    if text.isascii():
        return
    for found in _RUN.finditer(text):
        if found[0][0] == "锟":
            yield Misread(found.start(), found.end(), "\ufffd")
            continue
        try:
            meant = bytes(_BYTES[c] for c in found[0]).decode("utf-8")
        except UnicodeDecodeError:
            continue
        before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
        if _makes_sense(meant, before, after):
            yield Misread(found.start(), found.end(), meant)


# What such a run means, at least so many characters of it; Cyrillic, Greek, Hebrew, Arabic, scripts of India, kana,
# Chinese, Korean. A letter with an accent before a quotation mark looks like one or two of them.
_SCRIPTS = later(
    "[\u0370-\u03ff]{3}|[\u0400-\u04ff]{3}|[\u0590-\u05ff]{3}|[\u0600-\u06ff]{3}|[\u0900-\u0e7f]{2}"
    "|[\u3000-\u30ff\u4e00-\u9fff\uff00-\uff5f]{2}|[\uac00-\ud7af]{2}"
)
# Alone they say enough: quotes, dashes, arrows, signs behind `â`, emoji behind `ðŸ`, a byte-order mark.
_SURE = later("[\u2010-\u2027\u2030-\u203a\u20ac\u2100-\u2bff\ufeff\uff0c\uff1a\U0001f000-\U0001faff]")
_LATIN = later("[\xa0-\u017f]+")


def _makes_sense(meant: str, before: str, after: str) -> bool:
    if _SURE.search(meant) or _SCRIPTS.search(meant):
        return True
    if before.isupper():  # `IRMÃ»`: a word in capitals before a quotation mark
        return False
    if _LATIN.fullmatch(meant):
        # A sign (`Â°`), or a letter within a word, before it or behind it.
        return not meant[0].isalpha() or before.islower() or after.islower()
    return all("\u1e00" <= c <= "\u1eff" for c in meant) and after.isalpha()  # Vietnamese
