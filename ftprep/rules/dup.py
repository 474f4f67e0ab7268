"""Rules on repetition: the same example twice, twice but for spacing, and one prompt with different answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from ftprep import keys
from ftprep.dataset import Dataset
from ftprep.rule import Card, DatasetRule, Judgement, Proposal, Sample
from ftprep.surveys import Marks

_ROWS = (
    '{"prompt": "Peru ->", "completion": " Lima END"}\n'
    '{"prompt": "Norway ->", "completion": " Oslo END"}\n'
    '{"prompt": "Egypt ->", "completion": " Cairo END"}\n'
)


def _ordinal(entry: bytes) -> int:
    return int.from_bytes(entry[24:])


@dataclass(frozen=True)
class _Repeats(DatasetRule):
    def repeats(self, dataset: Dataset) -> Iterator[tuple[int, int]]:
        """(ordinal of a repeated row, ordinal of the row that it repeats), in no order."""
        raise NotImplementedError

    what: ClassVar[str]

    def found(self, dataset: Dataset) -> list[tuple[int, int]]:
        """All repeats in the order of rows, worked out once."""
        if self.card.code not in dataset.memo:
            dataset.memo[self.card.code] = sorted(self.repeats(dataset))
        return dataset.memo[self.card.code]

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        found = self.found(dataset)
        if found:
            kept = dataset.setting.kept
            items = [(number, self._told(dataset, first)) for number, first in found[:kept]]
            yield Judgement(self.what, Marks(kept, len(found), items), tells=True)

    def _told(self, dataset: Dataset, first: int) -> str:
        place = dataset.place(first)
        many = dataset.sources > 1
        return f"{place.source}:{place.line}" if many else f"line {place.line}"

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        if self.card.fix is None:
            return
        drops = frozenset(number for number, _ in self.found(dataset))
        if drops:
            message = f"leave out {self.offer}, keeping the first of each"
            yield Proposal(self.card.code, self.card.fix, message, len(drops), drops=drops)

    offer: ClassVar[str] = ""


@dataclass(frozen=True)
class ExactDuplicate(_Repeats):
    what: ClassVar[str] = "the same example stands at "
    offer: ClassVar[str] = "exact duplicates"
    card: ClassVar[Card] = Card(
        code="DUP101",
        name="exact-duplicate",
        severity="warning",
        finds="An example says exactly what an earlier one says.",
        why="Duplicates are learnt twice as hard, and when one of them falls into the validation set, its score is "
        "too good.",
        bad=Sample(text=_ROWS + '{"prompt": "Peru ->", "completion": " Lima END"}\n'),
        good=Sample(text=_ROWS),
        fix="unsafe",
        mended="Leaves out all but the first.",
    )

    def repeats(self, dataset: Dataset) -> Iterator[tuple[int, int]]:
        for _, group in groupby(dataset.entries, key=lambda e: e[:24]):
            first, *others = map(_ordinal, group)
            for later in others:
                yield later, first


@dataclass(frozen=True)
class SameButSpacing(_Repeats):
    what: ClassVar[str] = "differs only in spacing (or in the prompt's capitals or separator) from "
    offer: ClassVar[str] = "examples that differ only in spacing"
    card: ClassVar[Card] = Card(
        code="DUP102",
        name="same-but-spacing",
        severity="warning",
        finds="An example differs from an earlier one only in white space, or in the capitals or separator of its "
        "prompt.",
        why="It is the same example for the model, and duplicates are learnt twice as hard.",
        bad=Sample(text=_ROWS + '{"prompt": "peru  ->", "completion": " Lima END"}\n'),
        good=Sample(text=_ROWS),
        fix="unsafe",
        mended="Leaves out all but the first.",
    )

    def repeats(self, dataset: Dataset) -> Iterator[tuple[int, int]]:
        for _, group in groupby(dataset.entries, key=lambda e: e[:16]):
            firsts = sorted({e[16:24]: _ordinal(e) for e in reversed(list(group))}.values())
            for later in firsts[1:]:
                yield later, firsts[0]


@dataclass(frozen=True)
class ConflictingAnswers(_Repeats):
    what: ClassVar[str] = "another answer to the same prompt stands at "
    card: ClassVar[Card] = Card(
        code="DUP104",
        name="conflicting-answers",
        severity="warning",
        finds="The same prompt (but for spacing and capitals) has another answer elsewhere.",
        why="The model cannot learn both; in a classification one of them is wrong. Several good answers to one "
        "question may be meant: then this is no fault.",
        bad=Sample(text=_ROWS + '{"prompt": "Peru ->", "completion": " Quito END"}\n'),
        good=Sample(text=_ROWS),
    )

    def repeats(self, dataset: Dataset) -> Iterator[tuple[int, int]]:
        if dataset.asks == 1:
            return
        for asked, group in groupby(dataset.entries, key=lambda e: e[:8]):
            if asked == keys.BLANK:
                continue
            firsts = sorted({e[8:16]: _ordinal(e) for e in reversed(list(group))}.values())
            for later in firsts[1:]:
                yield later, firsts[0]


RULES = (ExactDuplicate, SameButSpacing, ConflictingAnswers)
