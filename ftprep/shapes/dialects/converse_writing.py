"""Messages on their way to Converse data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftprep.model import ImagePart, Message, TextPart
from ftprep.shapes.dialects.pieces import MEDIA, kind_of, media_of, open_data_url, read_json, read_object, say_json

_ROLES = ("user", "assistant", "tool")


def write_messages(messages: Sequence[Message]) -> tuple[dict[str, Any], list[int]]:
    """`system` and `messages`, and the places of the messages that they are made of.

    Roles have to alternate, so answers of tools that stand together, and what the user says next, are one message.
    """
    record: dict[str, Any] = {"messages": []}
    kept: list[int] = []
    answers: dict[str, Any] | None = None
    for place, message in enumerate(messages):
        if place == 0 and message.role in ("system", "developer"):
            record = {"system": _blocks(message), "messages": []}
        elif message.role not in _ROLES:
            continue
        elif message.role == "tool":
            if answers is None:
                answers = {"role": "user", "content": []}
                record["messages"].append(answers)
            answers["content"].append(_result(message))
        else:
            if answers is not None and message.role == "user":
                answers["content"] += _blocks(message)
                answers |= _rest(message)
            else:
                record["messages"].append({"role": message.role, "content": _blocks(message), **_rest(message)})
            answers = None
        kept.append(place)
    return record, kept


def _rest(message: Message, *taken: str) -> dict[str, Any]:
    """The keys beside those that are known; what was kept of pictures and thoughts is in their blocks again."""
    own = ("role", "content", MEDIA, "signature", *taken)
    return {k: v for k, v in (message.extra or {}).items() if k not in own}


def _blocks(message: Message) -> list[Any]:
    blocks: list[Any] = []
    if message.thought:
        signed = {k: v for k, v in (message.extra or {}).items() if k == "signature"}
        blocks.append({"reasoningContent": {"reasoningText": {"text": message.thought, **signed}}})
    if isinstance(message.content, str):
        # Beside a call an empty text says nothing.
        blocks += [] if message.tool_calls and not message.content else [{"text": message.content}]
    for number, part in enumerate(message.content if isinstance(message.content, list) else ()):
        if isinstance(part, TextPart):
            blocks.append({"text": part.text})
        elif isinstance(part, ImagePart):
            blocks += _image(part.image_url.url, media_of(message, number))
    for one in message.tool_calls or ():
        said = read_object(one.function.arguments)
        use = {"toolUseId": one.id, "name": one.function.name, "input": {} if said is None else said}
        blocks.append({"toolUse": use})
    return blocks


def _image(url: str, kept: dict[str, Any]) -> list[Any]:
    """A picture as bytes or as a place in S3; there are no other addresses."""
    data = open_data_url(url)
    if data:
        return [{"image": {"format": data[0].removeprefix("image/"), "source": {"bytes": data[1]}}}]
    if not url.startswith("s3://"):
        return []
    mime = kept.get("mimeType")
    kind = mime if isinstance(mime, str) and mime.startswith("image/") else kind_of(url)
    owner = {k: v for k, v in kept.items() if k == "bucketOwner"}
    image = {"format": kind.removeprefix("image/")} if kind else {}
    return [{"image": {**image, "source": {"s3Location": {"uri": url, **owner}}}}]


def _result(message: Message) -> dict[str, Any]:
    content = message.content if isinstance(message.content, list) else [message.content]
    texts = [p.text if isinstance(p, TextPart) else p for p in content if isinstance(p, (TextPart, str))]
    result = {"toolUseId": message.tool_call_id} if message.tool_call_id is not None else {}
    return {"toolResult": {**result, "content": [_said(t) for t in texts], **_rest(message, *result)}}


def _said(text: str) -> dict[str, Any]:
    """A JSON list or object as such where it is spelt as reading spells it, else as text."""
    value = read_json(text)
    return {"json": value} if value is not None and say_json(value) == text else {"text": text}
