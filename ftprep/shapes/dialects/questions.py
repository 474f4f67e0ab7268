"""How dialects write a question: a text, an instruction with its input, a column for the system's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ftprep.model import Chat, Message
from ftprep.shapes.dialect import Record
from ftprep.shapes.dialects.answers import Gone, Said, Told, read_list, same, say, write_plain
from ftprep.shapes.dialects.wire import is_list

SYSTEMS = ("system", "developer")

_TURN = re.compile(r"\n\n(Human|Assistant):")
_SPEAKERS = {"Human": "user", "Assistant": "assistant"}


def is_blank(value: object) -> bool:
    """Whether a column says nothing: null or an empty text."""
    return value is None or (isinstance(value, str) and not value)


def role_of(item: Said) -> Any:
    """The role of a message, None where it has none."""
    return item.message.get("role") if isinstance(item.message, dict) else None


# -- reading -------------------------------------------------------------------------------------------------------


def read_prompt(value: Any, at: str) -> Told:
    """A prompt as text, which is one question (an empty one is none), or as a list of messages."""
    if isinstance(value, str):
        return [say("user", value, at)] if value else []
    return read_list(value, at)


def read_transcript(value: Any, at: str) -> list[Said]:
    """The turns of a text that is a talk, each after an empty line and `Human:` or `Assistant:` (as in Anthropic's
    HH-RLHF set); none where the text does not begin so, or the assistant does not speak."""
    if not isinstance(value, str) or not value.lstrip().startswith("Human:"):
        return []
    text = "\n\n" + value.lstrip()
    turns = list(_TURN.finditer(text))
    if not any(turn[1] == "Assistant" for turn in turns):
        return []
    ends = [turn.start() for turn in turns[1:]] + [len(text)]
    spoken = [(_SPEAKERS[turn[1]], text[turn.end() : end].strip()) for turn, end in zip(turns, ends, strict=True)]
    return [say(role, words, at) for role, words in spoken]


def is_repeated(asked: Told, beginning: Sequence[Said]) -> bool:
    """Whether what two answers begin with is the question again, in full or after a system message."""
    if not isinstance(asked, list):
        return False
    if len(asked) == 1 and "content" in asked[0].keys:  # a text
        words = asked[0].message["content"]
        return any(role_of(item) == "user" and same(item.message.get("content"), words) for item in beginning)
    end = beginning[max(0, len(beginning) - len(asked)) :] if asked else beginning[:0]
    return same([item.message for item in end], [item.message for item in asked])


def with_system(record: Record, asked: Told) -> Told:
    """The messages behind the words of a `system` column, if there are any."""
    if not isinstance(asked, list) or is_blank(record.get("system")):
        return asked
    return [say("system", record["system"], "/system"), *asked]


def read_instruction(record: Record) -> list[Said]:
    """Alpaca's columns: system, history, then instruction and input joined by a line end."""
    history = record.get("history")
    talk: list[Said] = []
    for place, turn in enumerate(history if is_list(history) else [] if is_blank(history) else [history]):
        at = f"/history/{place}" if is_list(history) else "/history"
        if is_list(turn) and len(turn) == 2:
            talk += [say("user", turn[0], f"{at}/0"), say("assistant", turn[1], f"{at}/1")]
        else:
            talk.append(Said(turn, at))
    parts = [(k, record[k]) for k in ("instruction", "input") if not is_blank(record.get(k))]
    if not parts:
        asked = say("user", record["instruction"], "/instruction") if "instruction" in record else Said({}, "")
    elif all(isinstance(text, str) for _, text in parts):
        asked = say("user", "\n".join(text for _, text in parts), f"/{parts[0][0]}")
    else:
        wrong = next((key, value) for key, value in parts if not isinstance(value, str))
        asked = say("user", wrong[1], f"/{wrong[0]}")
    talk.append(asked)
    return list(with_system(record, talk))


def talk_key(record: Record) -> str | None:
    """Under which key a record has a list of turns."""
    return next((k for k in ("conversations", "messages", "prompt") if is_list(record.get(k))), None)


# -- writing -------------------------------------------------------------------------------------------------------


def lost_of_input(asked: Chat, kept: Iterable[str] = ()) -> list[str]:
    """What is said beside the messages of a question and has no place."""
    keys = [k for k in ("tools", "parallel_tool_calls", "functions") if getattr(asked, k) is not None]
    return [f"input.{key}" for key in (*keys, *(asked.extra or ())) if key not in kept]


def write_question(messages: Sequence[Message], losses: list[str]) -> str:
    """The last question as a text; all else is lost."""
    last = len(messages) - 1
    if not messages or messages[last].role != "user":
        losses += [f"input.messages[{i}]" for i in range(len(messages))]
        return ""
    losses += [f"input.messages[{i}]" for i in range(last)]
    return write_plain(messages[last], f"input.messages[{last}]", losses)


def write_instruction(messages: Sequence[Message], losses: list[str]) -> dict[str, Any]:
    """A question in Alpaca's columns: the last one is the instruction, the turns before it are the history."""
    places = list(range(len(messages)))
    record: dict[str, Any] = {"instruction": ""}
    if messages and messages[0].role in SYSTEMS:
        record["system"] = write_plain(messages[0], "input.messages[0]", losses)
        losses += ["the role developer of input.messages[0]"] if messages[0].role == "developer" else []
        places = places[1:]
    if places and messages[places[-1]].role == "user":
        last = places.pop()
        record["instruction"] = write_plain(messages[last], f"input.messages[{last}]", losses)
    history = []
    while len(places) > 1 and [messages[i].role for i in places[:2]] == ["user", "assistant"]:
        pair, places = places[:2], places[2:]
        history.append([write_plain(messages[i], f"input.messages[{i}]", losses) for i in pair])
    if history:
        record["history"] = history
    losses += [f"input.messages[{i}]" for i in places]
    return record


def write_answer(messages: Sequence[Message], name: str, losses: list[str]) -> str:
    """An answer of one message as a text; further ones are lost."""
    losses += [f"{name}[{i}]" for i in range(1, len(messages))]
    if not messages:
        return ""
    if messages[0].role != "assistant":
        losses.append(f"the role {messages[0].role} of {name}[0]")
    return write_plain(messages[0], f"{name}[0]", losses)


def or_gone(told: Told) -> Told:
    """Messages, or Gone where there is not one."""
    return Gone() if isinstance(told, list) and not told else told
