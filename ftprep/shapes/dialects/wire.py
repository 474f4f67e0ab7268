"""What the reading of conversations shares: names of roles, calls, tools, pictures, and messages as they grow."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection, Mapping
from typing import Any, TypeGuard

from ftprep.readers.strict_json import BadJson, loads
from ftprep.shapes.dialect import Parsed, Record
from ftprep.shapes.quoting import make_pointer

TURN_KEYS = ("conversations", "conversation", "dialogue", "dialog", "turns")
"""What the list of messages is called where it is not called messages."""

ROLES: Mapping[str, str] = {
    **dict.fromkeys(("human", "user"), "user"),
    **dict.fromkeys(("gpt", "chatgpt", "bot", "assistant", "model"), "assistant"),
    **dict.fromkeys(("observation", "observations", "tool", "tool_response", "function_response"), "tool"),
    "system": "system",
}
"""What trainers call the roles (LLaMA-Factory 0.9.5, ms-swift 4.6.0, TRL 1.16.0). Others stay, for a rule to name."""

CALLERS = frozenset(("function_call", "tool_call"))
"""Turns of the assistant whose text is a call, as JSON."""

WEIGHTS = ("weight", "loss", "train")
"""Keys of a turn that say whether it is learnt: everyone's, ms-swift's, Axolotl's."""

IMAGE = "<image>"
"""What stands for a picture in a text, for LLaMA-Factory, ms-swift and LLaVA."""

IMAGE_KEYS = ("images", "image")

JUDGED = ("kto_tag", "preferred_output", "non_preferred_output", "rejected_response", "rejected_messages")
"""Keys that make a record one of preferences, which other dialects read."""


