"""Rules on the form of answered questions: the input and the answers are there, and lists of messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from ftprep.model import Fault
from ftprep.rule import Card, RecordRule, Sample
from ftprep.rules.fmt_messages import ASK, REPLY
from ftprep.rules.spots import PAIR
from ftprep.shapes.quoting import make_excerpt, make_pointer, name_kind

ANSWERED = ("preference", "unpaired")

_WORSE = '{"role": "assistant", "content": "Timbuktu."}'


def pair(asked: str = f'{{"messages": [{ASK}]}}', better: str = f"[{REPLY}]", worse: str = f"[{_WORSE}]") -> str:
    """A tiny set of preferences: a sound one, and one of these parts (JSON text each; an empty one is left out)."""
    good = (
        '{"input": {"messages": [{"role": "user", "content": "Capital of Peru?"}]}, "preferred_output": '
        '[{"role": "assistant", "content": "Lima."}], "non_preferred_output": '
        '[{"role": "assistant", "content": "Cusco."}]}\n'
    )
    parts = {"input": asked, "preferred_output": better, "non_preferred_output": worse}
    return good + "{" + ", ".join(f'"{key}": {text}' for key, text in parts.items() if text) + "}\n"


GOOD = pair()


def outputs_of(record: dict[str, Any]) -> tuple[str, ...]:
    """Under which keys a record has its answers, or should have them."""
    is_pair = any(key in record for key in PAIR) or not ("output" in record or "label" in record)
    return PAIR if is_pair else ("output",)


class _AnsweredRecord(RecordRule):
    shapes: ClassVar[tuple[str, ...]] = ANSWERED


class InputMissing(_AnsweredRecord):
    card: ClassVar[Card] = Card(
        code="FMT140",
        name="preference-input-missing",
        severity="error",
        finds="A record with answers has no input, or its input has no list of messages.",
        why="Nobody can tell what the answers answer; providers say `is missing key 'input'`.",
        bad=Sample(text=pair(asked="")),
        good=Sample(text=GOOD),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        asked = record.get("input")
        if asked is None:
            what, at = ("input is null", "/input") if "input" in record else ("no input", "")
            yield self.fault(what, at, "" if at else make_excerpt(record))
        elif not isinstance(asked, dict):
            what = f"input is {name_kind(asked)}, not an object with messages"
            yield self.fault(what, "/input", make_excerpt(asked))
        elif asked.get("messages") is None:
            what, at = ("are null", "/input/messages") if "messages" in asked else ("are missing", "/input")
            yield self.fault(f"the messages of input {what}", at, make_excerpt(asked))
        elif not isinstance(asked["messages"], (list, tuple)):
            what = f"input.messages is {name_kind(asked['messages'])}, not a list"
            yield self.fault(what, "/input/messages", make_excerpt(asked["messages"]))


class OutputMissing(_AnsweredRecord):
    card: ClassVar[Card] = Card(
        code="FMT141",
        name="preference-output-missing",
        severity="error",
        finds="A record lacks an answer: the preferred, the non-preferred, or the one that is labelled.",
        why="A preference is learnt from the difference of two answers; a label needs the answer that it judges.",
        bad=Sample(text=pair(worse="")),
        good=Sample(text=GOOD),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        for key in outputs_of(record):
            if key not in record:
                yield self.fault(f"no {key}", "", make_excerpt(record))
            elif record[key] is None:
                yield self.fault(f"{key} is null", make_pointer(key))


class OutputNotAList(_AnsweredRecord):
    card: ClassVar[Card] = Card(
        code="FMT148",
        name="output-not-a-list",
        severity="error",
        finds="An answer is a text or a single message instead of a list of messages.",
        why="Providers want a list even for one message, and refuse the file.",
        bad=Sample(text=pair(better=REPLY)),
        good=Sample(text=GOOD),
        fix="safe",
        mended="Makes a list of one message of the assistant.",
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        for key in outputs_of(record):
            value = record.get(key)
            if value is not None and not isinstance(value, (list, tuple)):
                what = f"{key} is {name_kind(value)}, not a list of one message"
                fixable = isinstance(value, (str, dict))
                yield Fault(self.card.code, what, make_pointer(key), make_excerpt(value), fixable=fixable)

    def repair(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record with what the rule finds put right where that is exact, else the very same object."""
        lists: dict[str, Any] = {}
        for key in outputs_of(record):
            value = record.get(key)
            if isinstance(value, str):
                lists[key] = [{"role": "assistant", "content": value}]
            elif isinstance(value, dict):
                lists[key] = [value]
        return {**record, **lists} if lists else record


RULES: tuple[type[RecordRule], ...] = (InputMissing, OutputMissing, OutputNotAList)
