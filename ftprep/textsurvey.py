"""One field of text over the whole set, summed up in any order: shared edges, endings, capitals, blanks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

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


_UPPER, _LOWER = bytes(range(65, 91)), bytes(range(97, 123))

# Scripts with capitals beyond ASCII: Latin, Greek, Cyrillic, Armenian, Georgian, Cherokee, extensions, full width.
_CASED = re.compile(
    "[\u00aa-\u058f\u10a0-\u10ff\u13a0-\u13ff\u1c80-\u1cbf\u1d00-\u1fff\u2c00-\u2d2f\ua640-\uab6f\uff21-\uff5a]+"
)


def count_cases(texts: list[str]) -> tuple[int, int]:
    """Capital and small letters in all texts together; letters without case do not count."""
    data = "".join(texts).encode("utf-8", "surrogatepass")
    # In UTF-8 an ASCII letter is never part of another character, so bytes can be counted.
    upper = len(data) - len(data.translate(None, _UPPER))
    lower = len(data) - len(data.translate(None, _LOWER))
    cased = "".join(["".join(_CASED.findall(t)) for t in texts if not t.isascii()])
    return upper + sum(map(str.isupper, cased)), lower + sum(map(str.islower, cased))


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
        self.with_newline = 0
        self.upper = 0
        self.lower = 0
        self.starts = Edge()
        self.ends = Edge()
        self.endings = {e: Ending(Marks(kept), Marks(kept)) for e in endings}
        self.occurring = dict.fromkeys(others, False)
        self.known = known
        self.ended = 0

    def see(self, numbers: list[int], texts: list[str]) -> None:
        """Take in one chunk's texts, with their ordinals."""
        filled = [(n, t) for n, t in zip(numbers, texts, strict=True) if t and not t.isspace()]
        if len(filled) < len(texts):
            for number, text in zip(numbers, texts, strict=True):
                if not text or text.isspace():
                    self.blank.add(number)
        self.texts += len(filled)
        bodies = [t for _, t in filled]
        self.starts.see(bodies)
        # Texts that end in different characters share no end; turning each around is worth it only for the others.
        alike = len({t[-1] for t in bodies}) == 1
        self.ends.see([t[: -END - 1 : -1] for t in bodies] if alike else [""] * bool(bodies))
        if self.known:
            self.ended += sum([t.endswith(self.known) for t in bodies])
        upper, lower = count_cases([t[:CASED] for t in bodies])
        self.upper += upper
        self.lower += lower
        # Apart, since a search in text of one byte a character is the faster one, and most text is.
        joined = ("\0".join([t for t in bodies if t.isascii()]), "\0".join([t for t in bodies if not t.isascii()]))
        if "\n" in joined[0] or "\n" in joined[1]:
            self.with_newline += sum(["\n" in t for t in bodies])
        for other, occurs in self.occurring.items():
            self.occurring[other] = occurs or other in joined[0] or other in joined[1]
        for ending, state in self.endings.items():
            self._see_ending(ending, state, filled)

    def _see_ending(self, ending: str, state: Ending, filled: list[tuple[int, str]]) -> None:
        lacking, inside, size = Marks(self.kept), Marks(self.kept), len(ending)
        for number, text in filled:
            at = text.find(ending)
            last = len(text) - size
            if at == last >= 0:
                continue
            if not text.endswith(ending):
                lacking.add(number, text[-40:])
            # Blank-only endings such as a line end may touch the text's own: "\n\n" ends with "\n" once.
            elif ending.isspace() and not text[at:].strip():
                continue
            if at >= 0:
                inside.add(number, text[max(0, at - 15) : at + size + 15])
        state.count += len(filled) - lacking.count
        state.lacking.merge(lacking)
        state.inside.merge(inside)

    def merge(self, other: TextSurvey) -> None:
        """Add the other's texts."""
        self.texts += other.texts
        self.with_newline += other.with_newline
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
