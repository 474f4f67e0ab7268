"""How to use the tuned model: what ends a prompt, what to pass as stop, class probabilities; what training costs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ftprep.costs import Estimate, estimate
from ftprep.dataset import Dataset
from ftprep.splitter import Split

POSITIVE = ("yes", "true", "positive", "1", "spam", "fraud", "toxic", "relevant", "correct", "supported", "是", "正面")
"""Names that usually stand for the class one looks for; else the rarer of two is proposed."""


def _shown(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def advice(dataset: Dataset, cost: Estimate | None = None) -> tuple[str, ...]:
    """Plain sentences, in the order in which they are needed, what training costs last; none for an empty set."""
    told = list(_pairs(dataset)) if dataset.pairs else []
    if cost is not None:
        told.append(f"Training: {cost.told()}.")
        told += [f"{note[:1].upper()}{note[1:]}." for note in cost.notes if cost.total is None]
    return tuple(told)


def training_cost(dataset: Dataset, split: Split | None) -> Estimate | None:
    """What training on the written set takes by the rules of the target; None where no target is named.

    Where some examples are held back, the tokens of the others are taken to be their share of all.
    """
    lengths, target = dataset.surveys.lengths.lengths, dataset.setting.target
    examples, tokens = sum(lengths.values()), sum(length * count for length, count in lengths.items())
    if target is None or not examples:
        return None
    if split is None or not split.valid:
        return estimate(tokens, examples, target)
    whole = split.train + split.valid
    return estimate(round(tokens * split.train / whole), split.train, target, exact=False)


def _pairs(dataset: Dataset) -> Iterator[str]:
    separator, stop = dataset.separator, dataset.stop
    if separator.standing == "all" and dataset.surveys.prompts.texts:
        yield f"End every prompt with the separator {_shown(separator.ending)}, exactly as in the file."
    if dataset.is_classification:
        yield from _classes(dataset)
    elif stop.standing == "all" and not (stop.state and stop.state.inside.count):
        yield f"Pass stop=[{_shown(stop.ending)}], so that the model ends where a completion ends."
    if dataset.surveys.completions.starts.common.startswith(" ") and dataset.task.name != "open-ended":
        yield "Completions begin with a space: strip it from what the model answers."


def _classes(dataset: Dataset) -> Iterator[str]:
    from ftprep.rules.tok import class_pieces

    classes = dataset.task.classes
    if len(classes) < 2:
        return  # one class is an error, and classes too many to count have no common advice
    pieces = class_pieces(dataset)
    firsts = {p[0] for p in pieces.values() if p}
    single = all(len(p) == 1 for p in pieces.values())
    if single:
        yield f"Pass max_tokens=1: each of the {len(classes)} classes is one token."
    elif len(firsts) == len(classes):
        yield f"Pass max_tokens=1: the first token already tells the {len(classes)} classes apart."
    else:
        longest = max(len(p) for p in pieces.values())
        yield f"Pass max_tokens={longest}: the longest class name has {longest} tokens, and first tokens are shared."
    if len(classes) <= 5 and (single or len(firsts) == len(classes)):
        yield f"Pass logprobs={len(classes)} to get the probability of each class."
    if len(classes) == 2:
        positive, why = positive_class(classes)
        yield f"For precision and recall the positive class is {_shown(' ' + positive)} ({why})."


def positive_class(classes: dict[str, int]) -> tuple[str, str]:
    """The class that metrics for two classes look for, and why: by its name, else the rarer one."""
    for name in POSITIVE:
        for label in classes:
            if label.casefold() == name:
                return label, "by its name"
    rarest, count = min(classes.items(), key=lambda item: (item[1], item[0]))
    why = "the rarer one" if count < max(classes.values()) else "the first by name, since both are as frequent"
    return rarest, f"{why}; name another if it is not the one you look for"
