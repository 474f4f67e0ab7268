"""Rules on repetition: the same example twice, twice but for spacing, and one prompt with different answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, ClassVar

from ftprep import keys
from ftprep.bulk import begins
from ftprep.dataset import Dataset
from ftprep.rule import Card, DatasetRule, Judgement, Proposal, Sample
from ftprep.textsurvey import Marks

_ROWS = (
    '{"prompt": "Peru ->", "completion": " Lima END"}\n'
    '{"prompt": "Norway ->", "completion": " Oslo END"}\n'
    '{"prompt": "Egypt ->", "completion": " Cairo END"}\n'
)


Repeat = tuple[int, int]
"""(ordinal of a repeated row, ordinal of the row that it repeats)"""


def find_repeats(entries: Iterable[bytes]) -> dict[str, list[Repeat]]:
    """All repeats by rule, in the order of rows, from the sorted key entries of rows that ask what another asks."""
    found: dict[str, list[Repeat]] = {"DUP101": [], "DUP102": [], "DUP104": []}
    group: list[bytes] = []
    asked = b""
    for entry in entries:
        if entry[:8] == asked:
            group.append(entry)
            continue
        if len(group) > 1:
            _compare(group, found)
        asked, group = entry[:8], [entry]
    if len(group) > 1:
        _compare(group, found)
    for repeats in found.values():
        repeats.sort()
    return found


def _compare(group: list[bytes], found: dict[str, list[Repeat]]) -> None:
    """Sort out rows that ask the same: which say the same, which answer the same, which answer otherwise."""
    if group[0][8:24] == group[-1][8:24]:  # sorted, so all say the same
        first = int.from_bytes(group[0][24:])
        found["DUP101"].extend([(int.from_bytes(entry[24:]), first) for entry in group[1:]])
        return
    firsts: dict[bytes, int] = {}
    answers: dict[bytes, list[int]] = {}
    for entry in group:  # sorted, so the first of equals is the first in the file
        number = int.from_bytes(entry[24:])
        said = entry[8:24]
        if said in firsts:
            found["DUP101"].append((number, firsts[said]))
        else:
            firsts[said] = number
            answers.setdefault(entry[8:16], []).append(number)
    for numbers in answers.values():
        numbers.sort()
        found["DUP102"].extend((later, numbers[0]) for later in numbers[1:])
    if group[0][:8] != keys.BLANK and len(answers) > 1:
        each = sorted(numbers[0] for numbers in answers.values())
        found["DUP104"].extend((later, each[0]) for later in each[1:])


def find_many_repeats(entries: Iterable[Any]) -> dict[str, list[Repeat]]:
    """`find_repeats` by numpy, from arrays of entries as four numbers each."""
    import numpy as np

    blank = int.from_bytes(keys.BLANK)
    found: dict[str, list[Any]] = {"DUP101": [], "DUP102": [], "DUP104": []}
    for some in entries:
        if not len(some):
            continue
        asked, answered, said, numbers = some.T
        # Each step looks at the first in the data of those that the step before found to be the same.
        new = begins(np, asked, answered, said)
        found["DUP101"].append(_later(np, numbers, new))
        asked, answered, numbers = asked[new], answered[new], numbers[new]
        new = begins(np, asked, answered)
        found["DUP102"].append(_later(np, numbers, new))
        asked, numbers = asked[new], np.minimum.reduceat(numbers, np.flatnonzero(new))
        asks = asked != blank
        asked, numbers = asked[asks], numbers[asks]
        found["DUP104"].append(_later(np, numbers, begins(np, asked)))
    return {code: sorted(chain.from_iterable(pairs)) for code, pairs in found.items()}


def _later(np: Any, numbers: Any, new: Any) -> list[Repeat]:
    """Of groups of numbers, each beginning where `new` says, all but the least with the least."""
    if new.all():
        return []
    places = np.flatnonzero(new)
    firsts = np.repeat(np.minimum.reduceat(numbers, places), np.diff(places, append=len(numbers)))
    later = numbers != firsts
    return list(zip(numbers[later].tolist(), firsts[later].tolist(), strict=True))


def repeats_in(dataset: Dataset, code: str) -> list[Repeat]:
    """The repeats that the rule with this code is about; looked for once."""
    if not dataset.memo:
        survey = dataset.surveys.keys
        many = survey.repeated_numbers()
        dataset.memo.update(find_repeats(survey.repeated()) if many is None else find_many_repeats(many))
    return dataset.memo[code]


class _Repeats(DatasetRule):
    def repeats(self, dataset: Dataset) -> list[Repeat]:
        """The repeats that this rule is about."""
        return repeats_in(dataset, self.card.code)

    what: ClassVar[str]

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        found = self.repeats(dataset)
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
        drops = frozenset(number for number, _ in self.repeats(dataset))
        if drops:
            message = f"leave out {self.offer}, keeping the first of each"
            yield Proposal(self.card.code, self.card.fix, message, len(drops), drops=drops)

    offer: ClassVar[str] = ""


class ExactDuplicate(_Repeats):
    shapes: ClassVar[tuple[str, ...]] = ("chat", "completion", "preference", "unpaired", "stepwise", "reinforcement")
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


class SameButSpacing(_Repeats):
    shapes: ClassVar[tuple[str, ...]] = ("chat", "completion", "preference", "reinforcement")
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

    def repeats(self, dataset: Dataset) -> list[Repeat]:
        return [] if dataset.asks == 1 else super().repeats(dataset)


RULES = (ExactDuplicate, SameButSpacing, ConflictingAnswers)
