"""The optional engine gigatoken: loads in a quarter of fastokens' time, and is as fast but where words have no blanks.

Two things about gigatoken 0.10 are seen to here: its caches grow without end, and it knows Unicode 17 where tiktoken
knows 16, so texts with a character that is new in 17 are counted by tiktoken.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import compress
from operator import not_
from pathlib import Path
from typing import Any, Final

from ftprep.bulk import expect_numpy
from ftprep.tokens.encodings import encoding, find_spec
from ftprep.tokens.fast import once_each, one_thread
from ftprep.tokens.longtext import LONG, encode_long, repaired

# Characters that Unicode 17 knows and 16 does not, by which texts are cut otherwise; a test looks at all of them.
_NEW: Final = re.compile(
    "[\u088f\u0c5c\u0cdc\u1acf-\u1add\u1ae0-\u1aeb\ua7ce\ua7cf\ua7d2\ua7d4\ua7f1\U00010940-\U00010959"
    "\U00010ec5-\U00010ec7\U00010efa\U00010efb\U00011b60-\U00011b67\U00011db0-\U00011ddb\U00011de0-\U00011de9"
    "\U00016ea0-\U00016eb8\U00016ebb-\U00016ed3\U00016ff2-\U00016ff6\U000187f8-\U000187ff\U00018d09-\U00018d1e"
    "\U00018d80-\U00018df2\U0001e6c0-\U0001e6de\U0001e6e0-\U0001e6f5\U0001e6fe\U0001e6ff\U0002b73a-\U0002b73f"
    "\U0002cea2-\U0002cead\U000323b0-\U00033479]"
)
# How these begin in UTF-8 (\xf0\x9f is where emoji are): looking for these first is ten times as fast.
_LEADS: Final = [
    re.compile(lead) for lead in (rb"\xf0[^\x9f]", rb"\xe1\xab", rb"\xea\x9f", rb"\xe0[\xa2\xb1\xb3][\x8f\x9c]")
]
_PATTERNS: Final = {"p50k": "gpt2", "cl100k": "gpt4", "o200k": "o200k"}
_SHORT: Final = 4_000
"""Characters of a text that is counted together with others, in a table as wide as the longest of them."""
_AT_ONCE: Final = 120
"""Texts of one table: with thousands it is megabytes, which drive all else out of the processor's caches."""
MOST_CACHE: Final = 100 << 20
"""Bytes of caches that are thrown away: a gigabyte of chat fills them, or 20 MB of words that never repeat. They double
when they grow, so that 140 MB are there when it is told."""


class Giga:
    """Counts tokens of one encoding with gigatoken; raises whatever gigatoken raises if it cannot be loaded."""

    engine: Final = "gigatoken"

    def __init__(self, name: str) -> None:
        self._name = name
        self._load()
        with one_thread("OPENBLAS_NUM_THREADS"):
            # Its first count imports numpy and awkward (0.3 s): once here, and not in each worker that is forked.
            self._count_short([""])
        expect_numpy()
        self._plain = encoding(name)

    def _load(self) -> None:
        from gigatoken.gigatoken_rs import BPETokenizer, PadTruncate

        from ftprep.tokens.compact import tiktoken_file

        self._tokenizer: Any = None  # before there is another one
        spec = find_spec(self._name)
        with tiktoken_file(spec.vocabulary, spec.ranks) as path:
            self._tokenizer = BPETokenizer.from_tiktoken(path, _PATTERNS[spec.vocabulary], {})
        self._together = PadTruncate(0)
        self._start = 0  # bytes in memory before the caches grew; known once it has counted

    def count(self, texts: Sequence[str]) -> tuple[list[int], int]:
        """Return the number of tokens of each text, and how many of the texts were estimated."""
        try:
            counted = self._count(texts)
        except (TypeError, UnicodeEncodeError):  # lone surrogates, which tiktoken replaces
            counted = self._count([repaired(text) for text in texts])
        held = _in_memory()
        self._start = self._start or held
        if held - self._start > MOST_CACHE:
            self._tokenizer = None
            give_back()
            self._load()
        return counted

    def _count(self, texts: Sequence[str]) -> tuple[list[int], int]:
        estimated = 0

        def count(some: list[str]) -> list[int]:
            nonlocal estimated
            counts, estimated = self._count_each(some)
            return counts

        counts = once_each(texts, count)
        return (counts, 0) if not estimated else self._count_each(texts)  # how many, and not only of how many kinds

    def _count_each(self, texts: Sequence[str]) -> tuple[list[int], int]:
        beyond = _beyond(texts)
        if not beyond:
            return self._count_short(texts), 0
        short = iter(self._count_short([text for i, text in enumerate(texts) if i not in beyond]))
        pairs = [self._count_alone(text) if i in beyond else (next(short), True) for i, text in enumerate(texts)]
        return [count for count, _ in pairs], sum(not exact for _, exact in pairs)

    def _count_short(self, texts: Sequence[str]) -> list[int]:
        counts: list[int] = []
        for start in range(0, len(texts), _AT_ONCE):
            # Never in parallel: threads of a pool would not survive a fork.
            some = texts[start : start + _AT_ONCE]
            counts += self._tokenizer.encode_batch_padded(some, self._together, parallel=False)[1].tolist()
        return counts

    def _count_alone(self, text: str) -> tuple[int, bool]:
        if len(text) < LONG and (text.isascii() or not _NEW.search(text)):
            return len(self._tokenizer.encode(text)), True
        parts = [(len(ids), exact) for ids, exact in encode_long(self._plain, text)]
        return sum(count for count, _ in parts), all(exact for _, exact in parts)


def _beyond(texts: Sequence[str]) -> set[int]:
    """Which texts are counted alone: long ones, and those with new characters."""
    beyond = set[int]()
    if max(map(len, texts), default=0) > _SHORT:
        beyond.update(i for i, text in enumerate(texts) if len(text) > _SHORT)
    foreign = list(compress(texts, map(not_, map(str.isascii, texts))))
    data = "".join(foreign).encode("utf-8", "surrogatepass")
    if any(lead.search(data) for lead in _LEADS):
        beyond.update(i for i, text in enumerate(texts) if not text.isascii() and _NEW.search(text))
    return beyond


def _in_memory() -> int:
    """Bytes of physical memory that this process holds."""
    return int(Path("/proc/self/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def give_back() -> None:
    """Give memory that is free back to the system: what is loaded next would else come on top of it."""
    import ctypes

    with suppress(OSError, AttributeError, TypeError):  # only glibc has this
        ctypes.CDLL(None).malloc_trim(0)
