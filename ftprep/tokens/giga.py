"""The optional engine gigatoken: loads in a third of fastokens' time, and is faster but where words have no blanks.

Two things about gigatoken 0.10 are seen to here: its caches grow without end, and it knows Unicode 17 where tiktoken
knows 16, so texts with a character that is new in 17 are counted by tiktoken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from ftprep import memory
from ftprep.bulk import Joined, Texts, expect_numpy
from ftprep.characters import NEW, SETS
from ftprep.tokens.encodings import encoding, find_spec
from ftprep.tokens.fast import once_each, one_thread
from ftprep.tokens.longtext import LONG, encode_long
from ftprep.tokens.together import Together

# What is cut otherwise, and surrogates, which tiktoken replaces.
_ODD: Final = re.compile(f"[\ud800-\udfff{SETS[NEW]}]")
_PATTERNS: Final = {"p50k": "gpt2", "cl100k": "gpt4", "o200k": "o200k"}

MOST_CACHE: Final = 160 << 20
"""Bytes that a process grows by until the caches are thrown away, and all is loaded again; a forked worker is replaced
long before."""


class Giga:
    """Counts tokens of one encoding with gigatoken; raises whatever gigatoken raises if it cannot be loaded."""

    engine: Final = "gigatoken"

    def __init__(self, name: str) -> None:
        self._name = name
        self._load()
        with one_thread("OPENBLAS_NUM_THREADS"):
            # It counts into arrays of numpy, which is imported once here, and not in each worker that is forked.
            self._together = Together(find_spec(name).vocabulary, self._encode)
        expect_numpy()
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
        held = memory.held()
        self._start = self._start or held
        if held - self._start > MOST_CACHE:
            self._encode = None
            memory.give_back()
            self._load()
        return counted

    def _count(self, texts: Sequence[str]) -> tuple[list[int], int]:
        estimated = 0

        def each(some: list[str]) -> list[int]:
            nonlocal estimated
            pairs = list(map(self._count_alone, some))
            estimated += sum(not exact for _, exact in pairs)
            return [count for count, _ in pairs]

        def count(some: Sequence[str]) -> list[int]:
            return self._together.count(Texts.of(some), self._encode_joined, each)

        counts = once_each(texts, count)
        if estimated:  # how many texts, and not only how many different ones
            estimated = 0
            counts = count(texts)
        return counts, estimated

    def _encode_joined(self, part: Joined, between: str) -> Any:
        return None if _is_odd(part) else self._encode(part.said.replace(b"\1", between.encode()))

    def _count_alone(self, text: str) -> tuple[int, bool]:
        if len(text) < LONG and (text.isascii() or not _ODD.search(text)):
            return len(self._encode(text)), True
        parts = [(len(ids), exact) for ids, exact in encode_long(self._plain, text)]
        return sum(count for count, _ in parts), all(exact for _, exact in parts)


def _is_odd(part: Joined) -> bool:
    """Whether texts are too long to be counted with others, or hold new characters or surrogates."""
    if len(part.text) >= LONG and max(map(len, part.texts)) >= LONG:
        return True
    return bool(part.kinds & NEW) and _ODD.search(part.text) is not None
