"""Sets of characters beyond ASCII, and which of them may stand in a text: asked once for all texts of a chunk.

Looking for each set by its own pattern costs a nanosecond a character and set; most texts have none of any.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

ODD: Final = 1
"""Not seen, or a sign that something went wrong."""
MISREAD: Final = 2
"""What UTF-8 that was read in a wrong encoding begins with."""
WHITE: Final = 4
"""White space."""
WILD: Final = 8
"""White space, and what changes without case otherwise than as bytes of UTF-8."""
NEW: Final = 16
"""New in Unicode 17, and surrogates that are no pair."""
ALL: Final = ODD | MISREAD | WHITE | WILD | NEW

# Accented small letters, typographic marks, Hebrew to Burmese, Chinese, Japanese, Korean, full-width marks, pictures.
TAME: Final = (
    "\0-\x7f\xa1-\xb4\xb6-\xbf\xd7\xe0-\xff\u0430-\u045f\u0590-\u109f\u1100-\u11ff\u2010-\u2027\u2030-\u205e"
    "\u20a0-\u20cf\u2190-\u23ff\u2460-\u24b5\u2500-\u2bff\u3001-\ua63f\uac00-\ud7a3\ufe30-\ufe4f\uff01-\uff20"
    "\uff3b-\uff40\uff5b-\uffdc\U0001f000-\U0001fbff\U00020000-\U0003ffff"
)
"""What is not wild."""

SETS: Final = {
    ODD: "\x80-\x9f\xad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufffd"
    "\U000e0000-\U000e01ef",
    MISREAD: "\xc2-\xf4锟",
    WHITE: "\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
    NEW: "\u088f\u0c5c\u0cdc\u1acf-\u1add\u1ae0-\u1aeb\ua7ce\ua7cf\ua7d2\ua7d4\ua7f1\U00010940-\U00010959"
    "\U00010ec5-\U00010ec7\U00010efa\U00010efb\U00011b60-\U00011b67\U00011db0-\U00011ddb\U00011de0-\U00011de9"
    "\U00016ea0-\U00016eb8\U00016ebb-\U00016ed3\U00016ff2-\U00016ff6\U000187f8-\U000187ff\U00018d09-\U00018d1e"
    "\U00018d80-\U00018df2\U0001e6c0-\U0001e6de\U0001e6e0-\U0001e6f5\U0001e6fe\U0001e6ff\U0002b73a-\U0002b73f"
    "\U0002cea2-\U0002cead\U000323b0-\U00033479",
}
"""The characters of each set, as a pattern has them between brackets; those of `WILD` are all that are not tame."""


def kinds_in(np: Any, text: str) -> int:
    """The sets of which a character may stand in a text, added up; `np` is numpy."""
    lone = 0
    try:
        data = text.encode("utf-16-le")
    except UnicodeEncodeError:
        data, lone = text.encode("utf-16-le", "surrogatepass"), NEW
    return int(np.bitwise_or.reduce(_table(np)[np.frombuffer(data, "<u2")], initial=lone))


@cache
def _table(np: Any) -> Any:
    """The sets of each unit of UTF-16; a character beyond these has those of all that begin with the same one."""
    table = np.zeros(1 << 16, np.uint8)
    table[0x80:] = WILD
    for first, last in _ranges(TAME):
        table[first : min(last, 0xFFFF) + 1] &= ~WILD & 0xFF
        # Only what begins characters that are all tame.
        table[_lead(max(first, 0x10000) + 0x3FF) : max(_lead(last + 1), 0xD800)] &= ~WILD & 0xFF
    table[0xDC00:0xE000] = 0  # the second of two
    for kind, characters in SETS.items():
        for first, last in _ranges(characters):
            table[first : min(last, 0xFFFF) + 1] |= kind
            if last > 0xFFFF:
                table[_lead(max(first, 0x10000)) : _lead(last) + 1] |= kind
    return table


def _lead(code: int) -> int:
    """The first of the two units of UTF-16 of a character."""
    return 0xD800 + (code - 0x10000 >> 10)


def _ranges(characters: str) -> list[tuple[int, int]]:
    return [(ord(first), ord(last or first)) for first, last in re.findall("(?s)(.)(?:-(.))?", characters)]
