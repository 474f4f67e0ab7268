"""LLaMA-Factory: contents as parts with a value, pictures in a column of their own, and its dataset_info.json."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from ftprep.errors import UsageError
from ftprep.model import Example, ImagePart, Message, RefusalPart, ShapeName
from ftprep.shapes.chat import MESSAGE_KEYS
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.dialects.alpaca import Alpaca
from ftprep.shapes.dialects.ledger import Ledger, to_chat
from ftprep.shapes.dialects.sharegpt import ShareGPT
from ftprep.shapes.dialects.wire import (
    IMAGE_KEYS,
    Draft,
    as_weight,
    cover,
    decode,
    image_part,
    is_judged,
    is_list,
    objects,
    rest,
    spell,
)


@dataclass(frozen=True)
class LlamaFactoryParts:
    """Messages whose contents are parts with type and value (text, image_url, reasoning, tool_call), and a loss_weight
    (LLaMA-Factory 0.9.5, v1/utils/types.py)."""

    name: ClassVar[str] = "llama-factory-parts"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "LLaMA-Factory data (content parts with type and value)"

    def fits(self, record: Record) -> bool:
        """Whether a content has parts with type and value."""
        contents = [m.get("content") for m in objects(record.get("messages"))]
        return any("type" in p and "value" in p for c in contents for p in objects(c)) and not is_judged(record)

    def parse(self, record: Record) -> Parsed:
        """The conversation; a content of one text is that text, and calls get the ids call_1, call_2 and so on."""
        messages = record.get("messages")
        if not is_list(messages):
            return Parsed(dict(record))
        draft = Draft("messages")
        for place, message in enumerate(messages):
            at = f"/messages/{place}"
            if isinstance(message, dict):
                _read(draft, message, at)
            else:
                draft.add(message, at)
        return draft.finish(record, pictures=False)

    def write(self, example: Example) -> Written:
        """Every message with its loss_weight, since training asks for it, and the tools as JSON text."""
        chat = to_chat(example)
        ledger = Ledger(chat, "tools")
        record: dict[str, Any] = {"messages": [_write(ledger, m, n) for n, m in enumerate(chat.messages)]}
        tools = ledger.tools(chat)
        return ledger.finish(record if tools is None else {**record, "tools": tools})


@dataclass(frozen=True)
class LlamaFactoryImages:
    """OpenAI's messages with texts in which `<image>` stands for the pictures of a column, in order (LLaMA-Factory
    0.9.5 and ms-swift 4.6.0). Where there are not as many pictures as places, both stay as they are."""

    name: ClassVar[str] = "llama-factory-images"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "chat data with pictures in a column of their own (images beside messages)"

    def fits(self, record: Record) -> bool:
        """Whether there are messages with roles and a column of pictures."""
        pictured = any(isinstance(record.get(key), (str, list, tuple)) for key in IMAGE_KEYS)
        return pictured and any("role" in m for m in objects(record.get("messages"))) and not is_judged(record)

    def parse(self, record: Record) -> Parsed:
        """The conversation with the pictures in its contents, and the system prompt from beside it."""
        messages = record.get("messages")
        if not is_list(messages):
            return Parsed(dict(record))
        draft = Draft("messages")
        used = draft.begin(record.get("system"), [m.get("role") for m in objects(messages)[:1]])
        for place, message in enumerate(messages):
            draft.add(message, f"/messages/{place}")
        return draft.finish(record, *used)

    def write(self, example: Example) -> Written:
        """Messages with texts, and the pictures beside them; weights are lost, since LLaMA-Factory knows none."""
        chat = to_chat(example)
        ledger = Ledger(chat, "tools")
        record: dict[str, Any] = {"messages": [_write_plain(ledger, m, n) for n, m in enumerate(chat.messages)]}
        ledger.put_tools(record, chat)
        return ledger.finish(record, pictured=True)


def dataset_info(name: str, dialect: str, file: str, columns: Collection[str] = ()) -> dict[str, Any]:
    """The entry of LLaMA-Factory's dataset_info.json for a file of a dialect, under its name.

    `columns` are the keys that the records have beside the conversation; of these it knows system, tools and images.
    `chat` is OpenAI's own form. Raises UsageError for a dialect that it has no formatting for (source: its
    data/parser.py, 0.9.5).
    """
    if dialect not in _FORMATTING:
        known = ", ".join(sorted(_FORMATTING))
        message = f"LLaMA-Factory's dataset_info.json has no formatting for {dialect}"
        raise UsageError(message, f"write the file as one of {known}")
    formatting, own, tags = _FORMATTING[dialect]
    beside = {key: key for key in ("system", "tools", "images") if key in columns or key in own}
    entry: dict[str, Any] = {"file_name": file, "formatting": formatting, "columns": {**own, **beside}}
    return {name: {**entry, "tags": dict(tags)} if tags else entry}


_SHAREGPT_TAGS = {
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}
_OPENAI_TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "tool",
    "function_tag": "function_call",
    "system_tag": "system",
}
_ALPACA = {"prompt": "instruction", "query": "input", "response": "output", "system": "system", "history": "history"}
_FORMATTING: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    Alpaca.name: ("alpaca", _ALPACA, {}),
    ShareGPT.name: ("sharegpt", {"messages": "conversations"}, _SHAREGPT_TAGS),
    LlamaFactoryImages.name: ("openai", {"messages": "messages", "images": "images"}, _OPENAI_TAGS),
    "chat": ("openai", {"messages": "messages"}, _OPENAI_TAGS),
}

HAS_ENTRY = frozenset(_FORMATTING) - {"chat"}
"""Dialects that have an entry there; OpenAI's own form, which everybody reads, is written without one."""


