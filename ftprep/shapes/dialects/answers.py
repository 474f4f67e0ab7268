"""What dialects of questions with answers share: turns as messages, the way back, and what gets lost on it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ftprep.model import Example, Message
from ftprep.shapes.chat import CHAT_EXTRA
from ftprep.shapes.dialect import Dialect, Parsed, Record, Written
from ftprep.shapes.dialects.wire import is_list
from ftprep.shapes.quoting import make_pointer, quote

ROLES = {"human": "user", "gpt": "assistant", "observation": "tool"}
"""What turns with `from` call the roles (ShareGPT, LLaMA-Factory); all others are called the same."""

_NAMES = {role: name for name, role in ROLES.items()}


class Said(NamedTuple):
    """A message of the wire form with its pointer in the record; `keys` says which of its keys stand elsewhere below
    that (`{"content": "/value"}`)."""

    message: Any
    at: str
    keys: Mapping[str, str] = {}


class Gone:
    """Stands for what a record does not have."""


class Raw(NamedTuple):
    """What stands in a record, to be kept as it is."""

    value: Any


Told = Any
"""A list of Said; what stands in their place, as it is, if that is not a list; or Gone."""


# -- from records --------------------------------------------------------------------------------------------------


def read_list(value: Any, at: str) -> Told:
    """The turns of a list, whether they have role and content or from and value; any other value as it is."""
    if not is_list(value):
        return value
    waiting: list[str] = []
    return [_read_turn(turn, f"{at}/{place}", waiting) for place, turn in enumerate(value)]


def read_answer(record: Record, key: str) -> Told:
    """What stands under a key as an answer: a text, one message, or a list of messages."""
    if key not in record:
        return Gone()
    value, at = record[key], f"/{key}"
    if isinstance(value, str):
        return [say("assistant", value, at)]
    return [_read_turn(value, at, [])] if isinstance(value, dict) else read_list(value, at)


def say(role: str, text: Any, at: str) -> Said:
    """A message whose whole content is what stands at a pointer."""
    return Said({"role": role, "content": text}, at, {"content": ""})


def _read_turn(turn: Any, at: str, waiting: list[str]) -> Said:
    """A turn with from and value as a message; `waiting` has the id of each call so far, "" once it is answered."""
    if not isinstance(turn, dict) or "role" in turn or not ("from" in turn or "value" in turn):
        return Said(turn, at)
    message = {k: v for k, v in turn.items() if k not in ("from", "value")}
    keys = {}
    who = turn.get("from")
    if "from" in turn:
        calls = who in ("function_call", "tool_call") if isinstance(who, str) else False
        message["role"] = "assistant" if calls else ROLES.get(who, who) if isinstance(who, str) else who
        keys["role"] = "/from"
        if calls and "value" in turn:
            message["tool_calls"], keys["tool_calls"] = _read_calls(turn["value"], waiting), "/value"
            return Said(message, at, keys)
    if "value" in turn:
        message["content"], keys["content"] = turn["value"], "/value"
    if message.get("role") == "tool" and "tool_call_id" not in message:
        place = next((n for n, name in enumerate(waiting) if name), None)
        if place is not None:
            message["tool_call_id"], waiting[place] = waiting[place], ""
    return Said(message, at, keys)


def _read_calls(value: Any, waiting: list[str]) -> Any:
    """The calls in a text of JSON, with ids made up; the value as it is where it is no such text."""
    told = read_json(value)
    calls = told if isinstance(told, list) else [told]
    if not calls or not all(isinstance(c, dict) and isinstance(c.get("name"), str) for c in calls):
        return value
    read = []
    for call in calls:
        arguments = call.get("arguments", call.get("parameters", {}))
        text = arguments if isinstance(arguments, str) else write_json(arguments)
        waiting.append(f"call_{len(waiting) + 1}")
        read.append({"id": waiting[-1], "type": "function", "function": {"name": call["name"], "arguments": text}})
    return read


def read_json(value: Any) -> Any:
    """What a text of JSON says; any other value, and what is no JSON, as it is."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return value


def write_json(value: Any) -> str:
    """A value as JSON text; for what is none, its words."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return str(type(value).__name__)


def read_tools(value: Any) -> Any:
    """Tools in OpenAI's form: from JSON text, and from functions that stand there bare."""
    tools = read_json(value)
    if not is_list(tools):
        return value
    return [
        {"type": "function", "function": t} if isinstance(t, dict) and "name" in t and "function" not in t else t
        for t in tools
    ]


def count_shared(ours: Told, theirs: Told) -> int:
    """With how many equal messages two answers begin; the last of each is never one of them (as in TRL)."""
    if not (isinstance(ours, list) and isinstance(theirs, list)):
        return 0
    most = max(0, min(len(ours), len(theirs)) - 1)
    for place in range(most):
        if not same(ours[place].message, theirs[place].message):
            return place
    return most


def same(ours: Any, theirs: Any) -> bool:
    """Whether two values are equal; not where they are nested too deeply to be compared."""
    try:
        return bool(ours == theirs)
    except (RecursionError, ValueError):  # arrays of numpy do not say whether they are equal
        return False


