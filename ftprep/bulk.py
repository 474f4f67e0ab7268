"""What is done to the texts of a chunk all at once, since that costs a fraction of doing it to each."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import compress
from typing import Any, Final

PAYS_AFTER: Final = 16_000_000
"""Bytes after which importing numpy (0.1 s) has paid for itself: it saves about 6 ns a byte."""

_seen = 0


def _numpy(size: int) -> Any:
    """numpy, None as long as there was not enough to do for it."""
    global _seen  # noqa: PLW0603 - how much there is to do is known to nobody, so it is counted
    if _seen < PAYS_AFTER:
        _seen += size
        return None
    import numpy as np

    return np


_RUNS = re.compile(b"  +")


def squeeze(data: bytes) -> bytes:
    """The data with one blank for each run of blanks."""
    np = _numpy(len(data))
    if np is None:
        return _RUNS.sub(b" ", data)
    blank = np.frombuffer(data, np.uint8) == 32
    spare = np.flatnonzero(blank[1:] & blank[:-1])  # blanks that another follows
    if not len(spare):
        return data
    leaps = np.flatnonzero(np.diff(spare) > 1)
    starts = [0, *(spare[leaps] + 1).tolist(), int(spare[-1]) + 1]
    ends = [int(spare[0]), *spare[leaps + 1].tolist(), len(data)]
    return b"".join([data[start:end] for start, end in zip(starts, ends, strict=True)])


_CAPITALS, _SMALL = bytes(range(65, 91)), bytes(range(97, 123))


def count_letters(data: bytes) -> tuple[int, int]:
    """Capital and small letters of ASCII in UTF-8, in which no other character has such a byte."""
    np = _numpy(len(data))
    if np is None:
        rest = data.translate(None, _SMALL)
        return len(rest) - len(rest.translate(None, _CAPITALS)), len(data) - len(rest)
    codes = np.frombuffer(data, np.uint8)
    return int(np.count_nonzero(codes - 65 < 26)), int(np.count_nonzero(codes - 97 < 26))


def joined(texts: list[str], plain: list[bool]) -> tuple[str, str]:
    """Texts as one with U+0001 between them, those in ASCII (`plain`) and the others apart: a search in one byte a
    character is faster."""
    if all(plain):
        return "\1".join(texts), ""
    return "\1".join(compress(texts, plain)), "\1".join(compress(texts, [not p for p in plain]))


def holds(text: str, needle: str) -> bool:
    """Whether `needle` stands in a long text: `in`, but from one to the next of its rarest character, as long as that
    is rare, since looking for one character is 20 times as fast."""
    shift, at = _rarest(needle), -1
    for _ in range(_HOPS + len(text) // _GAP):
        at = text.find(needle[shift], at + 1)
        if at < 0:
            return False
        if text.startswith(needle, max(0, at - shift)):
            return True
    return _pattern(needle).search(text, at) is not None


_HOPS, _GAP = 16, 1000

# From the rarer to the commoner, as in 12 million characters of instructions in English and code; all others are rarer.
_COMMON = "^\t~@QX&Z\\`|KVUG%Y!ONLBR][FJD9}EP{7_M\"C/8AS:H;*W+-$6#T)(zj34q'5?><x21I=,\nk.0vbwygfpmuldchsironate "


@lru_cache(maxsize=1000)
def _rarest(needle: str) -> int:
    """Where the rarest character of a text stands in it."""
    return min(range(len(needle)), key=lambda i: _COMMON.find(needle[i]))


@lru_cache(maxsize=1000)
def _pattern(needle: str) -> re.Pattern[str]:
    """What finds a text by its rarest character alone, which `re` looks for twice as fast as `str` for several."""
    shift = _rarest(needle)
    before, rare, behind = map(re.escape, (needle[: shift + 1], needle[shift], needle[shift + 1 :]))
    return re.compile(f"{rare}(?<={before})(?={behind})")
