"""Which texts of a chunk a rule must look at: told from all of them at once, by marks or the form of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple
from weakref import WeakKeyDictionary

from ftprep.batch import Batch
from ftprep.model import Fault, Pair, Row
from ftprep.rule import RowRule
from ftprep.rules.talk import texts_of
from ftprep.setting import Setting

ALL_SHAPES = ("chat", "completion", "preference", "reinforcement", "stepwise", "unpaired")

# The form of a text: each digit is 0, each control character NUL; U+0001 stands between two texts.
_CONTROLS = bytes({*range(32), 127} - {1, 9, 10, 13})
_FORM = bytes.maketrans(b"0123456789" + _CONTROLS, b"0" * 10 + b"\0" * len(_CONTROLS))

ODD = re.compile(
    "[\x80-\x9f\xad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufffd"
    "\U000e0000-\U000e01ef]"
)
"""Characters that are not seen or say that something went wrong, of those that are not ASCII."""


class _Part:
    """The texts of a chunk that are ASCII, or those that are not, as one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._found: dict[bytes, set[str]] = {}

    @cached_property
    def said(self) -> bytes:
        """Its UTF-8."""
        return self.text.encode("utf-8", "surrogatepass")

    @cached_property
    def form(self) -> bytes:
        """Its UTF-8 with each digit as 0 and each control character as NUL."""
        return self.said.translate(_FORM)

    def holding(self, needle: bytes) -> set[str]:
        """The texts whose form holds it."""
        if needle not in self._found:
            found, form, at = set[str](), self.form, self.form.find(needle)
            while at >= 0:
                end = form.find(b"\1", at)
                text = self.said[form.rfind(b"\1", 0, at) + 1 : end if end >= 0 else None]
                found.add(text.decode("utf-8", "surrogatepass"))
                at = form.find(needle, end) if end >= 0 else -1
            self._found[needle] = found
        return self._found[needle]

    def matching(self, pattern: re.Pattern[str]) -> set[str]:
        """The texts in which a pattern is found; one that is never found over the bounds of a text."""
        found, text, at = set[str](), self.text, 0
        while match := pattern.search(text, at):
            end = text.find("\1", match.start())
            found.add(text[text.rfind("\1", 0, match.start()) + 1 : end if end >= 0 else None])
            if end < 0:
                break
            at = end
        return found


class Sweep:
    """What the rules on texts want of a chunk, worked out once for all of them."""

    def __init__(self, batch: Batch) -> None:
        # Joining the texts again would cost as much as a rule.
        self.ascii, self.other = map(_Part, batch.whole)

    def holding(self, needles: Iterable[bytes]) -> set[str]:
        """The texts whose form holds one of these."""
        return set[str]().union(*(part.holding(needle) for part in (self.ascii, self.other) for needle in needles))

    def matching(self, marks: Iterable[re.Pattern[str]]) -> set[str]:
        """The texts in which one of these is found."""
        return set[str]().union(*(part.matching(mark) for part in (self.ascii, self.other) for mark in marks))

    @cached_property
    def odd(self) -> frozenset[str]:
        """The odd characters that there are."""
        return frozenset(ODD.findall(self.other.text))


# It goes when the chunk goes.
_sweeps: WeakKeyDictionary[Batch, Sweep] = WeakKeyDictionary()


def sweep(batch: Batch) -> Sweep:
    """The sweep of a chunk, shared by all rules."""
    found = _sweeps.get(batch)
    if found is None:
        found = _sweeps[batch] = Sweep(batch)
    return found


def texts_in(row: Row) -> list[str]:
    """The texts of a row, as its chunk has them."""
    if isinstance(row.example, Pair):
        return [row.example.prompt, row.example.completion]
    return row.speech.texts if row.speech is not None else []


def owners(batch: Batch, texts: Iterable[str]) -> list[Row]:
    """The rows that say one of these texts; all rows where one of them is only a part of a text, which happens where a
    text holds the character that stands between texts."""
    wanted = set(texts)
    if not wanted:
        return []
    rows = batch.of(ALL_SHAPES)
    return [row for row in rows if not wanted.isdisjoint(texts_in(row))] if wanted <= set(batch.texts) else rows


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
        seen = sweep(batch)
        texts = seen.holding(self.needles) | seen.matching((*self.marks, *self.sought))
        return owners(batch, (text for text in texts if any(self.look(text))))


@dataclass(frozen=True)
class OddRule(TextRule):
    """A text rule on odd characters that are not ASCII."""

    odd: ClassVar[frozenset[str]] = frozenset()

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows with a text that holds one of them."""
        there = sweep(batch).odd & self.odd
        if not there:
            return []
        texts = sweep(batch).other.matching(re.compile(f"[{re.escape(''.join(sorted(there)))}]"))
        return owners(batch, (text for text in texts if any(self.look(text))))


def around(text: str, start: int, end: int, reach: int = 20) -> str:
    """A stretch of a text with what stands around it."""
    return text[max(0, start - reach) : min(end, start + 40) + reach]


def times(count: int, thing: str, things: str = "") -> str:
    """A count in words: `1 tag`, `3 tags`."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"
