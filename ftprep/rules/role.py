"""Rules on the talk: who speaks, in which order, and whether anything is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar

from msgspec.structs import replace

from ftprep.batch import Batch
from ftprep.dataset import Dataset
from ftprep.model import Chat, Fault, ImagePart, Message, Row
from ftprep.rule import Card, DatasetRule, Judgement, RowRule, Rule, Sample
from ftprep.rules.fmt_messages import ASK, GOOD, REPLY, with_messages
from ftprep.rules.talk import SPEAKING, Said, paths_of, place_words
from ftprep.setting import Setting
from ftprep.shapes.quoting import make_excerpt, make_pointer
from ftprep.targets import Fact, Target

SYSTEMS = ("system", "developer")
"""OpenAI's newer models call the system message developer; both are the same part of a talk."""

_SYSTEM = '{"role": "system", "content": "Answer with one word."}'
_OTHER_SYSTEM = '{"role": "system", "content": "Answer politely."}'


class _TalkRule(RowRule):
    shapes: ClassVar[tuple[str, ...]] = ("chat", "reinforcement")

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        """The faults of one conversation."""
        del setting
        example = row.example
        if example is None or example.shape not in self.shapes:
            return
        if isinstance(example, Chat):
            yield from self.look(example.messages)
            return
        # Of a question with several answers, the talk that is learnt.
        for said in paths_of(example)[:1]:
            for fault in self.look([each.message for each in said]):
                yield _moved(fault, said)

    def look(self, messages: list[Message]) -> Iterator[Fault]:
        """The faults of its messages."""
        raise NotImplementedError

    def at(self, place: int, message: str, *keys: str) -> Fault:
        """A fault at one message."""
        return self.fault(f"messages[{place}]: {message}", make_pointer("messages", place, *keys))


def _moved(fault: Fault, said: list[Said]) -> Fault:
    """A fault of a list of messages as one of the record in which these stand in several places."""
    place, _, rest = fault.pointer.removeprefix("/messages").lstrip("/").partition("/")
    if not place:
        return fault
    pointer = said[int(place)].pointer
    message = fault.message.replace(f"messages[{place}]", place_words(pointer), 1)
    return replace(fault, message=message, pointer=f"{pointer}/{rest}" if rest else pointer)


# These run on every conversation, so they are plain loops: a generator costs as much as all the rest.
def _has(role: str, messages: list[Message]) -> bool:
    for message in messages:  # noqa: SIM110
        if message.role == role:
            return True
    return False


def _systems(messages: list[Message]) -> list[int]:
    return [place for place, message in enumerate(messages) if message.role in SYSTEMS]


@lru_cache(maxsize=10_000)
def _is_in_order(kind: Callable[[], _OrderRule], roles: tuple[Any, ...]) -> bool:
    return next(kind().look([Message(role) for role in roles]), None) is None


class _OrderRule(_TalkRule):
    shapes: ClassVar[tuple[str, ...]] = SPEAKING
    """What these find depends on the roles alone, and few sequences of roles make up nearly all sets."""

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows whose roles are not in order."""
        if batch.shapes.isdisjoint(self.shapes):
            return []
        kind: Callable[[], _OrderRule] = type(self)  # hashed faster than the rule, which knows no more
        return [row for rows in batch.casts if not _is_in_order(kind, _roles(rows[0])) for row in rows]


def _roles(row: Row) -> tuple[str, ...]:
    return row.speech.cast.roles if row.speech else ()


class _WordsRule(_TalkRule):
    """What these find takes a message that says nothing."""

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows with such a message."""
        return batch.hollow


class NoAssistant(_OrderRule):
    shapes: ClassVar[tuple[str, ...]] = ("chat",)
    card: ClassVar[Card] = Card(
        code="ROLE101",
        name="no-assistant",
        severity="error",
        finds="A conversation has no turn of the assistant.",
        why="Only the assistant's turns are trained on, so there is nothing to learn; providers refuse the file.",
        bad=Sample(text=with_messages(_SYSTEM, ASK)),
        good=Sample(text=GOOD),
        aliases=("example_missing_assistant_message",),
    )

    def look(self, messages: list[Message]) -> Iterator[Fault]:
        if messages[-1].role != "assistant" and not _has("assistant", messages):
            yield self.fault("no turn of the assistant: there is nothing to learn", make_pointer("messages"))


