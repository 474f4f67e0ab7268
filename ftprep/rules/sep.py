"""Rules on how prompts and completions are delimited: separator, leading space, stop sequence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from ftprep.batch import Batch
from ftprep.dataset import Dataset
from ftprep.endings import propose
from ftprep.mends import AddEnding, Field, LeadingSpace, has_two_spaces
from ftprep.model import Fault, Pair, Row
from ftprep.rule import Card, DatasetRule, Judgement, Proposal, RowRule, Sample
from ftprep.setting import Setting
from ftprep.textsurvey import TextSurvey


def shown(text: str) -> str:
    """A separator or label as a person reads it: quoted, line ends as \\n."""
    return '"' + text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace('"', '\\"') + '"'


def pairs(*rows: tuple[str, str]) -> str:
    import json

    return "".join(json.dumps({"prompt": p, "completion": c}, ensure_ascii=False) + "\n" for p, c in rows)


CAPITALS = ("Lima", "Oslo", "Rome", "Cairo", "Quito", "Hanoi")
COUNTRIES = ("Peru", "Norway", "Italy", "Egypt", "Ecuador", "Vietnam")
_BARE = pairs(*(("Capital of " + a, " " + b + " END") for a, b in zip(COUNTRIES, CAPITALS, strict=True)))
SOUND = pairs(*((a + " ->", " " + b + " END") for a, b in zip(COUNTRIES, CAPITALS, strict=True)))


class PairRule(DatasetRule):
    shapes: ClassVar[tuple[str, ...]] = ("completion",)

    @staticmethod
    def asks_something(dataset: Dataset) -> bool:
        """Whether there are prompts to delimit at all."""
        return dataset.surveys.prompts.texts > 0

    @staticmethod
    def generates(dataset: Dataset) -> bool:
        """Whether completions are texts, which need an end, rather than classes."""
        return dataset.task.name == "generation"


def _advice(survey: TextSurvey, field: Field) -> str:
    """Which ending could be added, in words."""
    ending = propose(survey, field)
    if ending:
        return f"{shown(ending)} occurs in none of them and could be added"
    option = "--stop" if field == "completion" else "--separator"
    return f"each of the usual ones stands in some of them: name another with {option}"


class SeparatorMissing(PairRule):
    card: ClassVar[Card] = Card(
        code="SEP101",
        name="separator-missing",
        severity="warning",
        finds="Prompts have no common ending.",
        why="A fixed separator at the end of every prompt tells the model where the prompt ends and the completion "
        "begins; without it the model may go on writing the prompt.",
        bad=Sample(text=_BARE),
        good=Sample(text=SOUND),
        fix="unsafe",
        mended="Adds the recipe's separator, or the first usual one that occurs in no prompt, to the end of each "
        "prompt (safe where the recipe names it).",
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        separator = dataset.separator
        if not self.asks_something(dataset) or separator.standing != "none" or separator.weak_mark:
            return
        if separator.named:
            yield Judgement(f"prompts do not end with {shown(separator.ending)}, the separator that the recipe names")
        else:
            yield Judgement(f"prompts have no common ending; {_advice(dataset.surveys.prompts, 'prompt')}")

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        if next(self.judge(dataset), None) is None:
            return
        separator = dataset.separator
        ending = separator.ending or propose(dataset.surveys.prompts, "prompt")
        if not ending:
            return
        yield Proposal(
            self.card.code,
            "safe" if separator.named else "unsafe",
            f"add the separator {shown(ending)} to the end of all prompts",
            dataset.surveys.prompts.texts,
            (AddEnding("prompt", ending),),
        )


class SeparatorPartial(PairRule):
    card: ClassVar[Card] = Card(
        code="SEP102",
        name="separator-partial",
        severity="warning",
        finds="Most prompts end with the separator, these do not.",
        why="A prompt without the separator teaches the model that the separator means nothing.",
        bad=Sample(text=SOUND + pairs(("Chad", " Ndjamena END"))),
        good=Sample(text=SOUND),
        fix="safe",
        mended="Adds the separator that the other prompts have.",
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        separator = dataset.separator
        if separator.standing == "most" and separator.state:
            yield Judgement(
                f"prompt does not end with the separator {shown(separator.ending)}", separator.state.lacking
            )

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        for found in self.judge(dataset):
            ending, count = dataset.separator.ending, found.marks.count if found.marks else 0
            what = f"add the separator {shown(ending)} to the prompts that lack it"
            yield Proposal(self.card.code, "safe", what, count, (AddEnding("prompt", ending),))


class SeparatorInside(PairRule):
    card: ClassVar[Card] = Card(
        code="SEP103",
        name="separator-inside",
        severity="warning",
        finds="The separator stands earlier in a prompt as well as at its end.",
        why="The model cannot tell which of the two ends the prompt.",
        bad=Sample(text=SOUND + pairs(("a -> b ->", " c END"))),
        good=Sample(text=SOUND),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        separator = dataset.separator
        # A last line such as "\nAgent:" recurs in a conversation by design; only the last one is the cue.
        if separator.ending and separator.standing != "none" and separator.state and separator.state.inside.count:
            if _is_cue(separator.ending):
                return
            message = f"the separator {shown(separator.ending)} also stands inside the prompt"
            yield Judgement(message, separator.state.inside)


class SeparatorWeak(PairRule):
    card: ClassVar[Card] = Card(
        code="SEP104",
        name="separator-weak",
        severity="warning",
        finds="All prompts end the same way, but with mere punctuation or a word, which is no separator.",
        why="A question mark ends many sentences; it does not tell the model that the prompt is over.",
        bad=Sample(
            text=pairs(*((f"Where is {a}?", f" near {b} END") for a, b in zip(COUNTRIES, CAPITALS, strict=True)))
        ),
        good=Sample(text=SOUND),
        fix="unsafe",
        mended="Adds the first usual separator that occurs in no prompt.",
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        separator = dataset.separator
        if separator.standing == "none" and separator.weak_mark and not separator.named:
            weak = f"all prompts end with {shown(separator.weak_mark)}, which is no separator"
            yield Judgement(f"{weak}; {_advice(dataset.surveys.prompts, 'prompt')}")

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        for _ in self.judge(dataset):
            ending = propose(dataset.surveys.prompts, "prompt")
            if not ending:
                return
            what = f"add the separator {shown(ending)} to the end of all prompts"
            mends = (AddEnding("prompt", ending),)
            yield Proposal(self.card.code, "unsafe", what, dataset.surveys.prompts.texts, mends)


class LeadingSpaceMissing(RowRule):
    shapes: ClassVar[tuple[str, ...]] = ("completion",)
    card: ClassVar[Card] = Card(
        code="SEP105",
        name="leading-space-missing",
        severity="warning",
        finds="A completion does not start with one white space (or starts with two spaces).",
        why='Tokenizers keep the space with the word: " yes" and "yes" are different tokens, and the first is the one '
        "the model knows from running text.",
        bad=Sample(text=SOUND + pairs(("Chad ->", "Ndjamena END"))),
        good=Sample(text=SOUND),
        fix="safe",
        mended="Puts one space at the start.",
    )

    def suspects(self, batch: Batch) -> list[Row]:
        return [r for r, p in batch.pairs if p.completion[:1] != " " or p.completion[1:2] == " "]

    def ready(self, setting: Setting) -> str:
        return "" if setting.recipe.format.leading_space else "the recipe asks for no leading space"

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        del setting
        text = row.example.completion if isinstance(row.example, Pair) else ""
        if not text or text.isspace():
            return
        if not text[0].isspace():
            yield self.fault("completion does not start with a space", "/completion", text[:40])
        elif has_two_spaces(text):
            yield self.fault("completion starts with two spaces", "/completion", text[:40])

    def mend(self, setting: Setting) -> LeadingSpace:
        del setting
        return LeadingSpace()


class StopMissing(PairRule):
    card: ClassVar[Card] = Card(
        code="SEP106",
        name="stop-missing",
        severity="warning",
        finds="Completions have no common ending, although they are texts of different lengths.",
        why="Without a fixed stop sequence the model does not learn to end, and there is nothing to pass as `stop` "
        "when it is used.",
        bad=Sample(text=pairs(*((a + " ->", " " + b) for a, b in zip(COUNTRIES, CAPITALS, strict=True)))),
        good=Sample(text=SOUND),
        fix="unsafe",
        mended="Adds the recipe's stop sequence, or the first usual one that occurs in no completion (safe where the "
        "recipe names it).",
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        stop = dataset.stop
        if not dataset.pairs or stop.standing != "none":
            return
        if stop.named:
            yield Judgement(
                f"completions do not end with {shown(stop.ending)}, the stop sequence that the recipe names"
            )
        elif self.generates(dataset):
            yield Judgement(f"completions have no common ending; {_advice(dataset.surveys.completions, 'completion')}")

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        if next(self.judge(dataset), None) is None:
            return
        ending = dataset.stop.ending or propose(dataset.surveys.completions, "completion")
        if not ending:
            return
        yield Proposal(
            self.card.code,
            "safe" if dataset.stop.named else "unsafe",
            f"add the stop sequence {shown(ending)} to the end of all completions",
            dataset.surveys.completions.texts,
            (AddEnding("completion", ending),),
        )


class StopPartial(PairRule):
    card: ClassVar[Card] = Card(
        code="SEP107",
        name="stop-partial",
        severity="warning",
        finds="Most completions end with the stop sequence, these do not.",
        why="Each completion without the stop sequence teaches the model to run on.",
        bad=Sample(text=SOUND + pairs(("Chad ->", " Ndjamena"))),
        good=Sample(text=SOUND),
        fix="safe",
        mended="Adds the stop sequence that the other completions have.",
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        stop = dataset.stop
        if stop.standing == "most" and stop.state and (self.generates(dataset) or stop.named):
            yield Judgement(f"completion does not end with the stop sequence {shown(stop.ending)}", stop.state.lacking)

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        for found in self.judge(dataset):
            ending, count = dataset.stop.ending, found.marks.count if found.marks else 0
            what = f"add the stop sequence {shown(ending)} to the completions that lack it"
            yield Proposal(self.card.code, "safe", what, count, (AddEnding("completion", ending),))


class StopInside(PairRule):
    card: ClassVar[Card] = Card(
        code="SEP108",
        name="stop-inside",
        severity="warning",
        finds="The stop sequence stands inside a completion, or cuts the name of a class.",
        why="Generation stops at the first stop sequence, so what follows in the completion can never be produced.",
        bad=Sample(text=SOUND + pairs(("Chad ->", " the END of Ndjamena END"))),
        good=Sample(text=SOUND),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        stop = dataset.stop
        if not stop.ending or stop.standing == "none" or stop.state is None:
            return
        cut = [label for label in dataset.task.classes if stop.ending.strip() and stop.ending.strip() in label]
        if cut:
            yield Judgement(f"the stop sequence {shown(stop.ending)} cuts the class {shown(cut[0])}")
        elif stop.state.inside.count:
            yield Judgement(
                f"the stop sequence {shown(stop.ending)} also stands inside the completion", stop.state.inside
            )


def _is_cue(ending: str) -> bool:
    return bool(re.fullmatch(r"\n+\S[^\n]*[:：]\s?", ending))


RULES = (
    SeparatorMissing,
    SeparatorPartial,
    SeparatorInside,
    SeparatorWeak,
    LeadingSpaceMissing,
    StopMissing,
    StopPartial,
    StopInside,
)