def is_list(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Whether a value is a list, as JSON or as a table in memory has it."""
    return isinstance(value, (list, tuple))


def objects(value: object) -> list[dict[Any, Any]]:
    """The objects in a list, none where it is no list."""
    return [v for v in value if isinstance(v, dict)] if isinstance(value, (list, tuple)) else []


def is_judged(record: Record) -> bool:
    """Whether a record compares or grades answers, so that it is no conversation to learn as it is."""
    if any(record.get(key) is not None for key in JUDGED) or isinstance(record.get("label"), bool):
        return True
    return record.get("chosen") is not None and record.get("rejected") is not None


def rest(said: Mapping[Any, Any], *used: str) -> dict[Any, Any]:
    """The other keys of an object."""
    return {k: v for k, v in said.items() if k not in used}


def put(message: dict[Any, Any], key: str, value: Any) -> None:
    """Set a key; what the original called so without that meaning is kept under the name with `_` behind it."""
    if message.get(key) is not None:
        message[f"{key}_"] = message[key]
    message[key] = value


def as_weight(value: Any) -> Any:
    """0 or 1 for true, false and the numbers that equal them; another value as it is."""
    return int(value) if isinstance(value, (bool, int, float)) and value in (0, 1) else value


def decode(text: str) -> Any:
    """What strict JSON text says; None where it is none, nested too deeply, or says a key twice."""
    try:
        return loads(text.encode())
    except (BadJson, ValueError, RecursionError):
        return None


def spell(value: Any) -> str | None:
    """A value as JSON text, spelt as Python and most data sets spell it; None for what JSON cannot say."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None


def open_arguments(text: str) -> Any:
    """The arguments of a call as an object, as trainers have them; the text where it says no object."""
    value = decode(text)
    return value if isinstance(value, dict) else text


def close_arguments(value: Any) -> Any:
    """The arguments of a call as JSON text, as OpenAI has them; what is no object as it is."""
    text = spell(value) if isinstance(value, dict) else None
    return value if text is None else text


def read_call(value: Any, name: str) -> Any:
    """A call as trainers write it (`name` and `arguments`, or those under `function`) in OpenAI's form, with this id
    where it has none of its own; another value as it is."""
    if not isinstance(value, dict):
        return value
    inner = value.get("function")
    said = inner if isinstance(inner, dict) else rest(value, "id", "type")
    function = {k: close_arguments(v) if k == "arguments" else v for k, v in said.items()}
    own = value.get("id")
    return {"id": own if isinstance(own, str) else name, "type": "function", "function": function}


def _read_calls(said: Any) -> list[Any] | None:
    value = decode(said) if isinstance(said, str) else said
    return [value] if isinstance(value, dict) else list(value) if is_list(value) else None


def read_tools(value: Any, schema: str = "parameters") -> Any:
    """Tools in OpenAI's form: from a list or JSON text, where plain functions become tools and the key of their schema
    becomes `parameters`; another value as it is."""
    tools = decode(value) if isinstance(value, str) else value
    if isinstance(tools, dict):
        tools = [tools]
    return [_read_tool(tool, schema) for tool in tools] if is_list(tools) else value


def _read_tool(tool: Any, schema: str) -> Any:
    if not isinstance(tool, dict) or "name" not in tool or "function" in tool or "type" in tool:
        return tool
    renamed = schema != "parameters" and "parameters" not in tool
    return {"type": "function", "function": {"parameters" if renamed and k == schema else k: tool[k] for k in tool}}


def read_urls(value: Any) -> list[str] | None:
    """The addresses in a column of pictures: a text, or a list of texts or of objects with path or url; None where
    there are others."""
    found = []
    for picture in [value] if isinstance(value, (str, dict)) else value if is_list(value) else [None]:
        url = (picture.get("path") or picture.get("url")) if isinstance(picture, dict) else picture
        if not isinstance(url, str):
            return None
        found.append(url)
    return found


def cover(paths: dict[str, str], pointer: str, value: Any, at: str) -> None:
    """Lead the pointer, and all that stands below it, to one place: a text that was decoded."""
    waiting = [(pointer, value)]
    while waiting:
        here, found = waiting.pop()
        paths[here] = at
        if isinstance(found, dict):
            waiting += [(here + make_pointer(k), v) for k, v in found.items()]
        elif isinstance(found, (list, tuple)):
            waiting += [(f"{here}/{place}", v) for place, v in enumerate(found)]


class CallIds:
    """Ids for forms that have none: call_1, call_2 and so on, taken by the answers in the order of the calls."""

    def __init__(self) -> None:
        self._count = 0
        self._open: deque[str] = deque()

    def begin(self) -> None:
        """A message with calls follows; what was not answered before never will be."""
        self._open.clear()

    def call(self) -> str:
        """The id of the next call."""
        self._count += 1
        self._open.append(f"call_{self._count}")
        return self._open[-1]

    def correct(self, name: Any) -> None:
        """The last call has an id of its own."""
        self._open[-1] = name

    def answer(self) -> str | None:
        """The id of the call that the next answer belongs to, None where all are answered."""
        return self._open.popleft() if self._open else None


class Draft:
    """The messages of a record as they grow, and where each of them stands in the original."""

    def __init__(self, key: str = "") -> None:
        self.messages: list[Any] = []
        self.ids = CallIds()
        self.paths: dict[str, str] = {"/messages": make_pointer(key) if key else ""}

    def add(self, message: Any, at: str, **keys: str) -> None:
        """A message that stands at a pointer, and keys of it that stand elsewhere than under their own names there."""
        here = f"/messages/{len(self.messages)}"
        self.messages.append(message)
        self.paths[here] = at
        for key, where in keys.items():
            self.paths[f"{here}/{key}"] = where

    def begin(self, system: Any, roles: Collection[Any] = ()) -> tuple[str, ...]:
        """The system prompt that stands beside the messages, unless those begin with one; the keys that were used."""
        if "system" in roles:
            return ()
        if system is not None and system != "":
            self.add({"role": "system", "content": system}, "/system", role="/system", content="/system")
        return ("system",)

    def call(self, said: Any, message: dict[Any, Any], at: str, key: str, **keys: str) -> None:
        """A message of the assistant whose calls are the JSON text under a key; what is none stays in their place."""
        calls = _read_calls(said)
        self.ids.begin()
        told = said if calls is None else [self.number(call) for call in calls]
        cover(self.paths, f"/messages/{len(self.messages)}/tool_calls", told, f"{at}/{key}")
        put(message, "role", "assistant")
        put(message, "tool_calls", told)
        self.add(message, at, **keys)

    def join(self, message: dict[Any, Any], said: Any, at: str) -> bool:
        """Add the calls in a text to those of the last message; False where it holds none or that has no list."""
        calls = _read_calls(said)
        if calls is None or not isinstance(message.get("tool_calls", []), list):
            return False
        if "tool_calls" not in message:
            self.ids.begin()
        told = message.setdefault("tool_calls", [])
        for call in calls:
            told.append(self.number(call))
            cover(self.paths, f"/messages/{len(self.messages) - 1}/tool_calls/{len(told) - 1}", told[-1], at)
        return True

    def number(self, said: Any) -> Any:
        """One call, with the next id."""
        call = read_call(said, self.ids.call())
        if isinstance(call, dict):
            self.ids.correct(call["id"])
        return call

    def answer(self, message: dict[Any, Any]) -> dict[Any, Any]:
        """A message of a tool, with the id of the call that it answers."""
        name = None if message.get("tool_call_id") is not None else self.ids.answer()
        return message if name is None else {**message, "tool_call_id": name}

    def finish(self, record: Record, *used: str, pictures: bool = True) -> Parsed:
        """The record in the wire form, its other keys as they are; pictures are put where `<image>` stands for them."""
        used = (*used, *(self._place_images(record) if pictures else ()))
        told: dict[Any, Any] = {"messages": self.messages}
        told |= {k: v for k, v in record.items() if k not in used and k != "messages"}
        if self.paths["/messages"] != "/messages" and record.get("messages") is not None:
            told["messages_"], self.paths["/messages_"] = record["messages"], "/messages"
        self._put_tools(told)
        return Parsed(told, self.paths)

    def _put_tools(self, told: dict[Any, Any]) -> None:
        said = told.pop("tools", None)
        if said is None or said == "":
            return
        tools = told["tools"] = read_tools(said)
        if is_list(said):
            wrapped = [n for n, tool in enumerate(said) if tool is not tools[n]]
            self.paths |= {f"/tools/{n}/function": f"/tools/{n}" for n in wrapped}
        else:
            cover(self.paths, "/tools", tools, "/tools")

    def _place_images(self, record: Record) -> tuple[str, ...]:
        """Put the pictures of a column into the texts, if there are as many as places; the key that was used."""
        key = next((k for k in IMAGE_KEYS if record.get(k) is not None), "")
        urls = read_urls(record[key]) if key else None
        texts = [(n, m) for n, m in enumerate(self.messages) if isinstance(m, dict) and m.get("role") != "system"]
        texts = [(n, m) for n, m in texts if isinstance(m.get("content"), str) and IMAGE in m["content"]]
        if not key:
            return IMAGE_KEYS
        if urls is None or sum(m["content"].count(IMAGE) for _, m in texts) != len(urls):
            return ()
        used = 0
        for n, message in texts:
            used = self._split(n, message, urls, used, f"{key}/{{}}" if is_list(record[key]) else key)
        return (key,)

    def _split(self, n: int, message: dict[Any, Any], urls: list[str], used: int, key: str) -> int:
        here = f"/messages/{n}/content"
        said = self.paths.get(here) or f"{self.paths[f'/messages/{n}']}/content"
        parts: list[dict[str, Any]] = []
        for place, text in enumerate(message["content"].split(IMAGE)):
            if place:
                cover(self.paths, f"{here}/{len(parts)}", image := image_part(urls[used]), "/" + key.format(used))
                parts.append(image)
                used += 1
            if text:
                cover(self.paths, f"{here}/{len(parts)}", part := {"type": "text", "text": text}, said)
                parts.append(part)
        self.messages[n] = {**message, "content": parts}
        return used


def image_part(url: Any) -> dict[str, Any]:
    """A picture in OpenAI's form."""
    return {"type": "image_url", "image_url": {"url": url}}
