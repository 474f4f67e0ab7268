"""What the set as a whole is: its task with the reasons, its classes, its separator and stop sequence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ftprep import endings, memory
from ftprep.mends import Field
from ftprep.model import Place
from ftprep.setting import Setting
from ftprep.surveys import LONGEST_LABEL, Surveys
from ftprep.textsurvey import TextSurvey

if TYPE_CHECKING:
    from ftprep.nearness import Near

LABEL_WORDS = 6
"""A class name has at most this many words; banking77, the longest-named public set at hand, has seven parts joined
by underscores, which count as one word."""

LABEL_CHARACTERS = 60

ROWS_PER_CLASS = 3
"""The ancestor called a set a classification when each answer came three times on average; kept."""


_TAUGHT = {
    "preference": "each example has a better and a worse answer",
    "unpaired": "each answer is marked as good or bad",
    "stepwise": "each step of an answer is marked as right or wrong",
    "reinforcement": "a grader judges what the model answers",
}
"""What is learnt from shapes that say it by themselves."""


@dataclass(frozen=True)
class Task:
    """`name` is classification, generation or open-ended; `reasons` say in words why; classes with their counts."""

    name: str
    reasons: tuple[str, ...]
    classes: dict[str, int]


class File(NamedTuple):
    """One input as a target would get it: its name, its bytes as stored, the container, whether it begins with a
    byte-order mark, and the dialect of its records ("" where that is not known)."""

    name: str
    size: int
    container: str
    has_mark: bool
    dialect: str


class Dataset:
    """The view that dataset rules judge: surveys, setting, and what follows from both, each worked out once."""

    def __init__(
        self,
        surveys: Surveys,
        setting: Setting,
        place: Callable[[int], Place],
        sources: int = 1,
        files: Sequence[File] = (),
    ) -> None:
        self.surveys = surveys
        self.setting = setting
        self.place = place
        self.sources = sources
        self.files = files
        self.memo: dict[str, list[tuple[int, int]]] = {}
        self.near: list[Near] | None = None

    @property
    def examples(self) -> int:
        """Loaded examples."""
        return sum(self.surveys.lengths.lengths.values())

    @cached_property
    def shape(self) -> str:
        """The shape of its examples; mixed where there are several, unknown where no table could be read."""
        seen = self.setting.shapes
        if self.surveys.chats.chats or self.pairs:
            # Prompts and completions that became conversations are of no shape that was read.
            spoken = (seen - {"completion"} or frozenset({"chat"})) if self.surveys.chats.chats else frozenset()
            seen = spoken | {"completion"} if self.pairs else spoken
        return "mixed" if len(seen) > 1 else min(seen, default="unknown")

    @property
    def pairs(self) -> int:
        """Prompt/completion examples."""
        return self.surveys.completions.texts + self.surveys.completions.blank.count

    @cached_property
    def separator(self) -> endings.Settled:
        """The ending of prompts."""
        return endings.settle(self.surveys.prompts, "prompt", self.setting.recipe.format.separator)

    @cached_property
    def stop(self) -> endings.Settled:
        """The ending of completions."""
        return endings.settle(self.surveys.completions, "completion", self.setting.recipe.format.stop)

    def survey_of(self, field: Field) -> TextSurvey:
        """What is known of the prompts or the completions as texts."""
        return self.surveys.prompts if field == "prompt" else self.surveys.completions

    def ending_of(self, field: Field) -> endings.Settled:
        """The separator of prompts, the stop sequence of completions."""
        return self.separator if field == "prompt" else self.stop

    @cached_property
    def labels(self) -> Counter[str] | None:
        """Answers without outer blanks and stop sequence, counted; None where they cannot be classes."""
        raw = self.surveys.answers.labels
        return None if raw is None else counted_labels(raw, self.stop.ending if self.pairs else "")

    @cached_property
    def spellings(self) -> Counter[str]:
        """Labels as they are spelt, blanks at the end included: what would be different classes for the model."""
        stop, raw = self.stop.ending if self.pairs else "", self.surveys.answers.labels or Counter()
        spelt: Counter[str] = Counter()
        for text, count in raw.items():
            spelt[(text[: -len(stop)] if stop and text.endswith(stop) else text).lstrip()] += count
        return spelt

    @cached_property
    def task(self) -> Task:
        """What is learnt, set by the recipe or inferred."""
        wanted = self.setting.recipe.task
        inferred = self._inferred()
        if wanted == "auto" or wanted == inferred.name:
            return inferred
        classes = dict(_by_count(self.labels)) if wanted == "classification" and self.labels else {}
        return Task(wanted, ("set by the recipe or option",), classes)

    @property
    def is_classification(self) -> bool:
        """Whether answers are classes."""
        return self.task.name == "classification"

    @cached_property
    def asks(self) -> int:
        """How many different things are asked (1 and 2 are exact, more is 2)."""
        return self.surveys.keys.different(0)

    @cached_property
    def answers(self) -> int:
        """How many different answers there are (1 and 2 are exact, more is 2)."""
        return self.surveys.keys.different(8)

    def settle(self) -> None:
        """Work out what is still to be asked and let go of what grows with the set; no rule may judge after that."""
        _ = self.task, self.separator, self.stop, self.asks
        self.memo.clear()
        self.surveys.keys.clear()
        self.surveys.said.give_up()
        self.near = None
        memory.give_back()  # else workers that are forked from here on have it, too

    def _inferred(self) -> Task:
        answers, labels = self.surveys.answers, self.labels
        if not self.examples:
            return Task("unknown", ("no example could be read",), {})
        if self.shape in _TAUGHT:
            return Task(self.shape, (_TAUGHT[self.shape],), {})
        if self.pairs and not self.surveys.prompts.texts:
            return Task("open-ended", ("all prompts are empty",), {})
        if answers.long * 10 > answers.answers:
            long = f"{answers.long:,} of {answers.answers:,} answers have more than {LONGEST_LABEL} characters"
            return Task("generation", (f"{long}: texts rather than class names",), {})
        if labels is None or not labels:
            return Task("generation", ("the answers are too many or too different to be classes",), {})
        wordy = sum(n for label, n in labels.items() if not is_label(label)) + answers.long
        count = len(labels)
        shown = f"{count:,} different answer{'s' * (count > 1)} in {answers.answers:,} examples"
        if wordy * 10 > answers.answers:
            return Task("generation", (f"{shown}, but they are sentences rather than class names",), {})
        if count * ROWS_PER_CLASS >= answers.answers:
            return Task("generation", (f"{shown}: fewer than {ROWS_PER_CLASS} examples for each",), {})
        longest = max(map(len, labels))
        size = f"the longest has {longest} character{'s' * (longest > 1)}"
        return Task("classification", (shown, size), dict(_by_count(labels)))


def counted_labels(raw: Counter[str], stop: str) -> Counter[str]:
    """The answers as labels: without stop sequence and outer blanks."""
    labels: Counter[str] = Counter()
    for text, count in raw.items():
        labels[label_of(text, stop)] += count
    return labels


def label_of(text: str, stop: str) -> str:
    """The label in one answer."""
    return (text[: -len(stop)] if stop and text.endswith(stop) else text).strip()


def is_label(text: str) -> bool:
    """Whether a text can be the name of a class: one line of a few words."""
    short = len(text) <= LABEL_CHARACTERS and "\n" not in text and len(text.split()) <= LABEL_WORDS
    # Chinese and Japanese have no blanks to count words by: what has a comma or several sentences is no name.
    return short and not any(c in "，。！？；" for c in text[:-1])


def _by_count(labels: Counter[str]) -> list[tuple[str, int]]:
    return sorted(labels.items(), key=lambda item: (-item[1], item[0]))
