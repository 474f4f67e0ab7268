"""The optional engine gigatoken: loads in a quarter of fastokens' time, and is as fast but where words have no blanks.

Two things about gigatoken 0.10 are seen to here: its caches grow without end, and it knows Unicode 17 where tiktoken
knows 16, so texts with a character that is new in 17 are counted by tiktoken.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ftprep.bulk import Joined, Texts, expect_numpy
from ftprep.characters import NEW, SETS
from ftprep.tokens.encodings import encoding, find_spec
from ftprep.tokens.fast import once_each, one_thread
from ftprep.tokens.longtext import LONG, encode_long

# What is cut otherwise, and surrogates, which tiktoken replaces.
_ODD: Final = re.compile(f"[\ud800-\udfff{SETS[NEW]}]")
_PATTERNS: Final = {"p50k": "gpt2", "cl100k": "gpt4", "o200k": "o200k"}

_BETWEEN: Final = {"cl100k": b"\v907", "o200k": b"\v907"}
"""What stands between texts that are counted as one. Of white space before other characters each pattern parts the last
character, so what is before it is as it is at the end of a text; and each parts digits by threes, so what is behind it
is as it is at the start. The older pattern takes any number of digits together: its texts are counted one by one."""
_TO_THE_END: Final = frozenset(["cl100k"])
"""Patterns that know white space at the end of a text from other: lines and blanks there are one piece."""

MOST_CACHE: Final = 100 << 20
"""Bytes of caches that are thrown away: a gigabyte of chat fills them, or 20 MB of words that never repeat. They double
when they grow, so that 140 MB are there when it is told."""


class Giga:
    """Counts tokens of one encoding with gigatoken; raises whatever gigatoken raises if it cannot be loaded."""

    engine: Final = "gigatoken"

    def __init__(self, name: str) -> None:
        self._name = name
        self._vocabulary = find_spec(name).vocabulary
        self._load()
        with one_thread("OPENBLAS_NUM_THREADS"):
            # It counts into arrays of numpy, which is imported once here, and not in each worker that is forked.
            between = self._encode(_BETWEEN.get(self._vocabulary, b"-")).tolist()
        expect_numpy()
        self._first, self._tokens_between = between[0], len(between)
        self._plain = encoding(name)

    def _load(self) -> None:
        from gigatoken.gigatoken_rs import BPETokenizer

        from ftprep.tokens.compact import tiktoken_file

        self._encode: Any = None  # before there is another one
        spec = find_spec(self._name)
        with tiktoken_file(spec.vocabulary, spec.ranks) as path:
            self._encode = BPETokenizer.from_tiktoken(path, _PATTERNS[spec.vocabulary], {}).encode
        self._start = 0  # bytes in memory before the caches grew; known once it has counted

    def count(self, texts: Sequence[str]) -> tuple[list[int], int]:
        """Return the number of tokens of each text, and how many of the texts were estimated."""
        counted = self._count(texts)
        held = _in_memory()
        self._start = self._start or held
        if held - self._start > MOST_CACHE:
            self._encode = None
            give_back()
            self._load()
        return counted

    def _count(self, texts: Sequence[str]) -> tuple[list[int], int]:
        estimated = 0

        def count(some: Sequence[str]) -> list[int]:
            nonlocal estimated
            counts, estimated = self._count_all(some if isinstance(some, Texts) else Texts(some))
            return counts

        counts = once_each(texts, count)
        return (counts, 0) if not estimated else self._count_all(Texts(texts))  # how many, and not only how many kinds

    def _count_all(self, texts: Texts) -> tuple[list[int], int]:
        import numpy as np

        counts = np.empty(len(texts), np.int64)
        is_plain = np.frombuffer(bytes(texts.plain), np.bool_)
        plain, other = texts.parts
        estimated = 0
        for part, chosen in ((plain, is_plain), (other, ~is_plain)):
            together = self._count_together(part)
            if together is None:
                pairs = list(map(self._count_alone, part.texts))
                together = [count for count, _ in pairs]
                estimated += sum(not exact for _, exact in pairs)
            counts[chosen] = together
        return counts.tolist(), estimated

    def _count_together(self, part: Joined) -> Any:
        """The counts of texts that are encoded as one, at half the cost; None where they must be counted one by one."""
        import numpy as np

        between = _BETWEEN.get(self._vocabulary)
        if between is None or not part.texts or _is_odd(part):
            return None
        if self._vocabulary in _TO_THE_END and any(map(_ends_in_lines, part.texts)):
            return None
        ids = self._encode(part.said.replace(b"\1", between))
        # Where texts hold what stands between them, there are more of these than there should be.
        ends = np.flatnonzero(ids == self._first)
        if len(ends) != len(part.texts) - 1:
            return None
        skipped = self._tokens_between
        return np.diff(ends, prepend=-skipped, append=len(ids)) - skipped

    def _count_alone(self, text: str) -> tuple[int, bool]:
        if len(text) < LONG and (text.isascii() or not _ODD.search(text)):
            return len(self._encode(text)), True
        parts = [(len(ids), exact) for ids, exact in encode_long(self._plain, text)]
        return sum(count for count, _ in parts), all(exact for _, exact in parts)


def _ends_in_lines(text: str) -> bool:
    """Whether a text ends in white space that holds a line end, and does not end with it."""
    return text[-1:].isspace() and text[-1] not in "\r\n" and not {"\r", "\n"}.isdisjoint(text[len(text.rstrip()) :])


def _is_odd(part: Joined) -> bool:
    """Whether texts are too long to be counted with others, or hold new characters or surrogates."""
    if len(part.text) >= LONG and max(map(len, part.texts)) >= LONG:
        return True
    return bool(part.kinds & NEW) and _ODD.search(part.text) is not None


def _in_memory() -> int:
    """Bytes of physical memory that this process holds."""
    return int(Path("/proc/self/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def give_back() -> None:
    """Give memory that is free back to the system: what is loaded next would else come on top of it."""
    import ctypes

    with suppress(OSError, AttributeError, TypeError):  # only glibc has this
        ctypes.CDLL(None).malloc_trim(0)
