"""Rules that look at each text on its own, and only at those of a chunk that have a mark of what they look for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ftprep.batch import Batch
from ftprep.model import Fault, Row
from ftprep.rule import RowRule
from ftprep.rules.talk import texts_of
from ftprep.setting import Setting

ALL_SHAPES = ("chat", "completion", "preference", "reinforcement", "stepwise", "unpaired")


class Found(NamedTuple):
    """What is wrong with a text, and an excerpt that shows it."""

    message: str
    excerpt: str


@dataclass(frozen=True)
class TextRule(RowRule):
    """Looks at each text on its own, and only where its marks are. `needles` are marks in the form of a text,
    `sought` are marks of a rule that has needles too."""

    shapes: ClassVar[tuple[str, ...]] = ALL_SHAPES
    needles: ClassVar[tuple[bytes, ...]] = ()
    sought: ClassVar[tuple[re.Pattern[str], ...]] = ()

    def look(self, text: str) -> Iterator[Found]:
        """What is wrong with a text, one of a kind."""
        raise NotImplementedError

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        """The faults of each text with its pointer."""
        del setting
        for pointer, text in texts_of(row.example):
            for found in self.look(text):
                yield self.fault(found.message, pointer, found.excerpt)

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows with a text that has a mark."""
        return self.guilty(batch, batch.holding(self.needles) | batch.matching((*self.marks, *self.sought)))

    def guilty(self, batch: Batch, numbers: Iterable[int]) -> list[Row]:
        """The rows of those of these texts that something is wrong with."""
        return batch.saying(number for number in numbers if any(self.look(batch.texts[number])))


@dataclass(frozen=True)
class OddRule(TextRule):
    """A text rule on odd characters that are not ASCII."""

    odd: ClassVar[frozenset[str]] = frozenset()

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows with a text that holds one of them."""
        there = batch.odd & self.odd
        if not there:
            return []
        return self.guilty(batch, batch.parts[1].matching(re.compile(f"[{re.escape(''.join(sorted(there)))}]")))


def around(text: str, start: int, end: int, reach: int = 20) -> str:
    """A stretch of a text with what stands around it."""
    return text[max(0, start - reach) : min(end, start + 40) + reach]


def times(count: int, thing: str, things: str = "") -> str:
    """A count in words: `1 tag`, `3 tags`."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"