class NoUser(_OrderRule):
    card: ClassVar[Card] = Card(
        code="ROLE102",
        name="no-user",
        severity="warning",
        finds="A conversation has no turn of the user.",
        why="The model learns to speak unasked; in use it will nearly always be asked something.",
        bad=Sample(text=with_messages(_SYSTEM, REPLY)),
        good=Sample(text=GOOD),
    )

    def refused_by(self, target: Target) -> Fact | None:
        return fact if (fact := target.get("roles.required")) and "user" in fact.value else None

    def look(self, messages: list[Message]) -> Iterator[Fault]:
        if not _has("user", messages):
            yield self.fault("no turn of the user", make_pointer("messages"))


class LastNotAssistant(_OrderRule):
    shapes: ClassVar[tuple[str, ...]] = ("chat",)
    card: ClassVar[Card] = Card(
        code="ROLE103",
        name="last-not-assistant",
        severity="error",
        finds="A conversation does not end with a turn of the assistant.",
        why="What stands behind the last reply is never learnt, and several providers refuse the file.",
        bad=Sample(text=with_messages(ASK, REPLY, '{"role": "user", "content": "Thanks!"}')),
        good=Sample(text=GOOD),
    )

    def look(self, messages: list[Message]) -> Iterator[Fault]:
        last = messages[-1].role
        if last != "assistant" and _has("assistant", messages):
            yield self.at(len(messages) - 1, f"the conversation ends with a {last} message, not with the assistant's")


class StartsWithAssistant(_OrderRule):
    card: ClassVar[Card] = Card(
        code="ROLE104",
        name="starts-with-assistant",
        severity="warning",
        finds="The assistant speaks before the user has.",
        why="Chat templates of many models have no place for such a turn, and the model learns to open the talk.",
        bad=Sample(text=with_messages('{"role": "assistant", "content": "Hello."}', ASK, REPLY)),
        good=Sample(text=with_messages(_SYSTEM, ASK, REPLY)),
    )

    def refused_by(self, target: Target) -> Fact | None:
        return fact if (fact := target.get("roles.first")) and "assistant" not in fact.value else None

    def look(self, messages: list[Message]) -> Iterator[Fault]:
        for place, message in enumerate(messages):
            if message.role not in SYSTEMS:
                if message.role == "assistant" and _has("user", messages):
                    yield self.at(place, "the assistant speaks before the user has")
                return


class ConsecutiveSameRole(_OrderRule):
    card: ClassVar[Card] = Card(
        code="ROLE105",
        name="consecutive-same-role",
        severity="warning",
        finds="The user or the assistant speaks twice in a row.",
        why="Chat templates of many models demand turns in alternation; some refuse the row, some drop a turn.",
        bad=Sample(text=with_messages('{"role": "user", "content": "Hello."}', ASK, REPLY)),
        good=Sample(text=GOOD),
    )

    def refused_by(self, target: Target) -> Fact | None:
        return fact if (fact := target.get("roles.alternate")) and fact.value else None

    def look(self, messages: list[Message]) -> Iterator[Fault]:
        roles = [m.role for m in messages]
        for place, (before, role) in enumerate(pairwise(roles), 1):
            if before == role and role in ("user", "assistant"):
                yield self.at(place, f"the {role} speaks twice in a row")


class SystemNotFirst(_OrderRule):
    card: ClassVar[Card] = Card(
        code="ROLE106",
        name="system-not-first",
        severity="warning",
        finds="A system message stands behind a turn of somebody else.",
        why="Chat templates of many models have a place for it at the start only; elsewhere it is refused or dropped.",
        bad=Sample(text=with_messages(ASK, _SYSTEM, REPLY)),
        good=Sample(text=with_messages(_SYSTEM, ASK, REPLY)),
    )

    def refused_by(self, target: Target) -> Fact | None:
        return fact if (fact := target.get("roles.system_first")) and fact.value else None

    def look(self, messages: list[Message]) -> Iterator[Fault]:
        for number, place in enumerate(_systems(messages)):
            if place != number:
                yield self.at(place, f"a {messages[place].role} message that does not stand at the start")


class SeveralSystems(_OrderRule):
    card: ClassVar[Card] = Card(
        code="ROLE107",
        name="several-systems",
        severity="warning",
        finds="A conversation has more than one system message.",
        why="Most chat templates keep one of them and drop the others; join them into one.",
        bad=Sample(text=with_messages(_SYSTEM, _OTHER_SYSTEM, ASK, REPLY)),
        good=Sample(text=with_messages(_SYSTEM, ASK, REPLY)),
    )

    def refused_by(self, target: Target) -> Fact | None:
        return fact if (fact := target.get("roles.system_max")) and fact.value == 1 else None

    def look(self, messages: list[Message]) -> Iterator[Fault]:
        places = _systems(messages)
        if len(places) > 1:
            yield self.at(places[1], f"{len(places)} system messages in one conversation")


