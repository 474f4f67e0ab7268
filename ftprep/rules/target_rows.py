"""Rules that hold single examples to what the target accepts: roles, keys, contents, weights, words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar

from ftprep.batch import Batch
from ftprep.model import Chat, Fault, ImagePart, Message, Preference, RefusalPart, Row, Unpaired
from ftprep.rule import Card, RowRule, Sample
from ftprep.rules.fmt_messages import ASK, GOOD, REPLY, with_messages
from ftprep.rules.talk import SPEAKING, paths_of, place_words, rich_rows, texts_of, walk
from ftprep.setting import Setting
from ftprep.shapes.quoting import make_excerpt, make_pointer, quote

_DEVELOPER = '{"role": "developer", "content": "Answer with one word."}'
_OPENAI = {"target": "openai"}


class _TalkRule(RowRule):
    shapes: ClassVar[tuple[str, ...]] = SPEAKING

    def at(self, pointer: str, message: str, excerpt: str = "") -> Fault:
        """A fault at one message."""
        return self.fault(f"{place_words(pointer)}: {message}", pointer, excerpt)


def _target(setting: Setting) -> str:
    return setting.target.name if setting.target else ""


def _known(setting: Setting, path: str) -> Any:
    return setting.target.value(path) if setting.target else None


class RoleNotAccepted(_TalkRule):
    fact: ClassVar[str] = "roles.allowed"
    card: ClassVar[Card] = Card(
        code="FMT130",
        name="role-not-accepted",
        severity="error",
        finds="A message has a role that the target does not take, such as developer or tool.",
        why="The target refuses the file, or leaves the message out without a word.",
        bad=Sample(text=with_messages(_DEVELOPER, ASK, REPLY), recipe={"target": "together"}),
        good=Sample(text=GOOD, recipe={"target": "together"}),
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """All that speak."""
        return batch.of(self.shapes)

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        allowed = tuple(_known(setting, self.fact) or ())
        if row.speech is not None and _are_among(row.speech.cast.roles, allowed):
            return
        for pointer, message in walk(row.example):
            if message.role not in allowed:
                told = f"{_target(setting)} takes no role {message.role}; it takes {', '.join(allowed)}"
                yield self.at(pointer, told, message.role)


@lru_cache(maxsize=10_000)
def _are_among(roles: tuple[str, ...], allowed: tuple[str, ...]) -> bool:
    return set(roles) <= set(allowed)


def _roles(row: Row) -> tuple[str, ...]:
    return row.speech.cast.roles if row.speech else ()


class KeyNotAccepted(_TalkRule):
    about: ClassVar[tuple[str, ...]] = ("record.keys", "tools.allowed")
    card: ClassVar[Card] = Card(
        code="FMT131",
        name="key-not-accepted",
        severity="error",
        finds="A record has tools, functions or parallel_tool_calls, which the target does not take.",
        why="The target refuses the file, or trains on something else than was written.",
        bad=Sample(
            text=GOOD + '{"messages": [' + ASK + ", " + REPLY + '], "parallel_tool_calls": false}\n',
            recipe={"target": "bedrock-haiku"},
        ),
        good=Sample(text=GOOD, recipe={"target": "bedrock-haiku"}),
    )

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        example, taken = row.example, _known(setting, "record.keys")
        refused = _known(setting, "tools.allowed") is False
        nested = isinstance(example, (Preference, Unpaired))
        holder = example.input if isinstance(example, (Preference, Unpaired)) else example
        for key in ("tools", "functions", "parallel_tool_calls"):
            if getattr(holder, key, None) is not None and (refused or (taken is not None and key not in taken)):
                pointer = make_pointer("input", key) if nested else make_pointer(key)
                yield self.fault(f"{_target(setting)} does not take {key}", pointer)


_KEYS = ("name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal")
_THOUGHTS = ("reasoning_content", "reasoning", "thinking")


class MessageKeyNotAccepted(_TalkRule):
    about: ClassVar[tuple[str, ...]] = ("message.", "reasoning.")
    card: ClassVar[Card] = Card(
        code="FMT132",
        name="message-key-not-accepted",
        severity="error",
        finds="A message has a key that the target does not take in messages of its role.",
        why="The target refuses the file, or drops what the key says.",
        bad=Sample(
            text=with_messages('{"role": "user", "name": "ann", "content": "Capital of Mali?"}', REPLY),
            recipe={"target": "databricks"},
        ),
        good=Sample(text=GOOD, recipe={"target": "databricks"}),
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """Rows with more than bare turns."""
        return rich_rows(batch)

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        exact = _known(setting, "message.exact_keys")
        for pointer, message in walk(row.example):
            allowed = _known(setting, f"message.keys.{message.role}")
            if allowed is None and exact:
                allowed = _known(setting, "message.required")
            for key in _keys_of(message, setting):
                if allowed is not None and key not in allowed:
                    told = f"{_target(setting)} takes no {quote(key)} in a message of the role {message.role}"
                    yield self.at(f"{pointer}/{key}", told)
            if message.thought and _known(setting, "reasoning.allowed") is False:
                yield self.at(pointer, f"{_target(setting)} takes no reasoning", make_excerpt(message.thought))


def _keys_of(message: Message, setting: Setting) -> list[str]:
    keys = [key for key in _KEYS if getattr(message, key) is not None]
    fields = _known(setting, "reasoning.field") or ()
    return keys + [key for key in _THOUGHTS if getattr(message, key) is not None and key not in fields]


class ContentNotAccepted(_TalkRule):
    about: ClassVar[tuple[str, ...]] = ("content.",)
    card: ClassVar[Card] = Card(
        code="FMT135",
        name="content-not-accepted",
        severity="error",
        finds="A content is of a kind that the target does not take there: parts where it wants text, say.",
        why="The target refuses the file.",
        bad=Sample(
            text=with_messages(ASK, '{"role": "assistant", "content": [{"type": "text", "text": "Bamako."}]}'),
            recipe={"target": "databricks"},
        ),
        good=Sample(text=GOOD, recipe={"target": "databricks"}),
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """Rows with more than bare turns."""
        return rich_rows(batch)

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        for pointer, message in walk(row.example):
            told = _wrong_content(message, setting)
            if told:
                yield self.at(f"{pointer}/content", told)


def _wrong_content(message: Message, setting: Setting) -> str:
    name = _target(setting)
    if isinstance(message.content, list):
        if _known(setting, "content.text_only"):
            return f"{name} takes text here, not a list of parts"
        allowed = _known(setting, f"content.parts_of.{message.role}") or _known(setting, "content.parts")
        kinds = {_kind_of(part) for part in message.content}
        wrong = sorted(kinds - set(allowed)) if allowed else []
        return f"{name} takes no {' or '.join(wrong)} part in a message of the role {message.role}" if wrong else ""
    calls = bool(message.tool_calls or message.function_call)
    if message.content is None and message.role == "assistant" and _known(setting, "content.null") == "never":
        return f"{name} takes no message without a content"
    if message.content and calls and _known(setting, "content.with_calls") is False:
        return f"{name} takes no content beside calls"
    return ""


def _kind_of(part: object) -> str:
    return "image_url" if isinstance(part, ImagePart) else "refusal" if isinstance(part, RefusalPart) else "text"


_ORDER = ("roles.first", "roles.next.", "roles.even", "record.min_messages")


class TurnsNotAccepted(_TalkRule):
    about: ClassVar[tuple[str, ...]] = _ORDER
    card: ClassVar[Card] = Card(
        code="FMT137",
        name="turns-not-accepted",
        severity="error",
        finds="The order of roles is one that the target refuses.",
        why="The target refuses the file, or skips the example without a word.",
        bad=Sample(
            text=with_messages('{"role": "assistant", "content": "Hello."}', ASK, REPLY),
            recipe={"target": "llama-factory"},
        ),
        good=Sample(text=GOOD, recipe={"target": "llama-factory"}),
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """The rows of which the usual order cannot be taken for granted."""
        return [row for rows in batch.casts if not _is_usual(_roles(rows[0])) for row in rows]

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        for path in paths_of(row.example):
            roles = [said.message.role for said in path]
            for place, told in _out_of_order(roles, setting):
                yield self.at(path[place].pointer, told)
                break  # what follows from the first is no fault of its own


@lru_cache(maxsize=10_000)
def _is_usual(roles: tuple[str, ...]) -> bool:
    """One system message or none, then user and assistant in turn, the assistant last: what everybody takes."""
    talk = roles[1:] if roles[:1] == ("system",) else roles
    return talk == ("user", "assistant") * (len(talk) // 2) and bool(talk)


def _out_of_order(roles: Sequence[str], setting: Setting) -> Iterator[tuple[int, str]]:
    name = _target(setting)
    first = _known(setting, "roles.first")
    talk = [place for place, role in enumerate(roles) if role in (first or ()) or role not in ("system", "developer")]
    if first and talk and roles[talk[0]] not in (*first, "assistant"):  # ROLE104 speaks of the assistant
        yield talk[0], f"{name} wants {' or '.join(first)} to begin, not {roles[talk[0]]}"
    fewest = _known(setting, "record.min_messages")
    if fewest and 0 < len(roles) < fewest:
        yield 0, f"{name} wants {fewest} messages or more"
    for place, (before, role) in enumerate(pairwise(roles), 1):
        following = _known(setting, f"roles.next.{before}")
        if following and role not in following:
            yield place, f"{name} wants {' or '.join(following)} behind {before}, not {role}"
    talks = len(roles) - sum(role == "system" for role in roles)
    if talks % 2 and _known(setting, "roles.even"):
        yield len(roles) - 1, f"{name} wants questions and answers in pairs, {talks} turns are none"


class WeightNotAccepted(_TalkRule):
    fact: ClassVar[str] = "weight.last_not_zero"
    card: ClassVar[Card] = Card(
        code="FMT138",
        name="last-weight-zero",
        severity="error",
        finds="The last reply of the assistant has the weight 0, which the target refuses.",
        why="The target refuses the file: the last reply must be trained on.",
        bad=Sample(
            text=with_messages(ASK, REPLY, ASK, '{"role": "assistant", "content": "Bamako.", "weight": 0}'),
            recipe=_OPENAI,
        ),
        good=Sample(
            text=with_messages(ASK, '{"role": "assistant", "content": "Bamako.", "weight": 0}', ASK, REPLY),
            recipe=_OPENAI,
        ),
    )

    def suspects(self, batch: Batch) -> list[Row]:
        """Rows with more than bare turns."""
        return rich_rows(batch)

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        if not isinstance(row.example, Chat) or not _known(setting, self.fact):
            return
        replies = [(place, m) for place, m in enumerate(row.example.messages) if m.role == "assistant"]
        if replies and replies[-1][1].weight == 0:
            pointer = make_pointer("messages", replies[-1][0])
            yield self.at(
                f"{pointer}/weight", f"the last reply has the weight 0, which {_target(setting)} refuses", "0"
            )


class ReservedWords(RowRule):
    shapes: ClassVar[tuple[str, ...]] = (*SPEAKING, "completion")
    fact: ClassVar[str] = "reserved.words"
    card: ClassVar[Card] = Card(
        code="FMT174",
        name="reserved-words",
        severity="error",
        finds="A text holds words that the target keeps for itself, such as `User:` or `Bot:`.",
        why="The job fails after it was started, or the words are taken for the start of a turn.",
        bad=Sample(
            text=with_messages('{"role": "user", "content": "User: who is there?"}', REPLY),
            recipe={"target": "bedrock-nova"},
        ),
        good=Sample(text=GOOD, recipe={"target": "bedrock-nova"}),
    )

    def check(self, row: Row, setting: Setting) -> Iterator[Fault]:
        words, where = _known(setting, self.fact) or (), _known(setting, "reserved.where")
        pattern = _any_of(tuple(words))
        roles = {pointer: message.role for pointer, message in walk(row.example)} if where else {}
        for pointer, text in texts_of(row.example):
            role = roles.get(pointer.rpartition("/")[0])
            if where and role is not None and role not in where:
                continue
            for word in dict.fromkeys(pattern.findall(text)):
                told = f"{_target(setting)} keeps {quote(word)} for itself"
                at = text.index(word)
                yield self.fault(told, pointer, text[max(0, at - 20) : at + len(word) + 20])


@lru_cache(maxsize=16)
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, words)) or r"(?!)")


RULES = (
    RoleNotAccepted,
    KeyNotAccepted,
    MessageKeyNotAccepted,
    ContentNotAccepted,
    TurnsNotAccepted,
    WeightNotAccepted,
    ReservedWords,
)
