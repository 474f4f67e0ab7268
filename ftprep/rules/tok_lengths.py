"""Rules on how many tokens an example and its answer have, against the limit of the recipe or of the target."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ftprep.model import Fault, Message, Pair, Row, Severity
from ftprep.rule import Card, RowRule, Sample
from ftprep.rules.talk import parts_of, place_words, walk
from ftprep.setting import Setting
from ftprep.tokens import Counter, chat_overhead

_LONG = json.dumps({"prompt": "Tell a story ->", "completion": " once" * 60 + " END"}) + "\n"
_SHORT = json.dumps({"prompt": "Tell a story ->", "completion": " once END"}) + "\n"
_LONG_PROMPT = json.dumps({"prompt": "Go on:" + " once" * 60 + " ->", "completion": " once END"}) + "\n"


class _LimitRule(RowRule):
    shapes: ClassVar[tuple[str, ...]] = ("chat", "completion", "preference", "reinforcement", "stepwise", "unpaired")

    def ready(self, setting: Setting) -> str:
        """A limit is needed."""
        if setting.token_limit:
            return ""
        if setting.target is not None and setting.recipe.token_limit is None:
            return f"no token limit of the target {setting.target.name} is known: --token-limit says one"
        return "no token limit is known: set token-limit in the recipe or --token-limit, or name a target"

    def severity(self, setting: Setting) -> Severity:
        """A warning where no source that was read says what the limit is."""
        fact = setting.limit_fact
        is_sure = fact is None or fact.rejects or self.card.severity == "info"
        return self.card.severity if is_sure else "warning"


def _words(setting: Setting) -> str:
    """The limit, with its source where it is the target's."""
    fact = setting.limit_fact
    return f"{setting.token_limit or 0:,}" if fact is None else setting.told(fact)


class OverLimit(_LimitRule):
    card: ClassVar[Card] = Card(
        code="TOK102",
        name="over-limit",
        severity="error",
        finds="An example has more tokens than the limit, counted exactly, with the overhead of chat messages.",
        why="Providers cut what is too long at its end, so the answer, or its stop sequence, is lost; some refuse it.",
        bad=Sample(text=_LONG, recipe={"token-limit": 50}),
        good=Sample(text=_SHORT, recipe={"token-limit": 50}),
    )

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        limit = setting.token_limit
        if limit is not None and row.tokens > limit:
            over = row.tokens - limit
            yield self.fault(f"{row.tokens:,} tokens, {over:,} more than the limit of {_words(setting)}")


@dataclass(frozen=True)
class NearLimit(_LimitRule):
    """Option: the share of the limit from which an example counts as near it."""

    share: float = 0.95

    card: ClassVar[Card] = Card(
        code="TOK103",
        name="near-limit",
        severity="info",
        finds="An example has nearly as many tokens as the limit.",
        why="A provider may count a few tokens more than can be known from outside; such an example may be cut.",
        bad=Sample(text=_LONG, recipe={"token-limit": 66}),
        good=Sample(text=_SHORT, recipe={"token-limit": 66}),
    )

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        limit = setting.token_limit
        if limit is not None and self.share * limit < row.tokens <= limit:
            yield self.fault(f"{row.tokens:,} tokens, the limit is {_words(setting)}")


class EmptyAfterCut(_LimitRule):
    card: ClassVar[Card] = Card(
        code="TOK107",
        name="empty-after-cut",
        severity="error",
        finds="What stands before the answer fills the limit alone: nothing of it is left when the end is cut.",
        why="The example is paid for and teaches nothing at all, or teaches to answer with nothing.",
        bad=Sample(text=_LONG_PROMPT, recipe={"token-limit": 50}),
        good=Sample(text=_LONG, recipe={"token-limit": 50}),
    )

    def ready(self, setting: Setting) -> str:
        """A limit is needed, and that the end is cut."""
        if setting.target is not None and setting.target.value("limits.cut") == "start":
            return f"the target {setting.target.name} cuts the start of what is too long, not the end"
        return super().ready(setting)

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        limit = setting.token_limit
        if limit is None or row.tokens - row.trainable < limit:
            return
        if isinstance(row.example, Pair):
            what, before = "the prompt alone has", row.tokens - row.trainable
        else:
            behind = _from_the_answer(row)
            what, before = "before the first reply stand", row.tokens - _cost(behind, setting)
            if not behind:
                return
        if before >= limit:
            left = f"nothing of the {'completion' if isinstance(row.example, Pair) else 'answer'} is left"
            yield self.fault(f"{what} {before:,} tokens, the limit is {_words(setting)}: {left} when the end is cut")


def _from_the_answer(row: Row) -> list[Message]:
    """The messages from the first one on that is learnt."""
    lists = parts_of(row.example)
    if len(lists) > 1:
        return [message for _, messages in lists[1:] for message in messages]
    messages = lists[0][1] if lists else []
    first = next((i for i, m in enumerate(messages) if m.is_trained), len(messages))
    return messages[first:]


def _cost(messages: list[Message], setting: Setting) -> int:
    """The tokens of messages at the end of an example, with those that end it."""
    names = [m.name for m in messages if m.name]
    texts = [text for m in messages for text in m.spoken()]
    counts = Counter(setting.encoding, "tiktoken").count([*texts, *names, *(m.role for m in messages)])
    return sum(counts) + chat_overhead(len(messages), len(names))


class OutputLongerThanLimit(RowRule):
    fact: ClassVar[str] = "limits.output"
    shapes: ClassVar[tuple[str, ...]] = ("chat", "completion", "preference", "unpaired")
    card: ClassVar[Card] = Card(
        code="TOK108",
        name="output-longer-than-limit",
        severity="error",
        finds="An answer has more tokens than the target's models give.",
        why="In use the model cannot say all of it; some providers refuse the file.",
        bad=Sample(text=_LONG),  # for a target that gives fewer
        good=Sample(text=_SHORT),
    )

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        fact = setting.target.get(self.fact) if setting.target else None
        if fact is None or type(fact.value) is not int or row.trainable <= fact.value:
            return
        for pointer, tokens in _answers(row, setting):
            if tokens > fact.value:
                where = f"{place_words(pointer)}: " if pointer else ""
                message = f"{where}an answer of {tokens:,} tokens, the most is {setting.told(fact)}"
                yield self.fault(message, pointer or "/completion")


def _answers(row: Row, setting: Setting) -> Iterator[tuple[str, int]]:
    """Each answer that is learnt, with its tokens."""
    if isinstance(row.example, Pair):
        yield "", row.trainable
        return
    counter = Counter(setting.encoding, "tiktoken")
    asked = "/input/" if len(parts_of(row.example)) > 1 else "\0"
    for pointer, message in walk(row.example):
        if message.is_trained and not pointer.startswith(asked):
            yield pointer, sum(counter.count(list(message.spoken())))


RULES = (OverLimit, NearLimit, EmptyAfterCut, OutputLongerThanLimit)