class SystemVaries(DatasetRule):
    shapes: ClassVar[tuple[str, ...]] = ("chat",)
    card: ClassVar[Card] = Card(
        code="ROLE108",
        name="system-varies",
        severity="info",
        finds="Conversations of one set start with different system messages, or some with none.",
        why="That is right where the message says what to do; where it should always be the same, it is an oversight. "
        "In use, send the system message that was trained on.",
        bad=Sample(text=with_messages(_SYSTEM, ASK, REPLY)),
        good=Sample(text=GOOD),
    )

    def judge(self, dataset: Dataset) -> Iterator[Judgement]:
        survey = dataset.surveys.chats
        with_system = survey.chats - survey.without_system
        if survey.systems is not None and len(survey.systems) < 2 and not (with_system and survey.without_system):
            return
        if survey.systems is None:
            message = f"too many different system messages to count in {survey.chats:,} conversations"
        else:
            most = max(survey.systems.values())
            many = len(survey.systems)
            message = f"{many:,} system message{'s' if many > 1 else ''} in {survey.chats:,} conversations"
            message += f"; the commonest stands in {most:,}" if many > 1 else ""
        without = survey.without_system
        yield Judgement(message + (f"; {without:,} have none" if without else ""))


class EmptyContent(_WordsRule):
    card: ClassVar[Card] = Card(
        code="ROLE109",
        name="empty-content",
        severity="error",
        finds="A reply of the assistant that is trained on says nothing: no content, no call, no refusal.",
        why="The model learns to answer with nothing.",
        bad=Sample(text=with_messages(ASK, '{"role": "assistant", "content": ""}')),
        good=Sample(text=GOOD),
    )

    def look(self, messages: list[Message]) -> Iterator[Fault]:
        for place, message in enumerate(messages):
            content = message.content
            if content.__class__ is str and content:
                continue
            if message.is_trained and _says_nothing(message):
                yield self.at(place, "the reply is empty", "content")


class BlankContent(_WordsRule):
    card: ClassVar[Card] = Card(
        code="ROLE110",
        name="blank-content",
        severity="warning",
        finds="A message consists of white space.",
        why="It says nothing, and as a reply it teaches the model to say nothing.",
        bad=Sample(text=with_messages(ASK, '{"role": "assistant", "content": " \\n"}')),
        good=Sample(text=GOOD),
    )

    def look(self, messages: list[Message]) -> Iterator[Fault]:
        for place, message in enumerate(messages):
            if not message.content:
                continue
            text = message.text
            if text.isspace() and not _shows(message) and not _acts(message):
                fault = self.at(place, f"the {message.role} message is blank", "content")
                yield Fault(fault.code, fault.message, fault.pointer, make_excerpt(text))


class EmptyTurn(_WordsRule):
    card: ClassVar[Card] = Card(
        code="ROLE111",
        name="empty-turn",
        severity="warning",
        finds="A message that is not trained on is empty: the system's, the user's, or a reply with the weight 0.",
        why="The model learns to answer when nothing was asked. A tool may well answer with nothing.",
        bad=Sample(text=with_messages('{"role": "user", "content": ""}', REPLY)),
        good=Sample(text=GOOD),
    )

    def look(self, messages: list[Message]) -> Iterator[Fault]:
        for place, message in enumerate(messages):
            content = message.content
            if content.__class__ is str and content:
                continue
            if not message.is_trained and message.role not in ("tool", "function") and _says_nothing(message):
                yield self.at(place, f"the {message.role} message is empty", "content")


def _acts(message: Message) -> bool:
    return bool(message.tool_calls or message.function_call or message.refusal)


def _shows(message: Message) -> bool:
    return isinstance(message.content, list) and any(isinstance(p, ImagePart) for p in message.content)


def _says_nothing(message: Message) -> bool:
    return not message.text and not _shows(message) and not _acts(message)


RULES: tuple[type[Rule], ...] = (
    NoAssistant,
    NoUser,
    LastNotAssistant,
    StartsWithAssistant,
    ConsecutiveSameRole,
    SystemNotFirst,
    SeveralSystems,
    SystemVaries,
    EmptyContent,
    BlankContent,
    EmptyTurn,
)
