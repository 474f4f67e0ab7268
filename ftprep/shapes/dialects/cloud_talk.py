"""Messages as Gemini and Bedrock's Converse write them: contents that are lists of parts without a type."""

from __future__ import annotations

from typing import Any, NamedTuple

from ftprep.model import ImagePart, Message, TextPart
from ftprep.shapes.dialect import Record
from ftprep.shapes.dialects.answers import Said, Told, say, wire_message
from ftprep.shapes.dialects.questions import SYSTEMS, is_blank
from ftprep.shapes.dialects.wire import is_list


class Form(NamedTuple):
    """One cloud's names: of the list of messages, of the parts of a message, of the assistant, of the system's words.
    `draws` says whether pictures have a place."""

    messages: str
    parts: str
    assistant: str
    system: tuple[str, ...]
    draws: bool = False


GEMINI: Form = Form("contents", "parts", "model", ("systemInstruction", "system_instruction"))
CONVERSE: Form = Form("messages", "content", "assistant", ("system",), True)


# -- reading -------------------------------------------------------------------------------------------------------


def read_talk(record: Record, form: Form) -> Told:
    """The system's words and the messages."""
    talk = record.get(form.messages)
    if not is_list(talk):
        return talk
    messages = [read_message(turn, f"/{form.messages}/{place}", form) for place, turn in enumerate(talk or ())]
    for key in form.system:
        value = record.get(key)
        if is_blank(value) or (is_list(value) and not value):
            continue
        if isinstance(value, dict) and "parts" in value:
            messages.insert(0, read_message({"role": "system", "parts": value["parts"]}, f"/{key}", form))
        elif is_list(value):
            content, below = read_parts(value)
            messages.insert(0, Said({"role": "system", "content": content}, f"/{key}", {"content": below}))
        else:
            messages.insert(0, say("system", value, f"/{key}"))
        break
    return messages


def read_message(turn: Any, at: str, form: Form) -> Said:
    """One message with its parts as a content."""
    if not isinstance(turn, dict):
        return Said(turn, at)
    message = {k: v for k, v in turn.items() if k != form.parts}
    if message.get("role") == form.assistant:
        message["role"] = "assistant"
    if form.parts not in turn:
        return Said(message, at)
    message["content"], below = read_parts(turn[form.parts])
    return Said(message, at, {"content": f"/{form.parts}{below}"})


def read_parts(value: Any) -> tuple[Any, str]:
    """Parts as a content, with the pointer below them where the one text of it stands; what is no list of parts is
    wrong in a content too."""
    if not is_list(value):
        return ([value] if isinstance(value, str) else value), ""
    parts = [_read_part(part) for part in value]
    if len(parts) == 1 and isinstance(parts[0], dict) and parts[0].keys() == {"type", "text"}:
        return parts[0]["text"], "/0/text"
    return parts, ""


def _read_part(part: Any) -> Any:
    if not isinstance(part, dict) or len(part) != 1:
        return part
    if "text" in part:
        return {"type": "text", "text": part["text"]}
    image = part.get("image")
    source = image.get("source") if isinstance(image, dict) else None
    if not isinstance(image, dict) or not isinstance(source, dict):
        return part
    place, data = source.get("s3Location"), source.get("bytes")
    if isinstance(place, dict) and isinstance(place.get("uri"), str):
        return {"type": "image_url", "image_url": {"url": place["uri"]}}
    if isinstance(data, str):
        return {"type": "image_url", "image_url": {"url": f"data:image/{image.get('format')};base64,{data}"}}
    return part


# -- writing -------------------------------------------------------------------------------------------------------


def write_talk(messages: list[Message], form: Form, losses: list[str]) -> dict[str, Any]:
    """The columns of a question: the system's words and the messages."""
    record: dict[str, Any] = {}
    start = 0
    if messages and messages[0].role in SYSTEMS:
        if messages[0].role == "developer":
            losses.append("the role developer of input.messages[0]")
        parts = write_message(messages[0], "input.messages[0]", form, losses)[form.parts]
        record[form.system[0]] = parts if form is CONVERSE else {"parts": parts}
        start = 1
    told = enumerate(messages[start:], start)
    record[form.messages] = [write_message(m, f"input.messages[{i}]", form, losses) for i, m in told]
    return record


def write_message(message: Message, name: str, form: Form, losses: list[str]) -> dict[str, Any]:
    """One message; a role that the form does not know stays, as a loss."""
    if message.role not in ("user", "assistant", *SYSTEMS) or (message.role in SYSTEMS and name != "input.messages[0]"):
        losses.append(f"the role {message.role} of {name}")
    losses += [f"the {key} of {name}" for key in wire_message(message) if key not in ("role", "content")]
    content = message.content
    parts: list[dict[str, Any]] = []
    for part in [TextPart(content or "")] if isinstance(content, str) or content is None else content:
        told = _write_part(part, form)
        parts += [told] if told else []
        if told is None:
            losses.append(f"a part of the content of {name}")
    return {"role": form.assistant if message.role == "assistant" else message.role, form.parts: parts}


def _write_part(part: object, form: Form) -> dict[str, Any] | None:
    if isinstance(part, TextPart):
        return {"text": part.text}
    if not isinstance(part, ImagePart) or not form.draws or part.image_url.detail is not None:
        return None
    url = part.image_url.url
    kind, _, data = url.removeprefix("data:image/").partition(";base64,")
    if url.startswith("data:image/") and data:
        return {"image": {"format": kind, "source": {"bytes": data}}}
    end = url.rpartition(".")[2].lower()
    known = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png", "gif": "gif", "webp": "webp"}
    if not url.startswith("s3://") or end not in known:
        return None
    return {"image": {"format": known[end], "source": {"s3Location": {"uri": url}}}}