def build(
    record: Record, known: Iterable[str], asked: Told, asked_in: str, answers: Mapping[str, tuple[Told, str]]
) -> Parsed:
    """The wire form: `input` with what is asked and the tools, the answers under their keys, and the other keys.

    `asked_in` is the key of the record in which the question stands. A column that is called like a key of the wire
    form is kept under that name with `_` behind it.
    """
    asked_at = f"/{asked_in}" if asked_in in record else ""
    paths: dict[str, str] = {"/input": asked_at}
    question: dict[str, Any] = {}
    if not isinstance(asked, Gone):
        question["messages"] = put_messages(asked, "/input/messages", asked_at, paths)
    if "tools" in record and "tools" in known:
        question["tools"], paths["/input/tools"] = read_tools(record["tools"]), "/tools"
    built: dict[str, Any] = {"input": question}
    for key, (told, at) in answers.items():
        if not isinstance(told, Gone):
            built[key] = put_messages(told, f"/{key}", at, paths)
    taken = {"input", *answers}
    for key, value in record.items():
        if key in known:
            continue
        name = key
        while name in taken or (name != key and name in record):
            name = f"{name}_"
        if name != key:
            paths[make_pointer(name)] = make_pointer(key)
        built[name] = value
    return Parsed(built, paths)


def put_messages(told: Told, at: str, there: str, paths: dict[str, str]) -> Any:
    """Messages as the wire form has them, with their places noted in `paths`; what is none as it is."""
    paths[at] = there
    if not isinstance(told, list):
        return told.value if isinstance(told, Raw) else told
    messages = []
    for place, item in enumerate(told):
        paths[f"{at}/{place}"] = item.at
        for key, below in item.keys.items():
            paths[f"{at}/{place}/{key}"] = item.at + below
        messages.append(item.message)
    return messages


# -- from examples -------------------------------------------------------------------------------------------------


def wire(example: Example) -> dict[str, Any]:
    """An example in the wire form, with the keys put back that were set aside."""
    return _unfolded(msgspec.to_builtins(example))


def wire_message(message: Message) -> dict[str, Any]:
    """A message in the wire form."""
    return _unfolded(msgspec.to_builtins(message))


def _unfolded(data: dict[str, Any]) -> dict[str, Any]:
    extra = data.pop(CHAT_EXTRA, None)
    for key in ("input", "messages", "preferred_output", "non_preferred_output", "output"):
        value = data.get(key)
        if isinstance(value, dict):
            _unfolded(value)
        elif isinstance(value, list):
            for message in value:
                _unfolded(message)
    for key, value in (extra or {}).items():
        data.setdefault(key, value)
    return data


def write_plain(message: Message, name: str, losses: list[str]) -> str:
    """A message as a bare text; what is more to it is lost."""
    data = wire_message(message)
    content = data.get("content")
    losses += [f"the {key} of {name}" for key in data if key not in ("role", "content")]
    if isinstance(content, list):
        losses.append(f"the parts of the content of {name}")
    return message.text


def write_turn(message: Message, name: str, losses: list[str]) -> dict[str, Any]:
    """A message as a turn with from and value: text, or calls without one."""
    if message.role in ("developer", "function"):
        losses.append(f"the role {message.role} of {name}")
    if message.tool_calls and not message.content:
        calls = [{"name": c.function.name, "arguments": read_json(c.function.arguments)} for c in message.tool_calls]
        data = wire_message(message)
        losses += [f"the {key} of {name}" for key in data if key not in ("role", "content", "tool_calls")]
        return {"from": "function_call", "value": write_json(calls[0] if len(calls) == 1 else calls)}
    told: list[str] = []
    text = write_plain(message, name, told)
    # An answer that follows its call gets the id of that again; any other id is seen when the record is read again.
    losses += [loss for loss in told if message.role != "tool" or not loss.startswith("the tool_call_id of ")]
    who = "system" if message.role == "developer" else "tool" if message.role == "function" else message.role
    return {"from": _NAMES.get(who, who), "value": text}


def write_rest(
    record: dict[str, Any], extra: Mapping[str, Any] | None, known: Iterable[str], losses: list[str]
) -> None:
    """The other keys of an example as further columns, but for those that the dialect understands otherwise."""
    for key, value in (extra or {}).items():
        if key in known or key in record:
            losses.append(f"the column {quote(key)}")
        else:
            record[key] = value


def settle(dialect: Dialect, example: Example, record: dict[str, Any], losses: Sequence[str]) -> Written:
    """The record as written; where nothing is known to be lost it is read again, so that none of it is in silence."""
    if losses:
        return Written(record, tuple(dict.fromkeys(losses)))
    place = find_difference(wire(example), dialect.parse(record).record)
    return Written(record, () if place is None else (f"what exactly {place or 'the record'} says",))


def find_difference(ours: Any, theirs: Any, at: str = "") -> str | None:
    """Where two values begin to differ, as a path in words (`input.messages[1].name`); None where they do not."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in [*ours, *(k for k in theirs if k not in ours)]:
            if key not in ours or key not in theirs:
                return f"{at}.{key}".lstrip(".")
            found = find_difference(ours[key], theirs[key], f"{at}.{key}")
            if found is not None:
                return found.lstrip(".")
        return None
    if is_list(ours) and is_list(theirs) and len(ours) == len(theirs):
        places = (find_difference(a, b, f"{at}[{i}]") for i, (a, b) in enumerate(zip(ours, theirs, strict=True)))
        return next((p for p in places if p is not None), None)
    alike = ours is theirs or (type(ours) is type(theirs) and same(ours, theirs))
    return None if alike else at.lstrip(".")
