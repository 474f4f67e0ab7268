"""The shapes beside prompt/completion and chat, in the wire forms of the model, and all shapes in other dialects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from ftprep.model import (
    Chat,
    Example,
    Fault,
    Message,
    Pair,
    Preference,
    Reinforcement,
    Row,
    ShapeName,
    Stepwise,
    Unpaired,
)
from ftprep.shapes.chat import CHAT_EXTRA, MESSAGE_EXTRA, MESSAGE_KEYS, are_sound, aside, explain, put_back
from ftprep.shapes.convert import CannotConvert
from ftprep.shapes.dialect import Dialect, Parsed
from ftprep.shapes.meaning import is_same

_ENCODER = msgspec.json.Encoder()

STRUCTS: dict[ShapeName, type[Chat | Preference | Unpaired | Stepwise]] = {
    "chat": Chat,
    "preference": Preference,
    "unpaired": Unpaired,
    "stepwise": Stepwise,
    "reinforcement": Reinforcement,
}

KEYS: dict[ShapeName, frozenset[str]] = {
    name: frozenset(f.encode_name for f in msgspec.structs.fields(kind) if f.name != "extra")
    for name, kind in STRUCTS.items()
}
"""The keys that a record of a shape has in its wire form."""

_ANSWERS = ("preferred_output", "non_preferred_output", "output")

DIALECT_OF: dict[ShapeName, str] = {
    "completion": "openai-completion",
    "chat": "openai-chat",
    "preference": "openai-preference",
    "unpaired": "unpaired",
    "stepwise": "trl-stepwise",
    "reinforcement": "openai-reinforcement",
}
"""What the wire form of each shape is called as a dialect."""


@dataclass(frozen=True)
class WireShape:
    """Examples of one shape in its wire form; `open` says where other keys than the known ones are no matter: in the
    record (the fields for a grader), or in its messages too (what a dialect says beside)."""

    name: ShapeName
    open: Literal["", "record", "all"] = ""

    @property
    def dialect(self) -> str:
        """What the wire form is called."""
        return DIALECT_OF[self.name]

    def parse(self, record: dict[str, Any]) -> Parsed:
        """The record itself."""
        return Parsed(record)

    def read(self, row: Row) -> bool:
        """Set the example if the record is sound."""
        example = self.example_of(row.record)
        if example is None:
            return False
        row.example = example
        return True

    def example_of(self, record: dict[str, Any]) -> Example | None:
        """What a record in the wire form says, None where anything about it is to be found by a rule."""
        if CHAT_EXTRA in record:
            return None
        told = record
        if self.open:
            told = self._all_aside(record) if self.open == "all" else aside(record, KEYS[self.name], CHAT_EXTRA)
        try:
            example = msgspec.convert(told, STRUCTS[self.name])
        except (msgspec.ValidationError, RecursionError):
            return None
        return example if _is_sound(example, record) else None

    def read_loosely(self, record: dict[str, Any]) -> Example | str:
        """The example with unknown keys put aside as `extra`, or what is wrong with it."""
        try:
            return msgspec.convert(self._all_aside(record), STRUCTS[self.name])
        except msgspec.ValidationError as error:
            return explain(error)
        except RecursionError:
            return "nested too deeply"

    def _all_aside(self, record: dict[str, Any]) -> dict[str, Any]:
        told = aside(record, KEYS[self.name], CHAT_EXTRA)
        for key in ("messages", *_ANSWERS):
            if key in told:
                told[key] = _messages_aside(told[key])
        if "input" in told and isinstance(told["input"], dict):
            told["input"] = aside(told["input"], KEYS["chat"], CHAT_EXTRA)
            told["input"]["messages"] = _messages_aside(told["input"].get("messages"))
        return told

    def faults(self, record: dict[str, Any]) -> Iterator[Fault]:
        """Nothing: the FMT rules look at the record themselves."""
        del record
        yield from ()

    def write(self, example: Example) -> bytes:
        """The example as one JSON line, other keys behind the known ones."""
        if isinstance(example, Pair) or example.shape != self.name:
            raise TypeError(f"a {example.shape} example has to be converted before it is written as {self.name}")
        return _ENCODER.encode(put_back(msgspec.to_builtins(example)))


def _messages_aside(messages: Any) -> Any:
    if not isinstance(messages, (list, tuple)):
        return messages
    return [aside(m, MESSAGE_KEYS, MESSAGE_EXTRA) if isinstance(m, dict) else m for m in messages]


def _is_sound(example: Example, said: dict[str, Any]) -> bool:
    """What the types cannot say; each refusal here is a fault that one of the FMT rules names."""
    if isinstance(example, Stepwise):
        return len(example.completions) == len(example.labels) > 0
    if isinstance(example, Reinforcement):
        messages = example.messages
        return bool(messages) and messages[-1].role in ("user", "tool") and are_sound(messages, said["messages"])
    if isinstance(example, Chat):
        replies = [m for m in example.messages if m.role == "assistant"]
        trained = not replies or any(m.weight != 0 for m in replies)
        return bool(example.messages) and trained and are_sound(example.messages, said["messages"])
    if isinstance(example, Pair):
        return True
    asked = example.input.messages
    answers = [said[key] for key in _ANSWERS if key in said]
    if CHAT_EXTRA in said["input"] or not asked or asked[-1].role == "assistant":
        return False
    if not are_sound(asked, said["input"]["messages"]) or not all(map(are_sound, example.answers, answers)):
        return False
    return all(map(_is_one_reply, example.answers)) and not _are_same(example.answers)


def _is_one_reply(messages: list[Message]) -> bool:
    only = messages[0] if len(messages) == 1 else None
    return only is not None and only.role == "assistant" and any(text.strip() for text in only.spoken())


def _are_same(answers: tuple[list[Message], ...]) -> bool:
    said = [[" ".join(text.split()) for m in messages for text in m.spoken()] for messages in answers]
    return len(said) == 2 and said[0] == said[1]


@dataclass(frozen=True)
class DialectShape:
    """Examples of one shape in another dialect than the wire form, which is what the rules look at."""

    of: Dialect
    lossy: bool = False

    @property
    def name(self) -> ShapeName:
        """The shape of its examples."""
        return self.of.shape

    @property
    def dialect(self) -> str:
        """The dialect's name."""
        return self.of.name

    @property
    def _wire(self) -> WireShape:
        return WireShape(self.of.shape, "all")

    def parse(self, record: dict[str, Any]) -> Parsed:
        """The record in the wire form."""
        return self.of.parse(record)

    def read(self, row: Row) -> bool:
        """Set the example if the record is sound; keys that the dialect does not know are no matter."""
        example = self._wire.example_of(self.of.parse(row.record).record)
        if example is None:
            return False
        row.example = example
        return True

    def example_of(self, record: dict[str, Any]) -> Example | None:
        """What a record in the wire form says, None where it is not sound."""
        return self._wire.example_of(record)

    def read_loosely(self, record: dict[str, Any]) -> Example | str:
        """The example of a record in the wire form."""
        return self._wire.read_loosely(record)

    def faults(self, record: dict[str, Any]) -> Iterator[Fault]:
        """Nothing: the FMT rules look at the record themselves."""
        del record
        yield from ()

    def write(self, example: Example) -> bytes:
        """The example as one JSON line of the dialect; raises CannotConvert where more than spelling is lost."""
        written = self.of.write(example)
        if written.losses and not self.lossy and not self._says(written.record, example):
            raise CannotConvert(f"{self.of.title} has no place for {', '.join(written.losses)}")
        return _ENCODER.encode(written.record)

    def _says(self, record: dict[str, Any], example: Example) -> bool:
        """Whether a record teaches what the example does."""
        again = self.read_loosely(self.of.parse(record).record)
        return not isinstance(again, str) and is_same(again, example)
