"""Rules on the form of records: shape, keys, types of values. Single messages have a room of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from ftprep.mends import Mend
from ftprep.model import Fault
from ftprep.rule import Card, RecordRule, Rule, Sample
from ftprep.rules import fmt_messages
from ftprep.rules.fmt_messages import ASK, GOOD, REPLY, meant_role, with_messages
from ftprep.rules.talks import TALKS, Spot, is_answered, lists_of, talks_of
from ftprep.setting import Setting
from ftprep.shapes.chat import CHAT_KEYS, DropKeys
from ftprep.shapes.columns import choose_completion, choose_prompt, normalise
from ftprep.shapes.foreign import READS, recognise
from ftprep.shapes.quoting import make_excerpt, make_pointer, name_kind, quote

_PAIRS = '{"prompt": "Peru ->", "completion": " Lima"}\n{"prompt": "Chad ->", "completion": " Ndjamena"}\n'


class _ChatRule(RecordRule):
    shapes: ClassVar[tuple[str, ...]] = ("chat",)


class _MessagesRule(RecordRule):
    shapes: ClassVar[tuple[str, ...]] = ("chat", "reinforcement")


def _lacks_messages(record: dict[str, Any]) -> bool:
    return record.get("messages") is None


def _is_pair(record: dict[str, Any]) -> bool:
    columns = [k for k in record if isinstance(k, str)]
    completion = choose_completion(columns, ())
    return completion is not None and choose_prompt(columns, completion.template.columns) is not None


class UnknownShape(_MessagesRule):
    card: ClassVar[Card] = Card(
        code="FMT101",
        name="unknown-shape",
        severity="error",
        finds="A file or record is neither prompt/completion nor chat, or cannot be told to be one of them.",
        why="Guessing which column is learnt may train the wrong thing: say which columns they are, or convert it.",
        bad=Sample(text='{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello."}]}\n'),
        good=Sample(text=GOOD),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        foreign = recognise(record) if _lacks_messages(record) else ""
        if foreign:
            yield self.fault(f"this is {foreign}; {READS}", excerpt=make_excerpt(record))


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
        if not _lacks_messages(record) or recognise(record) or _is_pair(record):
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
        why="Often they were encoded twice and are JSON inside a text; then no turn can be told from another.",
        bad=Sample(text=GOOD + '{"messages": "[{\\"role\\": \\"user\\", \\"content\\": \\"Capital of Mali?\\"}]"}\n'),
        good=Sample(text=GOOD),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        messages = record.get("messages")
        if messages is None or isinstance(messages, (list, tuple)):
            return
        encoded = isinstance(messages, str) and messages.lstrip()[:1] in ("[", "{")
        what = "text that holds JSON: encoded twice" if encoded else f"{name_kind(messages)}, not a list"
        yield self.fault(f"messages is {what}", make_pointer("messages"), make_excerpt(messages))


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


class ExtraKey(_ChatRule):
    card: ClassVar[Card] = Card(
        code="FMT110",
        name="extra-key",
        severity="warning",
        finds="A conversation has a key beside messages, tools, parallel_tool_calls and functions.",
        why="Some providers refuse such files, others drop the key without a word: what it says is not learnt.",
        bad=Sample(text=GOOD + '{"messages": [' + ASK + ", " + REPLY + '], "topic": "capitals"}\n'),
        good=Sample(text=GOOD),
        fix="unsafe",
        mended="Leaves the unknown keys out of the record.",
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        if _lacks_messages(record):
            return
        for key, value in record.items():
            if key not in CHAT_KEYS:
                yield self.fault(f"unknown key {quote(key)}", make_pointer(key), make_excerpt(value))

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


class MixedShapes(_MessagesRule):
    card: ClassVar[Card] = Card(
        code="FMT117",
        name="mixed-shapes",
        severity="error",
        finds="Conversations and prompt/completion examples stand in one file.",
        why="A file is trained in one form; providers refuse a mixture. Convert the rows or part the file.",
        bad=Sample(text=GOOD + '{"prompt": "Peru ->", "completion": " Lima"}\n'),
        good=Sample(text=GOOD),
    )

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        if _lacks_messages(record) and not recognise(record) and _is_pair(record):
            message = "a prompt/completion example among conversations: keep one form in a file"
            yield self.fault(message, excerpt=make_excerpt(record))


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
        why="Providers refuse the file. Tools as text were often encoded twice.",
        bad=Sample(text=GOOD + '{"messages": [' + ASK + ", " + REPLY + '], "tools": "[]"}\n'),
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
                wanted, is_sound = "a list of objects", _is_list_of_objects(value)
            if value is not None and not is_sound:
                yield self._wrong(".".join((*keys, key)), value, wanted, make_pointer(*keys, key))

    def _wrong(self, what: str, value: object, wanted: str, pointer: str) -> Fault:
        encoded = isinstance(value, str) and value.lstrip()[:1] in ("[", "{")
        kind = "text that holds JSON (encoded twice)" if encoded else name_kind(value)
        return self.fault(f"{what} is {kind}, not {wanted}", pointer, make_excerpt(value))


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
