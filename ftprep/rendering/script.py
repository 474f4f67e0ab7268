"""What is rendered of an example: a conversation, or several that differ in the answer; what is learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ftprep.model import Chat, Example, Message, Pair, Preference, Reinforcement, Stepwise, Turn, Unpaired

Train = Literal["assistant", "last", "all"]
"""What the loss looks at: every answer of the assistant, the last one only, or all that is said."""

TRAIN: tuple[Train, ...] = ("assistant", "last", "all")


@dataclass(frozen=True)
class Script:
    """One conversation to be rendered; `trained` says of each message whether the loss looks at it, `waits` that the
    model is to go on from its end."""

    messages: tuple[Message | Turn, ...]
    trained: tuple[bool, ...]
    tools: tuple[dict[str, Any], ...] = ()
    label: str = ""
    waits: bool = False
    notes: tuple[str, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """Who speaks."""
        return tuple([m.role for m in self.messages])


@dataclass(frozen=True)
class Plain:
    """Texts that go in as they stand, one after the other, with their names; the last ones are trained on."""

    texts: tuple[str, ...]
    names: tuple[str, ...]
    trained: tuple[bool, ...]
    notes: tuple[str, ...] = ()


def scripts_of(example: Example, train: Train = "assistant") -> tuple[Script | Plain, ...]:
    """What is rendered of an example."""
    if isinstance(example, Pair):
        return (Plain((example.prompt, example.completion), ("prompt", "completion"), (train == "all", True)),)
    if isinstance(example, Stepwise):
        steps = range(1, 1 + len(example.completions))
        names = [f"step {n} ({'right' if ok else 'wrong'})" for n, ok in zip(steps, example.labels, strict=False)]
        names += ["step"] * (len(example.completions) - len(names))
        told = ("what is learnt of each step is whether it is right, at its end; steps are parted by line ends",)
        texts = (example.prompt, *example.completions)
        return (Plain(texts, ("prompt", *names), (train == "all", *[True] * len(names)), told),)
    if isinstance(example, Preference):
        pairs = (("chosen", example.preferred_output), ("rejected", example.non_preferred_output))
        return tuple(_answered(example.input, answer, label, train) for label, answer in pairs)
    if isinstance(example, Unpaired):
        return (_answered(example.input, example.output, "good" if example.label else "bad", train),)
    return (_talk(example, train),)


def _talk(chat: Chat, train: Train) -> Script:
    messages: list[Message | Turn] = list(chat.messages)
    waits = isinstance(chat, Reinforcement)
    trained = [m.is_trained for m in messages]
    notes = (
        ["the answer is the model's own, and a grader judges it: no text of the record is trained on"] if waits else []
    )
    if waits:
        trained = [False] * len(messages)
    elif train == "all":
        trained = [True] * len(messages)
    elif train == "last":
        trained = _last_only(messages)
    return Script(tuple(messages), tuple(trained), _tools(chat), "", waits, tuple(notes))


def _last_only(messages: Sequence[Message | Turn]) -> list[bool]:
    last = max((i for i, m in enumerate(messages) if m.role == "assistant"), default=-1)
    return [i == last and m.is_trained for i, m in enumerate(messages)]


def _answered(asked: Chat, answer: Sequence[Message], label: str, train: Train) -> Script:
    learnt = [m.is_trained or train == "all" for m in answer]
    trained = (*[train == "all"] * len(asked.messages), *learnt)
    return Script((*asked.messages, *answer), trained, _tools(asked), label)


def _tools(chat: Chat) -> tuple[dict[str, Any], ...]:
    """The tools that are declared, older `functions` in the form of today."""
    return (*(chat.tools or ()), *({"type": "function", "function": f} for f in chat.functions or ()))
