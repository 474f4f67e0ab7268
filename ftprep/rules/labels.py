"""Rules on the set as a whole: how many examples there are, and which classes."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ftprep.dataset import Dataset, label_of
from ftprep.mends import Relabel
from ftprep.rule import Card, DatasetRule, Judgement, Proposal, Sample
from ftprep.textsurvey import Marks


def shown(text: str) -> str:
    """A label as a person reads it."""
    return json.dumps(text, ensure_ascii=False)


def _set(**counts: int) -> str:
    rows = [(label, i) for label, n in counts.items() for i in range(n)]
    return "".join([f'{{"prompt": "{la} text {i} ->", "completion": " {la}"}}\n' for la, i in rows])


def _generation(n: int) -> str:
    answer = "the long answer to question number"
    return "".join([f'{{"prompt": "question {i} ->", "completion": " {answer} {i} END"}}\n' for i in range(n)])


@dataclass(frozen=True)
class TooFew(DatasetRule):
    """Options: the guide's numbers, `classification` for each class, `generation` for the set."""

    classification: int = 100
    generation: int = 500
    advised: int = 200

    card: ClassVar[Card] = Card(
        code="SET101",
        name="too-few",
        severity="info",
        finds="There are fewer examples than are usually needed: about 100 for each class, about 500 for generation.",
        why="Quality rises about linearly with each doubling of the examples; a couple of hundred is the usual start.",
        bad=Sample(text=_generation(20)),
        good=Sample(text=_generation(500)),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        count = dataset.examples
        if not count:
            return
        if dataset.is_classification:
            poor = [c for c, n in dataset.task.classes.items() if n < self.classification]
            if poor:
                named = ", ".join(f"{shown(c)} {dataset.task.classes[c]}" for c in poor[-5:])
                yield Judgement(
                    f"{len(poor)} of {len(dataset.task.classes)} classes have fewer than {self.classification} "
                    f"examples (fewest: {named})"
                )
        elif count < (self.generation if dataset.task.name == "generation" and dataset.pairs else self.advised):
            enough = self.generation if dataset.pairs else self.advised
            yield Judgement(f"{count:,} examples; {enough} or more are usually needed")


class _ClassRule(DatasetRule):
    shapes: ClassVar[tuple[str, ...]] = ("completion",)


class OneClass(_ClassRule):
    card: ClassVar[Card] = Card(
        code="SET102",
        name="one-class",
        severity="error",
        finds="All examples of a classification have the same class.",
        why="There is nothing to tell apart; the model will give this class for everything.",
        bad=Sample(text=_set(spam=20)),
        good=Sample(text=_set(spam=20, ham=20)),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        if dataset.is_classification and len(dataset.task.classes) == 1:
            label = next(iter(dataset.task.classes))
            yield Judgement(f"all {dataset.surveys.answers.answers:,} examples have the class {shown(label)}")


@dataclass(frozen=True)
class ClassImbalance(_ClassRule):
    """Option: how many times more examples the largest class may have than the smallest."""

    ratio: int = 10

    card: ClassVar[Card] = Card(
        code="SET103",
        name="class-imbalance",
        severity="info",
        finds="The largest class has more than ten times the examples of the smallest.",
        why="The model learns to prefer the large class; look at recall for each class, and collect more of the small.",
        bad=Sample(text=_set(spam=44, ham=4)),
        good=Sample(text=_set(spam=20, ham=20)),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        classes = list(dataset.task.classes.items()) if dataset.is_classification else []
        if len(classes) > 1 and classes[0][1] > self.ratio * classes[-1][1]:
            (large, most), (small, fewest) = classes[0], classes[-1]
            yield Judgement(f"class {shown(large)} has {most:,} examples, {shown(small)} has {fewest:,}")


class RareClass(_ClassRule):
    card: ClassVar[Card] = Card(
        code="SET104",
        name="rare-class",
        severity="warning",
        finds="A class has one example only, so it cannot stand in both training and validation.",
        why="What is only in validation was never learnt, and what is only in training is never measured; providers "
        "refuse a validation set whose classes differ.",
        bad=Sample(text=_set(spam=10, ham=10, eggs=1)),
        good=Sample(text=_set(spam=10, ham=10)),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        rare = [c for c, n in dataset.task.classes.items() if n == 1] if dataset.is_classification else []
        if rare and len(dataset.task.classes) > 1:
            named = ", ".join(map(shown, rare[:8])) + (f" and {len(rare) - 8} more" if len(rare) > 8 else "")
            yield Judgement(f"{len(rare)} class{'es have' if len(rare) > 1 else ' has'} one example only: {named}")


class LabelVariants(_ClassRule):
    card: ClassVar[Card] = Card(
        code="SET105",
        name="label-variants",
        severity="warning",
        finds='Class names differ only in capitals, spacing or a final full stop: "Yes", "yes ", "YES"; a hyphen or '
        "underscore between words counts as a space.",
        why="To the model they are different classes, and the probability of the right answer is spread over them.",
        bad=Sample(text=_set(yes=8, no=8, Yes=4)),
        good=Sample(text=_set(yes=8, no=8)),
        fix="unsafe",
        mended="Gives all variants the spelling that most examples use.",
    )

    def _groups(self, dataset: Dataset) -> list[list[str]]:
        groups: defaultdict[str, list[str]] = defaultdict(list)
        spelt = sorted(dataset.spellings.items(), key=lambda s: (-s[1], s[0])) if dataset.is_classification else []
        for label, _ in spelt:
            # Only between letters is a hyphen a way of spelling; in "-1" and "A-" it means something.
            groups[re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", label.casefold()).strip().rstrip(".。")].append(label)
        return [variants for variants in groups.values() if len(variants) > 1]

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        for variants in self._groups(dataset):
            named = ", ".join(f"{shown(v)} {dataset.spellings[v]:,}" for v in variants)
            yield Judgement(f"variants of one class: {named}")

    def propose(self, dataset: Dataset) -> Iterator[Proposal]:
        spellings: dict[str, str] = {}
        told: list[str] = []
        for variants in self._groups(dataset):
            first = variants[0].strip()
            others = [v for v in variants if v != first]
            spellings |= dict.fromkeys(others, first)
            told.append(f"{', '.join(map(shown, others))} as {shown(first)}")
        if spellings:
            count = sum(dataset.spellings[v] for v in spellings)
            mends = (Relabel(spellings, dataset.stop.ending),)
            yield Proposal(self.card.code, "unsafe", f"write {'; '.join(told)}", count, mends)


class NumericLabels(_ClassRule):
    card: ClassVar[Card] = Card(
        code="SET106",
        name="numeric-labels",
        severity="info",
        finds="The classes are numbers.",
        why="That works, and costs one token each; keep the list of what each number stands for beside the set, since "
        "it says nothing of itself.",
        bad=Sample(
            text="".join(json.dumps({"prompt": f"mail {i} ->", "completion": f" {i % 3}"}) + "\n" for i in range(30))
        ),
        good=Sample(text=_set(yes=8, no=8)),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        classes = list(dataset.task.classes) if dataset.is_classification else []
        if len(classes) > 1 and all(re.fullmatch(r"[+-]?\d+([.,]\d+)?", c) for c in classes):
            yield Judgement(f"the {len(classes)} classes are numbers: {', '.join(sorted(classes)[:8])}")


class MissingValueLabel(_ClassRule):
    card: ClassVar[Card] = Card(
        code="SET108",
        name="missing-value-label",
        severity="info",
        finds="A class is called like a missing value: NaN, N/A, null, None.",
        why="It is kept as the text it is. If it stands for a cell that was empty, leave those rows out of the source.",
        bad=Sample(text=_set(good=8, NaN=8)),
        good=Sample(text=_set(yes=8, no=8)),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        for label, count in dataset.task.classes.items() if dataset.is_classification else ():
            if label.casefold() in ("nan", "n/a", "na", "null", "none", "<na>", "#n/a", "nil"):
                yield Judgement(f"{count:,} examples have the class {shown(label)}")


_TOPICS = {
    "sport": ("the match ended in a draw", "she scored a goal", "the coach praised the team", "a new league season"),
    "food": ("the soup needs salt", "bake the bread slowly", "a recipe with fresh herbs", "the kitchen smells of cake"),
}


def _topics(wrong: bool) -> str:
    rows = [(f"{text} number {i}", topic) for topic, texts in _TOPICS.items() for i in range(6) for text in texts]
    if wrong:
        rows[3] = (rows[3][0], "food")
    return "".join(json.dumps({"prompt": f"{p} ->", "completion": f" {c}"}) + "\n" for p, c in rows)


@dataclass(frozen=True)
class SuspectLabel(_ClassRule):
    """Options: how sure the model must be of another class, and how many folds cross-validation has."""

    least: float = 0.7
    folds: int = 5

    sample_size: ClassVar[int] = 20_000
    card: ClassVar[Card] = Card(
        code="SET107",
        name="suspect-label",
        severity="warning",
        finds="A simple model, trained on the other examples, is sure of another class than the one given.",
        why="In most sets a few per cent of the labels are wrong, and these rows are the first to look at. Nothing is "
        "changed: look at each. At most 20,000 examples are compared, which takes up to half a minute, so it runs when "
        "selected.",
        bad=Sample(text=_topics(wrong=True)),
        good=Sample(text=_topics(wrong=False)),
        status="preview",
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        if not dataset.is_classification:
            return
        stop = dataset.stop.ending
        rows = [(n, prompt, label_of(answer, stop)) for _, n, prompt, answer in sorted(dataset.surveys.sample.items)]
        counts = Counter(label for _, _, label in rows)
        rows = [r for r in rows if counts[r[2]] >= self.folds]
        if len({label for _, _, label in rows}) < 2:
            return
        kept = dataset.setting.kept
        found = sorted(_suspects(rows, self.least, self.folds))
        if found:
            items = [(n, f"{shown(given)}, likely {shown(better)} ({sure:.0%})") for n, given, better, sure in found]
            yield Judgement("suspect class: given ", Marks(kept, len(items), items[:kept]), tells=True)


def _suspects(rows: list[tuple[int, str, str]], least: float, folds: int) -> Iterator[tuple[int, str, str, float]]:
    """(ordinal, given class, likelier class, its probability) by cross-validation, in the manner of confident learning:
    a class is believed where its probability reaches the mean it has on its own examples."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import SGDClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    given = np.array([label for _, _, label in rows])
    # Character n-grams within words also serve Chinese and Japanese, which have no spaces between words. They are
    # counted once for all folds: no label takes part in that.
    counted = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, max_features=30_000)
    features = counted.fit_transform([prompt for _, prompt, _ in rows])
    model = SGDClassifier(loss="log_loss", alpha=2e-6, max_iter=30, tol=1e-3, random_state=0)
    splits = StratifiedKFold(folds, shuffle=True, random_state=0)
    chances = cross_val_predict(model, features, given, cv=splits, method="predict_proba")
    names = np.unique(given)
    own = np.searchsorted(names, given)
    usual = np.array([chances[own == k, k].mean() for k in range(len(names))])
    for i, (number, _, label) in enumerate(rows):
        best = int(np.argmax(chances[i]))
        sure = float(chances[i, best])
        if best != own[i] and sure >= max(least, float(usual[best])):
            yield number, label, str(names[best]), sure


RULES = (TooFew, OneClass, ClassImbalance, RareClass, LabelVariants, NumericLabels, SuspectLabel, MissingValueLabel)
