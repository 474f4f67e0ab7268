"""One field of text over the whole set, summed up in any order: shared edges, endings, capitals, blanks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import compress

from ftprep.bulk import apart, count_letters, holds, plain_of

START, END = 20_000, 64
"""Characters kept of a shared beginning and end: of two texts a chunk only, so a long instruction costs nothing."""

CASED = 200
"""Characters of each text in which capitals are counted: as good a sample as the whole, at a fraction of the cost."""


@dataclass
class Marks:
    """Rows that something is true of: counted exactly, the first `kept` of them remembered with a detail."""

    kept: int
    count: int = 0
    items: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number: int, detail: str = "") -> None:
        """Count one row; rows come in ascending order within a chunk."""
        self.count += 1
        if len(self.items) < self.kept:
            self.items.append((number, detail))

    def add_all(self, rows: Iterable[tuple[int, str]]) -> None:
        """Count rows, in ascending order."""
        added = list(rows)
        self.count += len(added)
        self.items += added[: max(0, self.kept - len(self.items))]

    def merge(self, other: Marks) -> None:
        """Add the other's rows; the order of merging does not matter."""
        self.count += other.count
        if not other.items or (len(self.items) >= self.kept and other.items[0] > self.items[-1]):
            return
        in_turn = not self.items or self.items[-1] < other.items[0]
        joined = self.items + other.items
        self.items = joined[: self.kept] if in_turn else sorted(joined)[: self.kept]


@dataclass
class Edge:
    """The beginning (or end, reversed) that all texts share: the least and the greatest text tell it."""

    least: str | None = None
    greatest: str = ""

    def see(self, texts: list[str]) -> None:
        """Take in texts; only their first START characters count."""
        if texts:
            self.merge(Edge(min(texts)[:START], max(texts)[:START]))

    def merge(self, other: Edge) -> None:
        """Take in what the other has seen."""
        if other.least is None:
            return
        if self.least is None:
            self.least, self.greatest = other.least, other.greatest
        else:
            self.least = min(self.least, other.least)
            self.greatest = max(self.greatest, other.greatest)

    @property
    def common(self) -> str:
        """What all texts share."""
        first = self.least or ""
        for i, char in enumerate(first):
            if self.greatest[i : i + 1] != char:
                return first[:i]
        return first


@dataclass
class Ending:
    """How often one candidate separator or stop ends a text, which texts lack it, and which hold it earlier on."""

    lacking: Marks
    inside: Marks
    count: int = 0

    def merge(self, other: Ending) -> None:
        """Add the other's counts."""
        self.count += other.count
        self.lacking.merge(other.lacking)
        self.inside.merge(other.inside)


# Scripts with capitals beyond ASCII: Latin, Greek, Cyrillic, Armenian, Georgian, Cherokee, extensions, full width.
_CASELESS = re.compile(
    "[^\u00aa-\u058f\u10a0-\u10ff\u13a0-\u13ff\u1c80-\u1cbf\u1d00-\u1fff\u2c00-\u2d2f\ua640-\uab6f\uff21-\uff5a]+"
)


def count_cases(texts: list[str]) -> tuple[int, int]:
    """Capital and small letters in all texts together; letters without case do not count."""
    plain, other = apart(texts, plain_of(texts))
    upper, lower = count_letters(plain.said + other.said)
    cased = _CASELESS.sub("", other.text)
    return upper + sum(map(str.isupper, cased)), lower + sum(map(str.islower, cased))


def _shared_end(texts: list[str]) -> str:
    """What all texts end with, at most END characters of it."""
    end = texts[0][-END:]
    for text in texts:
        while not text.endswith(end):
            end = end[1:]
        if not end:
            break
    return end


