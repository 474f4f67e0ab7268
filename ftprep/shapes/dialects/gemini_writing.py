"""Messages on their way to contents of Gemini data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftprep.model import ImagePart, Message, TextPart
from ftprep.shapes.dialects.pieces import MEDIA, kind_of, media_of, open_data_url, read_object

_ROLES = {"user": "user", "assistant": "model", "tool": "user"}


def write_contents(messages: Sequence[Message], *, with_ids: bool) -> tuple[dict[str, Any], list[int]]:
    """`systemInstruction` and `contents`, and the places of the messages that they are made of.

    Answers of tools that stand together are the parts of one content, as Gemini wants the answers to one turn.
    """
    record: dict[str, Any] = {}
    contents: list[dict[str, Any]] = []
    kept: list[int] = []
    names: dict[str, str] = {}
    answers: list[Any] | None = None
    for place, message in enumerate(messages):
        if place == 0 and message.role in ("system", "developer"):
            record["systemInstruction"] = {"role": "system", "parts": _parts(message), **_rest(message)}
        elif message.role not in _ROLES:
            continue
        elif message.role == "tool":
            answer = _answer(message, names, with_ids=with_ids)
            if answers is None or message.extra:
                answers = []
                contents.append({"role": "user", "parts": answers, **_rest(message)})
            answers.append(answer)
        else:
            calls = [_call(c.function.name, c.function.arguments, c.id, with_ids) for c in message.tool_calls or ()]
            names |= {c.id: c.function.name for c in message.tool_calls or ()}
            parts = _parts(message) + calls
            contents.append({"role": _ROLES[message.role], "parts": parts, **_rest(message)})
        if message.role != "tool":
            answers = None
        kept.append(place)
    return {**record, "contents": contents}, kept


def _rest(message: Message) -> dict[str, Any]:
    """The keys beside those that are known; what was kept of pictures is in their parts again."""
    taken = ("role", "parts", "content", MEDIA)
    return {k: v for k, v in (message.extra or {}).items() if k not in taken}


def _parts(message: Message) -> list[Any]:
    if isinstance(message.content, str):
        # An empty text beside calls is refused; without a call it is all that there is.
        return [] if message.tool_calls and not message.content else [{"text": message.content}]
    parts: list[Any] = []
    for number, part in enumerate(message.content or ()):
        if isinstance(part, TextPart):
            parts.append({"text": part.text})
        elif isinstance(part, ImagePart):
            parts.append(_picture(part.image_url.url, media_of(message, number).get("mimeType")))
    return parts


def _picture(url: str, mime: Any) -> dict[str, Any]:
    data = open_data_url(url)
    if data:
        return {"inlineData": {"mimeType": data[0], "data": data[1]}}
    kind = mime if isinstance(mime, str) and mime.startswith("image/") else kind_of(url)
    return {"fileData": {"mimeType": kind, "fileUri": url} if kind else {"fileUri": url}}


def _call(name: str, arguments: str, call_id: str, with_ids: bool) -> dict[str, Any]:
    args = read_object(arguments)
    said = {"id": call_id} if with_ids else {}
    return {"functionCall": {**said, "name": name, **({} if args is None else {"args": args})}}


def _answer(message: Message, names: dict[str, str], *, with_ids: bool) -> dict[str, Any]:
    """An answer of a tool: an object where the text is one, else a text under `output`."""
    call_id = message.tool_call_id
    text = message.text
    said = read_object(text)
    # Reading tells a text from an object by this one key.
    is_wrapped = said is None or (said.keys() == {"output"} and isinstance(said["output"], str))
    response = {"output": text} if is_wrapped else said
    name = names.get(call_id or "") or message.name or ""
    start = {"id": call_id} if with_ids and call_id is not None else {}
    return {"functionResponse": {**start, "name": name, "response": response}}
