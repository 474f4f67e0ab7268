"""The rule on near-duplicates: examples that say nearly the same, found by rare words and compared word by word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ftprep.dataset import Dataset
from ftprep.rule import Card, DatasetRule, Judgement, Proposal, Sample
from ftprep.rules.dup import repeats_in
from ftprep.saidsurvey import A_ROW
from ftprep.textsurvey import Marks

if TYPE_CHECKING:
    from ftprep.nearness import Near

_ROWS = (
    '{"prompt": "Where did the miller go? ->", "completion": " He walked down the long road to the town and sold two '
    'sacks of flour END"}\n'
    '{"prompt": "Who lives in the forest? ->", "completion": " An old woman with her cat and seven ravens END"}\n'
)
_AGAIN = (
    '{"prompt": "Where did the miller go? ->", "completion": " He walked down a long road to the town, and sold two '
    'sacks of flour END"}\n'
)
_OTHER = (
    '{"prompt": "Where did the miller go? ->", "completion": " He walked down a long road to the town, and sold nine '
    'sacks of flour END"}\n'
)


@dataclass(frozen=True)
class NearDuplicate(DatasetRule):
    """Options: the share of words, in their order, that two examples must have in common; from how many words on some
    may differ (in shorter ones only marks may); up to how many examples are compared with each other."""

    share: float = 0.9
    words: int = 20
    most: int = 20_000

    shapes: ClassVar[tuple[str, ...]] = ("chat", "completion", "preference", "unpaired", "stepwise", "reinforcement")
    card: ClassVar[Card] = Card(
        code="DUP103",
        name="near-duplicate",
        severity="warning",
        finds="An example has nearly the same words as an earlier one, nine tenths of them in the same order, and the "
        "same numbers.",
        why="It teaches little that is new, what it says is learnt twice as hard, and when one of the two falls into "
        "the validation set, its score is too good. Sets of more than 20,000 examples are compared only where the "
        "option `most` is raised.",
        bad=Sample(text=_ROWS + _AGAIN),
        good=Sample(text=_ROWS + _OTHER),
        fix="unsafe",
        mended="Leaves out all but the first.",
    )

    @property
    def whole_size(self) -> int:
        """How many examples are kept whole for it."""
        return max(0, self.most)

    def idle(self, dataset: Dataset) -> str:
        """Why the set was too large."""
        if not dataset.surveys.said.over:
            return ""
        bounds = f"{self.most:,} examples ({self.most * A_ROW:,} characters)"
        return (
            f"only sets of up to {bounds} are compared; [rules.options.near-duplicate] most = … in a recipe says more"
        )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        found = self._found(dataset)
        if found:
            kept = dataset.setting.kept
            items = [(near.number, self._told(dataset, near)) for near in found[:kept]]
            yield Judgement("nearly the same as ", Marks(kept, len(found), items), tells=True)

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        drops = frozenset(near.number for near in self._found(dataset))
        if drops:
            message = "leave out near-duplicates, keeping the first of each"
            yield Proposal(self.card.code, "unsafe", message, len(drops), drops=drops)

    def _found(self, dataset: Dataset) -> list[Near]:
        """What is nearly the same, apart from what other rules call the same."""
        from ftprep.nearness import find_near

        if dataset.near is None:
            rows = dataset.surveys.said.rows
            if rows:  # none of a large set
                named = {number for code in ("DUP101", "DUP102") for number, _ in repeats_in(dataset, code)}
                rows = [row for row in rows if row.number not in named]
            dataset.near = find_near(rows, min(1.0, max(0.5, self.share)), self.words)
        return dataset.near

    def _told(self, dataset: Dataset, near: Near) -> str:
        place = dataset.place(near.first)
        where = f"{place.source}:{place.line}" if dataset.sources > 1 else f"line {place.line}"
        return f"{where} ({int(100 * near.share)} % of the words)"


RULES = (NearDuplicate,)