def _bodies(texts: list[str], ending: str, lacks: list[bool]) -> list[str]:
    """What must not hold the ending: a text that lacks it as it is, any other up to where its last one begins.

    Two of an ending may overlap ("\n\n###\n\n###\n\n"), so as little is cut off as one is behind the other at least;
    blank ones such as a line end may touch the text's own: "\n\n" ends with "\n" once.
    """
    if ending.isspace():
        return [text if lack else text.rstrip() for text, lack in zip(texts, lacks, strict=True)]
    behind = next(n for n in range(1, len(ending) + 1) if ending.startswith(ending[n:]))
    if True not in lacks:
        return [text[:-behind] for text in texts]
    return [text if lack else text[:-behind] for text, lack in zip(texts, lacks, strict=True)]


class TextSurvey:
    """One field (prompt or completion) over the whole set: shared edges, endings, capitals, blanks.

    `endings` are the candidates that the head of the data shows, counted row by row; of `others`, which may be
    proposed, it is only known whether they occur at all, and `ended` counts the texts that end in any of the `known`.
    """

    def __init__(
        self, endings: tuple[str, ...], others: tuple[str, ...], kept: int, known: tuple[str, ...] = ()
    ) -> None:
        self.kept = kept
        self.texts = 0
        self.blank = Marks(kept)
        self.has_newline = False
        self.upper = 0
        self.lower = 0
        self.starts = Edge()
        self.ends = Edge()
        self.endings = {e: Ending(Marks(kept), Marks(kept)) for e in endings}
        self.occurring = dict.fromkeys(others, False)
        self.known = tuple(sorted(known, key=lambda ending: ending not in endings))  # likely ones are tried first
        self.ended = 0

    def see(self, numbers: list[int], texts: list[str]) -> None:
        """Take in one chunk's texts, with their ordinals."""
        if "" in texts or any(map(str.isspace, texts)):
            filled = [bool(text) and not text.isspace() for text in texts]
            for number, is_filled in zip(numbers, filled, strict=True):
                if not is_filled:
                    self.blank.add(number)
            numbers, texts = list(compress(numbers, filled)), list(compress(texts, filled))
        if not texts:
            return
        self.texts += len(texts)
        self.starts.see(texts)
        self.ends.see([_shared_end(texts)[::-1]])
        if self.known:
            last = {known[-1] for known in self.known}
            self.ended += sum([text.endswith(self.known) for text in texts if text[-1] in last])
        upper, lower = count_cases([text[:CASED] for text in texts])
        self.upper += upper
        self.lower += lower

        plain = plain_of(texts)
        parts = [part.text for part in apart(texts, plain)]
        self.has_newline = self.has_newline or any("\n" in part for part in parts)
        for other, occurs in self.occurring.items():
            self.occurring[other] = occurs or any(holds(part, other) for part in parts)
        for ending, state in self.endings.items():
            state.merge(self._seen(ending, numbers, texts, plain))

    def _seen(self, ending: str, numbers: list[int], texts: list[str], plain: bytes) -> Ending:
        """One ending in one chunk."""
        lacking, inside = Marks(self.kept), Marks(self.kept)
        lacks = [not text.endswith(ending) for text in texts]
        if True in lacks:
            tails = [text[-40:] for text in compress(texts, lacks)]
            lacking.add_all(zip(compress(numbers, lacks), tails, strict=True))
        bodies = _bodies(texts, ending, lacks)
        if any(holds(part.text, ending) for part in apart(bodies, plain)):
            more = len(ending) + 15
            inside.add_all(
                (number, text[max(0, at - 15) : at + more])
                for number, text, body in zip(numbers, texts, bodies, strict=True)
                if (at := body.find(ending)) >= 0
            )
        return Ending(lacking, inside, len(texts) - lacking.count)

    def merge(self, other: TextSurvey) -> None:
        """Add the other's texts."""
        self.texts += other.texts
        self.has_newline = self.has_newline or other.has_newline
        self.upper += other.upper
        self.lower += other.lower
        self.ended += other.ended
        self.blank.merge(other.blank)
        self.starts.merge(other.starts)
        self.ends.merge(other.ends)
        for ending, state in other.endings.items():
            self.endings[ending].merge(state)
        for ending, occurs in other.occurring.items():
            self.occurring[ending] = self.occurring[ending] or occurs
