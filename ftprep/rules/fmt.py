"""Rules on the form of records: shape, keys, types of values. Single messages have a room of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from ftprep.mends import Mend
from ftprep.model import Fault, Severity, ShapeName
from ftprep.rule import Card, RecordRule, Rule, Sample
from ftprep.rules import fmt_messages
from ftprep.rules.fmt_messages import ASK, GOOD, REPLY, meant_role, with_messages
from ftprep.rules.repairs import decoded_list
from ftprep.rules.spots import PAIR, TALKS, Spot, is_answered, lists_of, talks_of
from ftprep.setting import Setting
from ftprep.shapes.chat import CHAT_KEYS, DropKeys
from ftprep.shapes.columns import normalise
from ftprep.shapes.quoting import make_excerpt, make_pointer, name_kind, quote
from ftprep.shapes.wire import KEYS
from ftprep.targets import Fact, Target

_PAIRS = '{"prompt": "Peru ->", "completion": " Lima"}\n{"prompt": "Chad ->", "completion": " Ndjamena"}\n'


class _ChatRule(RecordRule):
    shapes: ClassVar[tuple[str, ...]] = ("chat",)


class _MessagesRule(RecordRule):
    shapes: ClassVar[tuple[str, ...]] = ("chat", "reinforcement")


def _lacks_messages(record: dict[str, Any]) -> bool:
    return record.get("messages") is None


class UnknownShape(Rule):
    card: ClassVar[Card] = Card(
        code="FMT101",
        name="unknown-shape",
        severity="error",
        finds="A file or record is neither prompt/completion nor chat, or cannot be told to be one of them.",
        why="Guessing which column is learnt may train the wrong thing: say which columns they are, or convert it.",
        bad=Sample(text='{"input_ids": [15496, 995], "labels": [-100, 995]}\n'),
        good=Sample(text=GOOD),
    )


class MissingMessages(_MessagesRule):
    card: ClassVar[Card] = Card(
        code="FMT102",
        name="missing-messages",
        severity="error",
        finds="A record among conversations has no messages.",
        why="There is nothing to train on in it; providers refuse the file.",
        bad=Sample(text=GOOD + '{"message": [' + ASK + ", " + REPLY + "]}\n"),
        good=Sample(text=GOOD),
        aliases=("missing_messages_list",),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        if not _lacks_messages(record):
            return
        if "messages" in record:
            yield self.fault("messages is null", make_pointer("messages"))
            return
        near = next((quote(k) for k in record if normalise(k) in ("message", "messages", "msgs", "conversation")), "")
        yield self.fault("no messages" + (f"; there is {near}" if near else ""), excerpt=make_excerpt(record))


class MessagesNotAList(_MessagesRule):
    card: ClassVar[Card] = Card(
        code="FMT103",
        name="messages-not-a-list",
        severity="error",
        finds="The messages of a record are not a list.",
        why="No turn can be told from another; providers refuse the file.",
        bad=Sample(text=GOOD + '{"messages": "Capital of Mali? Bamako."}\n'),
        good=Sample(text=GOOD),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        messages = record.get("messages")
        if messages is None or isinstance(messages, (list, tuple)) or decoded_list(messages) is not None:
            return
        yield self.fault(f"messages is {_kind(messages)}, not a list", make_pointer("messages"), make_excerpt(messages))


class EmptyMessages(_MessagesRule):
    card: ClassVar[Card] = Card(
        code="FMT104",
        name="empty-messages",
        severity="error",
        finds="The list of messages is empty.",
        why="There is nothing to train on; providers refuse the file.",
        bad=Sample(text=with_messages()),
        good=Sample(text=GOOD),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        messages = record.get("messages")
        if isinstance(messages, (list, tuple)) and not messages:
            yield self.fault("the list of messages is empty", make_pointer("messages"), "[]")


class MessageNotObject(RecordRule):
    shapes: ClassVar[tuple[str, ...]] = TALKS
    card: ClassVar[Card] = Card(
        code="FMT105",
        name="message-not-object",
        severity="error",
        finds="A message is not an object with role and content.",
        why="A bare text or list does not say who speaks; providers refuse the file.",
        bad=Sample(text=with_messages('"Capital of Mali?"', REPLY)),
        good=Sample(text=GOOD),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        for keys, messages in lists_of(record):
            for place, message in enumerate(messages):
                if not isinstance(message, dict):
                    spot = Spot(keys, place)
                    what = f"{spot} is {name_kind(message)}, not an object"
                    yield self.fault(what, spot.pointer(), make_excerpt(message))


class ExtraKey(RecordRule):
    shapes: ClassVar[tuple[str, ...]] = ("chat", "preference", "unpaired")
    card: ClassVar[Card] = Card(
        code="FMT110",
        name="extra-key",
        severity="warning",
        finds="A record has a key that its form does not know: beside messages, tools and functions, say.",
        why="Some providers refuse such files, others drop the key without a word: what it says is not learnt.",
        bad=Sample(text=GOOD + '{"messages": [' + ASK + ", " + REPLY + '], "topic": "capitals"}\n'),
        good=Sample(text=GOOD),
        fix="unsafe",
        mended="Leaves the unknown keys out of the record.",
    )

    def refused_by(self, target: Target) -> Fact | None:
        return fact if (fact := target.get("record.extra")) and fact.value == "reject" else None

    def severity(self, setting: Setting) -> Severity:
        """A key that the target is known to ignore is no matter."""
        fact = setting.target.get("record.extra") if setting.target else None
        return "info" if fact is not None and fact.value == "ignore" else super().severity(setting)

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        asked = record.get("input")
        if is_answered(record):
            shape: ShapeName = "preference" if any(key in record for key in PAIR) else "unpaired"
            yield from self._look(record, KEYS[shape])
            if isinstance(asked, dict):
                yield from self._look(asked, CHAT_KEYS, "input")
        elif not _lacks_messages(record):
            yield from self._look(record, CHAT_KEYS)

    def _look(self, record: dict[str, Any], known: frozenset[str], *under: str) -> Iterator[Fault]:
        where = f"{'.'.join(under)}: " if under else ""
        for key, value in record.items():
            if key not in known:
                yield self.fault(f"{where}unknown key {quote(key)}", make_pointer(*under, key), make_excerpt(value))

    def mend(self, setting: Setting) -> Mend | None:
        """Leaves the keys out."""
        del setting
        return DropKeys("record")


class NothingTrained(_ChatRule):
    card: ClassVar[Card] = Card(
        code="FMT115",
        name="nothing-trained",
        severity="error",
        finds="Every reply of the assistant has the weight 0.",
        why="The example costs tokens and teaches nothing; providers refuse the file.",
        bad=Sample(text=with_messages(ASK, '{"role": "assistant", "content": "Bamako.", "weight": 0}')),
        good=Sample(text=with_messages(ASK, '{"role": "assistant", "content": "Mali?", "weight": 0}', ASK, REPLY)),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        replies = [m for _, m in talks_of(record) if meant_role(m.get("role")) == "assistant"]
        if replies and all(m.get("weight") == 0 and m.get("weight") is not False for m in replies):
            yield self.fault("every reply has the weight 0, so nothing is trained", make_pointer("messages"))


class MixedShapes(Rule):
    card: ClassVar[Card] = Card(
        code="FMT117",
        name="mixed-shapes",
        severity="error",
        finds="Conversations and prompt/completion examples stand in one file.",
        why="A file is trained in one form; providers refuse a mixture. Convert the rows or part the file.",
        bad=Sample(text=GOOD + '{"prompt": "Peru ->", "completion": " Lima"}\n'),
        good=Sample(text=GOOD),
    )


class NotConvertible(Rule):
    card: ClassVar[Card] = Card(
        code="FMT118",
        name="not-convertible",
        severity="error",
        finds="A conversation says what prompt and completion cannot carry: tools, pictures, names, refusals.",
        why="Leaving it out without a word would train on another conversation than the one that was written.",
        bad=Sample(
            text=with_messages('{"role": "user", "name": "ann", "content": "Capital of Mali?"}', REPLY),
            recipe={"turns": {"user": "Customer: ", "assistant": "Agent: "}},
        ),
        good=Sample(text=GOOD, recipe={"turns": {"user": "Customer: ", "assistant": "Agent: "}}),
    )


class KeyType(RecordRule):
    shapes: ClassVar[tuple[str, ...]] = TALKS
    card: ClassVar[Card] = Card(
        code="FMT119",
        name="key-type",
        severity="error",
        finds="A known key holds a value of another type: tools that are no list of objects, say.",
        why="Providers refuse the file.",
        bad=Sample(text=GOOD + '{"messages": [' + ASK + ", " + REPLY + '], "tools": "find"}\n'),
        good=Sample(text=GOOD + '{"messages": [' + ASK + ", " + REPLY + '], "tools": []}\n'),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        asked = record.get("input")
        if not is_answered(record):
            yield from self._look({} if _lacks_messages(record) else record, ())
        elif isinstance(asked, dict):
            yield from self._look(asked, ("input",))
        for spot, message in talks_of(record):
            for key in ("refusal", "tool_call_id", "reasoning_content", "reasoning", "thinking"):
                value = message.get(key)
                if value is not None and not isinstance(value, str):
                    yield self._wrong(f"{spot}: {key}", value, "text", spot.pointer(key))

    def _look(self, chat: dict[str, Any], keys: tuple[str, ...]) -> Iterator[Fault]:
        """What stands beside the messages."""
        for key in ("tools", "functions", "parallel_tool_calls"):
            value = chat.get(key)
            if key == "parallel_tool_calls":
                wanted, is_sound = "true or false", isinstance(value, bool)
            else:
                wanted, is_sound = "a list of objects", _is_list_of_objects(value) or decoded_list(value) is not None
            if value is not None and not is_sound:
                yield self._wrong(".".join((*keys, key)), value, wanted, make_pointer(*keys, key))

    def _wrong(self, what: str, value: object, wanted: str, pointer: str) -> Fault:
        return self.fault(f"{what} is {_kind(value)}, not {wanted}", pointer, make_excerpt(value))


def _kind(value: object) -> str:
    looks = isinstance(value, str) and value.lstrip()[:1] in ("[", "{")
    return "text that looks like JSON" if looks else name_kind(value)


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(v, dict) for v in value)


class PromptOrCompletionMissing(Rule):
    card: ClassVar[Card] = Card(
        code="FMT120",
        name="prompt-or-completion-missing",
        severity="error",
        finds="A record lacks a column that its prompt or completion is made of, or has null in it.",
        why="Filling it in would train on the word 'None' or 'nan' as if somebody had written it.",
        bad=Sample(text=_PAIRS + '{"prompt": "Mali ->", "completion": null}\n'),
        good=Sample(text=_PAIRS),
    )


class ValueNotText(Rule):
    card: ClassVar[Card] = Card(
        code="FMT121",
        name="value-not-text",
        severity="warning",
        finds="A prompt or completion is a number, true or false instead of text.",
        why="Providers want text. It is read as JSON writes it, but 007 or 1.0 may have lost something before.",
        bad=Sample(text=_PAIRS + '{"prompt": "How many legs has a dog? ->", "completion": 4}\n'),
        good=Sample(text=_PAIRS + '{"prompt": "How many legs has a dog? ->", "completion": " 4"}\n'),
        fix="safe",
        mended="Writes the number, true or false as text.",
    )


class ValueNotScalar(Rule):
    card: ClassVar[Card] = Card(
        code="FMT122",
        name="value-not-scalar",
        severity="error",
        finds="A prompt or completion is a list, an object or something else that is no text at all.",
        why="There is no one way to write it as text, and a wrong one would be trained on.",
        bad=Sample(text=_PAIRS + '{"prompt": "Cities of Mali ->", "completion": ["Bamako", "Sikasso"]}\n'),
        good=Sample(text=_PAIRS + '{"prompt": "Cities of Mali ->", "completion": " Bamako, Sikasso"}\n'),
    )


RULES: tuple[type[Rule], ...] = (
    UnknownShape,
    MissingMessages,
    MessagesNotAList,
    EmptyMessages,
    MessageNotObject,
    *fmt_messages.RULES,
    ExtraKey,
    NothingTrained,
    MixedShapes,
    NotConvertible,
    KeyType,
    PromptOrCompletionMissing,
    ValueNotText,
    ValueNotScalar,
)