def _read(draft: Draft, said: dict[Any, Any], at: str) -> None:
    message, keys = rest(said, "loss_weight"), {}
    weight = as_weight(said.get("loss_weight"))
    if weight is not None and weight != (1 if said.get("role") == "assistant" else 0):
        message["weight"], keys["weight"] = weight, f"{at}/loss_weight"
    if objects(said.get("content")):
        _read_parts(draft, message, keys, at)
    draft.add(draft.answer(message) if message.get("role") == "tool" else message, at, **keys)


def _read_parts(draft: Draft, message: dict[Any, Any], keys: dict[str, str], at: str) -> None:
    """Sort the parts of a content into text and pictures, reasoning, and calls."""
    here = f"/messages/{len(draft.messages)}"
    parts: list[Any] = []
    calls: list[Any] = []
    for number, part in enumerate(message.pop("content")):
        where = f"{at}/content/{number}"
        kind = part["type"] if isinstance(part, dict) and set(part) == {"type", "value"} else None
        if kind == "reasoning" and message.get("reasoning_content") is None:
            message["reasoning_content"], keys["reasoning_content"] = part["value"], f"{where}/value"
        elif kind == "tool_call":
            if not calls:
                draft.ids.begin()
            told = decode(part["value"]) if isinstance(part["value"], str) else None
            calls.append(part["value"] if told is None else draft.number(told))
            cover(draft.paths, f"{here}/tool_calls/{len(calls) - 1}", calls[-1], f"{where}/value")
        else:
            draft.paths[f"{here}/content/{len(parts)}"] = where
            parts.append(_read_part(part, kind))
            if parts[-1] is not part:
                cover(draft.paths, f"{here}/content/{len(parts) - 1}/{kind}", parts[-1][kind], f"{where}/value")
    if calls:
        message["tool_calls"] = calls
    if parts or not (calls or "reasoning_content" in message):
        message["content"] = parts
    where = draft.paths.get(f"{here}/content/0/text", "")
    if len(parts) == 1 and where:
        message["content"], keys["content"] = parts[0]["text"], where


def _read_part(part: Any, kind: Any) -> Any:
    if kind == "image_url":
        return image_part(part["value"])
    return {"type": "text", "text": part["value"]} if kind == "text" else part


def _write(ledger: Ledger, message: Message, place: int) -> dict[str, Any]:
    if message.role in ("developer", "function"):
        ledger.lose(f"the role {message.role}", place)
    ledger.answers(message, place)
    ledger.lose_keys(message, place, "weight", "tool_calls", "tool_call_id", "reasoning_content")
    is_learnt = message.role == "assistant" and message.weight != 0
    if message.weight == 1 or (message.weight == 0 and message.role != "assistant"):
        ledger.lose("the weight, which says what holds anyway,", place)
    parts = [] if message.reasoning_content is None else [("reasoning", message.reasoning_content)]
    parts += _write_content(ledger, message, place)
    if message.tool_calls is not None:
        parts += [("tool_call", spell(call) or "") for call in ledger.calls(message, place)]
    turn: dict[str, Any] = {"role": message.role}
    if parts:
        turn["content"] = [{"type": kind, "value": value} for kind, value in parts]
    return ledger.put_turn_extra({**turn, "loss_weight": float(is_learnt)}, message, place)


def _write_content(ledger: Ledger, message: Message, place: int) -> list[tuple[str, str]]:
    if not isinstance(message.content, list):
        return [] if message.content is None else [("text", message.content)]
    told = []
    for part in message.content:
        if isinstance(part, ImagePart):
            told.append(("image_url", part.image_url.url))
            if part.image_url.detail is not None:
                ledger.lose("the detail of a picture", place)
        elif isinstance(part, RefusalPart):
            ledger.lose("that it is a refusal: the text", place)
            told.append(("text", part.refusal))
        else:
            told.append(("text", part.text))
    if not told or [kind for kind, _ in told] == ["text"]:
        ledger.lose("that the content is a list of parts", place)
    return told


def _write_plain(ledger: Ledger, message: Message, place: int) -> dict[str, Any]:
    """A message in OpenAI's form whose content is a text."""
    turn = {k: v for k, v in msgspec.to_builtins(message).items() if k in MESSAGE_KEYS and k != "weight"}
    ledger.lose_keys(message, place, *(k for k in MESSAGE_KEYS if k != "weight"))
    text = ledger.text(message, place)
    if text is not None:
        turn["content"] = text
    ledger.put_extra(turn, message.extra, MESSAGE_KEYS, f"messages[{place}]")
    return turn
