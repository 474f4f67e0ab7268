"""Encodings for a few texts: of the vocabulary only what these texts can hold, which loads five times as fast.

Byte-pair encoding looks up nothing but parts of the text. So an encoding that has every token whose bytes occur in a
text splits it as the whole encoding does, whatever other tokens are missing. Which ones may occur is told by the runs
of 2, 4 or 8 bytes at both ends of a token: where one of them is not in the text, the token is not either.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import compress
from typing import TYPE_CHECKING, Final

from ftprep.tokens import compact
from ftprep.tokens.encodings import LOADED, build, encoding, find_spec
from ftprep.tokens.longtext import repaired

if TYPE_CHECKING:
    import tiktoken

MOST_BYTES: Final = 200_000
"""Of all texts together; from about 350,000 on, collecting their runs takes as long as loading the whole."""

_MOST_BUILT: Final = 3  # times, which together cost less than the whole
_FEW: Final = 20  # texts
_CODES: Final = {2: "H", 4: "I", 8: "Q"}  # bytes of a run -> the code by which it is read as one number

_ROLES: Final = b"system developer user assistant tool function"  # counted after what is said

_Runs = dict[int, set[int]]


class Excerpt:
    """The part of the encoding `name` that some texts need; it grows with them, until the whole is worth loading."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._seen = self._built = 0
        # What is known and what was built of it change together, in one step: several threads may count.
        self._part: tuple[_Runs, tiktoken.Encoding | None] = ({}, None)

    def covering(self, texts: Sequence[str]) -> tiktoken.Encoding:
        """An encoding that encodes each of these texts as the whole one does: a part of it, or the whole."""
        part = self._part_for(texts) if self._name not in LOADED else None
        if part is None:
            self._part = {}, None
        return part or encoding(self._name)

    def _part_for(self, texts: Sequence[str]) -> tiktoken.Encoding | None:
        different = dict.fromkeys(texts)  # what stands in every row, such as a system message, once
        if self._seen + sum(map(len, different)) > MOST_BYTES:
            return None
        # Many at once, which is faster; a few alone, so that no run across two of them is taken for a new one.
        said = [repaired(t).encode() for t in (different if len(different) <= _FEW else ["\n".join(different)])]
        self._seen += sum(map(len, said))
        known, part = self._part
        runs = _runs_of(said)
        if part is not None and all(runs[width] <= known[width] for width in _CODES):
            return part
        if self._seen > MOST_BYTES or self._built >= _MOST_BUILT:
            return None
        self._built += 1
        for width, others in (known or _runs_of([_ROLES])).items():
            runs[width].update(others)
        spec = find_spec(self._name)
        part = build(self._name, dict(_possible(compact.read(spec.vocabulary), spec.ranks, runs)))
        self._part = runs, part
        return part


@cache
def excerpt(name: str) -> Excerpt:
    """The one excerpt of the encoding `name` that this process has."""
    return Excerpt(name)


def _runs_of(said: Sequence[bytes]) -> _Runs:
    """All runs of bytes in some texts, by how many they are."""
    runs: _Runs = {}
    for width, code in _CODES.items():
        found = runs[width] = set()
        for text in said:
            for start in range(min(width, len(text))):
                found.update(array(code, text[start : start + (len(text) - start) // width * width]))
    return runs


def _possible(blob: bytes, stop: int | None, runs: _Runs) -> Iterator[tuple[bytes, int]]:
    """The tokens, with their ranks, that a text with these runs may hold; single bytes always."""
    for length, ranks, tokens in compact.blocks(blob, stop):
        at: Sequence[int] = range(len(ranks))
        if length > 1:
            width = max(w for w in _CODES if w <= length)
            known = runs[width].__contains__
            at = list(compress(at, map(known, _column(tokens, length, 0, width))))
            if length > width:
                ends = _column(tokens, length, length - width, width)
                at = [i for i in at if known(ends[i])]
        for i in at:
            yield tokens[i * length : (i + 1) * length], ranks[i]


def _column(tokens: bytes, length: int, start: int, width: int) -> array[int]:
    """The bytes from `start` on of each token of this length, as one number each."""
    column = bytearray(len(tokens) // length * width)
    for i in range(width):
        column[i::width] = tokens[start + i :: length]
    return array(_CODES[width], column)
