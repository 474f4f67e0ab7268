"""The optional engine fastokens: loading it, and feeding it texts it is safe with.

Measured with fastokens 0.3.5 on o200k_base: 200 MB/s against tiktoken's 20, but 1.2 CPU seconds to load.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from operator import sub
from typing import Any, Final

from ftprep.bulk import Joined, Texts, expect_numpy
from ftprep.tokens.encodings import encoding, find_spec
from ftprep.tokens.longtext import encode_long, repaired, segments
from ftprep.tokens.together import Together

# fastokens spreads a text of 64 KiB and more over threads of a pool that does not survive a fork: a forked worker would
# wait for ever. 16,000 characters are at most 64,000 bytes.
SAFE: Final = 16_000
_SEGMENT: Final = 12_000
_TELLING: Final = 100
"""Texts that show whether texts repeat."""
# What fastokens knows by name has a hand-written scanner; with tiktoken's spelling of cl100k's pattern it is four times
# slower.
_PRESETS: Final = {"cl100k": "cl100k_base", "o200k": "o200k_base"}


class FastEncoder:
    """Counts tokens of one encoding with fastokens; raises whatever fastokens raises if it cannot be loaded."""

    engine: Final = "fastokens"

    def __init__(self, name: str) -> None:
        # In this order: what loading takes for a moment is then used again by tiktoken, 70 MB less at the peak.
        tokenizer = _load(name)
        self._encode, self._encode_all = tokenizer.encode_ordinary, tokenizer.encode_batch_flat
        self._vocabulary = find_spec(name).vocabulary
        self._plain = encoding(name)
        with one_thread("OPENBLAS_NUM_THREADS"):
            expect_numpy()  # whoever has so much to count has much else to do for it

    @cached_property
    def _together(self) -> Together:
        # Counting starts a thread, so it comes after any fork.
        return Together(self._vocabulary, lambda text: self._ids([text]))

    def count(self, texts: Sequence[str]) -> tuple[list[int], int]:
        """Return the number of tokens of each text, and how many of the texts were estimated."""
        with one_thread():
            return self._count(texts)

    def _count(self, texts: Sequence[str]) -> tuple[list[int], int]:
        try:
            if max(map(len, texts), default=0) <= SAFE:
                return once_each(texts, self._count_each), 0
            pairs = [(len(self._encode(text)), True) if len(text) <= SAFE else self._count_long(text) for text in texts]
        except UnicodeEncodeError:  # lone surrogates, which tiktoken replaces
            return self._count([repaired(text) for text in texts])
        return [count for count, _ in pairs], sum(not exact for _, exact in pairs)

    def _count_each(self, texts: Sequence[str]) -> list[int]:
        return self._together.count(Texts.of(texts), self._encode_joined, self._count_flat)

    def _encode_joined(self, part: Joined, between: str) -> Any:
        return self._ids(list(_documents(part.text.replace("\1", between), between)))

    def _ids(self, texts: list[str]) -> Any:
        import numpy as np

        return np.frombuffer(self._encode_all(texts)[0], "<u4")

    def _count_flat(self, texts: list[str]) -> list[int]:
        # One call for all: a quarter less time than one for each.
        ends = array("Q", self._encode_all(texts)[1])
        return list(map(sub, ends[1:], ends))

    def _count_long(self, text: str) -> tuple[int, bool]:
        total, exact = 0, True
        for segment in segments(text, _SEGMENT):
            if len(segment) <= SAFE:
                total += len(self._encode(segment))
                continue
            for ids, is_exact in encode_long(self._plain, segment):
                total += len(ids)
                exact = exact and is_exact
        return total, exact


def _documents(text: str, between: str) -> Iterator[str]:
    """A text in parts of _SEGMENT characters, or one behind the next place where something stands between texts."""
    start = 0
    while len(text) - start > SAFE:
        cut = text.rfind(between, start, start + _SEGMENT)
        if cut < 0 and (cut := text.find(between, start)) < 0:
            break
        yield text[start : cut + len(between)]
        start = cut + len(between)
    yield text[start:]


def once_each(texts: Sequence[str], count: Callable[[Sequence[str]], list[int]]) -> list[int]:
    """What `count` gives for each text, asked only once for texts that repeat: many sets begin every conversation with
    the same instructions."""
    some = texts[:_TELLING]
    if len(set(some)) > 0.8 * len(some):
        return count(texts)
    each = dict.fromkeys(texts, 0)
    each.update(zip(each, count(list(each)), strict=True))
    return list(map(each.__getitem__, texts))


def _load(name: str) -> Any:
    import fastokens

    from ftprep.tokens import compact

    spec = find_spec(name)
    preset = _PRESETS.get(spec.vocabulary)
    kind = {"encoding": preset} if preset else {"pattern": spec.pattern}
    with compact.tiktoken_file(spec.vocabulary, spec.ranks) as path, one_thread():
        # No special tokens: text that looks like one counts as text, as in encode_ordinary.
        return fastokens.Tokenizer.from_tiktoken(path, special_tokens={}, **kind)


@contextmanager
def one_thread(variable: str = "FASTOKENS_BPE_THREADS") -> Iterator[None]:
    """Keep a library from starting helper threads, which would make a later fork unsafe. fastokens reads the variable
    when it first counts; that is not done while loading, since workers would inherit the 32 MB it takes then, and copy
    them. OpenBLAS reads its own when numpy is imported."""
    before = os.environ.get(variable)
    os.environ[variable] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before
