"""Rules on preferences and other answered questions: the question, the answers beside it, what tells them apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ftprep.batch import Batch
from ftprep.model import Fault, ImagePart, Message, Preference, Row, Unpaired
from ftprep.rule import Card, RowRule, Rule, Sample
from ftprep.rules import preference_form
from ftprep.rules.fmt_messages import ASK, REPLY
from ftprep.rules.preference_form import ANSWERED, GOOD, pair
from ftprep.rules.spots import PAIR
from ftprep.setting import Setting
from ftprep.shapes.quoting import make_excerpt, make_pointer

_PICTURE = '{"type": "image_url", "image_url": {"url": "https://example.com/mali.png"}}'


class _AnsweredRow(RowRule):
    """Looks at loaded examples, since what it finds hangs on the target or is no matter of form."""

    shapes: ClassVar[tuple[str, ...]] = ("preference",)
    kinds: ClassVar[tuple[type, ...]] = (Preference,)

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows of these kinds."""
        return [row for row in batch.rows if isinstance(row.example, self.kinds)]

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        """The faults of one example."""
        if isinstance(row.example, (Preference, Unpaired)) and isinstance(row.example, self.kinds):
            yield from self.look(row.example, setting)

    def look(self, example: Preference | Unpaired, setting: Setting) -> Iterator[Fault]:
        """The faults of one answered question."""
        raise NotImplementedError


def _named(example: Preference | Unpaired) -> Iterator[tuple[str, list[Message]]]:
    """The answers with their keys."""
    yield from zip(PAIR if isinstance(example, Preference) else ("output",), example.answers, strict=True)


class OutputNotOneAssistant(_AnsweredRow):
    card: ClassVar[Card] = Card(
        code="FMT142",
        name="output-not-one-assistant",
        severity="error",
        finds="The preferred or non-preferred output is not one message of the assistant (or what the target takes).",
        why="Only one turn is learnt: what comes before it belongs into the input, what comes after is refused.",
        bad=Sample(text=pair(better=f"[{ASK}, {REPLY}]")),
        good=Sample(text=GOOD),
    )

    def look(self, example: Preference | Unpaired, setting: Setting) -> Iterator[Fault]:
        target = setting.target
        roles = target.value("preference.output_roles") if target else None
        most = target.value("preference.output_messages", None if roles else 1) if target else 1
        for name, messages in _named(example):
            if isinstance(most, int) and len(messages) > max(most, 1):
                what = f"{name} has {len(messages)} messages, not {'one' if most < 2 else most}"
                yield self.fault(what, make_pointer(name))
            for place, message in enumerate(messages):
                if message.role not in (roles or ("assistant",)):
                    what = f"{name}[{place}]: a message of role {message.role}; it must be the assistant's"
                    yield self.fault(what, make_pointer(name, place, "role"))
            if roles and messages and "assistant" not in {m.role for m in messages}:
                yield self.fault(f"{name} has no message of the assistant", make_pointer(name))


def _words(messages: list[Message]) -> list[str]:
    """What an answer says and shows, without how it is spaced."""
    said = [" ".join(text.split()) for m in messages for text in (m.role, *m.spoken())]
    parts = [p for m in messages if isinstance(m.content, list) for p in m.content]
    return said + [p.image_url.url for p in parts if isinstance(p, ImagePart)]


def _says_nothing(message: Message) -> bool:
    shows = isinstance(message.content, list) and any(isinstance(p, ImagePart) for p in message.content)
    return not shows and not any(text.strip() for text in message.spoken())


class OutputsIdentical(_AnsweredRow):
    card: ClassVar[Card] = Card(
        code="FMT143",
        name="outputs-identical",
        severity="error",
        finds="The preferred and the non-preferred output are the same, or differ in white space only.",
        why="There is nothing to prefer: the loss stays where it was, and the example is paid for.",
        bad=Sample(text=pair(worse='[{"role": "assistant", "content": "Bamako. "}]')),
        good=Sample(text=GOOD),
    )

    def look(self, example: Preference | Unpaired, setting: Setting) -> Iterator[Fault]:
        del setting
        better, worse = example.answers[0], example.answers[-1]
        if all(map(_says_nothing, better)) and all(map(_says_nothing, worse)):
            return  # they are empty, which is told for each
        if better == worse:
            yield self.fault("both outputs are the same", make_pointer(PAIR[1]), make_excerpt(example.answer))
        elif _begin_alike(better, worse) and _words(better) == _words(worse):
            what = "both outputs are the same but for white space"
            yield self.fault(what, make_pointer(PAIR[1]), make_excerpt(example.answer))


