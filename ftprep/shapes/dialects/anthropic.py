"""Anthropic's messages: the system prompt beside them, contents of typed parts, calls and results as parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ftprep.model import Chat, Example, ImagePart, Message, RefusalPart, ShapeName
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.dialects.ledger import Ledger, lead, to_chat
from ftprep.shapes.dialects.wire import (
    Draft,
    close_arguments,
    cover,
    image_part,
    is_judged,
    is_list,
    objects,
    read_tools,
    rest,
)

_SCHEMA = "input_schema"
_BLOCKS = ("tool_use", "tool_result")


@dataclass(frozen=True)
class Anthropic:
    """Messages of user and assistant whose content is text or parts (text, image, tool_use, tool_result), with
    `system` beside them as text or parts. Claude Haiku on Bedrock takes the form where all are texts."""

    name: ClassVar[str] = "anthropic"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "chat data with the system prompt beside the messages (Anthropic, Bedrock)"

    def fits(self, record: Record) -> bool:
        """Whether there is a system prompt beside messages with roles, or a part that only this form has."""
        messages = [m for m in objects(record.get("messages")) if "role" in m]
        if not messages or "schemaVersion" in record or is_judged(record):
            return False
        parts = [p for m in messages for p in objects(m.get("content"))]
        if any("type" not in p for p in parts):
            return False
        return isinstance(record.get("system"), (str, list, tuple)) or any(_is_own(p) for p in parts)

    def parse(self, record: Record) -> Parsed:
        """The conversation; a result is a message of the tool, and a call one of the assistant, with their ids."""
        messages = record.get("messages")
        if not is_list(messages):
            return Parsed(dict(record))
        draft = Draft("messages")
        used = draft.begin(_read_system(record.get("system")), [m.get("role") for m in objects(messages)[:1]])
        for place, message in enumerate(messages):
            at = f"/messages/{place}"
            if isinstance(message, dict) and objects(message.get("content")):
                _read(draft, message, at)
            else:
                draft.add(message, at)
        told = record
        if is_list(record.get("tools")):
            told = {**record, "tools": read_tools(record["tools"], _SCHEMA)}
            draft.paths |= {
                f"/tools/{n}/function": f"/tools/{n}"
                for n, t in enumerate(told["tools"])
                if t is not record["tools"][n]
            }
        return draft.finish(told, *used, pictures=False)

    def write(self, example: Example) -> Written:
        """Results of tools that stand together, and what the user says behind them, are one message."""
        chat = to_chat(example)
        ledger = Ledger(chat, "tools")
        system = lead(chat)
        record: dict[str, Any] = {"system": system} if system else {}
        record["messages"] = _write_all(ledger, chat, bool(system))
        if chat.tools is not None:
            record["tools"] = [_write_tool(tool) for tool in chat.tools]
            if read_tools(record["tools"], _SCHEMA) != chat.tools:
                ledger.lose("the form of the tools")
        return ledger.finish(record, "schemaVersion")


def _is_own(part: dict[Any, Any]) -> bool:
    kind = part.get("type")
    return kind in _BLOCKS or (kind == "image" and isinstance(part.get("source"), dict))


# -- reading -------------------------------------------------------------------------------------------------------


def _read_system(value: Any) -> Any:
    """The prompt; parts without a type are texts, and one text alone is that text."""
    if not is_list(value):
        return value
    parts = [{"type": "text", **p} if isinstance(p, dict) and "text" in p else p for p in value]
    return parts[0]["text"] if len(parts) == 1 and _is_text(parts[0]) else parts


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and set(part) == {"type", "text"} and part["type"] == "text"


def _read(draft: Draft, said: dict[Any, Any], at: str) -> None:
    """Add the messages of one message: results as messages of the tool, all between them as one of its role."""
    message = rest(said, "content")
    parts: list[Any] = []
    calls: list[Any] = []
    where: dict[str, str] = {}
    turns: list[tuple[dict[Any, Any], dict[str, str]]] = []
    for number, part in enumerate(said["content"]):
        here = f"{at}/content/{number}"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "tool_result":
            if parts or calls:
                turns.append(_close(parts, calls, where))
                parts, calls, where = [], [], {}
            turns.append(_read_result(part, here))
        elif kind == "tool_use":
            where[f"tool_calls/{len(calls)}"] = here
            where[f"tool_calls/{len(calls)}/function"] = here
            where[f"tool_calls/{len(calls)}/function/arguments"] = f"{here}/input" if "input" in part else here
            calls.append(_read_use(part))
        else:
            told, keys = _read_part(part, here)
            where |= {f"content/{len(parts)}{k}": v for k, v in keys.items()}
            parts.append(told)
    if parts or calls or not turns:
        turns.append(_close(parts, calls, where))
    for number, (turn, keys) in enumerate(turns):
        outer = message if number == len(turns) - 1 else {"role": said["role"]} if "role" in said else {}
        draft.add({**outer, **turn}, keys.pop("", at), **keys)


def _close(parts: list[Any], calls: list[Any], where: dict[str, str]) -> tuple[dict[Any, Any], dict[str, str]]:
    """A message of content and calls; one text alone is the content."""
    turn: dict[Any, Any] = {"tool_calls": calls} if calls else {}
    if len(parts) == 1 and _is_text(parts[0]):
        return {"content": parts[0]["text"], **turn}, {**where, "content": f"{where['content/0']}/text"}
    return ({"content": parts, **turn} if parts or not calls else turn), where


def _read_use(part: dict[Any, Any]) -> dict[Any, Any]:
    function = {new: part[key] for key, new in (("name", "name"), ("input", "arguments")) if key in part}
    function |= rest(part, "type", "id", "name", "input")
    if "arguments" in function:
        function["arguments"] = close_arguments(function["arguments"])
    return {**({"id": part["id"]} if "id" in part else {}), "type": "function", "function": function}


def _read_result(part: dict[Any, Any], here: str) -> tuple[dict[Any, Any], dict[str, str]]:
    turn: dict[Any, Any] = {"role": "tool", **rest(part, "type", "tool_use_id", "content", "role")}
    keys = {"": here, "role": f"{here}/type", "content": here}
    if "tool_use_id" in part:
        turn["tool_call_id"], keys["tool_call_id"] = part["tool_use_id"], f"{here}/tool_use_id"
    content = part.get("content", "")
    if "content" in part:
        keys["content"] = f"{here}/content"
    if objects(content):
        told = [_read_part(p, f"{here}/content/{n}") for n, p in enumerate(content)]
        content = [p for p, _ in told]
        for number, (_, where) in enumerate(told):
            keys |= {f"content/{number}{k}": v for k, v in where.items()}
        if len(content) == 1 and _is_text(content[0]):
            content, keys["content"] = content[0]["text"], f"{here}/content/0/text"
    return {**turn, "content": content}, keys


def _read_part(part: Any, here: str) -> tuple[Any, dict[str, str]]:
    """A text or picture in OpenAI's form, and where it stands; another part as it is."""
    source = part.get("source") if isinstance(part, dict) and set(part) == {"type", "source"} else None
    if not isinstance(source, dict) or part["type"] != "image":
        return part, {"": here}
    url = None
    if (
        source.get("type") == "base64"
        and isinstance(source.get("media_type"), str)
        and isinstance(source.get("data"), str)
    ):
        url = f"data:{source['media_type']};base64,{source['data']}"
    elif source.get("type") == "url":
        url = source.get("url")
    if url is None:
        return part, {"": here}
    keys: dict[str, str] = {}
    told = image_part(url)
    cover(keys, "", told, f"{here}/source")
    return told, {**keys, "": here, "/type": f"{here}/type"}


