"""Rules on tokens: lengths against a limit, control tokens in text, class names as tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import ClassVar

from ftprep.dataset import Dataset
from ftprep.later import later
from ftprep.model import Fault, Row
from ftprep.rule import Card, DatasetRule, Judgement, RowRule, Rule, Sample
from ftprep.rules import tok_lengths, tok_runs
from ftprep.rules.talk import texts_of
from ftprep.setting import Setting

CONTROL_TOKENS: dict[str, tuple[str, ...]] = {
    "OpenAI": ("<|endoftext|>", "<|endofprompt|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"),
    "ChatML": ("<|im_start|>", "<|im_end|>", "<|im_sep|>"),
    "Harmony": (
        "<|start|>",
        "<|end|>",
        "<|message|>",
        "<|channel|>",
        "<|constrain|>",
        "<|return|>",
        "<|call|>",
        "<|startoftext|>",
    ),
    "Llama": (
        "<|begin_of_text|>",
        "<|end_of_text|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|python_tag|>",
        "<|finetune_right_pad_id|>",
        "<<SYS>>",
        "<</SYS>>",
    ),
    "Mistral": ("[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]"),
    "Gemma": ("<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>"),
    "Phi and others": ("<|user|>", "<|assistant|>", "<|system|>", "<|endofturn|>"),
    "Cohere": ("<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>"),
    "DeepSeek": ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"),
}
"""Strings that chat templates of eight families and more treat as control tokens (their tokenizer files)."""

_CONTROL = later("|".join(re.escape(t) for family in CONTROL_TOKENS.values() for t in family))

# Every control token holds one of these. Each begins with a character that is rare in text.
_MARKS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\|(?<=<\|)",
        r"\](?:(?<=INST\])|(?<=TOOLS\])|(?<=_CALLS\])|(?<=RESULTS\]))",
        r">(?:(?<=SYS>)>|(?<=_of_turn>)|(?<=os>))",
        "｜",
    )
)


class ControlToken(RowRule):
    shapes: ClassVar[tuple[str, ...]] = ("chat", "completion", "preference", "reinforcement", "stepwise", "unpaired")
    marks: ClassVar[tuple[re.Pattern[str], ...]] = _MARKS
    card: ClassVar[Card] = Card(
        code="TOK101",
        name="control-token",
        severity="warning",
        finds="A text holds a string that tokenizers or chat templates treat as a control token.",
        why="Depending on the trainer it ends the text early, forges a turn, or is refused: providers answer `message "
        "contains an invalid token`.",
        bad=Sample(text='{"prompt": "Peru ->", "completion": " Lima<|endoftext|>"}\n'),
        good=Sample(text='{"prompt": "Peru ->", "completion": " Lima END"}\n'),
    )

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        del setting
        for pointer, text in texts_of(row.example):
            if not any(mark.search(text) for mark in _MARKS):
                continue
            found = dict.fromkeys(_CONTROL.findall(text))
            for token in found:
                at = text.index(token)
                message = f"the text holds the control token {token}"
                yield self.fault(message, pointer, text[max(0, at - 20) : at + len(token) + 20])


def _class_set(*labels: str) -> str:
    rows = [{"prompt": f"text {i} ->", "completion": f" {labels[i % len(labels)]}"} for i in range(12 * len(labels))]
    return "".join(json.dumps(r) + "\n" for r in rows)


def class_pieces(dataset: Dataset) -> dict[str, list[str]]:
    """The tokens of each class name as it is written: with the leading space; none where there are no classes."""
    from ftprep.tokens import Counter

    if not dataset.is_classification:
        return {}
    space = " " if dataset.setting.recipe.format.leading_space else ""
    counter = Counter(dataset.setting.encoding, "tiktoken")
    return {c: counter.pieces(space + c) for c in dataset.task.classes}


class _LabelTokens(DatasetRule):
    shapes: ClassVar[tuple[str, ...]] = ("completion",)


class ClassNotSingleToken(_LabelTokens):
    card: ClassVar[Card] = Card(
        code="TOK104",
        name="class-not-single-token",
        severity="info",
        finds="The name of a class is more than one token (with its leading space).",
        why="With one token for each class a request needs max_tokens=1, and its logprobs are the class probabilities.",
        bad=Sample(text=_class_set("card_arrival", "card_linking")),
        good=Sample(text=_class_set("yes", "no")),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        split = {c: p for c, p in class_pieces(dataset).items() if len(p) > 1}
        if split:
            label, pieces = next(iter(split.items()))
            count, total = len(split), len(dataset.task.classes)
            told = " + ".join(json.dumps(p, ensure_ascii=False) for p in pieces)
            yield Judgement(
                f"{count} of {total} class names are more than one token, for example {told}", excerpt=label
            )


class ClassesShareFirstToken(_LabelTokens):
    card: ClassVar[Card] = Card(
        code="TOK105",
        name="classes-share-first-token",
        severity="info",
        finds="Names of different classes begin with the same token.",
        why="The first token does not tell these classes apart, so max_tokens=1 cannot be used, and class "
        "probabilities must be read from later tokens.",
        bad=Sample(text=_class_set("card_arrival", "card_linking")),
        good=Sample(text=_class_set("yes", "no")),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        firsts: dict[str, list[str]] = {}
        for label, pieces in class_pieces(dataset).items():
            firsts.setdefault(pieces[0] if pieces else "", []).append(label)
        shared = {first: labels for first, labels in firsts.items() if len(labels) > 1}
        if shared:
            first, labels = max(shared.items(), key=lambda item: (len(item[1]), item[0]))
            count = sum(map(len, shared.values()))
            named = ", ".join(json.dumps(c, ensure_ascii=False) for c in sorted(labels)[:4])
            told = json.dumps(first, ensure_ascii=False)
            yield Judgement(f"{count} class names share their first token with another; {told} begins {named}")


RULES: tuple[type[Rule], ...] = (
    ControlToken,
    *tok_lengths.RULES,
    ClassNotSingleToken,
    ClassesShareFirstToken,
    *tok_runs.RULES,
)
