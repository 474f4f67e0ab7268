"""Messages and tools of Mistral data, read into the wire form and written from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ftprep.model import Message, RefusalPart
from ftprep.shapes.chat import MESSAGE_KEYS
from ftprep.shapes.dialects.pieces import join_text, name_role, wire_tools

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
"""What the roles of a conversation are called by Mistral, which knows no developer."""

_KNOWN = {role: role for role in ("system", "user", "assistant", "tool")}
_RENAMED = {"interactions": "messages", "available_tools": "tools"}


def rename_keys(record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The record with its main keys called as in the wire form, and where these stand."""
    out, paths = dict(record), {}
    for key, wire in _RENAMED.items():
        if key in out and wire not in out:
            out[wire] = out.pop(key)
            paths[f"/{wire}"] = f"/{key}"
    return out, paths


def is_own(message: Any) -> bool:
    """Whether a message is of a form that only Mistral has: text for content, or a thought without a signature."""
    if not isinstance(message, dict) or "role" not in message:
        return False
    if "content" not in message:
        return isinstance(message.get("text"), str)
    content = message["content"]
    return isinstance(content, list) and any(_thought(c) is not None and "signature" not in c for c in content)


def _thought(chunk: Any) -> str | None:
    """The text of a finished thought: a text (mistral-common) or one text in a list (the API), else None."""
    if not isinstance(chunk, dict) or chunk.get("type") != "thinking" or chunk.get("closed", True) is not True:
        return None
    said = chunk.get("thinking")
    said = join_text(said) if isinstance(said, list) else said
    return said if isinstance(said, str) and chunk.keys() <= {"type", "thinking", "closed"} else None


def read_message(message: Any, at: str, origin: str, paths: dict[str, str]) -> Any:
    """A message in wire form; `at` is where it comes to stand, `origin` where it stands in the record."""
    if not isinstance(message, dict):
        return message
    out = dict(message)
    if "text" in out and "content" not in out:
        out["content"] = out.pop("text")
        paths[f"{at}/content"] = f"{origin}/text"
    if "role" in out:
        out["role"] = name_role(out["role"], _KNOWN, "Mistral data")
    if isinstance(out.get("content"), list):
        _read_chunks(out, at, paths.get(f"{at}/content", f"{origin}/content"), paths)
    if isinstance(out.get("tool_calls"), list):
        out["tool_calls"] = [add_type(call) for call in out["tool_calls"]]
        for number, call in enumerate(message["tool_calls"]):
            if isinstance(call, dict) and "type" not in call:
                paths[f"{at}/tool_calls/{number}/type"] = f"{origin}/tool_calls/{number}"
    return out


def _read_chunks(out: dict[Any, Any], at: str, origin: str, paths: dict[str, str]) -> None:
    chunks = out["content"]
    thought = _thought(chunks[0]) if chunks and out.get("role") == "assistant" else None
    first = 0
    if thought is not None and "reasoning_content" not in out:
        first = 1
        out["reasoning_content"] = thought
        paths[f"{at}/reasoning_content"] = f"{origin}/0/thinking"
        text = join_text(chunks[1:])
        if text is not None:
            out["content"] = text
            paths[f"{at}/content"] = f"{origin}/1/text"
            return
    out["content"] = [_read_picture(chunk) for chunk in chunks[first:]]
    if first and len(chunks) == 1:
        del out["content"]
    for number, chunk in enumerate(chunks[first:]):
        paths[f"{at}/content/{number}"] = f"{origin}/{number + first}"
        if isinstance(chunk, dict) and isinstance(chunk.get("image_url"), str):
            paths[f"{at}/content/{number}/image_url/url"] = f"{origin}/{number + first}/image_url"


def _read_picture(chunk: Any) -> Any:
    if isinstance(chunk, dict) and chunk.get("type") == "image_url" and isinstance(chunk.get("image_url"), str):
        return {**chunk, "image_url": {"url": chunk["image_url"]}}
    return chunk


def add_type(call: Any) -> Any:
    """A call or tool with its type, which Mistral leaves out."""
    return (
        {"type": "function", **call} if isinstance(call, dict) and "type" not in call and "function" in call else call
    )


def hold_back(messages: list[Any], paths: dict[str, str]) -> None:
    """Give weight 0 to every reply but the last message, which is what `only_last` says."""
    for number, message in enumerate(messages[:-1]):
        if not isinstance(message, dict) or message.get("role") != "assistant":
            continue
        weight = message.get("weight")
        if weight is None or (type(weight) is int and weight == 1):
            message["weight"] = 0
            paths[f"/messages/{number}/weight"] = "/only_last"


def write_message(message: Message, ids: Mapping[str, str]) -> dict[str, Any]:
    """A message as Mistral has it: thoughts as the first chunk, ids as chosen."""
    said: dict[str, Any] = {"role": ROLES[message.role]}
    content: Any = message.content
    if isinstance(content, list):
        content = msgspec.to_builtins([part for part in content if not isinstance(part, RefusalPart)])
    if message.thought:
        chunks = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        content = [{"type": "thinking", "thinking": message.thought}, *chunks]
    if content is not None:
        said["content"] = content
    if message.tool_calls is not None:
        calls = msgspec.to_builtins(message.tool_calls)
        said["tool_calls"] = [{**call, "id": ids[call["id"]]} for call in calls]
    if message.tool_call_id is not None:
        said["tool_call_id"] = ids[message.tool_call_id]
    if message.name is not None and message.role == "tool":
        said["name"] = message.name
    if message.weight is not None:
        said["weight"] = message.weight
    own = {"text"} if content is None else set()
    return said | {k: v for k, v in (message.extra or {}).items() if k not in MESSAGE_KEYS | own}


def write_tools(tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tools with what Mistral requires of a function: a description and parameters, which may be empty."""
    written: list[dict[str, Any]] = []
    for is_function, tool in wire_tools(tools):
        if is_function:
            written.append({"type": "function", "function": {"description": "", "parameters": {}, **tool}})
        elif "type" not in tool:
            written.append(tool)
    return written