def _begin_alike(ours: list[Message], theirs: list[Message]) -> bool:
    """Whether the first letters of both are the same: mostly that tells two answers apart at once."""
    starts = ["".join(messages[0].text[:200].split()) if messages else "" for messages in (ours, theirs)]
    shorter = min(map(len, starts))
    return starts[0][:shorter] == starts[1][:shorter]


class InputEndsWithAssistant(_AnsweredRow):
    shapes: ClassVar[tuple[str, ...]] = ANSWERED
    kinds: ClassVar[tuple[type, ...]] = (Preference, Unpaired)
    card: ClassVar[Card] = Card(
        code="FMT144",
        name="input-ends-with-assistant",
        severity="error",
        finds="The last message of the input is the assistant's.",
        why="The answers would come behind an answer; providers refuse the file. Often it repeats one of the outputs.",
        bad=Sample(text=pair(asked=f'{{"messages": [{ASK}, {REPLY}]}}')),
        good=Sample(text=GOOD),
    )

    def look(self, example: Preference | Unpaired, setting: Setting) -> Iterator[Fault]:
        del setting
        messages = example.input.messages
        if messages and messages[-1].role == "assistant":
            what = "the input ends with a message of the assistant"
            yield self.fault(what, make_pointer("input", "messages", len(messages) - 1))


class OutputEmpty(_AnsweredRow):
    shapes: ClassVar[tuple[str, ...]] = ANSWERED
    kinds: ClassVar[tuple[type, ...]] = (Preference, Unpaired)
    card: ClassVar[Card] = Card(
        code="FMT145",
        name="preference-output-empty",
        severity="error",
        finds="An answer has no message, or says nothing: no words, no call, no refusal.",
        why="As the better answer it teaches silence; as the worse one it teaches only that something must be said.",
        bad=Sample(text=pair(worse='[{"role": "assistant", "content": ""}]')),
        good=Sample(text=GOOD),
    )

    def look(self, example: Preference | Unpaired, setting: Setting) -> Iterator[Fault]:
        del setting
        for name, messages in _named(example):
            if not messages:
                yield self.fault(f"{name} is an empty list", make_pointer(name), "[]")
            elif all(map(_says_nothing, messages)):
                yield self.fault(f"{name} says nothing", make_pointer(name, 0, "content"))


class InputEmpty(_AnsweredRow):
    shapes: ClassVar[tuple[str, ...]] = ANSWERED
    kinds: ClassVar[tuple[type, ...]] = (Preference, Unpaired)
    fact: ClassVar[str] = "record.required"
    card: ClassVar[Card] = Card(
        code="FMT146",
        name="input-empty",
        severity="error",
        finds="The input has no message, and the target wants one.",
        why="TRL learns from answers alone; hosted providers want to know what was asked.",
        bad=Sample(text=pair(asked='{"messages": []}'), recipe={"target": "openai"}),
        good=Sample(text=GOOD, recipe={"target": "openai"}),
    )

    def look(self, example: Preference | Unpaired, setting: Setting) -> Iterator[Fault]:
        if not example.input.messages and setting.target and "input" in setting.target.value(self.fact):
            what = f"the input is empty; {setting.target.name} wants to know what was asked"
            yield self.fault(what, make_pointer("input", "messages"), "[]")


class NotText(_AnsweredRow):
    fact: ClassVar[str] = "preference.text_only"
    card: ClassVar[Card] = Card(
        code="FMT147",
        name="preference-not-text",
        severity="error",
        finds="A preference has a picture, and the target takes text only.",
        why="Where preferences are learnt from text alone, such a file is refused.",
        bad=Sample(
            text=pair(asked=f'{{"messages": [{{"role": "user", "content": [{_PICTURE}]}}]}}'),
            recipe={"target": "openai"},
        ),
        good=Sample(text=GOOD, recipe={"target": "openai"}),
    )

    def look(self, example: Preference | Unpaired, setting: Setting) -> Iterator[Fault]:
        if not (setting.target and setting.target.value(self.fact)):
            return
        talks = [(("input", "messages"), example.input.messages), *(((n,), m) for n, m in _named(example))]
        for keys, messages in talks:
            for place, message in enumerate(messages):
                for number, part in enumerate(message.content if isinstance(message.content, list) else ()):
                    if isinstance(part, ImagePart):
                        what = f"{'.'.join(keys)}[{place}]: a picture; {setting.target.name} takes text only here"
                        yield self.fault(what, make_pointer(*keys, place, "content", number))


RULES: tuple[type[Rule], ...] = (
    *preference_form.RULES,
    OutputNotOneAssistant,
    OutputsIdentical,
    InputEndsWithAssistant,
    OutputEmpty,
    InputEmpty,
    NotText,
)
