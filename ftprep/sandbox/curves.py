"""Learning curves that are true: what a small model's loss was on each batch before it learnt from it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ftprep.sandbox.examples import Learnt

MOST_STEPS = 60
"""Steps of a run that are told of; the last of each epoch is always among them."""

MOST_WORDS = 200
"""Words of an answer that the curve looks at."""

MOST_ROWS = 2000
"""Examples that the curve of a set of texts looks at in each epoch."""


@dataclass(frozen=True)
class Step:
    """Loss (nats) and accuracy (0 to 1) at a step, numbered from 1, on its batch and on the validation file."""

    step: int
    train_loss: float
    train_accuracy: float
    valid_loss: float | None = None
    valid_accuracy: float | None = None
    epoch_ends: bool = False


def sampled(total: int, of_epoch: int, most: int = MOST_STEPS) -> set[int]:
    """Which of `total` steps to tell of: about `most`, and the last of each epoch."""
    every = max(1, math.ceil(total / most))
    return {1, *range(every, total + 1, every), *range(of_epoch, total + 1, of_epoch)}


class _Words:
    """Which word follows which in the answers, with what is left to words never seen (absolute discounting)."""

    def __init__(self) -> None:
        self._after: dict[str, Counter[str]] = defaultdict(Counter)
        self._single: Counter[str] = Counter()
        self._seen = 0

    def learn(self, words: Iterable[tuple[str, str]]) -> None:
        for before, word in words:
            self._after[before][word] += 1
            self._single[word] += 1
            self._seen += 1

    def judge(self, words: Iterable[tuple[str, str]]) -> tuple[float, float]:
        """Mean loss and accuracy for each next word."""
        loss, right, count = 0.0, 0, 0
        for before, word in words:
            alone = (self._single[word] + 0.5) / (self._seen + 0.5 * (len(self._single) + 1000))
            following = self._after.get(before)
            if following:
                total = following.total()
                rest = 0.75 * len(following) / total
                alone = max(following[word] - 0.75, 0.0) / total + rest * alone
                right += max(following, key=lambda each: following[each]) == word
            loss -= math.log(alone)
            count += 1
        return (loss / count, right / count) if count else (0.0, 0.0)


def _pairs(examples: Sequence[Learnt]) -> Iterator[tuple[str, str]]:
    for each in examples:
        words = ["", *each.answer.split()[:MOST_WORDS], "\n"]
        yield from pairwise(words)


def word_curve(train: Sequence[Learnt], valid: Sequence[Learnt], epochs: int, batch: int) -> list[Step]:
    """The curve of a word-pair model that learns the answers batch by batch."""
    model, curve = _Words(), []
    train, valid = train[:MOST_ROWS], valid[:MOST_ROWS]
    of_epoch = math.ceil(len(train) / batch)
    shown = sampled(of_epoch * epochs, of_epoch)
    for at in range(1, of_epoch * epochs + 1):
        start = (at - 1) % of_epoch * batch
        words = list(_pairs(train[start : start + batch]))
        if at in shown:
            loss, accuracy = model.judge(words)
        model.learn(words)
        if at in shown:
            held = model.judge(_pairs(valid)) if valid else (None, None)
            curve.append(Step(at, loss, accuracy, held[0], held[1], at % of_epoch == 0))
    return curve
