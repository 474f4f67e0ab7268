"""The stand-in for a tuned model: small and honest. It learns from the training file alone and says what it is.

Classification: a linear classifier (stochastic gradient descent on log loss) over hashed words and pairs of words.
Everything else: the answer of the most similar training question by TF-IDF. It generates nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ftprep.sandbox.curves import MOST_STEPS, Step, sampled, word_curve
from ftprep.sandbox.examples import Learnt

UNKNOWN = "I do not know: nothing like this is in the training file."
LEAST_SIMILAR = 0.05
"""Cosine below which no training question counts as similar."""

NEIGHBOURS = 5
SHARPNESS = 20.0
_WORD = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+|[^\w\s]"
"""Words, signs, and each character of scripts that set no spaces."""


@dataclass(frozen=True)
class Plan:
    """How to learn: epochs, examples a batch, seed, and whether the answers are classes."""

    epochs: int
    batch: int
    seed: int
    classes: bool


class Tuned:
    """A fitted stand-in; `curve` is what happened while it learnt."""

    def __init__(self, train: Sequence[Learnt], valid: Sequence[Learnt], plan: Plan) -> None:
        self._calls = {each.answer: each.calls for each in train if each.calls}
        self._counts = Counter(each.answer for each in train)
        self._model: _Classifier | _Neighbours | None = None
        self.curve: list[Step] = []
        if plan.classes and len(self._counts) > 1:
            self._model = _Classifier(train, plan)
            self.curve = self._model.learn(train, valid)
        elif train:
            self._model = _Neighbours(train)
            self.curve = word_curve(train, valid, plan.epochs, plan.batch)

    @property
    def says(self) -> str:
        """What it is, in a few words for fingerprints and descriptions."""
        if isinstance(self._model, _Classifier):
            return f"stand-in: linear classifier over {len(self._counts)} classes"
        if self._model is not None:
            return "stand-in: retrieves training answers, generates nothing"
        return "stand-in: learnt nothing, since the training file has no answers"

    def answers(self, question: str) -> list[tuple[str, float]]:
        """Whole answers with their probabilities, likeliest first; never empty."""
        return self._model.answers(question) if self._model is not None else [(UNKNOWN, 1.0)]

    def calls(self, answer: str) -> list[dict[str, Any]]:
        """The tool calls that an answer stands for."""
        return list(self._calls.get(answer, ()))


def _hashed(texts: Sequence[str], bits: int) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    # Hashing never fails on texts without words, and what it makes of a text needs nothing learnt before.
    hashing = HashingVectorizer(
        n_features=1 << bits, ngram_range=(1, 2), token_pattern=_WORD, alternate_sign=False, norm=None
    )
    return hashing.transform(texts)


class _Weights:
    """Inverse frequencies of hashed words, learnt once from the training questions."""

    def __init__(self, questions: Sequence[str], bits: int) -> None:
        import numpy as np
        from sklearn.feature_extraction.text import TfidfTransformer

        self._bits = bits
        hashed = _hashed(questions, bits)
        # Learning costs by the column, and most columns are empty.
        self._columns = np.union1d([0], np.flatnonzero(hashed.getnnz(axis=0)))
        hashed = hashed[:, self._columns]
        self._weights = TfidfTransformer(sublinear_tf=True).fit(hashed)
        self.rows = self._weights.transform(hashed)

    def of(self, questions: Sequence[str]) -> Any:
        return self._weights.transform(_hashed(questions, self._bits)[:, self._columns])


class _Classifier:
    def __init__(self, train: Sequence[Learnt], plan: Plan) -> None:
        from sklearn.linear_model import SGDClassifier

        self._plan = plan
        self._names = sorted({each.answer for each in train})
        self._weights = _Weights([each.question for each in train], 16)
        self._fit = SGDClassifier(loss="log_loss", alpha=1e-5, shuffle=False, random_state=plan.seed)

    def learn(self, train: Sequence[Learnt], valid: Sequence[Learnt]) -> list[Step]:
        import numpy as np

        number = {name: i for i, name in enumerate(self._names)}
        wanted = np.array([number[each.answer] for each in train])
        held = [each for each in valid if each.answer in number]
        held_rows = self._weights.of([each.question for each in held]) if held else None
        held_wanted = np.array([number[each.answer] for each in held])
        steps_of_epoch = math.ceil(len(train) / self._plan.batch)
        total, curve = steps_of_epoch * self._plan.epochs, []
        shown = sampled(total, steps_of_epoch, max(10, MOST_STEPS // max(1, len(self._names) // 4)))
        rng = np.random.default_rng(self._plan.seed)
        waiting: list[Any] = []
        for at, batch in enumerate(self._batches(len(train), rng), 1):
            if at not in shown:
                waiting.append(batch)  # it learns row by row, so that several batches at once are the same, and faster
                continue
            if waiting:
                self._learn(np.concatenate(waiting), wanted)
                waiting = []
            # Before it has learnt from the batch: what a training loss is.
            blind = math.log(len(self._names)), 1 / len(self._names)
            loss = self._judge(self._weights.rows[batch], wanted[batch]) if at > 1 else blind
            self._learn(batch, wanted)
            check = self._judge(held_rows, held_wanted) if held else (None, None)
            curve.append(Step(at, loss[0], loss[1], check[0], check[1], at % steps_of_epoch == 0))
        return curve

    def _learn(self, rows: Any, wanted: Any) -> None:
        self._fit.partial_fit(self._weights.rows[rows], wanted[rows], classes=range(len(self._names)))

    def _batches(self, count: int, rng: Any) -> Iterator[Any]:
        for _ in range(self._plan.epochs):
            order = rng.permutation(count)
            for start in range(0, count, self._plan.batch):
                yield order[start : start + self._plan.batch]

    def _judge(self, rows: Any, wanted: Any) -> tuple[float, float]:
        """Mean log loss and accuracy."""
        import numpy as np

        p = self._fit.predict_proba(rows)
        right = np.clip(p[np.arange(len(wanted)), wanted], 1e-12, 1.0)
        return float(-np.log(right).mean()), float((p.argmax(axis=1) == wanted).mean())

    def answers(self, question: str) -> list[tuple[str, float]]:
        p = self._fit.predict_proba(self._weights.of([question]))[0]
        return sorted(zip(self._names, map(float, p), strict=True), key=lambda each: (-each[1], each[0]))


class _Neighbours:
    def __init__(self, train: Sequence[Learnt]) -> None:
        self._answers = [each.answer for each in train]
        self._weights = _Weights([each.question for each in train], 18)

    def answers(self, question: str) -> list[tuple[str, float]]:
        import numpy as np

        near = (self._weights.rows @ self._weights.of([question]).T).toarray().ravel()
        best = np.argsort(-near, kind="stable")[:NEIGHBOURS]
        if not question.strip() and not near.any():  # trained on answers without questions
            return [(self._answers[0], 1.0)]
        if near[best[0]] < LEAST_SIMILAR:
            return [(UNKNOWN, 1.0)]
        shares = np.exp(SHARPNESS * (near[best] - near[best[0]]))
        # The nearest has more than half, so that it is what is said at temperature 0.
        mass: dict[str, float] = {self._answers[best[0]]: 0.5}
        for at, share in zip(best, shares / shares.sum() / 2, strict=True):
            mass[self._answers[at]] = mass.get(self._answers[at], 0.0) + float(share)
        return sorted(mass.items(), key=lambda each: (-each[1], each[0]))