# -- writing -------------------------------------------------------------------------------------------------------


def _write_all(ledger: Ledger, chat: Chat, has_system: bool) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    before = ""
    for place, message in list(enumerate(chat.messages))[has_system:]:
        turn = _write(ledger, message, place)
        content = turn.get("content")
        can_join = before == "tool" and (message.role == "tool" or (message.role == "user" and content))
        if can_join:
            parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
            told[-1] = {**told[-1], **turn, "content": [*told[-1]["content"], *(parts or ())]}
        else:
            told.append(turn)
        before = message.role
    return told


def _write(ledger: Ledger, message: Message, place: int) -> dict[str, Any]:
    if message.role not in ("user", "assistant", "tool"):
        ledger.lose(f"the role {message.role}", place)
    ledger.lose_keys(message, place, "tool_calls", "tool_call_id")
    content = _write_content(ledger, message, place)
    if message.role == "tool":
        block = {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": content}
        block = {k: v for k, v in block.items() if v is not None}
        ledger.put_extra(block, message.extra, ("role", "tool_call_id", "name", "weight"), f"messages[{place}]")
        if message.content is None or message.tool_calls is not None:
            ledger.lose(
                "that there is no content, but calls," if message.tool_calls else "that there is no content", place
            )
        return {"role": "user", "content": [block]}
    if message.tool_call_id is not None:
        ledger.lose("the id of the call that is answered", place)
    turn: dict[str, Any] = {"role": message.role}
    if message.tool_calls is not None:
        calls = ledger.calls(message, place, keeps_ids=True)
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        named = zip(message.tool_calls, calls, strict=True)
        uses = [{"type": "tool_use", "id": c.id, "name": t["name"], "input": t["arguments"]} for c, t in named]
        content = [*parts, *uses] or None
    if content is not None:
        turn["content"] = content
    return ledger.put_turn_extra(turn, message, place)


def _write_content(ledger: Ledger, message: Message, place: int) -> Any:
    if not isinstance(message.content, list):
        return message.content
    told: list[dict[str, Any]] = []
    for part in message.content:
        if isinstance(part, ImagePart):
            if part.image_url.detail is not None:
                ledger.lose("the detail of a picture", place)
            told.append(_write_image(part.image_url.url))
            continue
        if isinstance(part, RefusalPart):
            ledger.lose("that it is a refusal: the text", place)
        told.append({"type": "text", "text": part.refusal if isinstance(part, RefusalPart) else part.text})
    if not told or (len(told) == 1 and _is_text(told[0])):
        ledger.lose("that the content is a list of parts", place)
    return told


def _write_image(url: str) -> dict[str, Any]:
    head, _, data = url.partition(";base64,")
    if head.startswith("data:") and data:
        return {"type": "image", "source": {"type": "base64", "media_type": head[5:], "data": data}}
    return {"type": "image", "source": {"type": "url", "url": url}}


def _write_tool(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    if set(tool) != {"type", "function"} or tool["type"] != "function" or not isinstance(function, dict):
        return tool
    return {_SCHEMA if key == "parameters" else key: value for key, value in function.items()}
