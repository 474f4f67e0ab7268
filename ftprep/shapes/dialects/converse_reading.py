"""Converse data on its way to messages: blocks of text, pictures, reasoning, calls of tools and their results."""

from __future__ import annotations

from typing import Any

from ftprep.shapes.dialects.pieces import (
    MEDIA,
    Content,
    Script,
    beside,
    call,
    is_text,
    kind_of,
    name_role,
    say_json,
)

BLOCKS = frozenset(
    ("text", "image", "video", "document", "audio", "toolUse", "toolResult", "reasoningContent", "cachePoint")
)
"""Keys that tell a block (botocore 1.44.5, service model bedrock-runtime 2023-09-30, ContentBlock)."""

_ROLES = {"user": "user", "assistant": "assistant", "system": "system"}
_FORM = "Converse"


class _Turn:
    """What one message says; results of tools become messages of their own."""

    def __init__(self) -> None:
        self.content = Content()
        self.message: dict[str, Any] = {}
        self.places: dict[str, str] = {}
        self.calls: list[dict[str, Any]] = []
        self.results: list[tuple[dict[str, Any], str, dict[str, str]]] = []
        self.media: dict[str, Any] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said but results."""
        return not (self.content.parts or self.calls or self.message)


class Reading(Script):
    """The messages of one record."""

    def read_system(self, system: Any) -> None:
        """The system blocks as one message."""
        if isinstance(system, (list, tuple)):
            turn = _Turn()
            for number, block in enumerate(system):
                _read_block(block, f"/system/{number}", turn, None)
            self._add(turn, {"role": "system"}, {}, "/system", "/system")
        else:
            self.add({"role": "system", "content": system}, "/system", {"/content": "/system"})

    def read(self, message: Any, at: str) -> None:
        """One message, with the results in it as messages before it."""
        if not isinstance(message, dict):
            self.add(message, at)
            return
        rest = beside(message, ("role", "content"), _FORM)
        start = {"role": name_role(message["role"], _ROLES, _FORM)} if message.get("role") is not None else {}
        content = message.get("content")
        if not isinstance(content, (list, tuple)):
            self.add(start | ({"content": _not_blocks(content)} if "content" in message else {}) | rest, at)
            return
        turn = _Turn()
        for number, block in enumerate(content):
            _read_block(block, f"{at}/content/{number}", turn, message.get("role"))
        is_over = bool(turn.results) and turn.is_empty
        for result, origin, places in turn.results:
            self.add(rest | result if is_over else result, origin, places)
            rest = {} if is_over else rest
        if not is_over:
            self._add(turn, start, rest, at, f"{at}/content")

    def _add(self, turn: _Turn, start: dict[str, Any], rest: dict[Any, Any], at: str, content: str) -> None:
        places = {"/content": content, **({"/role": at} if at == "/system" else {}), **turn.places}
        message = start | turn.message
        turn.content.put_into(message, places, content)
        if turn.calls:
            message["tool_calls"] = turn.calls
            places["/tool_calls"] = content
        if turn.media and MEDIA not in rest:
            message[MEDIA] = turn.media
            places[f"/{MEDIA}"] = content
        self.add(rest | message, at, places)

    def read_tools(self, out: dict[str, Any]) -> None:
        """The tools of the configuration in wire form; what else that says stays where it is."""
        config = out.get("toolConfig")
        if not isinstance(config, dict) or not isinstance(config.get("tools"), (list, tuple)):
            return
        out["tools"] = [_read_tool(tool, n, self.paths) for n, tool in enumerate(config["tools"])]
        self.paths["/tools"] = "/toolConfig/tools"
        del out["toolConfig"]
        if len(config) > 1:
            out["toolConfig"] = {k: v for k, v in config.items() if k != "tools"}


def _not_blocks(content: Any) -> Any:
    """A content that is no list of blocks is refused, though the wire form may have texts."""
    return {"text": content} if isinstance(content, str) else content


def _read_block(block: Any, origin: str, turn: _Turn, role: Any) -> None:
    key, value = next(iter(block.items())) if isinstance(block, dict) and len(block) == 1 else ("", None)
    at = f"{origin}/{key}"
    if key == "text" and isinstance(value, str):
        turn.content.add_text(value, origin)
        return
    if isinstance(value, dict):
        if key == "image" and role is not None and _read_image(value, origin, at, turn):
            return
        if key == "toolUse" and role == "assistant" and _read_call(value, origin, at, turn):
            return
        if key == "toolResult" and role == "user" and _read_result(value, origin, at, turn):
            return
        if key == "reasoningContent" and role == "assistant" and _read_reasoning(value, at, turn):
            return
    turn.content.keep(block, origin, _FORM)


def _read_image(value: dict[Any, Any], origin: str, at: str, turn: _Turn) -> bool:
    kind, source = value.get("format"), value.get("source")
    if value.keys() != {"format", "source"} or not isinstance(source, dict) or len(source) != 1:
        return False
    where = source.get("s3Location")
    if not isinstance(kind, str):
        return False
    if isinstance(source.get("bytes"), str):
        turn.content.add_image(f"data:image/{kind};base64,{source['bytes']}", origin, f"{at}/source/bytes")
        return True
    if not isinstance(where, dict) or not isinstance(where.get("uri"), str) or where["uri"].startswith("data:"):
        return False
    if not where.keys() <= {"uri", "bucketOwner"}:
        return False
    kept = {"bucketOwner": where["bucketOwner"]} if "bucketOwner" in where else {}
    if kind_of(where["uri"]) != f"image/{kind}":
        kept["mimeType"] = f"image/{kind}"
    if kept:
        turn.media[str(len(turn.content.parts))] = kept
    turn.content.add_image(where["uri"], origin, f"{at}/source/s3Location/uri")
    return True


def _read_call(value: dict[Any, Any], origin: str, at: str, turn: _Turn) -> bool:
    if value.keys() != {"toolUseId", "name", "input"} or not isinstance(value["input"], dict):
        return False
    arguments = say_json(value["input"])
    if arguments is None or not isinstance(value["name"], str) or not isinstance(value["toolUseId"], str):
        return False
    inside = f"/tool_calls/{len(turn.calls)}"
    turn.calls.append(call(value["name"], arguments, value["toolUseId"]))
    places = {"": origin, "/id": f"{at}/toolUseId", "/type": at, "/function": at, "/function/name": f"{at}/name"}
    places["/function/arguments"] = f"{at}/input"
    turn.places.update({inside + k: v for k, v in places.items()})
    return True


def _read_result(value: dict[Any, Any], origin: str, at: str, turn: _Turn) -> bool:
    """A result: one text or JSON value as the text of a message, several as its parts."""
    blocks = value.get("content")
    if not isinstance(value.get("toolUseId"), str) or not isinstance(blocks, (list, tuple)):
        return False
    content = Content()
    for number, block in enumerate(blocks):
        where = f"{at}/content/{number}"
        key, said = next(iter(block.items())) if isinstance(block, dict) and len(block) == 1 else ("", None)
        text = said if key == "text" and isinstance(said, str) else say_json(said) if key == "json" else None
        if text is None:
            content.keep(block, where, _FORM)
        else:
            content.add({"type": "text", "text": text}, where, {"/text": f"{where}/{key}", "/type": where})
    message = {"role": "tool", "tool_call_id": value["toolUseId"]}
    places = {"/role": at, "/tool_call_id": f"{at}/toolUseId"}
    content.put_into(message, places, f"{at}/content")
    if len(content.parts) == 1 and is_text(content.parts[0]):
        places["/content"] = content.places["/content/0/text"]
    rest = beside(value, ("toolUseId", "content"), _FORM)
    places.update({f"/{k}": f"{at}/{k}" for k in ("status",) if k in rest})
    turn.results.append((rest | message, origin, places))
    return True


def _read_reasoning(value: dict[Any, Any], at: str, turn: _Turn) -> bool:
    """What the model thinks: one block, before all else."""
    said = value.get("reasoningText")
    if len(value) != 1 or not isinstance(said, dict) or turn.message or turn.content.parts or turn.calls:
        return False
    if not isinstance(said.get("text"), str) or not said.keys() <= {"text", "signature"}:
        return False
    turn.message["reasoning_content"] = said["text"]
    turn.places["/reasoning_content"] = f"{at}/reasoningText/text"
    if "signature" in said:
        turn.message["signature"] = said["signature"]
        turn.places["/signature"] = f"{at}/reasoningText/signature"
    return True


def _read_tool(tool: Any, number: int, paths: dict[str, str]) -> Any:
    spec = tool.get("toolSpec") if isinstance(tool, dict) and len(tool) == 1 else None
    at = f"/toolConfig/tools/{number}/toolSpec"
    if not isinstance(spec, dict):
        return tool
    function = {k: v for k, v in spec.items() if k != "inputSchema"}
    paths.update({f"/tools/{number}/function": at, f"/tools/{number}/type": at})
    schema = spec.get("inputSchema")
    if isinstance(schema, dict) and schema.keys() == {"json"} and "parameters" not in function:
        function["parameters"] = schema["json"]
        paths[f"/tools/{number}/function/parameters"] = f"{at}/inputSchema/json"
    elif "inputSchema" in spec:
        function["inputSchema"] = schema
    return {"type": "function", "function": function}
